package api

import (
	"fmt"
	"io"
	"net/http"
	"reflect"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// maxBody is how much a client may send: the limit of a real API server.
const maxBody = 3 << 20

func body(r request) ([]byte, error) {
	sent, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return nil, apierrors.NewRequestEntityTooLargeError(err.Error())
	}
	return sent, nil
}

// sent reads the object that a client sends.
func sent(r request) (Object, error) {
	data, err := body(r)
	if err != nil {
		return nil, err
	}
	return decode(r, data)
}

// decode reads an object of the request's kind and place.
func decode(r request, data []byte) (Object, error) {
	wanted := r.groupVersion().WithKind(r.kind)
	decoded, got, err := codecs().UniversalDeserializer().Decode(data, &wanted, nil)
	if runtime.IsStrictDecodingError(err) && r.URL.Query().Get("fieldValidation") != metav1.FieldValidationStrict {
		err = nil
	}
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: %v", r.kind, "v1", r.kind, err))
	}
	o, ok := decoded.(Object)
	if !ok || *got != wanted {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("the kind in the data (%s) does not match the expected kind (%s)", got, wanted))
	}
	_, namespace, name := r.key()
	if sent := o.GetNamespace(); sent != "" && sent != namespace {
		return nil, apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	o.SetNamespace(namespace)
	if name != "" && o.GetName() != name {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", o.GetName(), name))
	}
	return o, nil
}

func dryRun(r request) bool { return r.URL.Query().Get("dryRun") == metav1.DryRunAll }

func (s *Server) create(w http.ResponseWriter, r request) error {
	o, err := sent(r)
	switch {
	case err != nil:
		return err
	case r.name != "":
		return errMethod
	}
	return s.add(w, r, o)
}

// add stores an object that is new.
func (s *Server) add(w http.ResponseWriter, r request, o Object) error {
	if o.GetName() == "" && o.GetGenerateName() != "" {
		o.SetName(o.GetGenerateName() + rand.String(5))
	}
	path := field.NewPath("metadata", "name")
	if o.GetName() == "" {
		return apierrors.NewInvalid(r.groupKind(), "", field.ErrorList{field.Required(path, "name or generateName is required")})
	}
	if problems := validation.IsDNS1123Subdomain(o.GetName()); len(problems) > 0 {
		return apierrors.NewInvalid(r.groupKind(), o.GetName(), field.ErrorList{field.Invalid(path, o.GetName(), problems[0])})
	}
	if _, found := s.store.Get("namespaces", "", o.GetNamespace()); !found && !r.clusterScoped {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, o.GetNamespace())
	}
	o.SetUID("")
	o.SetCreationTimestamp(metav1.Time{})
	if r.counts() {
		o.SetGeneration(1)
	}
	if pod, ok := o.(*corev1.Pod); ok {
		pod.Status = corev1.PodStatus{Phase: corev1.PodPending}
	}
	if !dryRun(r) {
		var err error
		if o, err = s.store.create(r.resource, o); err != nil {
			return err
		}
	}
	return respond(w, r.Request, http.StatusCreated, o)
}

// attempts is how often a patch is made on what others have just changed.
const attempts = 5

// change replaces or patches an object, or the part of it that a subresource is.
func (s *Server) change(w http.ResponseWriter, r request) error {
	data, err := body(r)
	if err != nil {
		return err
	}
	for range attempts {
		before, err := s.find(r)
		applies := types.PatchType(r.Header.Get("Content-Type")) == types.ApplyYAMLPatchType
		if apierrors.IsNotFound(err) && r.verb == "patch" && applies {
			o, err := decode(r, data)
			if err != nil {
				return err
			}
			return s.add(w, r, o)
		}
		if err != nil {
			return err
		}
		o, err := changed(r, before, data)
		if err == nil && !dryRun(r) {
			o, err = s.store.Put(o)
		}
		switch {
		case err == nil:
			return respondPart(w, r, o)
		case !apierrors.IsConflict(err) || r.verb != "patch":
			return err
		}
	}
	return apierrors.NewConflict(r.groupResource(), r.name, fmt.Errorf("others change it all the time"))
}

// changed is an object after a request to change it.
func changed(r request, before Object, data []byte) (Object, error) {
	old, err := runtime.DefaultUnstructuredConverter.ToUnstructured(before)
	if err != nil {
		return nil, err
	}
	var now map[string]any
	if kind := types.PatchType(r.Header.Get("Content-Type")); r.verb == "patch" || r.subresource == "scale" {
		if r.subresource == "scale" { // a Scale has its number where a Deployment has it
			kind = types.MergePatchType
		}
		now, err = patched(kind, old, data, reflect.TypeOf(before).Elem())
	} else {
		var o Object
		if o, err = decode(r, data); err == nil {
			now, err = runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		}
	}
	if err != nil {
		return nil, err
	}
	now = part(r, old, now)
	after, err := r.new(r.kind)
	if err != nil {
		return nil, err
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(now, after); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	o := after.(Object)
	if o.GetName() != before.GetName() || o.GetNamespace() != before.GetNamespace() {
		return nil, apierrors.NewBadRequest("the name of the object does not match the name on the URL")
	}
	return o, nil
}

// part takes from a changed object only what the subresource may change, and
// counts the generations of what somebody shall do.
func part(r request, old, now map[string]any) map[string]any {
	whole := runtime.DeepCopyJSON(old)
	about := asMap(now["metadata"])
	switch r.subresource {
	case "status":
		whole["status"] = now["status"]
		asMap(whole["metadata"])["resourceVersion"] = about["resourceVersion"]
		return whole
	case "ephemeralcontainers":
		asMap(whole["spec"])["ephemeralContainers"] = asMap(now["spec"])["ephemeralContainers"]
		return whole
	case "scale":
		asMap(whole["spec"])["replicas"] = asMap(now["spec"])["replicas"]
		now, about = whole, asMap(whole["metadata"])
	}
	now["status"] = old["status"]
	if r.counts() && about != nil && !reflect.DeepEqual(old["spec"], now["spec"]) {
		generation, _ := asMap(old["metadata"])["generation"].(int64)
		about["generation"] = generation + 1
	}
	return now
}

func (s *Server) delete(w http.ResponseWriter, r request) error {
	var options metav1.DeleteOptions
	data, err := body(r)
	if err == nil && len(data) > 0 {
		_, _, err = codecs().UniversalDeserializer().Decode(data, nil, &options)
	}
	if err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	o, err := s.find(r)
	if err != nil {
		return err
	}
	dry := dryRun(r) || len(options.DryRun) > 0
	if err := meets(o, options.Preconditions); err != nil {
		return apierrors.NewConflict(schema.GroupResource{Group: r.group, Resource: r.kind}, r.name, err)
	}
	if pod, ok := o.(*corev1.Pod); ok {
		if grace := graceOf(pod, options.GracePeriodSeconds); grace > 0 {
			return s.terminate(w, r, pod, grace, dry)
		}
	}
	if !dry {
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

// remove deletes an object, and what is in it when it is a namespace.
func (s *Server) remove(r request) {
	resource, namespace, name := r.key()
	if resource == "namespaces" {
		for _, within := range resources {
			for _, o := range s.store.List(within.plural, name) {
				s.store.Delete(within.plural, name, o.GetName())
			}
		}
	}
	s.store.Delete(resource, namespace, name)
}

// graceOf is how many seconds a Pod has to end: none when nothing runs.
func graceOf(pod *corev1.Pod, asked *int64) int64 {
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

// terminate tells the Pod's Node to end it.
func (s *Server) terminate(w http.ResponseWriter, r request, pod *corev1.Pod, grace int64, dry bool) error {
	ending := pod.DeepCopy()
	if end := metav1.NewTime(s.store.now().Add(time.Duration(grace) * time.Second)).Rfc3339Copy(); pod.DeletionTimestamp == nil || end.Before(pod.DeletionTimestamp) {
		ending.DeletionTimestamp, ending.DeletionGracePeriodSeconds = &end, &grace
	}
	var o Object = ending
	if !dry {
		var err error
		if o, err = s.store.Put(ending); err != nil {
			return err
		}
	}
	return respond(w, r.Request, http.StatusOK, o)
}
