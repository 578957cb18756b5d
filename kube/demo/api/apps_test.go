package api

import (
	"net/http/httptest"
	"reflect"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// full is a Deployment with something in every field.
func full() *Deployment {
	labels := map[string]string{"app": "web"}
	return &Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Labels: labels},
		Spec: DeploymentSpec{
			Replicas: new(int32(1)), Selector: &metav1.LabelSelector{MatchLabels: labels}, RevisionHistoryLimit: new(int32(2)), ProgressDeadlineSeconds: new(int32(3)),
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}}, Strategy: map[string]any{"type": "Recreate"},
		},
		Status: DeploymentStatus{Conditions: []metav1.Condition{{Type: "Available"}}},
	}
}

func TestACopyOfADeploymentSharesNothing(t *testing.T) {
	for _, o := range []runtime.Object{full(), (*ReplicaSet)(full())} {
		c := o.DeepCopyObject()
		if reflect.TypeOf(c) != reflect.TypeOf(o) || !reflect.DeepEqual(c, o) {
			t.Fatalf("got %+v, want %+v", c, o)
		}
	}
	d := full()
	c := d.DeepCopy()
	*c.Spec.Replicas, *c.Spec.RevisionHistoryLimit, *c.Spec.ProgressDeadlineSeconds = 0, 0, 0
	c.Labels["app"], c.Spec.Selector.MatchLabels["app"], c.Spec.Template.Labels["app"], c.Spec.Strategy["type"] = "", "", "", ""
	c.Status.Conditions[0].Type = ""
	if !reflect.DeepEqual(d, full()) {
		t.Errorf("got %+v after a change of the copy, want %+v", d, full())
	}
}

func TestWhatHasNoProtobufIsSentAsJSON(t *testing.T) {
	for o, want := range map[runtime.Object]string{
		&corev1.Pod{}: runtime.ContentTypeProtobuf, &Deployment{}: runtime.ContentTypeJSON, &ReplicaSet{}: runtime.ContentTypeJSON,
		&StatefulSet{}: runtime.ContentTypeJSON, &appsList[StatefulSet]{}: runtime.ContentTypeJSON,
		&corev1.PodList{}: runtime.ContentTypeProtobuf, &appsList[Deployment]{}: runtime.ContentTypeJSON,
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.Header.Set("Accept", "application/vnd.kubernetes.protobuf, application/json")
		if info, err := accepted(r, o); err != nil || info.MediaType != want {
			t.Errorf("%T: got %s, %v; want %s", o, info.MediaType, err, want)
		}
		r.Header.Set("Accept", runtime.ContentTypeProtobuf)
		if _, err := accepted(r, o); (err == nil) != (want == runtime.ContentTypeProtobuf) {
			t.Errorf("%T for a client who knows nothing else: got %v", o, err)
		}
	}
}

func TestOddProtobufIsNoCrash(t *testing.T) {
	for _, message := range []string{"\x0a", "\x0a\x05ab", "\xff", "\x12\x02\x08", "\x12\x02\x0a\xff", "\x12\x02\x40\x01", "\x12\x04\x22\x02\x12\x00", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"} {
		if err := new(Deployment).Unmarshal([]byte(message)); err == nil {
			t.Errorf("%q: got no error", message)
		}
	}
}

func TestAManifestMayHaveTheStatusOfAnotherCluster(t *testing.T) {
	o, err := Decode([]byte(`{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {}, "status": {"conditions": [{"type": "Available"}], "replicas": 2}}`))
	must(t, err)
	if got := o.(*Deployment).Status.Replicas; got != 2 {
		t.Errorf("got %d replicas, want 2", got)
	}
}

const db = `{"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {"serviceName": "db", "replicas": 2, "podManagementPolicy": "Parallel",
	"selector": {"matchLabels": {"app": "db"}}, "template": {"metadata": {"labels": {"app": "db"}}}, "updateStrategy": {"type": "OnDelete"},
	"volumeClaimTemplates": [{"metadata": {"name": "data"}}], "ordinals": {"start": 0}, "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain"}},
	"status": {"replicas": 2, "conditions": []}}`

func TestACopyOfAStatefulSetSharesNothing(t *testing.T) {
	decode := func() *StatefulSet {
		o, err := Decode([]byte(db))
		must(t, err)
		return o.(*StatefulSet)
	}
	s := decode()
	c := s.DeepCopy()
	if !reflect.DeepEqual(s, c) || c.Spec.ServiceName != "db" || *c.Spec.Replicas != 2 {
		t.Fatalf("got %+v, want %+v", c, s)
	}
	*c.Spec.Replicas, c.Labels, c.Spec.Template.Labels["app"], c.Spec.Selector.MatchLabels["app"] = 0, nil, "", ""
	c.Spec.UpdateStrategy["type"], c.Spec.Ordinals["start"], c.Spec.PersistentVolumeClaimRetentionPolicy["whenDeleted"] = "", "", ""
	c.Spec.VolumeClaimTemplates[0]["metadata"].(map[string]any)["name"] = ""
	if !reflect.DeepEqual(s, decode()) {
		t.Errorf("got %+v after a change of the copy, want %+v", s, decode())
	}
}

func TestAStatefulSetIsScaledAndCountsItsGenerations(t *testing.T) {
	store := NewStore(time.Now)
	must(t, store.Load([]byte(db)))
	o, _ := store.Get("statefulsets", "default", "db")
	o, err := scaled(o.(workload), []byte(`{"spec": {"replicas": 5}}`))
	must(t, err)
	o, err = store.Put(o)
	must(t, err)
	if s := o.(*StatefulSet); *s.Spec.Replicas != 5 || s.Generation != 2 || s.scale().is != 2 {
		t.Errorf("got %+v, want five replicas in generation 2", s)
	}
}
