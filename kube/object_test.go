package kube

import (
	"reflect"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestGetShowsAnObjectHarmless(t *testing.T) {
	pod := podIn("shop", "web-1")
	pod.Annotations = map[string]string{"note": "\x1b[2J\x1b[31mgone\u202e\nsecond line"}
	pod.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	pod.Status.Conditions = []corev1.PodCondition{{Type: "Ready", Status: "False", Reason: "Why", Message: "\x1b]0;title\x07because"}}
	client := clientOf(t, newFakeAPI(t, pod))
	got, err := client.Get(t.Context(), Ref{Pods, Key{"shop", "web-1"}})
	must(t, err)
	if strings.ContainsAny(got.YAML, "\x1b\x07\u202e") || strings.Contains(got.YAML, "managedFields") || !strings.Contains(got.YAML, "kind: Pod\n") {
		t.Errorf("got YAML %q", got.YAML)
	}
	if got, want := got.Annotations.Get("note"), "[2J[31mgone second line"; got != want {
		t.Errorf("got annotation %q, want %q", got, want)
	}
	if want := []Condition{{"Ready", "False", "Why", "]0;titlebecause"}}; !reflect.DeepEqual(got.Conditions, want) {
		t.Errorf("got conditions %q, want %q", got.Conditions, want)
	}
	_, err = client.Get(t.Context(), Ref{Pods, Key{"shop", "web-2"}})
	if err == nil || err.Error() != `get pods shop/web-2: pods "web-2" not found` {
		t.Errorf("got error %v", err)
	}
}

func TestEventsAreHarmlessAndNewestFirst(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	event := func(namespace, name string, e corev1.Event) *corev1.Event {
		e.Namespace, e.Name, e.Reason = namespace, name, name
		return &e
	}
	api := newFakeAPI(t,
		event("shop", "old", corev1.Event{LastTimestamp: metav1.NewTime(at), Count: 3, Message: "a\x1b[31mb\n"}),
		event("shop", "single", corev1.Event{EventTime: metav1.NewMicroTime(at.Add(time.Minute)), Type: "Warning"}),
		event("shop", "series", corev1.Event{EventTime: metav1.NewMicroTime(at), Series: &corev1.EventSeries{Count: 9, LastObservedTime: metav1.NewMicroTime(at.Add(time.Hour))}}),
		event("default", "node", corev1.Event{LastTimestamp: metav1.NewTime(at)}))
	client := clientOf(t, api)
	got, err := client.Events(t.Context(), Ref{Pods, Key{"shop", "web-1"}}, "uid")
	must(t, err)
	want := []Event{
		{Last: at.Add(time.Hour), Reason: "series", Count: 9},
		{Last: at.Add(time.Minute), Reason: "single", Count: 1, Type: "Warning"},
		{Last: at, Reason: "old", Count: 3, Message: "a[31mb "},
	}
	for i := range got {
		got[i].Last = got[i].Last.UTC()
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got, err = client.Events(t.Context(), Ref{Nodes, Key{Name: "raspi001"}}, "uid"); err != nil || len(got) != 1 || got[0].Reason != "node" {
		t.Errorf("got %+v, %v; want the event of the Node", got, err)
	}
	api.do(func() { api.denies = func(string) bool { return true } })
	if _, err = client.Events(t.Context(), Ref{Pods, Key{"shop", "web-1"}}, "uid"); err == nil || err.Error() != "you may not list events in namespace shop" {
		t.Errorf("got error %v", err)
	}
}

func TestNamespaceExists(t *testing.T) {
	api := newFakeAPI(t, sample()...)
	client := clientOf(t, api)
	for name, want := range map[string]bool{"shop": true, "shpo": false} {
		if got, err := client.NamespaceExists(t.Context(), name); got != want || err != nil {
			t.Errorf("%s: got %t, %v; want %t", name, got, err, want)
		}
	}
	api.do(func() { api.denies = func(string) bool { return true } })
	if got, err := client.NamespaceExists(t.Context(), "shop"); got || err == nil {
		t.Errorf("got %t, %v; want an error: the server did not say", got, err)
	}
}
