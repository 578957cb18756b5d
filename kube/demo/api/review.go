package api

import (
	"cmp"
	"fmt"
	"net/http"

	authorizationv1 "k8s.io/api/authorization/v1"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// denial is the error for what the user may not do, in the words of a real API
// server.
func (s *Server) denial(r request) error {
	what := r.plural
	if r.subresource != "" {
		what += "/" + r.subresource
	}
	if s.options.Denies == nil || !s.options.Denies(r.verb, what, r.namespace) {
		return nil
	}
	where := "at the cluster scope"
	if r.namespace != "" {
		where = fmt.Sprintf("in the namespace %q", r.namespace)
	}
	who := cmp.Or(r.Header.Get("Impersonate-User"), user)
	//nolint:staticcheck // ST1005: these are the words of a real API server, which programs look for
	return apierrors.NewForbidden(r.groupResource(), r.name, fmt.Errorf("User %q cannot %s resource %q in API group %q %s", who, r.verb, what, r.group, where))
}

// review answers whether the user may do something.
func (s *Server) review(w http.ResponseWriter, r request) error {
	if r.verb != "create" {
		return errMethod
	}
	o, err := decode(r, r.body)
	if err != nil {
		return err
	}
	review := o.(*authorizationv1.SelfSubjectAccessReview)
	review.Status.Allowed = true
	if asked := review.Spec.ResourceAttributes; asked != nil && s.options.Denies != nil {
		what := asked.Resource
		if asked.Subresource != "" {
			what += "/" + asked.Subresource
		}
		review.Status.Allowed = !s.options.Denies(asked.Verb, what, asked.Namespace)
	}
	review.GetObjectKind().SetGroupVersionKind(r.groupVersionKind())
	return respond(w, r.Request, http.StatusCreated, review)
}
