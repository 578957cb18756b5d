package api

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/watch"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// selection is what a list or watch asks for.
type selection struct {
	namespace string
	labels    labels.Selector
	fields    fields.Selector
}

// selected reads the selectors of a request.
func selected(r request, o metav1.ListOptions) (selection, error) {
	_, namespace, _ := r.key()
	s := selection{namespace: namespace}
	var err error
	if s.labels, err = labels.Parse(o.LabelSelector); err != nil {
		return s, apierrors.NewBadRequest(err.Error())
	}
	if s.fields, err = fields.ParseSelector(o.FieldSelector); err != nil {
		return s, apierrors.NewBadRequest(err.Error())
	}
	empty, err := r.new(r.kind)
	if err != nil {
		return s, err
	}
	known := fieldsOf(empty.(Object))
	for _, wanted := range s.fields.Requirements() {
		if !known.Has(wanted.Field) {
			return s, apierrors.NewBadRequest("field label not supported: " + wanted.Field)
		}
	}
	if r.name != "" {
		s.fields = fields.AndSelectors(s.fields, fields.OneTermEqualSelector("metadata.name", r.name))
	}
	return s, nil
}

func (s selection) everything() bool { return s.labels.Empty() && s.fields.Empty() }

func (s selection) has(o Object) bool {
	return o != nil && (s.namespace == "" || o.GetNamespace() == s.namespace) &&
		s.labels.Matches(labels.Set(o.GetLabels())) && (s.fields.Empty() || s.fields.Matches(fieldsOf(o)))
}

// event is a change as somebody sees it who follows the selection: an object
// can enter and leave it without being created or deleted.
func (s selection) event(c change) (watch.Event, bool) {
	switch before, after := s.has(c.before), s.has(c.after); {
	case before && after:
		return watch.Event{Type: watch.Modified, Object: c.last}, true
	case after:
		return watch.Event{Type: watch.Added, Object: c.last}, true
	case before && c.after == nil:
		return watch.Event{Type: watch.Deleted, Object: c.last}, true
	case before: // as it was when it still belonged
		gone := c.before.DeepCopyObject().(Object)
		gone.SetResourceVersion(c.last.GetResourceVersion())
		return watch.Event{Type: watch.Deleted, Object: gone}, true
	}
	return watch.Event{}, false
}

// fieldsOf are the fields that a field selector may name: those of the API's
// documentation, as far as anybody asks for them.
func fieldsOf(o Object) fields.Set {
	set := fields.Set{"metadata.name": o.GetName(), "metadata.namespace": o.GetNamespace()}
	switch o := o.(type) {
	case *corev1.Pod:
		set["spec.nodeName"] = o.Spec.NodeName
		set["spec.restartPolicy"] = string(o.Spec.RestartPolicy)
		set["spec.serviceAccountName"] = o.Spec.ServiceAccountName
		set["spec.hostNetwork"] = strconv.FormatBool(o.Spec.HostNetwork)
		set["status.phase"] = string(o.Status.Phase)
		set["status.podIP"] = o.Status.PodIP
	case *corev1.Service:
		set["spec.clusterIP"], set["spec.type"] = o.Spec.ClusterIP, string(o.Spec.Type)
	case *corev1.Namespace:
		set["status.phase"] = string(o.Status.Phase)
	case *corev1.Node:
		set["spec.unschedulable"] = strconv.FormatBool(o.Spec.Unschedulable)
	case *corev1.Event:
		about := o.InvolvedObject
		set["involvedObject.kind"], set["involvedObject.namespace"], set["involvedObject.name"] = about.Kind, about.Namespace, about.Name
		set["involvedObject.uid"], set["involvedObject.apiVersion"] = string(about.UID), about.APIVersion
		set["involvedObject.resourceVersion"], set["involvedObject.fieldPath"] = about.ResourceVersion, about.FieldPath
		set["reason"], set["type"], set["reportingComponent"] = o.Reason, o.Type, o.ReportingController
	}
	return set
}
