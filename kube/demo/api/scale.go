package api

import (
	"encoding/json"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// workload is what can be scaled: a Deployment or a StatefulSet.
type workload interface {
	Object
	wanted() any // the whole spec
	scale() scale
}

// scale is the part of a workload that has a kind of its own.
type scale struct {
	wanted   **int32
	is       int32
	selector *metav1.LabelSelector
}

func (d *Deployment) wanted() any { return d.Spec }
func (d *Deployment) scale() scale {
	return scale{&d.Spec.Replicas, d.Status.Replicas, d.Spec.Selector}
}

func (s *StatefulSet) wanted() any { return s.Spec }
func (s *StatefulSet) scale() scale {
	return scale{&s.Spec.Replicas, s.Status.Replicas, s.Spec.Selector}
}

// scaled is a workload with the number of a Scale, or of a patch of one.
func scaled(w workload, data []byte) (Object, error) {
	var sent struct{ Spec struct{ Replicas *int32 } }
	if err := json.Unmarshal(data, &sent); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	w = w.DeepCopyObject().(workload)
	if number := sent.Spec.Replicas; number != nil {
		*w.scale().wanted = number
	}
	return w, nil
}

// respondPart sends an object, or the part of it that was asked for and has a
// kind of its own: that of a Scale of autoscaling/v1.
func respondPart(w http.ResponseWriter, r request, o Object) error {
	of, ok := o.(workload)
	if !ok || r.subresource != "scale" {
		return respond(w, r.Request, http.StatusOK, o)
	}
	s := of.scale()
	respondJSON(w, http.StatusOK, map[string]any{
		"kind": "Scale", "apiVersion": "autoscaling/v1",
		"metadata": metav1.ObjectMeta{
			Name: o.GetName(), Namespace: o.GetNamespace(), UID: o.GetUID(),
			ResourceVersion: o.GetResourceVersion(), CreationTimestamp: o.GetCreationTimestamp(),
		},
		"spec":   map[string]any{"replicas": *s.wanted},
		"status": map[string]any{"replicas": s.is, "selector": metav1.FormatLabelSelector(s.selector)},
	})
	return nil
}
