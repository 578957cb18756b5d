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
	Verb        string
	Group       string
	Resource    string
	Subresource string // such as exec; empty for the resource itself
	Name        string // of one object; empty for any
	Namespace   string // empty for the whole cluster
}

// String says what it is about: create pods/exec in namespace shop.
func (a Access) String() string {
	return fmt.Sprintf("%s %s %s", a.Verb, a.resource(), a.where())
}

// Rule returns the RBAC rule that would permit it, as it stands in the YAML of
// a Role or ClusterRole. It names the verbs that podpath needs together.
func (a Access) Rule() string {
	verbs := a.Verb
	switch {
	case a.Verb == "list" || a.Verb == "watch":
		verbs = "list, watch"
	case a.Subresource == "exec" || a.Subresource == "portforward":
		verbs = "create, get" // get for WebSocket, create for SPDY; WebSocket needs both from Kubernetes 1.35 on
	}
	return fmt.Sprintf("{apiGroups: [%q], resources: [%s], verbs: [%s]}", a.Group, a.resource(), verbs)
}

// RoleKind says where the rule belongs: a ClusterRole, or a Role of the
// namespace.
func (a Access) RoleKind() string {
	if a.Namespace == "" {
		return "ClusterRole"
	}
	return "Role in " + a.Namespace
}

func (a Access) resource() string {
	if a.Subresource == "" {
		return a.Resource
	}
	return a.Resource + "/" + a.Subresource
}

func (a Access) where() string {
	if a.Namespace == "" {
		return "in the whole cluster"
	}
	return "in namespace " + a.Namespace
}

// AccessError means that the user lacks a permission. Its text names the rule
// that would help.
type AccessError struct{ Access Access }

func (e *AccessError) Error() string {
	return fmt.Sprintf("you may not %s; a rule in a %s would permit it: %s", e.Access, e.Access.RoleKind(), e.Access.Rule())
}

// refusal tells a missing permission from other errors of a request, which it
// puts into the API server's words. Admission answers 403 as well, for example
// to what breaks Pod Security: that is no matter of RBAC.
func (a Access) refusal(err error) error {
	if apierrors.IsForbidden(err) && isMissingPermission(err.Error()) {
		return &AccessError{a}
	}
	return fmt.Errorf("%s: %s", a, Clean(describe(err)))
}

// Allowed asks the API server whether the user may do it
// (SelfSubjectAccessReview).
func (c *Client) Allowed(ctx context.Context, a Access) (bool, error) {
	ctx, cancel := c.deadline(ctx)
	defer cancel()
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Verb: a.Verb, Group: a.Group, Resource: a.Resource, Subresource: a.Subresource, Name: a.Name, Namespace: a.Namespace,
		},
	}}
	err := c.authorization.Post().Resource("selfsubjectaccessreviews").
		VersionedParams(&metav1.CreateOptions{}, metav1.ParameterCodec).Body(review).Do(ctx).Into(review)
	if err != nil {
		return false, fmt.Errorf("ask whether you may %s %s: %w", a.Verb, a.resource(), err)
	}
	return review.Status.Allowed, nil
}

// everywhere asks before a list of all namespaces whether the user may have it:
// whoever has rights in one namespace only sends no request for the others. The
// error is an *AccessError when the user may not.
func (c *Client) everywhere(ctx context.Context, a Access) error {
	switch allowed, err := c.Allowed(ctx, a); {
	case err != nil:
		return err
	case !allowed:
		return &AccessError{a}
	default:
		return nil
	}
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
