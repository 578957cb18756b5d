package probes

import (
	"context"
	"io"
	"net"
	"net/netip"
	"syscall"
	"time"

	"podpath/probes/wire"
)

// conn is a connection that a prober holds open, as a net.Conn: what is
// written waits until the next Read, which carries it to the Pod and brings
// back what came. So podpath itself speaks TLS and DNS over it, whatever the
// tool in the Pod.
type conn struct {
	ctx      context.Context // of the check: a net.Conn has none in its methods
	observer *observer
	id       int // of the wire.Hold
	remote   netip.AddrPort

	out, in []byte
	until   time.Time // of all exchanges: a server may drip
	ended   bool
	blind   error // why podpath could not look
}

// open connects and keeps the connection. Without one the answer says why.
func (o *observer) open(ctx context.Context, address string, port int) (*conn, wire.Answer, error) {
	a, err := o.ask(ctx, wire.Request{Op: wire.Hold, Address: address, Port: port})
	if err != nil || !a.Connected {
		return nil, a, err
	}
	ip, err := netip.ParseAddr(address)
	return &conn{ctx: ctx, observer: o, id: a.ID, remote: netip.AddrPortFrom(ip, uint16(port)), until: time.Now().Add(connSteps * o.timeout)}, a, err
}

// connSteps is for how many steps a connection may be used: TLS, the request,
// and one to spare for the way through the API server.
const connSteps = 3

// chunk is how much one exchange receives at most.
const chunk = 16 << 10

// Read sends what was written and returns what comes.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.in) == 0 {
		if err := c.exchange(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.in)
	c.in = c.in[n:]
	return n, nil
}

func (c *conn) exchange() error {
	switch {
	case c.ended:
		return io.EOF
	case time.Now().After(c.until):
		return resultError{wire.Timeout}
	}
	for more := true; more; {
		part := c.out[:min(len(c.out), wire.MaxData)]
		c.out = c.out[len(part):]
		count := 0 // while there is more to send
		if more = len(c.out) > 0; !more {
			count = chunk
		}
		a, err := c.observer.ask(c.ctx, wire.Request{ID: c.id, Op: wire.More, Data: part, Count: count})
		switch {
		case err != nil:
			c.blind = err
			return err
		case a.Result != wire.OK:
			return resultError{a.Result}
		}
		c.in = append(c.in, a.Data...)
	}
	if c.ended = len(c.in) == 0; c.ended {
		return io.EOF
	}
	return nil
}

// Write keeps what is to be sent with the next Read.
func (c *conn) Write(p []byte) (int, error) {
	c.out = append(c.out, p...)
	return len(p), nil
}

// resultError is a result of the network as an error.
type resultError struct{ result wire.Result }

func (e resultError) Error() string   { return string(e.result) }
func (e resultError) Timeout() bool   { return e.result == wire.Timeout }
func (e resultError) Temporary() bool { return false }

// Is lets callers ask for the errors of package syscall.
func (e resultError) Is(target error) bool {
	return e.result == wire.Reset && target == syscall.ECONNRESET
}

// Close lets the prober close the connection.
func (c *conn) Close() error {
	_, err := c.observer.ask(c.ctx, wire.Request{ID: c.id, Op: wire.Drop})
	return err
}

// LocalAddr is not known.
func (c *conn) LocalAddr() net.Addr { return &net.TCPAddr{} }

// RemoteAddr is what was dialed.
func (c *conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

// SetDeadline does nothing: each exchange has the deadline of a step.
func (c *conn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (c *conn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

var _ net.Conn = (*conn)(nil)
