package e2e_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"podpath/e2e/cluster"
)

// forwarding is a podpath forward that listens.
type forwarding struct {
	cmd    *exec.Cmd
	listen string
	err    bytes.Buffer // valid once it has ended
	ended  chan struct{}

	mu     sync.Mutex // guards all below
	line   []byte     // the beginning of one
	events []forwardEvent
	bad    []string // lines that are no JSON
}

// forwardEvent is a line of podpath forward -o json.
type forwardEvent struct {
	Kind, Event, Listen, Via, Reason string
	Time                             time.Time
	Count, Connections, Refused      int
	Endpoint                         struct{ Pod string }
	Endpoints                        []struct {
		Pod                                         string
		Total, Failures, Retries, Broken, Ejections int
	}
}

// forward starts podpath forward, and waits until it listens.
func forward(t *testing.T, kubeconfig, namespace string, args ...string) *forwarding {
	t.Helper()
	f := &forwarding{ended: make(chan struct{})}
	f.cmd = command(t, kubeconfig, append([]string{"forward", "-n", namespace, "-o", "json"}, args...)...)
	f.cmd.Stdout, f.cmd.Stderr = f, &f.err
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = f.cmd.Wait() // its code says how it ended
		close(f.ended)
	}()
	t.Cleanup(func() {
		_ = f.cmd.Process.Kill() // refused when it has ended
		<-f.ended
	})
	f.listen = f.await(t, "listening").Listen
	return f
}

// Write takes what podpath prints.
func (f *forwarding) Write(text []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.line = append(f.line, text...)
	for {
		line, rest, whole := bytes.Cut(f.line, []byte("\n"))
		if !whole {
			return len(text), nil
		}
		var e forwardEvent
		if err := json.Unmarshal(line, &e); err != nil {
			f.bad = append(f.bad, string(line))
		}
		f.events, f.line = append(f.events, e), rest
	}
}

// seen returns the events so far that are of a kind, or documents of that kind.
func (f *forwarding) seen(what string) (events []forwardEvent) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.events {
		if e.Event == what || e.Kind == what {
			events = append(events, e)
		}
	}
	return events
}

// await waits until there is such an event, or document, and returns the first.
func (f *forwarding) await(t *testing.T, what string) forwardEvent {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if events := f.seen(what); len(events) > 0 {
			return events[0]
		}
		select {
		case <-f.ended:
			if events := f.seen(what); len(events) > 0 {
				return events[0]
			}
			t.Fatalf("podpath forward ended before %s: %s", what, f.err.String())
		default:
		}
	}
	t.Fatalf("no %s came; there were %+v", what, f.seen("ForwardEvent"))
	return forwardEvent{}
}

// interrupt is ctrl-c.
func (f *forwarding) interrupt(t *testing.T) {
	t.Helper()
	if err := f.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatalf("send ctrl-c: %v; stderr %q", err, f.err.String())
	}
}

// ends waits for the end, and returns the exit code.
func (f *forwarding) ends(t *testing.T, within time.Duration) (code int) {
	t.Helper()
	select {
	case <-f.ended:
	case <-time.After(within):
		t.Fatalf("podpath forward still runs after %s", within)
	}
	if len(f.bad) > 0 {
		t.Errorf("got lines that are no JSON: %q", f.bad)
	}
	return f.cmd.ProcessState.ExitCode()
}

// stop ends it as ctrl-c does, and returns its summary.
func (f *forwarding) stop(t *testing.T) forwardEvent {
	t.Helper()
	f.interrupt(t)
	if code := f.ends(t, 20*time.Second); code != 0 {
		t.Errorf("podpath forward ended with exit code %d, want 0; stderr %q", code, f.err.String())
	}
	return f.await(t, "ForwardSummary")
}

// overBoth starts a forward for each route.
func overBoth(t *testing.T, c *cluster.Cluster, namespace string, args ...string) map[string]*forwarding {
	t.Helper()
	all := map[string]*forwarding{}
	for _, via := range []string{"direct", "tunnel"} {
		all[via] = forward(t, c.Kubeconfig, namespace, append(args, "--via", via)...)
	}
	return all
}

// backends has three Pods that answer behind the Service backends.
func backends(t *testing.T) place {
	t.Helper()
	p := place{c: cluster.Use(t)}
	p.namespace = p.c.Namespace()
	p.c.Apply(p.namespace, "backends.yaml")
	p.c.WaitForRollout(p.namespace, "answering")
	return p
}

func TestForwardLosesNoConnectionOverARollout(t *testing.T) {
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.Apply(namespace, "rolling.yaml")
	c.WaitForRollout(namespace, "rolling")
	forwards := overBoth(t, c, namespace, "svc/rolling", "0:80")
	loads := map[string]*load{
		"direct": {address: forwards["direct"].listen, least: 10_000},
		"tunnel": {address: forwards["tunnel"].listen, least: 1_000, pause: 10 * time.Millisecond},
	}
	for _, l := range loads {
		l.start()
	}
	c.Kubectl("--namespace", namespace, "rollout", "restart", "deployment/rolling")
	c.WaitForRollout(namespace, "rolling")
	for via, l := range loads {
		sent := l.stop().wantNoFailure(t, via)
		if s := forwards[via].stop(t); int64(s.Connections) < sent || len(s.Endpoints) < 6 {
			t.Errorf("%s: got %+v, want %d connections over the three Pods before and the three after", via, s, sent)
		}
	}
}

func TestForwardThroughTheAPIServerUsesAllEndpoints(t *testing.T) {
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplySample(namespace)
	f := forward(t, c.Kubeconfig, namespace, "svc/sample-clusterip", "0:8080", "--via", "tunnel")
	l := load{address: f.listen, least: 300}
	l.start()
	l.stop().wantNoFailure(t, "tunnel")
	for _, e := range f.stop(t).Endpoints {
		if e.Total == 0 {
			t.Errorf("Pod %s got no connection, want all three used", e.Pod)
		}
	}
}

func TestForwardWithoutThePermissionNamesIt(t *testing.T) {
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplySample(namespace)
	viewer := c.User(namespace, cluster.View...)
	got := run(t, command(t, viewer.Kubeconfig, "forward", "svc/sample-clusterip", "0:8080"))
	if got.code != 2 || !strings.Contains(got.err, "pods/portforward") || strings.Count(got.err, "\n") != 1 {
		t.Errorf("got exit code %d and %q, want 2 and the permission in one line", got.code, got.err)
	}
}
