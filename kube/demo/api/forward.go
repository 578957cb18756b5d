package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
	corev1 "k8s.io/api/core/v1"
	constants "k8s.io/apimachinery/pkg/util/portforward"
	tunneling "k8s.io/client-go/tools/portforward"
	"k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/klog/v2"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
	"k8s.io/streaming/pkg/httpstream/wsstream"
)

// forward lets a client connect to ports of a Pod.
func (s *Server) forward(w http.ResponseWriter, r request) error {
	pod, err := s.placedPod(r)
	if err != nil {
		return err
	}
	if pod.Status.Phase != corev1.PodRunning {
		http.Error(w, fmt.Sprintf("pod not found (%q)", pod.Name+"_"+pod.Namespace), http.StatusInternalServerError) // the kubelet's answer, passed on
		return nil
	}
	asked, upgraded := r.Request, http.ResponseWriter(takeover{w, r.Context()})
	if wsstream.IsWebSocketRequest(asked) {
		upgrader := websocket.Upgrader{Subprotocols: []string{constants.WebsocketsSPDYTunnelingPortForwardV1}}
		conn, err := upgrader.Upgrade(upgraded, asked, nil)
		if err != nil {
			return nil //nolint:nilerr // the client was told
		}
		upgraded = &tunnel{tunneling.NewTunnelingConnectionWithLogger(klog.Background(), conn), http.Header{}}
		asked = inside(asked)
	}
	to := &destination{s, r.Context(), pod.Namespace}
	portforward.ServePortForward(upgraded, asked, to, pod.Name, string(pod.UID), nil, idleTimeout, creationTimeout, []string{constants.PortForwardV1Name})
	return nil
}

// tunnel is the response to a request for SPDY that travels in a WebSocket,
// which is there already.
type tunnel struct {
	net.Conn
	header http.Header
}

func (t *tunnel) Header() http.Header { return t.header }

// WriteHeader has nobody to tell.
func (t *tunnel) WriteHeader(int) {}

// Hijack hands out the tunnel.
func (t *tunnel) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return t.Conn, bufio.NewReadWriter(bufio.NewReader(t.Conn), bufio.NewWriter(t.Conn)), nil
}

// inside is the request for SPDY in a tunnel.
func inside(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	r.Header.Set(httpstream.HeaderUpgrade, spdy.HeaderSpdy31)
	r.Header.Set(httpstream.HeaderProtocolVersion, constants.PortForwardV1Name)
	return r
}

// destination connects to the ports of Pods for one client.
type destination struct {
	*Server
	ctx       context.Context // of the client's connection
	namespace string
}

// lingering is how long the other direction may go on when one has ended: as
// in containerd, whose users wonder about it as well.
const lingering = time.Second

// settling is a pause before a refusal. The library resets the streams behind
// it; when that comes before it has confirmed them, the client sees neither.
// Nothing tells when it has; a real dial takes longer than this as well.
const settling = 10 * time.Millisecond

// PortForward is what the library calls for a connection of the client.
func (d *destination) PortForward(_ context.Context, pod, _ string, port int32, stream io.ReadWriteCloser) error {
	if !d.enter(d.ctx) {
		return nil // the client has left
	}
	defer d.work.Done()
	conn, err := d.kubelet.Dial(d.ctx, d.namespace, pod, int(port))
	if err != nil {
		select {
		case <-time.After(settling):
		case <-d.ctx.Done():
		}
		return fmt.Errorf("failed to execute portforward in network namespace %q: failed to connect to localhost:%d inside namespace %q, IPv4: %w",
			"/var/run/netns/practice", port, pod, err)
	}
	defer context.AfterFunc(d.ctx, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }()
	ended := make(chan error, 2)
	d.work.Go(func() { drain(conn, stream, func(err error) { ended <- err }) })
	// Nobody waits for this one: when the connection of the client ends before
	// the library has confirmed its stream, a write waits for that for ever.
	go func() {
		_, err := io.Copy(stream, conn)
		ended <- err
	}()
	err = <-ended
	select {
	case second := <-ended:
		err = errors.Join(err, second)
	case <-time.After(lingering):
	case <-d.ctx.Done():
	}
	return err
}

// drain passes on what comes from a client, and tells when that has ended. When
// nobody takes it any more it reads on: what is left in a stream stands in the
// way of all that comes after it in the connection, and of the end of that.
func drain(to io.Writer, client io.Reader, ended func(error)) {
	_, err := io.Copy(to, client)
	ended(err)
	_, _ = io.Copy(io.Discard, client)
}
