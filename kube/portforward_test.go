package kube

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// forwardServer is an API server that upgrades requests for pods/portforward,
// and sends back what comes.
type forwardServer struct {
	noWebSocket bool
	refuses     func(*http.Request) error
	silent      chan struct{} // until it is closed, nothing is answered

	mu       sync.Mutex
	requests []*http.Request
}

func (s *forwardServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r)
	s.mu.Unlock()
	if s.silent != nil {
		<-s.silent
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if s.refuses != nil {
		var status *apierrors.StatusError
		if errors.As(s.refuses(r), &status) {
			refuse(w, status)
			return
		}
	}
	switch tunneled := websocket.IsWebSocketUpgrade(r); {
	case tunneled && s.noWebSocket:
		w.WriteHeader(http.StatusBadRequest)
	case tunneled:
		upgrader := websocket.Upgrader{Subprotocols: []string{"SPDY/3.1+portforward.k8s.io"}}
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		for {
			kind, message, err := conn.ReadMessage()
			if err != nil || conn.WriteMessage(kind, message) != nil {
				return
			}
		}
	default:
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "SPDY/3.1")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.Copy(conn, buffered)
	}
}

func (s *forwardServer) forwarder(t *testing.T) *PortForwarder {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c := &Config{rest: &rest.Config{Host: server.URL}, timeout: 5 * time.Second}
	c.tune(Options{As: "jane"})
	client, err := NewClient(c)
	must(t, err)
	client.transport.reload = func() (*rest.Config, error) { return nil, errors.New("none") }
	return client.PortForwarder()
}

func TestDialPortForwardRemembersWhatWorked(t *testing.T) {
	for name, test := range map[string]struct {
		noWebSocket bool
		want        string // of two dials
	}{
		"WebSocket": {false, "GET GET"},
		"SPDY":      {true, "GET POST POST"},
	} {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			server := &forwardServer{noWebSocket: test.noWebSocket}
			forwarder := server.forwarder(t)
			for range 2 {
				ctx, cancel := context.WithCancel(t.Context())
				conn, err := forwarder.DialPortForward(ctx, Key{"shop", "web"})
				must(t, err)
				cancel() // has no hold on what is open
				checkEchoes(t, conn)
				must(t, conn.Close())
			}
			var methods []string
			for _, r := range server.requests {
				methods = append(methods, r.Method)
				if r.URL.Path != "/api/v1/namespaces/shop/pods/web/portforward" || r.Header.Get("Impersonate-User") != "jane" {
					t.Errorf("got %s as %q", r.URL, r.Header.Get("Impersonate-User"))
				}
			}
			if got := strings.Join(methods, " "); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func checkEchoes(t *testing.T, conn io.ReadWriter) {
	t.Helper()
	want := bytes.Repeat([]byte("a\x00é"), 5000)
	var sending sync.WaitGroup
	sending.Go(func() { _, _ = conn.Write(want) })
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %q…, %v", got[:8], err)
	}
	sending.Wait()
}

func TestDialPortForwardTellsRefusalsApart(t *testing.T) {
	pods := schema.GroupResource{Resource: "pods"}
	for name, test := range map[string]struct {
		err      error
		want     ExecFailure // "" for an *AccessError
		text     string
		requests int
	}{
		"no permission": {
			apierrors.NewForbidden(pods, "web", errors.New(`User "jane" cannot create resource "pods/portforward" in API group "" in the namespace "shop"`)),
			"", "you may not create pods/portforward in namespace shop", 2,
		},
		"no such Pod":    {apierrors.NewNotFound(pods, "web"), NotRunning, `port-forward to shop/web: it does not run: pods "web" not found`, 1},
		"not placed":     {apierrors.NewBadRequest("pod web does not have a host assigned"), NotRunning, "host assigned", 2},
		"kubelet away":   {apierrors.NewInternalError(errors.New("error dialing backend: dial tcp: connection refused")), KubeletAway, "does not reach the kubelet", 1},
		"unauthorized":   {apierrors.NewUnauthorized("Unauthorized"), Broken, "Unauthorized", 2},
		"other refusals": {apierrors.NewForbidden(pods, "web", errors.New("denied \x1b[31mby a webhook")), Broken, "denied [31mby a webhook", 2},
	} {
		t.Run(name, func(t *testing.T) {
			server := &forwardServer{refuses: func(*http.Request) error { return test.err }}
			_, err := server.forwarder(t).DialPortForward(t.Context(), Key{"shop", "web"})
			var denied *AccessError
			var failed *PortForwardError
			switch {
			case test.want == "" && !errors.As(err, &denied), test.want != "" && (!errors.As(err, &failed) || failed.Failure != test.want):
				t.Errorf("got %#v", err)
			}
			if err == nil || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %q, want it to say %q", err, test.text)
			}
			if got := len(server.requests); got != test.requests {
				t.Errorf("got %d requests, want %d", got, test.requests)
			}
		})
	}
}

func TestDialPortForwardWithOnlyTheRightToCreateTakesSPDY(t *testing.T) {
	server := &forwardServer{refuses: func(r *http.Request) error {
		if r.Method == http.MethodGet {
			return apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "web", fmt.Errorf(`User "jane" cannot get resource "pods/portforward"`))
		}
		return nil
	}}
	conn, err := server.forwarder(t).DialPortForward(t.Context(), Key{"shop", "web"})
	must(t, err)
	checkEchoes(t, conn)
	must(t, conn.Close())
}

func TestDialPortForwardEndsWithItsContext(t *testing.T) {
	for name, spdy := range map[string]bool{"WebSocket": false, "SPDY": true} {
		t.Run(name, func(t *testing.T) {
			server := &forwardServer{silent: make(chan struct{})}
			forwarder := server.forwarder(t)
			t.Cleanup(func() { close(server.silent) })
			forwarder.spdy.Store(spdy)
			left := errors.New("the user left")
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(100*time.Millisecond, func() { cancel(left) })
			start := time.Now()
			if _, err := forwarder.DialPortForward(ctx, Key{"shop", "web"}); !errors.Is(err, left) || time.Since(start) > 5*time.Second {
				t.Errorf("got %v after %s", err, time.Since(start))
			}
		})
	}
}

func TestDialPortForwardWithoutAnAPIServerIsNoRefusalOfThePod(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c := &Config{rest: &rest.Config{Host: server.URL}, timeout: time.Second}
	c.tune(Options{})
	client, err := NewClient(c)
	must(t, err)
	_, err = client.PortForwarder().DialPortForward(t.Context(), Key{"shop", "web"})
	var failed *PortForwardError
	if !errors.As(err, &failed) || errors.Unwrap(failed) != nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %#v", err)
	}
}
