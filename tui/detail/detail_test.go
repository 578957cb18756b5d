package detail

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"go.uber.org/goleak"

	"podpath/kube"
	"podpath/kube/demo/api"
	"podpath/kube/demo/fixture"
	"podpath/tui/golden"
	"podpath/tui/intent"
	"podpath/tui/style"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC
	goleak.VerifyTestMain(m)
}

// reader reads from an API server, and counts.
type reader struct {
	*kube.Client
	gets, lists int
}

func (r *reader) Get(ctx context.Context, ref kube.Ref) (kube.Object, error) {
	r.gets++
	return r.Client.Get(ctx, ref)
}

func (r *reader) Events(ctx context.Context, ref kube.Ref, uid string) ([]kube.Event, error) {
	r.lists++
	return r.Client.Events(ctx, ref, uid)
}

// serve serves the test cluster, changed by the manifests, and reads it.
func serve(t *testing.T, o api.Options, manifests ...string) (*fixture.Server, *kube.Snapshot, *reader) {
	t.Helper()
	s := fixture.Serve(t, o, golden.Manifests)
	s.Apply(manifests...)
	client, scope := s.Client(kube.Options{AllNamespaces: true})
	return s, fixture.Read(t, client, scope), &reader{Client: client}
}

func pod(s *kube.Snapshot, namespace, name string) intent.Target {
	return intent.PodTarget(s.Pod(kube.Key{Namespace: namespace, Name: name}))
}

func service(s *kube.Snapshot, namespace, name string) intent.Target {
	return intent.ServiceTarget(s.Service(kube.Key{Namespace: namespace, Name: name}))
}

// show has the view of the target read, and returns what it says.
func show(t *testing.T, v *View, s *kube.Snapshot, r Reader) string {
	t.Helper()
	v.SetSize(200, 100)
	v.SetSnapshot(s, golden.Now)
	if read := v.Read(t.Context(), r); read != nil && !v.Receive(read()) {
		t.Error("the view did not take the answer to its own reading")
	}
	return v.Text()
}

func TestFacts(t *testing.T) {
	_, s, r := serve(t, api.Options{})
	for name, c := range map[string]struct {
		target intent.Target
		want   []string
		not    []string
	}{
		"a Pod": {
			pod(s, "default", "sample-deployment-6d4b75cb6d-4xk2p"),
			[]string{"2 of 2 containers; the Pod is ready", "Node            raspi002", "Pod IP          10.244.2.11", "ReplicaSet/sample-deployment-6d4b75cb6d", "2026-03-12 12:00:00 (2d ago)", "nginx-container  running  80/TCP", "nginx:1.12", "sample-clusterip  ClusterIP  8080→80/TCP  ready", "app: sample-app"},
			[]string{"hostNetwork", "Deleted"},
		},
		"a Pod with two addresses":     {pod(s, "default", "dual-0"), []string{"10.244.2.30, fd00:2::1e", "http:8080/TCP  dns:53/UDP"}, nil},
		"a Pod on the host network":    {pod(s, "kube-system", "kube-proxy-x7l5f"), []string{"of the Node (hostNetwork)", "3 (2h ago)", "none selects this Pod"}, nil},
		"a Pod that is being deleted":  {pod(s, "default", "leaving"), []string{"Status          Terminating", "Deleted         2026-03-14 11:59:50 (<1m ago)", "terminating, serving"}, nil},
		"init container and sidecar":   {pod(s, "odd", "init-and-sidecar"), []string{"prepare  (init)  terminated Completed, exit 0", "mesh  (sidecar)  running  1 restart  admin:15000/TCP"}, []string{"not ready"}},
		"a Pod that crashes":           {pod(s, "odd", "crashing"), []string{"CrashLoopBackOff", "the Pod is not ready", "app  waiting CrashLoopBackOff  17 restarts"}, nil},
		"an evicted Pod":               {pod(s, "odd", "evicted"), []string{"Evicted", "The node was low on resource: memory."}, nil},
		"a Pod on a Node that is lost": {pod(s, "odd", "lost"), []string{"⚑ Node raspi004 is not ready: Kubelet stopped posting node status."}, nil},
		"a Pod without a Node":         {pod(s, "odd", "unscheduled"), []string{"Status          Pending", "app  –", "lb-pending  LoadBalancer  30082:80→8080/TCP  not an endpoint"}, []string{"\nNode "}},
		"a Node": {
			intent.NodeTarget(s.Node("raspi001")),
			[]string{"Roles           control-plane", "10.244.1.0/24, fd00:1::/64", "2 in all namespaces; the Node takes 110", "node-role.kubernetes.io/control-plane:NoSchedule", "arm64  Debian GNU/Linux 12 (bookworm)", "Zone            shelf-a"},
			[]string{"⚑"},
		},
		"a Node that is not ready":     {intent.NodeTarget(s.Node("raspi004")), []string{"⚑ Node raspi004 is not ready: Kubelet stopped", "NotReady,SchedulingDisabled"}, nil},
		"a Service":                    {service(s, "default", "sample-clusterip"), []string{"3/4 (1 terminating)", "app=sample-app (4 Pods)", "sample-clusterip.default.svc", "http-port  port 8080/TCP to target port 80 of the Pods", "tier: front"}, []string{"⚑", "node port"}},
		"a node port and its policy":   {service(s, "default", "sample-nodeport"), []string{"node port 30080", "externalTrafficPolicy Local"}, nil},
		"affinity and a balancer":      {service(s, "default", "sample-lb"), []string{"ClientIP: a client stays", "External        192.168.13.200"}, nil},
		"an external name":             {service(s, "default", "sample-externalname"), []string{"External        example.com"}, []string{"Endpoints", "Selector", "Ports"}},
		"a Service without a selector": {service(s, "default", "sample-none-selector"), []string{"none: its EndpointSlices are written by hand"}, nil},
		"the flags of a Service":       {service(s, "odd", "lb-pending"), []string{"⚑ No load balancer has given", "⚑ The selector matches 1 Pod, but none is an endpoint yet", "<pending>"}, nil},
	} {
		got := show(t, New(style.NewTheme(true), c.target), s, r)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: got\n%s\nwant %q in it", name, got, want)
			}
		}
		for _, not := range c.not {
			if strings.Contains(got, not) {
				t.Errorf("%s: got\n%s\nwant no %q in it", name, got, not)
			}
		}
	}
}

func TestWhatIsNotListedIsNotClaimed(t *testing.T) {
	denied := map[string]bool{"endpointslices": true}
	o := api.Options{Denies: func(_, resource, _ string) bool { return denied[resource] }}
	_, s, r := serve(t, o)
	if got := show(t, New(style.NewTheme(true), service(s, "default", "sample-clusterip")), s, r); strings.Contains(got, "3/4") {
		t.Errorf("got\n%s\nwant no count of endpoints", got)
	}
	denied["services"] = true
	_, s, r = serve(t, o)
	if got := show(t, New(style.NewTheme(true), pod(s, "default", "not-ready")), s, r); !strings.Contains(got, "not known") {
		t.Errorf("got\n%s\nwant the Services not known", got)
	}
}

// notReady is another version of the Pod not-ready, and what happened to it.
const notReady = `
apiVersion: v1
kind: Pod
metadata:
  name: not-ready
  uid: not-ready
  annotations: {kubectl.kubernetes.io/last-applied-configuration: "{the whole object}", note: "two\nlines"}
spec: {containers: [{name: web, args: [a very long value that a narrow screen has to wrap]}]}
status: {conditions: [{type: Ready, status: "False", reason: ContainersNotReady, message: "no [web]"}, {type: Initialized, status: "True"}]}
---
{apiVersion: v1, kind: Event, metadata: {name: e1}, involvedObject: {uid: not-ready}, type: Warning, reason: BackOff, message: back-off restarting, count: 12, lastTimestamp: "2026-03-14T11:57:00Z"}
---
{apiVersion: v1, kind: Event, metadata: {name: e2}, involvedObject: {uid: not-ready}, reason: Pulled, message: done, count: 1, lastTimestamp: "2026-03-14T10:00:00Z"}
`

func TestConditionsAnnotationsAndEvents(t *testing.T) {
	_, s, r := serve(t, api.Options{}, notReady)
	got := show(t, New(style.NewTheme(true), pod(s, "default", "not-ready")), s, r)
	for _, want := range []string{"Ready=False  ContainersNotReady  no [web]", "Initialized=True\n", "note: two lines", "3m ago  BackOff (12 times)  back-off restarting", "2h ago  Pulled  done"} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant %q in it", got, want)
		}
	}
	if strings.Contains(got, "the whole object") {
		t.Errorf("got\n%s\nwant the last applied object left to the YAML", got)
	}
}

func TestErrorsOfReadingAreShown(t *testing.T) {
	_, s, r := serve(t, api.Options{Denies: func(verb, resource, _ string) bool { return verb == "get" || resource == "events" }})
	target := pod(s, "default", "not-ready")
	forbidden := `get pods default/not-ready: pods "not-ready" is forbidden: User "learner" cannot get resource "pods" in API group "" in the namespace "default"`
	got := show(t, New(style.NewTheme(true), target), s, r)
	for _, want := range []string{forbidden, "you may not list events in namespace default", "default/not-ready"} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant %q below the facts", got, want)
		}
	}
	if got := show(t, NewYAML(style.NewTheme(true), target), s, r); got != forbidden {
		t.Errorf("got YAML %q, want the error", got)
	}
}

func TestYAML(t *testing.T) {
	_, s, r := serve(t, api.Options{}, notReady)
	v := NewYAML(style.NewTheme(true), pod(s, "default", "not-ready"))
	if got := show(t, v, s, r); !strings.HasPrefix(got, "apiVersion: v1\nkind: Pod\nmetadata:\n") {
		t.Errorf("got\n%s\nwant the object", got)
	}
	v.SetSize(30, 60)
	want := "    - a very long value that a\n      narrow screen has to\n      wrap\n"
	var got strings.Builder
	for line := range strings.Lines(ansi.Strip(v.View())) {
		got.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	if !strings.Contains(got.String(), want) {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
	if r.lists > 0 {
		t.Error("got the events read, want only the object")
	}
}

func TestAGoneObjectIsToldAndKeepsWhatWasRead(t *testing.T) {
	_, s, r := serve(t, api.Options{}, notReady)
	v := New(style.NewTheme(true), pod(s, "default", "not-ready"))
	show(t, v, s, r)
	v.SetSnapshot(&kube.Snapshot{}, golden.Now)
	if got := v.Text(); !strings.Contains(got, "default/not-ready is gone.") || !strings.Contains(got, "Pulled") {
		t.Errorf("got\n%s\nwant the Pod gone and its events", got)
	}
}

func TestAnObjectCreatedAnewReplacesTheOld(t *testing.T) {
	server, s, r := serve(t, api.Options{}, notReady)
	target := pod(s, "default", "not-ready")
	server.Delete("pods", "default", "not-ready")
	server.Apply(strings.ReplaceAll(notReady, "uid: not-ready", "uid: another"), `
{apiVersion: v1, kind: Event, metadata: {name: e1}, involvedObject: {uid: not-ready}, reason: Killing}
`)
	if got := show(t, New(style.NewTheme(true), target), server.Snapshot(s.Scope), r); !strings.Contains(got, "Pulled") || strings.Contains(got, "Killing") {
		t.Errorf("got\n%s\nwant the events of the Pod that is there now", got)
	}
}

// changed returns a snapshot with another record of the Pod not-ready.
func changed(s *kube.Snapshot) *kube.Snapshot {
	next := *s
	next.Pods = append([]*kube.Pod{}, s.Pods...)
	for i, p := range next.Pods {
		if p.Name == "not-ready" {
			record := *p
			next.Pods[i] = &record
		}
	}
	return &next
}

func TestAnObjectIsReadAgainWhenItChangedButNotTooOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, r := serve(t, api.Options{})
		v, start := New(style.NewTheme(true), pod(s, "default", "not-ready")), time.Now()
		see := func(s *kube.Snapshot) tea.Cmd {
			v.SetSnapshot(s, time.Now())
			return v.Read(t.Context(), r)
		}
		first := see(s)
		if again := see(changed(s)); again != nil {
			t.Error("got a second reading during the first")
		}
		v.Receive(first())
		if again := see(s); again != nil {
			t.Error("got a reading of an object that did not change")
		}
		time.Sleep(time.Second)
		second := see(changed(s))
		v.Receive(second())
		if waited := time.Since(start); r.gets != 2 || waited != rereadAfter {
			t.Errorf("got %d readings within %s, want the second one after %s", r.gets, waited, rereadAfter)
		}
		time.Sleep(time.Minute)
		before := time.Now()
		if v.Receive(see(changed(s))()); r.gets != 3 || time.Since(before) != 0 {
			t.Errorf("got %d readings, the last after %s, want it at once", r.gets, time.Since(before))
		}
	})
}

func TestAReadingEndsWithItsSession(t *testing.T) {
	_, s, r := serve(t, api.Options{})
	v := New(style.NewTheme(true), pod(s, "default", "not-ready"))
	show(t, v, s, r)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	v.SetSnapshot(changed(s), golden.Now)
	if msg := v.Read(ctx, r)(); msg != nil || r.gets != 1 {
		t.Errorf("got %v after %d readings, want nothing read any more", msg, r.gets)
	}
}

func TestAnswersOfOtherViewsAreNotTaken(t *testing.T) {
	_, s, r := serve(t, api.Options{})
	target := pod(s, "default", "not-ready")
	v, other := New(style.NewTheme(true), target), New(style.NewTheme(true), target)
	v.SetSnapshot(s, golden.Now)
	if other.Receive(v.Read(t.Context(), r)()) || other.Receive("anything") {
		t.Error("got a message taken that is not the view's own")
	}
}
