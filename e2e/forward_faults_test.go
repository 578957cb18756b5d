package e2e_test

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"podpath/e2e/cluster"
)

// steady is the pause of loads beside which other tests run.
const steady = 40 * time.Millisecond

// loadBoth puts forwards under load.
func loadBoth(forwards map[string]*forwarding, least int64) map[string]*load {
	loads := map[string]*load{}
	for via, f := range forwards {
		loads[via] = &load{address: f.listen, least: least, pause: steady}
		loads[via].start()
	}
	return loads
}

// pods lists the Pods with a label, each by a JSONPath of its own.
func (p place) pods(selector, path string) []string {
	return strings.Fields(p.c.Kubectl("--namespace", p.namespace, "get", "pods", "--selector="+selector,
		"--output=jsonpath={range .items[*]}"+path+" {end}"))
}

func TestForwardLeavesAnEndpointAloneThatRefuses(t *testing.T) {
	t.Parallel()
	p := backends(t)
	p.c.Kubectl("--namespace", p.namespace, "scale", "deployment/refusing", "--replicas=1")
	p.c.WaitForRollout(p.namespace, "refusing")
	dead := p.pods("listens=elsewhere", "{.metadata.name}")[0]
	forwards := overBoth(t, p.c, p.namespace, "svc/backends", "0:80")
	for via, l := range loadBoth(forwards, 1000) {
		f := forwards[via]
		if e := f.await(t, "ejected"); e.Endpoint.Pod != dead || !strings.Contains(e.Reason, "refused") {
			t.Errorf("%s: got %+v, want %s ejected because it refuses", via, e, dead)
		}
		l.stop().wantNoFailure(t, via)
		for _, e := range f.stop(t).Endpoints {
			if is := e.Pod == dead; is != (e.Ejections > 0) || is != (e.Failures > 0) {
				t.Errorf("%s: got %+v, want failures and ejections of %s only", via, e, dead)
			}
		}
	}
}

func TestForwardAvoidsAnEndpointThatIsSilent(t *testing.T) {
	t.Parallel()
	p := backends(t)
	// By turns: ewma may avoid the endpoint after its first failure, so that there is no second one to eject it for.
	f := forward(t, p.c.Kubeconfig, p.namespace, "svc/backends", "0:80", "--via", "direct", "--policy", "round-robin")
	l := load{address: f.listen, pause: steady}
	l.start()
	time.Sleep(time.Second)
	pods := p.c.Kubectl("--namespace", p.namespace, "get", "pods", "--field-selector=spec.nodeName!="+cluster.Master,
		"--output=jsonpath={.items[0].metadata.name} {.items[0].status.podIP}")
	name, address, _ := strings.Cut(pods, " ")
	p.c.Drop(cluster.Master, address)
	began := time.Now()
	time.Sleep(25 * time.Second)
	seen := l.stop()
	if ejected := f.await(t, "ejected"); ejected.Endpoint.Pod != name || ejected.Time.Sub(began) > 15*time.Second {
		t.Errorf("got %+v, want %s ejected within 15 s", ejected, name)
	}
	open, late := 0, 0
	for _, a := range seen.odd {
		switch after := a.began.Sub(began); {
		case after < 0: // it may have been open already: it waits for its server, as on the Pod network
			open++
		case a.err != nil || a.took > 4*time.Second:
			t.Errorf("a connection went wrong %s, want it 3 s late at most, through another endpoint", a)
		case after > 15*time.Second:
			late++
		}
	}
	t.Logf("%d of %d connections were held up, %d from before, %d after 15 s: %v", len(seen.odd), seen.sent, open, late, seen.odd)
	if late > 1 {
		t.Errorf("%d connections began at the silent endpoint after 15 s, want one to try it at most", late)
	}
}

// TestForwardEndsConnectionsToAPodThatIsGone deletes a Pod whose process takes a moment to end, and one whose process may end
// its connections before podpath hears of it: then that end is what clients see, as they do on the Pod network.
func TestForwardEndsConnectionsToAPodThatIsGone(t *testing.T) {
	t.Parallel()
	all := backends(t)
	all.c.Apply(all.namespace, "rolling.yaml")
	all.c.WaitForRollout(all.namespace, "rolling")
	for name, slowly := range map[string]bool{"rolling": true, "backends": false} {
		t.Run(name, func(t *testing.T) {
			p := all.now(t)
			forwards := overBoth(t, p.c, p.namespace, "svc/"+name, "0:80")
			loads := loadBoth(forwards, 0)
			victim := p.pods("app="+name, "{.metadata.name}")[0]
			dying, others := through(t, forwards, victim)
			p.c.Kubectl("--namespace", p.namespace, "delete", "pod", victim, "--grace-period=0", "--force")
			for via, r := range dying {
				if err := r.ends(); !errors.Is(err, syscall.ECONNRESET) && (slowly || err != nil) {
					t.Errorf("%s: a connection to the Pod that is gone ended with %v, want a reset", via, err)
				}
			}
			time.Sleep(3 * time.Second)
			for _, r := range others {
				r.line(t, soon) // they still get theirs
			}
			for via, l := range loads {
				l.stop().wantNoFailure(t, via)
			}
		})
	}
}

// through opens connections that do not end by themselves until each route has one to a Pod.
func through(t *testing.T, forwards map[string]*forwarding, pod string) (to map[string]*request, others []*request) {
	t.Helper()
	to = map[string]*request{}
	for via, f := range forwards {
		for range 30 {
			r := ask(t, f.listen, "/endless?every=50ms")
			if strings.TrimSpace(r.body(t, soon)) == pod {
				to[via] = r
				break
			}
			others = append(others, r)
		}
		if to[via] == nil {
			t.Fatalf("%s: none of 30 connections went to %s", via, pod)
		}
	}
	return to, others
}

func TestForwardHoldsConnectionsWhileThereIsNoEndpoint(t *testing.T) {
	p := backends(t)
	forwards := overBoth(t, p.c, p.namespace, "svc/backends", "0:80")
	loads := loadBoth(forwards, 0)
	began := time.Now()
	p.c.Kubectl("--namespace", p.namespace, "scale", "deployment/answering", "--replicas=0")
	for via, f := range forwards {
		if e := f.await(t, "no-endpoints"); e.Reason == "" {
			t.Errorf("%s: got %+v, want a reason", via, e)
		}
	}
	for via, f := range forwards {
		e := f.await(t, "refused")
		t.Logf("%s: refused: %s", via, e.Reason)
		if !strings.Contains(e.Reason, "no Pod") || !strings.Contains(e.Reason, "(waited 5") {
			t.Errorf("%s: got the reason %q, want it to say that there is no Pod, and for how long it was waited", via, e.Reason)
		}
	}
	ready := p.firstReady(t)
	held := map[string]*request{}
	for via, f := range forwards {
		held[via] = ask(t, f.listen, "/")
	}
	p.c.Kubectl("--namespace", p.namespace, "scale", "deployment/answering", "--replicas=3")
	back := <-ready
	for via, r := range held {
		name := strings.TrimSpace(r.body(t, soon))
		if late := time.Since(back); !strings.HasPrefix(name, "answering-") || late > time.Second {
			t.Errorf("%s: the connection that was held got %q, %s after the first endpoint was ready, want an answer within 1 s", via, name, late)
		}
	}
	time.Sleep(time.Second)
	for via, l := range loads {
		seen := l.stop()
		failed := seen.failures()
		for _, a := range failed {
			if a.began.Before(began) || a.began.Add(a.took).After(back.Add(time.Second)) || a.took < 4900*time.Millisecond || a.took > 8500*time.Millisecond || !errors.Is(a.err, syscall.ECONNRESET) {
				t.Errorf("%s: a connection failed %s (%s after the first endpoint was ready), want only resets 5 s after the last try, and none later than 1 s after it",
					via, a, a.began.Add(a.took).Sub(back))
			}
		}
		for _, a := range seen.odd {
			if end := a.began.Add(a.took); a.err == nil && end.After(back.Add(time.Second)) {
				t.Errorf("%s: a held connection was served %s after the first endpoint was ready, want 1 s at most", via, end.Sub(back))
			}
		}
		t.Logf("%s: %d connections, %d refused", via, seen.sent, len(failed))
		if len(failed) == 0 {
			t.Errorf("%s: no connection was refused", via)
		}
	}
}

// firstReady tells when the Service backends has an endpoint that is ready.
func (p place) firstReady(t *testing.T) <-chan time.Time {
	t.Helper()
	watch, err := p.c.API.DiscoveryV1().EndpointSlices(p.namespace).Watch(t.Context(), metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=backends"})
	if err != nil {
		t.Fatal(err)
	}
	found := make(chan time.Time, 1)
	go func() {
		defer close(found)
		defer watch.Stop()
		for event := range watch.ResultChan() {
			slice, is := event.Object.(*discovery.EndpointSlice)
			if is && slices.ContainsFunc(slice.Endpoints, func(e discovery.Endpoint) bool { return *e.Conditions.Ready }) {
				found <- time.Now()
				return
			}
		}
	}()
	return found
}
