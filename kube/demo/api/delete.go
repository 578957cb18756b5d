package api

import (
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

func (s *Server) delete(w http.ResponseWriter, r request) error {
	var options metav1.DeleteOptions
	if len(r.body) > 0 {
		if _, _, err := codecs().UniversalDeserializer().Decode(r.body, nil, &options); err != nil {
			return apierrors.NewBadRequest(err.Error())
		}
	}
	r.dry = r.dry || len(options.DryRun) > 0
	grace := int64(0)
	o, err := s.store.update(r, func(o Object) (Object, error) {
		if err := meets(o, options.Preconditions); err != nil {
			return nil, apierrors.NewConflict(schema.GroupResource{Group: r.group, Resource: r.kind}, r.name, err)
		}
		pod, ok := o.(*corev1.Pod)
		if !ok {
			return o, nil
		}
		if grace = Grace(pod, options.GracePeriodSeconds); grace > 0 {
			pod = pod.DeepCopy()
			Terminate(pod, s.store.now(), grace)
		}
		return pod, nil
	})
	if err != nil {
		return err
	}
	if grace <= 0 && !r.dry {
		s.remove(r)
	}
	if r.group == "" && r.plural != "nodes" && r.plural != "events" {
		return respond(w, r.Request, http.StatusOK, o)
	}
	return respond(w, r.Request, http.StatusOK, &metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusSuccess,
		Details: &metav1.StatusDetails{Name: r.name, Group: r.group, Kind: r.plural, UID: o.GetUID()},
	})
}

// meets says why an object is not the one that a client means to delete.
func meets(o Object, p *metav1.Preconditions) error {
	switch {
	case p == nil:
	case p.UID != nil && *p.UID != o.GetUID():
		return fmt.Errorf("the UID in the precondition (%s) does not match the UID in record (%s). The object might have been deleted and then recreated", *p.UID, o.GetUID())
	case p.ResourceVersion != nil && *p.ResourceVersion != o.GetResourceVersion():
		return fmt.Errorf("the ResourceVersion in the precondition (%s) does not match the ResourceVersion in record (%s). The object might have been modified", *p.ResourceVersion, o.GetResourceVersion())
	}
	return nil
}

// remove deletes an object, and what is in it when it is a namespace.
func (s *Server) remove(r request) {
	namespace, name := r.place()
	if r.plural == "namespaces" {
		for _, within := range resources {
			for _, o := range s.store.List(within.plural, name) {
				s.store.Delete(within.plural, name, o.GetName())
			}
		}
	}
	s.store.Delete(r.plural, namespace, name)
}

// Grace is how many seconds a Pod has to end: what was asked for, or what it
// says itself, and none when nothing runs.
func Grace(pod *corev1.Pod, asked *int64) int64 {
	switch {
	case pod.Spec.NodeName == "" || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed:
		return 0
	case asked != nil:
		return *asked
	case pod.Spec.TerminationGracePeriodSeconds != nil:
		return *pod.Spec.TerminationGracePeriodSeconds
	}
	return corev1.DefaultTerminationGracePeriodSeconds
}

// Terminate marks a Pod that its Node shall end. An end that was set is only
// brought forward.
func Terminate(pod *corev1.Pod, now time.Time, grace int64) {
	end := metav1.NewTime(now.Add(time.Duration(grace) * time.Second)).Rfc3339Copy()
	if pod.DeletionTimestamp == nil || end.Before(pod.DeletionTimestamp) {
		pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds = &end, &grace
	}
}
