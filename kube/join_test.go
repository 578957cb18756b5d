package kube

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"pgregory.net/rapid"
)

// The generators draw from so few names and labels that objects meet: Services
// select Pods, slices belong to Services, and names are used again.
func anyMeta(t *rapid.T, kind string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "namespace"),
		Name:      fmt.Sprintf("%s-%d", kind, rapid.IntRange(0, 3).Draw(t, "name")),
		Labels:    map[string]string{"app": rapid.SampledFrom([]string{"web", "db"}).Draw(t, "app")},
	}
}

var anyPod = rapid.Custom(func(t *rapid.T) metav1.Object {
	p := &corev1.Pod{ObjectMeta: anyMeta(t, "pod")}
	p.Status.Phase = rapid.SampledFrom([]corev1.PodPhase{"Running", "Failed"}).Draw(t, "phase")
	port := corev1.ContainerPort{Name: rapid.SampledFrom([]string{"http", "admin"}).Draw(t, "port"), Protocol: "TCP", ContainerPort: 80}
	p.Spec.Containers = []corev1.Container{{Name: "c", Ports: []corev1.ContainerPort{port}}}
	return p
})

var anyService = rapid.Custom(func(t *rapid.T) metav1.Object {
	s := &corev1.Service{ObjectMeta: anyMeta(t, "service")}
	s.Spec.Type = rapid.SampledFrom([]corev1.ServiceType{"ClusterIP", "ExternalName", "LoadBalancer"}).Draw(t, "type")
	s.Spec.Selector = rapid.SampledFrom([]map[string]string{nil, {"app": "web"}, {"app": "db"}}).Draw(t, "selector")
	s.Spec.Ports = []corev1.ServicePort{{Protocol: "TCP", Port: 80, TargetPort: intstr.FromString("http")}}
	return s
})

var anySlice = rapid.Custom(func(t *rapid.T) metav1.Object {
	s := &discoveryv1.EndpointSlice{ObjectMeta: anyMeta(t, "slice")}
	if n := rapid.IntRange(0, 4).Draw(t, "service"); n < 4 { // the last one belongs to none
		s.Labels[discoveryv1.LabelServiceName] = fmt.Sprintf("service-%d", n)
	}
	for range rapid.IntRange(0, 2).Draw(t, "endpoints") {
		ready := rapid.Bool().Draw(t, "ready")
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{fmt.Sprintf("10.0.0.%d", rapid.IntRange(1, 3).Draw(t, "address"))}, Conditions: discoveryv1.EndpointConditions{Ready: &ready},
		})
	}
	return s
})

// feed is one resource of a store under test, and what an API server would
// hold of it.
type feed struct {
	sink   sink
	any    *rapid.Generator[metav1.Object]
	server map[Key]metav1.Object
	listed bool
}

func feedsOf(s *Store) []*feed {
	return []*feed{{sink: s.pods, any: anyPod}, {sink: s.services, any: anyService}, {sink: s.slices, any: anySlice}}
}

// step lets the API server do something and tells the store.
func (f *feed) step(t *rapid.T) {
	if !f.listed || rapid.IntRange(0, 9).Draw(t, "again") == 0 {
		f.server = map[Key]metav1.Object{}
		for _, o := range rapid.SliceOfN(f.any, 0, 6).Draw(t, "list") {
			f.server[keyOf(o)] = o
		}
		f.list(t)
		return
	}
	o := f.any.Draw(t, "object")
	if rapid.Bool().Draw(t, "delete") {
		delete(f.server, keyOf(o))
		must(t, f.sink.Delete(o))
	} else {
		f.server[keyOf(o)] = o
		must(t, f.sink.Update(o))
	}
}

func (f *feed) list(t rapid.TB) {
	var all []any
	for o := range maps.Values(f.server) {
		all = append(all, o)
	}
	f.listed = true
	must(t, f.sink.Replace(all, "1"))
}

func keyOf(o metav1.Object) Key { return Key{o.GetNamespace(), o.GetName()} }

func must(t rapid.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSnapshotsInStepsEqualOneMadeAtOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps, atOnce := NewStore(nil, Scope{}), NewStore(nil, Scope{})
		feeds, fresh := feedsOf(steps), feedsOf(atOnce)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			rapid.SampledFrom(feeds).Draw(t, "feed").step(t)
			if rapid.Bool().Draw(t, "snapshot") {
				steps.snapshot()
			}
		}
		for i, f := range feeds {
			if fresh[i].server = f.server; f.listed {
				fresh[i].list(t)
			}
		}
		got, want := steps.snapshot(), atOnce.snapshot()
		sameRecords(t, "Pod", got.Pods, want.Pods)
		sameRecords(t, "Service", got.Services, want.Services)
		sameRecords(t, "stray", got.Strays, want.Strays)
		for _, svc := range got.Services {
			for _, p := range got.PodsOf(svc) {
				if !slices.Contains(got.ServicesOf(p), svc) {
					t.Fatalf("Pod %s is selected by Service %s, but not the other way round", p.Key(), svc.Key())
				}
			}
		}
	})
}

func sameRecords[R keyed](t *rapid.T, kind string, got, want []R) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d %ss, want %d", len(got), kind, len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("%s:\ngot  %+v\nwant %+v", kind, got[i], want[i])
		}
	}
}

func TestSnapshotsDoNotChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store := NewStore(nil, Scope{})
		feeds := feedsOf(store)
		for _, f := range feeds {
			f.step(t)
		}
		snapshot := store.snapshot()
		before := fmt.Sprintf("%+v", values(snapshot.Services))
		for range 10 {
			rapid.SampledFrom(feeds).Draw(t, "feed").step(t)
			store.snapshot()
		}
		if after := fmt.Sprintf("%+v", values(snapshot.Services)); after != before {
			t.Fatalf("got  %s\nwant %s", after, before)
		}
	})
}

func values[T any](pointers []*T) (out []T) {
	for _, p := range pointers {
		out = append(out, *p)
	}
	return out
}

func TestAnOrphanSliceDoesNotHideAChangedPod(t *testing.T) {
	store := largeStore(t, 1, 1)
	orphan := endpointSlice(nil)
	orphan.Labels = map[string]string{discoveryv1.LabelServiceName: "deleted"}
	must(t, store.slices.Update(orphan))
	must(t, store.pods.Update(benchmarkPod(0, 0, "other")))
	if flags := store.snapshot().Services[0].Flags; len(flags) != 1 || flags[0].Code != SelectorMatchesNoPod {
		t.Errorf("got %v, want %s", flags, SelectorMatchesNoPod)
	}
}

// A change that no Service can notice must not cost a look at every Service:
// the same records are shared from snapshot to snapshot.
func TestUntouchedServicesAreShared(t *testing.T) {
	store := largeStore(t, 20, 4)
	before := store.snapshot()
	must(t, store.pods.Update(benchmarkPod(0, 1, "web-0")))
	after := store.snapshot()
	if before.Services[0] != after.Services[0] || before.Pods[0] == after.Pods[0] || before.Pods[1] != after.Pods[1] {
		t.Error("got other records, want all but the changed Pod shared")
	}
}

// BenchmarkSnapshot is the cost of following a busy cluster of 10,000 Pods and
// 2,000 Services: five Pods change their status between snapshots.
func BenchmarkSnapshot(b *testing.B) {
	const pods, services = 10_000, 2_000
	store := largeStore(b, pods, services)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		for n := range 5 {
			pod := (i*5 + n) % pods
			must(b, store.pods.Update(benchmarkPod(pod, int32(i), fmt.Sprintf("web-%d", pod%services))))
		}
		store.snapshot()
	}
}

// BenchmarkSnapshotRelabelled is the worst of changes: the Pods move from one
// Service to another.
func BenchmarkSnapshotRelabelled(b *testing.B) {
	const pods, services = 10_000, 2_000
	store := largeStore(b, pods, services)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		for n := range 5 {
			must(b, store.pods.Update(benchmarkPod((i*5+n)%pods, 0, fmt.Sprintf("web-%d", i%services))))
		}
		store.snapshot()
	}
}

// largeStore holds everything in one namespace, where most has to be compared.
func largeStore(t rapid.TB, pods, services int) *Store {
	store := NewStore(nil, Scope{})
	var podList, serviceList, sliceList []any
	for i := range pods {
		podList = append(podList, benchmarkPod(i, 0, fmt.Sprintf("web-%d", i%services)))
	}
	for i := range services {
		app := fmt.Sprintf("web-%d", i)
		s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: app}}
		s.Spec.Selector = map[string]string{"app": app}
		slice := endpointSlice([]discoveryv1.EndpointPort{endpointPort("http", 80)}, discoveryv1.Endpoint{Addresses: []string{"10.0.0.1", "10.0.0.2"}})
		slice.Name, slice.Labels = app, map[string]string{discoveryv1.LabelServiceName: app}
		serviceList, sliceList = append(serviceList, s), append(sliceList, slice)
	}
	must(t, store.pods.Replace(podList, ""))
	must(t, store.services.Replace(serviceList, ""))
	must(t, store.slices.Replace(sliceList, ""))
	store.snapshot()
	return store
}

func benchmarkPod(i int, restarts int32, app string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: fmt.Sprintf("pod-%05d", i), Labels: map[string]string{"app": app}}}
	p.Spec.Containers = []corev1.Container{{Name: "c", Ports: []corev1.ContainerPort{{Name: "http", Protocol: "TCP", ContainerPort: 80}}}}
	p.Status = corev1.PodStatus{Phase: "Running", PodIP: "10.0.0.1", ContainerStatuses: []containerStatus{{Name: "c", RestartCount: restarts}}}
	return p
}

// BenchmarkFirstSnapshot is the join of all at once, in the worst case: every
// Pod and every Service in the same namespace.
func BenchmarkFirstSnapshot(b *testing.B) {
	store := largeStore(b, 10_000, 2_000)
	for b.Loop() {
		store.join = join{slicesOf: store.join.slicesOf}
		store.snapshot()
	}
}

func TestIndexFindsTheSamePodsAsASearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		labels := rapid.Custom(func(t *rapid.T) Labels {
			pairs := rapid.MapOf(rapid.SampledFrom([]string{"app", "tier"}), rapid.SampledFrom([]string{"x", "y"})).Draw(t, "labels")
			return newLabels(interner{}, pairs)
		})
		var pods list[*Pod]
		for i := range rapid.IntRange(0, 8).Draw(t, "pods") {
			pods = append(pods, &Pod{Namespace: "a", Name: fmt.Sprint(i), Labels: labels.Draw(t, "of Pod"), Finished: rapid.Bool().Draw(t, "finished")})
		}
		svc := &Service{Namespace: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "namespace"), Selector: labels.Draw(t, "selector")}
		got, want := newPodIndex(pods, indexFrom).selected(svc), newPodIndex(pods, 1).selected(svc)
		if !slices.Equal(got, want) {
			t.Errorf("got %d Pods from the index, want the %d of a search", len(got), len(want))
		}
	})
}
