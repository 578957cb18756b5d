package api

import (
	"net/http/httptest"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// podPatch is a request to change the Pod web.
func podPatch(t *testing.T, media types.PatchType, patch string) request {
	t.Helper()
	r := request{body: []byte(patch), Request: httptest.NewRequestWithContext(t.Context(), "PATCH", "/", nil), resource: resources[0], verb: "patch", namespace: "shop", name: "web"}
	r.Header.Set("Content-Type", string(media))
	return r
}

func TestOddPatchesAreNoCrash(t *testing.T) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "a"}}}}
	for _, kind := range []types.PatchType{types.StrategicMergePatchType, types.MergePatchType, types.JSONPatchType, types.ApplyYAMLPatchType, "text/plain"} {
		for _, patch := range []string{
			"", "null", "[]", "{}", "7", `{"metadata":null}`, `{"spec":null}`, `{"spec":7}`, `{"spec":{"containers":[7,null,{},[]]}}`, `{"spec":{"containers":{"a":"b"}}}`,
			`{"spec":{"containers":[7,{"name":"7"}]}}`, `{"metadata":{"finalizers":["x",{"":"x"}]}}`, `[{"op":"remove","path":""}]`,
		} {
			for _, sub := range []string{"", "status", "ephemeralcontainers"} {
				r := podPatch(t, kind, patch)
				r.subresource = sub
				o, err := changed(r, pod)
				if err == nil && o.GetName() != "web" {
					t.Errorf("%s %s of %q: got %+v", kind, patch, sub, o)
				}
			}
		}
	}
}

func TestDirectivesThatAreNotKnownAreRefused(t *testing.T) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "a"}}}}
	for patch, known := range map[string]bool{
		`{"spec":{"containers":[{"$patch":"replace"},{"name":"b"}]}}`:              false,
		`{"spec":{"$patch":"replace","nodeName":"a"}}`:                             false,
		`{"spec":{"tolerations":[{"key":"a","$patch":"delete"}]}}`:                 false,
		`{"spec":{"containers":[{"name":"a","$patch":"delete"},{"name":"b"}]}}`:    true,
		`{"metadata":{"annotations":{"a":"{\"spec\":{\"$patch\":\"replace\"}}"}}}`: true,
	} {
		if _, err := changed(podPatch(t, types.StrategicMergePatchType, patch), pod); (err == nil) != known || !known && !apierrors.IsBadRequest(err) {
			t.Errorf("%s: got %v, want that it is taken: %t", patch, err, known)
		}
	}
}

func TestNothingBringsBackAPodThatTerminates(t *testing.T) {
	end := metav1.NewTime(time.Date(2026, 11, 25, 12, 0, 30, 0, time.UTC))
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", DeletionTimestamp: &end, DeletionGracePeriodSeconds: new(int64(30))}}
	replace := podPatch(t, "", `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"}}`)
	replace.verb = "update"
	for _, r := range []request{replace, podPatch(t, types.MergePatchType, `{"metadata":{"deletionTimestamp":null,"deletionGracePeriodSeconds":null}}`)} {
		o, err := changed(r, pod)
		must(t, err)
		if at, grace := o.GetDeletionTimestamp(), o.GetDeletionGracePeriodSeconds(); at == nil || !at.Equal(&end) || grace == nil || *grace != 30 {
			t.Errorf("%s: got the end %v after %v s, want %v after 30 s", r.verb, at, grace, end)
		}
	}
}
