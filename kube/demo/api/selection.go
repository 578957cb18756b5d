package api

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
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

// listOptions reads and checks what a list or watch asks for.
func listOptions(r request) (o metav1.ListOptions, s selection, err error) {
	query := r.URL.Query()
	if err = metav1.Convert_url_Values_To_v1_ListOptions(&query, &o, nil); err == nil {
		s.labels, err = labels.Parse(o.LabelSelector)
	}
	if err == nil {
		s.fields, err = fields.ParseSelector(o.FieldSelector)
	}
	if err != nil {
		return o, s, apierrors.NewBadRequest(err.Error())
	}
	if o.SendInitialEvents != nil && o.ResourceVersionMatch != metav1.ResourceVersionMatchNotOlderThan {
		return o, s, invalidOption("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
	}
	known := fieldsOf(r.empty())
	for _, wanted := range s.fields.Requirements() {
		if !known.Has(wanted.Field) {
			return o, s, apierrors.NewBadRequest("field label not supported: " + wanted.Field)
		}
	}
	s.namespace, _ = r.place()
	if r.name != "" {
		s.fields = fields.AndSelectors(s.fields, fields.OneTermEqualSelector("metadata.name", r.name))
	}
	return o, s, nil
}

func invalidOption(option, why string) error {
	kind := schema.GroupKind{Group: "meta.k8s.io", Kind: "ListOptions"}
	return apierrors.NewInvalid(kind, "", field.ErrorList{field.Forbidden(field.NewPath(option), why)})
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
		set["spec.nodeName"], set["status.phase"], set["status.podIP"] = o.Spec.NodeName, string(o.Status.Phase), o.Status.PodIP
	case *corev1.Service:
		set["spec.clusterIP"], set["spec.type"] = o.Spec.ClusterIP, string(o.Spec.Type)
	case *corev1.Event:
		about := o.InvolvedObject
		set["involvedObject.kind"], set["involvedObject.namespace"], set["involvedObject.name"] = about.Kind, about.Namespace, about.Name
		set["involvedObject.uid"], set["involvedObject.fieldPath"] = string(about.UID), about.FieldPath
		set["reason"], set["type"] = o.Reason, o.Type
	}
	return set
}
