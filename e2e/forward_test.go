package e2e_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"podpath/e2e/cluster"
)

// forwarding is a podpath forward that listens.
type forwarding struct {
	cmd    *exec.Cmd
	listen string
	lines  *bufio.Scanner
}

// forwardEvent is a line of podpath forward -o json.
type forwardEvent struct {
	Kind, Event, Listen, Via string
	Connections              int
	Endpoints                []struct {
		Pod             string
		Total, Failures int
	}
}

// forward starts podpath forward, and waits until it listens.
func forward(t *testing.T, kubeconfig, namespace string, args ...string) *forwarding {
	t.Helper()
	cmd := command(t, kubeconfig, append([]string{"forward", "-n", namespace, "-o", "json"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	f := &forwarding{cmd: cmd, lines: bufio.NewScanner(out)}
	f.listen = f.next(t, "listening").Listen
	return f
}

// next reads up to an event, or to a document of that kind.
func (f *forwarding) next(t *testing.T, what string) forwardEvent {
	t.Helper()
	for f.lines.Scan() {
		var e forwardEvent
		if err := json.Unmarshal(f.lines.Bytes(), &e); err != nil {
			t.Fatalf("%v in %q", err, f.lines.Text())
		}
		if e.Event == what || e.Kind == what {
			return e
		}
	}
	t.Fatalf("podpath forward ended before %s: %v", what, f.lines.Err())
	return forwardEvent{}
}

// stop ends it as ctrl-c does, and returns its summary.
func (f *forwarding) stop(t *testing.T) forwardEvent {
	t.Helper()
	if err := f.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	summary := f.next(t, "ForwardSummary")
	if err := f.cmd.Wait(); err != nil {
		t.Errorf("podpath forward ended with %v, want exit code 0", err)
	}
	return summary
}

// load opens short connections, eight at a time, at least so many and until done is closed. It returns how many there were
// and what failed.
func load(address string, least int64, done <-chan struct{}) (sent int64, failures []error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	var count atomic.Int64
	var mu sync.Mutex
	var work sync.WaitGroup
	finished := func() bool {
		select {
		case <-done:
			return count.Load() >= least
		default:
			return false
		}
	}
	for range 8 {
		work.Go(func() {
			for !finished() {
				count.Add(1)
				if err := get(client, "http://"+address); err != nil {
					mu.Lock()
					failures = append(failures, err)
					mu.Unlock()
				}
			}
		})
	}
	work.Wait()
	return count.Load(), failures
}

func get(client *http.Client, url string) error {
	answer, err := client.Get(url) //nolint:noctx // the client has a timeout
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && (answer.StatusCode != http.StatusOK || len(body) == 0) {
		err = fmt.Errorf("got %s and %q", answer.Status, body)
	}
	return err
}

func TestForwardLosesNoConnectionOverARollout(t *testing.T) {
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.Apply(namespace, "rolling.yaml")
	c.WaitForRollout(namespace, "rolling")
	f := forward(t, c.Kubeconfig, namespace, "svc/rolling", "0:80", "--via", "direct")

	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Kubectl("--namespace", namespace, "rollout", "restart", "deployment/rolling")
		c.WaitForRollout(namespace, "rolling")
	}()
	sent, failures := load(f.listen, 10_000, done)
	if len(failures) > 0 {
		t.Errorf("%d of %d connections failed, the first with: %v", len(failures), sent, failures[0])
	}
	summary := f.stop(t)
	if int64(summary.Connections) < sent || len(summary.Endpoints) < 6 {
		t.Errorf("got %+v, want %d connections over the three Pods before and the three after", summary, sent)
	}
}

func TestForwardThroughTheAPIServerUsesAllEndpoints(t *testing.T) {
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplySample(namespace)
	f := forward(t, c.Kubeconfig, namespace, "svc/sample-clusterip", "0:8080", "--via", "tunnel")
	done := make(chan struct{})
	close(done)
	if sent, failures := load(f.listen, 300, done); len(failures) > 0 {
		t.Errorf("%d of %d connections failed, the first with: %v", len(failures), sent, failures[0])
	}
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
