package forward

import (
	"cmp"
	"context"
	"io"
	"net"
	"testing"
)

// hub returns a hub, and the practice cluster for it. They end with the test.
func (p *practice) hub(t *testing.T, o HubOptions) (*Hub, *Cluster) {
	h := NewHub(o)
	t.Cleanup(func() { h.AbortAll(); h.Close() })
	return h, NewCluster("raspi", p.client, nil)
}

func toWeb(t *testing.T) Order {
	t.Helper()
	d, err := ParseDestination("svc/web:http", "shop")
	must(t, err)
	return Order{Destination: d, Address: Loopback}
}

// begin adds a forward and waits until it listens.
func begin(t *testing.T, h *Hub, c *Cluster, o Order) int {
	t.Helper()
	id := h.Add(c, o)
	must(t, h.Started(t.Context(), id))
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

// brittle is an API server whose stores break, as none does that we know how to
// bring to it.
type brittle struct {
	api
	broken context.Context // its cause is why they break
}

func (b brittle) store(namespace string) source {
	return brittleSource{b.api.store(namespace), b.broken}
}

type brittleSource struct {
	source
	broken context.Context
}

// Run ends with the reason when the source breaks.
func (s brittleSource) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.broken, cancel)()
	err := s.source.Run(ctx)
	return cmp.Or(context.Cause(s.broken), err)
}
