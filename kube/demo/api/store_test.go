package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

func service(namespace, name string) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
}

func newStore() *Store {
	return NewStore(func() time.Time { return time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) })
}

func put(t *testing.T, s *Store, o Object) Object {
	t.Helper()
	stored, err := s.Put(o)
	must(t, err)
	return stored
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func names(objects []Object) string {
	var all []string
	for _, o := range objects {
		all = append(all, keyOf(o))
	}
	return strings.Join(all, " ")
}

func TestPutFillsInWhatTheServerKnows(t *testing.T) {
	s := newStore()
	mine := service("shop", "web")
	stored := put(t, s, mine).(*corev1.Service)
	if stored.UID == "" || stored.ResourceVersion == "" || !stored.CreationTimestamp.Equal(new(metav1.NewTime(s.now()))) || stored.Kind != "Service" || stored.APIVersion != "v1" {
		t.Errorf("got %+v", stored)
	}
	if mine.ResourceVersion != "" {
		t.Error("the caller's object was changed")
	}
	aged := service("shop", "old")
	aged.UID, aged.CreationTimestamp = "u", metav1.NewTime(s.now().Add(-time.Hour))
	if got := put(t, s, aged); got.GetUID() != "u" || !got.GetCreationTimestamp().Time.Equal(aged.CreationTimestamp.Time) {
		t.Errorf("got %s of %s, want what the caller set", got.GetUID(), got.GetCreationTimestamp())
	}
}

func TestPutTellsLostUpdates(t *testing.T) {
	s := newStore()
	first := put(t, s, service("shop", "web")).DeepCopyObject().(*corev1.Service)
	second := first.DeepCopy()
	second.Labels = map[string]string{"a": "b"}
	put(t, s, second)
	first.Labels = map[string]string{"a": "c"}
	if _, err := s.Put(first); !apierrors.IsConflict(err) {
		t.Errorf("an old version: got %v, want a conflict", err)
	}
	first.ResourceVersion = ""
	put(t, s, first)
	s.Delete("services", "shop", "web")
	first.ResourceVersion = "5"
	if _, err := s.Put(first); !apierrors.IsNotFound(err) {
		t.Errorf("deleted meanwhile: got %v, want not found", err)
	}
}

func TestAChangeOfNothingIsNoChange(t *testing.T) {
	s := newStore()
	before := put(t, s, service("shop", "web"))
	changed := s.Changed()
	if after := put(t, s, before); after.GetResourceVersion() != before.GetResourceVersion() {
		t.Errorf("got version %s after %s", after.GetResourceVersion(), before.GetResourceVersion())
	}
	select {
	case <-changed:
		t.Error("it is told as a change")
	default:
	}
	if s.Delete("services", "shop", "absent") {
		t.Error("an absent object was deleted")
	}
	s.Delete("services", "shop", "web")
	select {
	case <-changed:
	default:
		t.Error("a change is not told")
	}
}

func TestListIsSortedAndOfOneNamespace(t *testing.T) {
	s := newStore()
	for _, key := range []string{"b/2", "a-b/1", "a/9", "b/1"} {
		namespace, name, _ := strings.Cut(key, "/")
		put(t, s, service(namespace, name))
	}
	if got, want := names(s.List("services", "")), "a-b/1 a/9 b/1 b/2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := names(s.List("services", "a")), "a/9"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestThePastIsKept(t *testing.T) {
	s := newStore()
	put(t, s, service("shop", "a"))
	put(t, s, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "a"}})
	_, then, err := s.at("services", "", 0)
	must(t, err)
	s.Delete("services", "shop", "a")
	put(t, s, service("shop", "b"))
	put(t, s, service("shop", "a"))
	found, _, err := s.at("services", "", then)
	must(t, err)
	if got := names(found); got != "shop/a" || found[0].GetResourceVersion() != "2" {
		t.Errorf("got %s", got)
	}
	changes, now, _, err := s.since(then)
	must(t, err)
	if len(changes) != 3 || now != then+3 || changes[0].after != nil || changes[2].before != nil {
		t.Errorf("got %d changes up to %d, want 3 up to %d", len(changes), now, then+3)
	}
}

func TestHistoryEnds(t *testing.T) {
	s := newStore()
	o := service("shop", "web")
	for i := range 3 * history {
		o.Labels = map[string]string{"i": fmt.Sprint(i)}
		put(t, s, o)
	}
	if len(s.log) > 2*history {
		t.Errorf("%d changes are kept", len(s.log))
	}
	if _, _, _, err := s.since(s.version - history); err != nil {
		t.Errorf("the last %d changes: %v", history, err)
	}
	if _, _, _, err := s.since(1); !apierrors.IsResourceExpired(err) {
		t.Errorf("the first changes: got %v, want that they have expired", err)
	}
	latest := s.version
	s.Expire()
	if _, _, _, err := s.since(latest); !apierrors.IsResourceExpired(err) {
		t.Errorf("after Expire: got %v, want that even the latest version has expired", err)
	}
	if _, _, err := s.at("services", "", latest); !apierrors.IsResourceExpired(err) {
		t.Errorf("after Expire: got %v, want that lists have expired", err)
	}
	if got := names(s.List("services", "")); got != "shop/web" {
		t.Errorf("after Expire: got %s", got)
	}
}

func TestManifestsAreReadStrictly(t *testing.T) {
	s := NewStore(time.Now)
	must(t, s.Load([]byte("# a comment\n---\n{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 2}}")))
	if got := names(s.List("deployments", "")); got != "default/web" {
		t.Errorf("got %s", got)
	}
	for document, want := range map[string]string{
		"{apiVersion: v1, kind: Pod, spec: {contaners: []}}":                      `unknown field "spec.contaners"`,
		"{apiVersion: v1, kind: ConfigMap}":                                       "no objects like *v1.ConfigMap",
		"{apiVersion: v1, kind: PodList}":                                         "no object by itself",
		"{apiVersion: example.test/v1, kind: X}":                                  `no kind "X" is registered`,
		"{apiVersion: v1, kind: Pod, metadata: {name: a, name: b}}":               "already set in map",
		"{apiVersion: v1, kind: Service, spec: {ports: [{port: eighty}]}}":        "cannot unmarshal",
		"{apiVersion: authorization.k8s.io/v1, kind: SelfSubjectAccessReview}":    "no objects like",
		"{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {nam: web}}": `unknown field "metadata.nam"`,
	} {
		if err := s.Load([]byte(document)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", document, err, want)
		}
	}
}
