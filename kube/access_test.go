package kube

import (
	"errors"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
)

func TestAccessNamesTheRuleThatWouldPermitIt(t *testing.T) {
	for _, test := range []struct {
		access     Access
		what, rule string
	}{
		{
			Access{Verb: "create", Resource: "pods", Subresource: "exec", Namespace: "shop"},
			"create pods/exec in namespace shop", `{apiGroups: [""], resources: [pods/exec], verbs: [create, get]}`,
		},
		{
			Access{Verb: "patch", Resource: "pods", Subresource: "ephemeralcontainers", Namespace: "shop"},
			"patch pods/ephemeralcontainers in namespace shop", `{apiGroups: [""], resources: [pods/ephemeralcontainers], verbs: [patch]}`,
		},
		{
			Access{Verb: "list", Group: "networking.k8s.io", Resource: "ingresses"},
			"list ingresses in the whole cluster", `{apiGroups: ["networking.k8s.io"], resources: [ingresses], verbs: [list, watch]}`,
		},
	} {
		if test.access.String() != test.what || test.access.Rule() != test.rule {
			t.Errorf("got %q, %q; want %q, %q", test.access, test.access.Rule(), test.what, test.rule)
		}
	}
}

func TestAllowedAsksForTheSubresource(t *testing.T) {
	api := &answering{answers: []any{review(true)}}
	allowed, err := api.client(t).Allowed(t.Context(), Access{Verb: "get", Resource: "pods", Subresource: "exec", Name: "web", Namespace: "shop"})
	must(t, err)
	if !allowed {
		t.Error("got a refusal")
	}
	scheme := runtime.NewScheme()
	must(t, authorizationv1.AddToScheme(scheme))
	var sent authorizationv1.SelfSubjectAccessReview
	_, _, err = serializer.NewCodecFactory(scheme).UniversalDeserializer().Decode([]byte(api.bodies[0]), nil, &sent)
	must(t, err)
	want := authorizationv1.ResourceAttributes{Verb: "get", Resource: "pods", Subresource: "exec", Name: "web", Namespace: "shop"}
	if got := *sent.Spec.ResourceAttributes; got.Verb != want.Verb || got.Resource != want.Resource || got.Subresource != want.Subresource || got.Name != want.Name || got.Namespace != want.Namespace {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// review is the API server's answer to an access review.
func review(allowed bool) authorizationv1.SelfSubjectAccessReview {
	return authorizationv1.SelfSubjectAccessReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "authorization.k8s.io/v1", Kind: "SelfSubjectAccessReview"},
		Status:   authorizationv1.SubjectAccessReviewStatus{Allowed: allowed},
	}
}

func TestWhoMayNotListTheWholeClusterSendsNoRequestForIt(t *testing.T) {
	for name, list := range map[string]func(*Client) error{
		"a Service by its address":  func(c *Client) error { _, _, err := c.ServiceAt(t.Context(), "10.96.0.9"); return err },
		"a Service by its name":     func(c *Client) error { _, _, err := c.ServiceNamed(t.Context(), "web"); return err },
		"a Pod by its address":      func(c *Client) error { _, _, err := c.PodAt(t.Context(), "10.244.1.5"); return err },
		"a Pod by its labels":       func(c *Client) error { _, _, err := c.PodSelected(t.Context(), Labels{{"app", "web"}}); return err },
		"the labels of namespaces":  func(c *Client) error { _, err := c.NamespaceLabels(t.Context()); return err },
		"Ingresses of all the rest": func(c *Client) error { _, err := c.Ingresses(t.Context(), Scope{}); return err },
	} {
		api := &answering{answers: []any{review(false)}}
		var denied *AccessError
		if err := list(api.client(t)); !errors.As(err, &denied) {
			t.Errorf("%s: got %v, want that you may not", name, err)
		}
		if len(api.asked) != 1 || !strings.Contains(api.asked[0], "selfsubjectaccessreviews") {
			t.Errorf("%s: got the requests %q, want the review alone", name, api.asked)
		}
	}
}
