package kube

import (
	"context"
	"fmt"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Access is something that a user may or may not do.
type Access struct {
	Verb      string
	Group     string
	Resource  string
	Namespace string // empty for the whole cluster
}

// Allowed asks the API server whether the user may do it
// (SelfSubjectAccessReview).
func (c *Client) Allowed(ctx context.Context, a Access) (bool, error) {
	ctx, cancel := c.deadline(ctx)
	defer cancel()
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Verb: a.Verb, Group: a.Group, Resource: a.Resource, Namespace: a.Namespace,
		},
	}}
	err := c.authorization.Post().Resource("selfsubjectaccessreviews").
		VersionedParams(&metav1.CreateOptions{}, metav1.ParameterCodec).Body(review).Do(ctx).Into(review)
	if err != nil {
		return false, fmt.Errorf("ask whether you may %s %s: %w", a.Verb, a.Resource, err)
	}
	return review.Status.Allowed, nil
}

// NamespaceExists reports whether there is such a namespace. An error means
// that the API server did not say, for example because the user may not know.
func (c *Client) NamespaceExists(ctx context.Context, name string) (bool, error) {
	ctx, cancel := c.deadline(ctx)
	defer cancel()
	switch err := c.core.Get().Resource(Namespaces.String()).Name(name).Do(ctx).Error(); {
	case err == nil:
		return true, nil
	case apierrors.IsNotFound(err):
		return false, nil
	default:
		return false, fmt.Errorf("look for namespace %s: %w", name, err)
	}
}
