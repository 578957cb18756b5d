package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"podpath/kube"
	"podpath/kube/demo/fixture"
)

// fakeAPI is an API server whose objects a test sets.
type fakeAPI struct {
	mu       sync.Mutex
	denied   bool
	asked    int // for permissions
	sources  []*fakeSource
	snapshot *kube.Snapshot // that sources begin with
	tunnels  Route
}

// fakeSource follows a namespace of a fakeAPI.
type fakeSource struct {
	snapshots chan *kube.Snapshot
	breaks    chan error
	ended     chan struct{}
}

func (s *fakeSource) Run(ctx context.Context) error {
	defer close(s.ended)
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.breaks:
		return err
	}
}

func (s *fakeSource) Next(ctx context.Context) (*kube.Snapshot, error) {
	select {
	case next := <-s.snapshots:
		return next, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *fakeSource) Resources() []kube.Resource {
	return []kube.Resource{kube.Pods, kube.Services, kube.EndpointSlices}
}

func (a *fakeAPI) store(string) source {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &fakeSource{snapshots: make(chan *kube.Snapshot, 10), breaks: make(chan error, 1), ended: make(chan struct{})}
	if a.snapshot != nil {
		s.snapshots <- a.snapshot
	}
	a.sources = append(a.sources, s)
	return s
}

func (a *fakeAPI) checkNamespace(context.Context, *kube.Snapshot) error { return nil }
func (a *fakeAPI) tunnel() Route                                        { return a.tunnels }

func (a *fakeAPI) allowed(context.Context, kube.Access) (bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked++
	return !a.denied, nil
}

func (a *fakeAPI) set(denied bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.denied = denied
}

// source returns the newest one.
func (a *fakeAPI) source() *fakeSource {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sources[len(a.sources)-1]
}

// webShop is a namespace with the Service web, whose endpoints are backends.
func webShop(t *testing.T, endpoints ...Endpoint) *kube.Snapshot {
	t.Helper()
	manifest := `
{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: web, uid: web}, spec: {clusterIP: 10.96.0.1, ports: [{name: http, port: 80, protocol: TCP}]}}
`
	for i, e := range endpoints {
		manifest += fmt.Sprintf(`---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, metadata: {namespace: shop, name: web-%d, labels: {kubernetes.io/service-name: web}},
 endpoints: [{addresses: [%q], targetRef: {kind: Pod, name: %q}}], ports: [{name: http, port: %d, protocol: TCP}]}
`, i, e.Address, e.Pod, e.Port)
	}
	return fixture.Snapshot(t, kube.Scope{Namespace: "shop"}, time.Now(), manifest)
}

func newTestHub(t *testing.T, o HubOptions, endpoints ...Endpoint) (*Hub, *Cluster, *fakeAPI) {
	h := NewHub(o)
	t.Cleanup(func() { h.AbortAll(); h.Close() })
	api := &fakeAPI{snapshot: webShop(t, endpoints...), tunnels: NewDirect(nil)}
	return h, &Cluster{Name: "raspi", api: api}, api
}

func web(t *testing.T) Order {
	d, err := ParseDestination("svc/web:http", "shop")
	if err != nil {
		t.Fatal(err)
	}
	return Order{Destination: d, Address: Loopback}
}

// begin adds a forward and waits until it listens.
func begin(t *testing.T, h *Hub, c *Cluster, o Order) int {
	t.Helper()
	id := h.Add(c, o)
	if err := h.Started(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	return id
}

func only(t *testing.T, h *Hub) Status {
	t.Helper()
	all := h.List()
	if len(all) != 1 {
		t.Fatalf("got %d forwards, want one: %+v", len(all), all)
	}
	return all[0]
}

func happens(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: did not happen", what)
		}
	}
}

func askAt(t *testing.T, address string) string {
	t.Helper()
	c, err := (&net.Dialer{Timeout: patience}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		return ""
	}
	defer func() { _ = c.Close() }()
	text, _ := io.ReadAll(c)
	return string(text)
}

// noTunnel is a tunnel that leads nowhere.
type noTunnel struct{}

func (noTunnel) Open(context.Context, Target) (Conn, error) {
	return nil, errors.New("through the tunnel")
}
func (noTunnel) Close() error { return nil }
