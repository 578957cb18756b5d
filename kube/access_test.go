package kube

import (
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
	api := &answering{answers: []any{authorizationv1.SelfSubjectAccessReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "authorization.k8s.io/v1", Kind: "SelfSubjectAccessReview"},
		Status:   authorizationv1.SubjectAccessReviewStatus{Allowed: true},
	}}}
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
