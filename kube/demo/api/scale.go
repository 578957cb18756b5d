package api

import (
	"encoding/json"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// scaled is a Deployment with the number of a Scale, or of a patch of one.
func scaled(d *Deployment, data []byte) (Object, error) {
	var scale struct{ Spec struct{ Replicas *int32 } }
	if err := json.Unmarshal(data, &scale); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	d = d.DeepCopy()
	if number := scale.Spec.Replicas; number != nil {
		d.Spec.Replicas = number
	}
	return d, nil
}

// respondPart sends an object, or the part of it that was asked for and has a
// kind of its own: that of a Scale of autoscaling/v1.
func respondPart(w http.ResponseWriter, r request, o Object) error {
	d, ok := o.(*Deployment)
	if !ok || r.subresource != "scale" {
		return respond(w, r.Request, http.StatusOK, o)
	}
	respondJSON(w, http.StatusOK, map[string]any{
		"kind": "Scale", "apiVersion": "autoscaling/v1",
		"metadata": metav1.ObjectMeta{Name: d.Name, Namespace: d.Namespace, UID: d.UID, ResourceVersion: d.ResourceVersion, CreationTimestamp: d.CreationTimestamp},
		"spec":     map[string]any{"replicas": d.Spec.Replicas},
		"status":   map[string]any{"replicas": d.Status.Replicas, "selector": metav1.FormatLabelSelector(d.Spec.Selector)},
	})
	return nil
}
