package forward

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// The SPDY library of the practice API server lingers after it was closed, does
	// not end a write to a stream that was never confirmed, and keeps what came for
	// a stream that is over. podpath's own side does not use it.
	const library = "github.com/moby/spdystream."
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction(library+"(*Connection).shutdown"), goleak.IgnoreAnyFunction(library+"(*Connection).shutdown.func1"),
		goleak.IgnoreAnyFunction(library+"(*Stream).waitWriteReply"),
		goleak.IgnoreAnyFunction(library+"(*Connection).handleDataFrame"), goleak.IgnoreAnyFunction(library+"(*Connection).Serve"))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// backend is a server on loopback that stands for a Pod.
type backend struct {
	net.Listener
	name   string
	served atomic.Int64
	wait   sync.WaitGroup
	mu     sync.Mutex
	open   []net.Conn
}

// serveTCP starts a backend; each connection is handled beside the others.
func serveTCP(t testing.TB, name string, handle func(*net.TCPConn)) *backend {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{Listener: l, name: name}
	b.wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b.served.Add(1)
			b.mu.Lock()
			b.open = append(b.open, c)
			b.mu.Unlock()
			b.wait.Go(func() { defer func() { _ = c.Close() }(); handle(c.(*net.TCPConn)) })
		}
	})
	t.Cleanup(b.stop)
	return b
}

func (b *backend) stop() {
	_ = b.Close()
	b.mu.Lock()
	for _, c := range b.open {
		_ = c.Close()
	}
	b.mu.Unlock()
	b.wait.Wait()
}

func (b *backend) endpoint() Endpoint {
	return Endpoint{Target: Target{Address: "127.0.0.1", Port: b.Addr().(*net.TCPAddr).Port, Namespace: "shop", Pod: b.name}, Ready: true, Serving: true}
}

// sayName answers with the name and ends.
func sayName(name string) func(*net.TCPConn) {
	return func(c *net.TCPConn) { _, _ = io.WriteString(c, name) }
}

// echo sends everything back, and ends when the client does.
func echo(c *net.TCPConn) { _, _ = io.Copy(c, c) }

// dead returns an endpoint that refuses connections.
func dead(t testing.TB, name string) Endpoint {
	b := serveTCP(t, name, echo)
	b.stop()
	return b.endpoint()
}

// running is a forward that runs.
type running struct {
	*Forward
	events chan Event
	stop   func() error
}

// start runs a forward over the endpoints until the test ends.
func start(t testing.TB, o Options, endpoints ...Endpoint) *running {
	t.Helper()
	if o.Address == (Address{}) {
		o.Address = Loopback
	}
	if o.Route == nil {
		o.Route = NewDirect(nil)
	}
	r := &running{events: make(chan Event, 1000)}
	o.Forward, o.Events = "svc/web:80", r.events
	var err error
	if r.Forward, err = Listen(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	r.Update(View{Endpoints: endpoints})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	r.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("the forward ended with %v", err)
		}
	})
	return r
}

func (r *running) dial(t testing.TB) *net.TCPConn {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", r.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// ask connects and reads to the end.
func (r *running) ask(t testing.TB) (string, error) {
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", r.Address())
	if err != nil {
		return "", err // a reset may come as early as this
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	text, err := io.ReadAll(c)
	return string(text), err
}

// await waits for an event of a kind, and returns it.
func (r *running) await(t testing.TB, kind EventKind) Event {
	t.Helper()
	end := time.After(patience)
	for {
		select {
		case e := <-r.events:
			if e.Kind == kind {
				return e
			}
		case <-end:
			t.Fatalf("no event %q came", kind)
		}
	}
}

// until waits for something to become true.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still not so: %s", what)
		}
	}
}

// wasReset reports whether an error is what a client gets from a reset.
func wasReset(err error) bool { return err != nil && strings.Contains(err.Error(), "reset by peer") }

// endpointStats returns the figures of an endpoint, by its Pod.
func (r *running) endpointStats(pod string) EndpointStats {
	for _, e := range r.Stats().Endpoints {
		if e.Pod == pod {
			return e
		}
	}
	return EndpointStats{}
}

// pipe is a route over connections in memory, which is not spliced: as a
// tunnel's.
type pipe struct {
	open func(Target) (Conn, error)
}

func (p pipe) Open(_ context.Context, t Target) (Conn, error) { return p.open(t) }
func (pipe) Close() error                                     { return nil }

// tunnelled is a connection whose type hides that it is one of TCP.
type tunnelled struct {
	net.Conn
	// late is what the first Read says instead, as a tunnel does after a
	// refusal on the far side.
	late error
	read int64
}

// Read does not take a reset for an end: no route does.
func (c *tunnelled) Read(b []byte) (int, error) {
	if c.late != nil {
		return 0, c.late
	}
	n, err := c.Conn.Read(b)
	c.read += int64(n)
	if errors.Is(err, io.EOF) && !endedProperly(c.Conn, c.read) {
		err = errReset
	}
	return n, err
}

func (c *tunnelled) CloseWrite() error {
	if h, ok := c.Conn.(halfCloser); ok {
		return h.CloseWrite()
	}
	return errors.ErrUnsupported
}

// tunnel is a route to TCP backends over connections that are not spliced.
// Endpoints whose Pod is named in late refuse after opening.
func tunnel(late map[string]error) Route {
	return pipe{func(t Target) (Conn, error) {
		if refusal, is := late[t.Pod]; is {
			near, far := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, far); _ = far.Close() }()
			return &tunnelled{Conn: near, late: refusal}, nil
		}
		c, err := NewDirect(nil).Open(context.Background(), t)
		if err != nil {
			return nil, err
		}
		return &tunnelled{Conn: c}, nil
	}}
}
