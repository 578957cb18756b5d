package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"podpath/kube"
	apiserver "podpath/kube/demo/api"
	"podpath/kube/demo/fixture"
)

// practice is an API server with the namespace shop, whose kubelets find the
// ports of every Pod on loopback: there a test can serve what it likes. It is on
// loopback itself, for a port-forward takes the network of the system.
type practice struct {
	*apiserver.Store
	server *apiserver.Server
	client *kube.Client
	wire   *wire

	mu     sync.Mutex
	denied string         // what the user may not do: all that VERB RESOURCE ends in this
	asked  map[string]int // how often something was granted, by VERB RESOURCE
}

// noWebSocket is a permission without which SPDY has to do.
const noWebSocket = "get pods/portforward"

// newPractice starts an API server with the Service web, which has no endpoints
// yet.
func newPractice(t testing.TB) *practice {
	t.Helper()
	p := &practice{Store: apiserver.NewStore(time.Now), asked: map[string]int{}}
	p.apply(t, `{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: web},
 spec: {clusterIP: 10.96.0.1, ports: [{name: http, port: 80, protocol: TCP}, {name: dns, port: 53, protocol: UDP}]}}`)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	p.wire = &wire{Listener: listener}
	p.server, err = apiserver.Serve(t.Context(), p.Store, kubelet{}, apiserver.Options{Listener: p.wire, Denies: p.denies})
	must(t, err)
	t.Cleanup(func() { p.server.Close(); p.wire.work.Wait() })
	p.client, _ = fixture.Connect(t, p.server, kube.Options{Namespace: "shop"})
	return p
}

func (p *practice) apply(t testing.TB, manifest string) {
	t.Helper()
	must(t, p.Load([]byte(manifest)))
}

// serve starts a backend as a Pod that is an endpoint of the Service web.
func (p *practice) serve(t testing.TB, pod string, handle func(*net.TCPConn)) Target {
	t.Helper()
	target := serveTCP(t, pod, handle).endpoint().Target
	p.join(t, target)
	return target
}

// join makes a Pod of a target, and an endpoint with an EndpointSlice of its
// own, for the ports of endpoints differ.
func (p *practice) join(t testing.TB, to Target) {
	t.Helper()
	p.apply(t, fmt.Sprintf(`
{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: %[1]s}, spec: {nodeName: raspi001}, status: {phase: Running, podIPs: [{ip: 127.0.0.1}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, metadata: {namespace: shop, name: %[1]s, labels: {kubernetes.io/service-name: web}},
 endpoints: [{addresses: [127.0.0.1], targetRef: {kind: Pod, name: %[1]s}}], ports: [{name: http, port: %[2]d, protocol: TCP}]}`, to.Pod, to.Port))
}

// leave ends an endpoint and its Pod.
func (p *practice) leave(pod string) {
	p.Delete("endpointslices", "shop", pod)
	p.Delete("pods", "shop", pod)
}

// deny takes one permission away, and gives the last one back.
func (p *practice) deny(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.denied = what
}

func (p *practice) denies(verb, resource, _ string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	what := verb + " " + resource
	denied := p.denied != "" && strings.HasSuffix(what, p.denied)
	if !denied {
		p.asked[what]++
	}
	return denied
}

// granted counts what the user has done, and has asked whether he may.
func (p *practice) granted(what ...string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range what {
		n += p.asked[w]
	}
	return n
}

// upgrades counts connections for a port-forward, of either kind.
func (p *practice) upgrades() int {
	return p.granted("get pods/portforward", "create pods/portforward")
}

// tunnel is the route through the API server. It ends with the test.
func (p *practice) tunnel(t testing.TB) *Tunnel {
	tunnel := NewTunnel(p.client.PortForwarder())
	t.Cleanup(func() { must(t, tunnel.Close()) })
	return tunnel
}

// kubelet is that of all Nodes.
type kubelet struct{}

func (kubelet) Reach(context.Context, string) error { return nil }

func (kubelet) Exec(context.Context, string, string, string, []string, io.Reader, io.Writer, io.Writer) (int, error) {
	return 0, errors.ErrUnsupported
}

func (kubelet) Dial(ctx context.Context, _, _ string, port int) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

// wire is the way to the API server: it may be long, and be cut.
type wire struct {
	net.Listener
	work sync.WaitGroup

	mu    sync.Mutex // guards all below
	delay time.Duration
	conns []net.Conn
}

// Accept returns the server's end of a new connection.
func (w *wire) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns = append(w.conns, conn)
	if w.delay == 0 {
		return conn, nil
	}
	near, far := net.Pipe()
	w.work.Go(func() { delay(conn, far, w.delay) })
	w.work.Go(func() { delay(far, conn, w.delay) })
	return near, nil
}

// lengthen has every byte of later connections arrive that much later.
func (w *wire) lengthen(by time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.delay = by
}

// cut closes all connections.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}
