package forward

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
	"k8s.io/cri-streaming/pkg/streaming/portforward"

	tunneling "k8s.io/client-go/tools/portforward"

	"podpath/kube"
)

// farEnd is an API server and a container runtime in one, with Kubernetes' own
// server side of port-forwarding.
type farEnd struct {
	noWebSocket bool
	forward     func(port int32, stream io.ReadWriteCloser) error
	upgrades    atomic.Int64

	mu    sync.Mutex
	conns []io.Closer
}

var tunnelTransports = map[string]bool{"WebSocket": false, "SPDY": true}

func (f *farEnd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protocols := []string{portforward.ProtocolV1Name}
	if websocket.IsWebSocketUpgrade(r) {
		if f.noWebSocket {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		upgrader := websocket.Upgrader{Subprotocols: []string{"SPDY/3.1+" + portforward.ProtocolV1Name}, ReadBufferSize: 33 << 10, WriteBufferSize: 33 << 10}
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		tunnel := tunneling.NewTunnelingConnection("server", conn)
		w, r = &tunneled{ResponseWriter: w, conn: tunnel}, r.Clone(r.Context())
		r.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"SPDY/3.1"}, "X-Stream-Protocol-Version": protocols}
	}
	f.upgrades.Add(1)
	portforward.ServePortForward(&watched{w, f}, r, f, "web", "", nil, time.Hour, time.Second, protocols)
}

// PortForward is what the runtime does for each pair of streams.
func (f *farEnd) PortForward(_ context.Context, _, _ string, port int32, stream io.ReadWriteCloser) error {
	return f.forward(port, stream)
}

// hangUp closes all connections.
func (f *farEnd) hangUp() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns {
		_ = c.Close()
	}
	f.conns = nil
}

// tunneled is an answer whose connection travels in WebSocket messages.
type tunneled struct {
	http.ResponseWriter
	conn net.Conn
}

func (t *tunneled) WriteHeader(int)     {}
func (t *tunneled) Header() http.Header { return http.Header{} }
func (t *tunneled) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return t.conn, bufio.NewReadWriter(bufio.NewReader(t.conn), bufio.NewWriter(t.conn)), nil
}

// watched keeps the connection for hangUp.
type watched struct {
	http.ResponseWriter
	far *farEnd
}

func (w *watched) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := w.ResponseWriter.(http.Hijacker).Hijack()
	if err == nil {
		w.far.mu.Lock()
		defer w.far.mu.Unlock()
		w.far.conns = append(w.far.conns, conn)
	}
	return conn, buffered, err
}

// tunnel returns a route to the far end, through the server at address if there
// is one. Everything ends with the test, and leaves no goroutine.
func (f *farEnd) tunnel(t testing.TB, through ...func(server string) (string, func())) *Tunnel {
	t.Helper()
	before := goleak.IgnoreCurrent()
	server := httptest.NewServer(f)
	url := server.URL
	stop := func() {}
	for _, proxy := range through {
		url, stop = proxy(strings.TrimPrefix(url, "http://"))
		url = "http://" + url
	}
	path := filepath.Join(t.TempDir(), "config")
	must(t, os.WriteFile(path, []byte(`{apiVersion: v1, kind: Config, current-context: c, clusters: [{name: c, cluster: {server: "`+url+`"}}], contexts: [{name: c, context: {cluster: c}}]}`), 0o600))
	config, err := kube.Load(kube.Options{Kubeconfig: path})
	must(t, err)
	client, err := kube.NewClient(config)
	must(t, err)
	tunnel := NewTunnel(client.PortForwarder())
	t.Cleanup(func() {
		must(t, tunnel.Close())
		server.Close()
		stop()
		// The server side waits a second before it says what it could not close.
		shutdown := goleak.IgnoreAnyFunction("github.com/moby/spdystream.(*Connection).shutdown")
		// Nor does the library end a write to a stream that was never confirmed.
		unconfirmed := goleak.IgnoreAnyFunction("github.com/moby/spdystream.(*Stream).waitWriteReply")
		var err error
		for range 5 {
			if err = goleak.Find(before, shutdown, unconfirmed); err == nil {
				return
			}
		}
		t.Error(err)
	})
	return tunnel
}

func open(t testing.TB, route Route, port int) Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := route.Open(ctx, target(port))
	must(t, err)
	must(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	return conn
}

func target(port int) Target {
	return Target{Address: "10.0.0.7", Port: port, Namespace: "shop", Pod: "web"}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func echoBack(_ int32, stream io.ReadWriteCloser) error {
	_, err := io.Copy(stream, stream)
	return err
}

// likeContainerd dials, copies both ways, and closes a second after either side
// has ended.
func likeContainerd(port int32, stream io.ReadWriteCloser) error {
	conn, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port)) //nolint:noctx // loopback
	if err != nil {
		return fmt.Errorf("failed to connect to localhost:%d inside namespace: %w", port, err)
	}
	ended := make(chan error, 2)
	go func() { _, err := io.Copy(stream, conn); ended <- err }()
	go func() { _, err := io.Copy(conn, stream); ended <- err }()
	err = <-ended
	select {
	case second := <-ended:
		err = errors.Join(err, second)
	case <-time.After(time.Second):
	}
	_ = conn.Close()
	return err
}

// podPort serves connections to a port of the Pod, until the test ends.
func podPort(t testing.TB, serve func(net.Conn)) int {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0") //nolint:noctx // loopback
	must(t, err)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer func() { _ = conn.Close() }()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		all.Wait()
	})
	return listener.Addr().(*net.TCPAddr).Port
}
