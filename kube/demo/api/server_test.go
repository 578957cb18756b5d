package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"

	"podpath/kube"
	"podpath/kube/demo/api"
)

var web = kube.Key{Namespace: "shop", Name: "web"}

// cluster is a server with one Pod, and the product's client of it.
type cluster struct {
	store  *api.Store
	server *api.Server
	client *kube.Client
}

func newCluster(t *testing.T, kubelet api.Kubelet, o api.Options) *cluster {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		goleak.VerifyNone(t, before, goleak.IgnoreTopFunction("k8s.io/client-go/tools/remotecommand.(*heartbeat).start"),
			goleak.IgnoreTopFunction("github.com/moby/spdystream.(*Connection).shutdown"))
	})
	c := &cluster{store: api.NewStore(time.Now)}
	must(t, c.store.Load([]byte(`
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: web}, spec: {nodeName: raspi002, containers: [{name: app}]}, status: {phase: Running}}
`)))
	var err error
	c.server, err = api.Serve(context.Background(), c.store, kubelet, o)
	must(t, err)
	t.Cleanup(c.server.Close)
	file, err := c.server.Kubeconfig()
	must(t, err)
	path := filepath.Join(t.TempDir(), "config")
	must(t, os.WriteFile(path, file, 0o600))
	config, err := kube.Load(kube.Options{Kubeconfig: path, RequestTimeout: 10 * time.Second})
	must(t, err)
	if config.Scope.Namespace != "default" {
		t.Errorf("the kubeconfig is for namespace %q, want default", config.Scope.Namespace)
	}
	c.client, err = kube.NewClient(config)
	must(t, err)
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// kubelet is what a test makes of it.
type kubelet struct {
	reach error
	exec  func(ctx context.Context, command []string, stdin io.Reader, stdout, stderr io.Writer) (int, error)
	dial  func(ctx context.Context, port int) (net.Conn, error)
}

func (k *kubelet) Reach(context.Context, string) error { return k.reach }

func (k *kubelet) Exec(ctx context.Context, _, _, _ string, command []string, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	return k.exec(ctx, command, stdin, stdout, stderr)
}

func (k *kubelet) Dial(ctx context.Context, _, _ string, port int) (net.Conn, error) {
	return k.dial(ctx, port)
}

func TestTheProductsClientWorks(t *testing.T) {
	c := newCluster(t, &kubelet{exec: func(_ context.Context, command []string, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
		read, err := io.ReadAll(stdin)
		_, _ = fmt.Fprintf(stdout, "%q %s", command, read)
		_, _ = io.WriteString(stderr, "warning")
		return 3, err
	}}, api.Options{})
	var out, stderr bytes.Buffer
	err := c.client.Exec(t.Context(), kube.Exec{Pod: web, Container: "app", Command: []string{"a", "b c"}, Stdin: strings.NewReader("in"), Stdout: &out, Stderr: &stderr})
	var exit *kube.ExitError
	if !errors.As(err, &exit) || exit.Code != 3 || out.String() != `["a" "b c"] in` || stderr.String() != "warning" {
		t.Errorf("exec: got %v, %q, %q", err, out.String(), stderr.String())
	}
	allowed, err := c.client.Allowed(t.Context(), kube.Access{Verb: "create", Resource: "pods", Subresource: "exec", Namespace: "shop"})
	if err != nil || !allowed {
		t.Errorf("may exec: got %t, %v", allowed, err)
	}
	must(t, c.client.AddEphemeral(t.Context(), web, kube.Guest{Name: "guest", Image: "busybox:1.35"}))
	pod, _ := c.store.Get("pods", "shop", "web")
	if got := pod.(*corev1.Pod).Spec.EphemeralContainers; len(got) != 1 || got[0].Name != "guest" {
		t.Errorf("ephemeral containers: got %+v", got)
	}
	helper, err := c.client.CreateHelper(t.Context(), kube.HelperPod{Key: kube.Key{Namespace: "shop", Name: "helper"}, Node: "raspi001", Run: "r1"}, kube.Guest{Name: "guest", Image: "a"}, time.Minute)
	must(t, err)
	if _, err := c.client.CreateHelper(t.Context(), helper, kube.Guest{Name: "guest", Image: "a"}, time.Minute); !errors.Is(err, kube.ErrTaken) {
		t.Errorf("a helper of the same name: got %v, want that it is taken", err)
	}
	helpers, err := c.client.Helpers(t.Context(), kube.Scope{})
	if err != nil || len(helpers) != 1 || helpers[0].Name != "helper" {
		t.Errorf("helpers: got %+v, %v", helpers, err)
	}
	must(t, c.client.DeleteHelper(t.Context(), helper))
	if _, found := c.store.Get("pods", "shop", "helper"); found {
		t.Error("the helper is still there")
	}
}

func TestKubeletThatIsAwayIsSaid(t *testing.T) {
	c := newCluster(t, &kubelet{reach: errors.New("dial tcp 192.168.100.12:10250: connect: no route to host")}, api.Options{})
	var failed *kube.ExecError
	err := c.client.Exec(t.Context(), kube.Exec{Pod: web, Container: "app", Command: []string{"a"}, Stdout: io.Discard})
	if !errors.As(err, &failed) || failed.Failure != kube.KubeletAway || !strings.Contains(err.Error(), "no route to host") {
		t.Errorf("exec: got %v, want that the kubelet is away", err)
	}
	var broken *kube.PortForwardError
	if _, err = c.client.PortForwarder().DialPortForward(t.Context(), web); !errors.As(err, &broken) || broken.Failure != kube.KubeletAway {
		t.Errorf("port-forward: got %v, want that the kubelet is away", err)
	}
}

func TestDeniedRightsAreNamed(t *testing.T) {
	c := newCluster(t, &kubelet{}, api.Options{Denies: func(verb, resource, namespace string) bool {
		return resource == "pods/exec" && verb == "get" || resource == "pods/ephemeralcontainers" && namespace == "shop"
	}})
	var denied *kube.AccessError
	if err := c.client.AddEphemeral(t.Context(), web, kube.Guest{Name: "guest"}); !errors.As(err, &denied) || denied.Access.String() != "patch pods/ephemeralcontainers in namespace shop" {
		t.Errorf("got %v, want the missing right", err)
	}
	for verb, want := range map[string]bool{"get": false, "create": true} {
		got, err := c.client.Allowed(t.Context(), kube.Access{Verb: verb, Resource: "pods", Subresource: "exec", Namespace: "shop"})
		if err != nil || got != want {
			t.Errorf("may %s: got %t, %v; want %t", verb, got, err, want)
		}
	}
}

func TestCloseEndsWhatRuns(t *testing.T) {
	running, dialing := make(chan struct{}), make(chan struct{})
	c := newCluster(t, &kubelet{
		exec: func(ctx context.Context, _ []string, stdin io.Reader, _, _ io.Writer) (int, error) {
			close(running)
			if _, err := stdin.Read(make([]byte, 1)); err == nil {
				return 0, errors.New("something was read")
			}
			<-ctx.Done()
			return 0, ctx.Err()
		},
		dial: func(ctx context.Context, _ int) (net.Conn, error) { // a black hole
			close(dialing)
			<-ctx.Done()
			return nil, ctx.Err()
		},
	}, api.Options{})
	in, keep := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- c.client.Exec(context.Background(), kube.Exec{Pod: web, Container: "app", Command: []string{"a"}, Stdin: in, Stdout: io.Discard})
	}()
	<-running
	_, conn := openPort(t, c)
	<-dialing
	closed := make(chan struct{})
	go func() { defer close(closed); c.server.Close() }()
	for name, done := range map[string]<-chan struct{}{"the server": closed, "the link": conn} {
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatalf("%s has not ended", name)
		}
	}
	if err := <-ended; err == nil {
		t.Error("an exec that was cut reports success")
	}
	_ = keep.Close()
}

func TestExecThatTheClientLeavesEndsItsInput(t *testing.T) {
	over := make(chan struct{})
	c := newCluster(t, &kubelet{exec: func(_ context.Context, _ []string, stdin io.Reader, stdout, _ io.Writer) (int, error) {
		defer close(over)
		_, _ = io.WriteString(stdout, "ready")
		_, _ = io.Copy(io.Discard, stdin)
		return 0, nil
	}}, api.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	in, keep := io.Pipe()
	defer func() { _ = keep.Close() }()
	_ = c.client.Exec(ctx, kube.Exec{Pod: web, Container: "app", Command: []string{"a"}, Stdin: in, Stdout: writer(func() { cancel() })})
	select {
	case <-over:
	case <-time.After(10 * time.Second):
		t.Error("the command still waits for its input")
	}
}

type writer func()

func (w writer) Write(p []byte) (int, error) { w(); return len(p), nil }

func TestOnlyTheTokenOpens(t *testing.T) {
	c := newCluster(t, &kubelet{}, api.Options{})
	config := c.server.Config()
	if !strings.HasPrefix(config.Host, "https://127.0.0.1:") {
		t.Errorf("it listens on %s, want the loopback address", config.Host)
	}
	config.BearerToken = ""
	transport, err := httpClient(config)
	must(t, err)
	defer transport.CloseIdleConnections()
	for _, path := range []string{"/version", "/api/v1/pods", "/openapi/v3", "/absent"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, config.Host+path, nil)
		must(t, err)
		response, err := transport.Do(request)
		must(t, err)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: got %s, want 401", path, response.Status)
		}
	}
}

func TestANamespaceIsDeletedWithWhatIsInIt(t *testing.T) {
	c := newCluster(t, &kubelet{}, api.Options{})
	config := c.server.Config()
	transport, err := httpClient(config)
	must(t, err)
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, config.Host+"/api/v1/namespaces/shop", nil)
	must(t, err)
	response, err := transport.Do(request)
	must(t, err)
	_ = response.Body.Close()
	if left := c.store.List("pods", ""); response.StatusCode != http.StatusOK || len(left) != 0 {
		t.Errorf("got %s, and %d Pods are left", response.Status, len(left))
	}
}

func TestNamesAreChecked(t *testing.T) {
	c := newCluster(t, &kubelet{}, api.Options{})
	config := c.server.Config()
	transport, err := httpClient(config)
	must(t, err)
	defer transport.CloseIdleConnections()
	for name, want := range map[string]int{"shop-2": http.StatusCreated, "Shop_2": http.StatusUnprocessableEntity, "a/b": http.StatusUnprocessableEntity} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, config.Host+"/api/v1/namespaces",
			strings.NewReader(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"`+name+`"}}`))
		must(t, err)
		response, err := transport.Do(request)
		must(t, err)
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: got %s, want %d", name, response.Status, want)
		}
	}
	if made, _ := c.store.Get("namespaces", "", "shop-2"); made.(*corev1.Namespace).Status.Phase != corev1.NamespaceActive {
		t.Errorf("got %+v, want an active Namespace", made)
	}
}
