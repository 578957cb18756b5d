package network

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// window is how many pieces may be under way in one direction.
const window = 16

// link is a connection in memory with what net.Pipe lacks: buffers, an end of
// each direction by itself, and resets. Its two ends share one lock.
type link struct {
	mu      sync.Mutex
	changed sync.Cond
	packets bool // UDP: what is written in one piece is read in one piece, or lost
}

// stream is one direction.
type stream struct {
	pieces [][]byte // that were written, each by one call
	end    error    // what follows them; nil while more may come
}

// conn is one end of a link, as a net.Conn.
type conn struct {
	*link
	host            *host
	in, out         *stream
	local, remote   netip.AddrPort
	readBy, writeBy time.Time // zero for no bound
	abort, closed   bool
}

// newLink returns both ends of a connection.
func newLink(network string) (near, far *conn) {
	l := &link{packets: network == "udp"}
	l.changed.L = &l.mu
	there, back := &stream{}, &stream{}
	return &conn{link: l, in: back, out: there}, &conn{link: l, in: there, out: back}
}

// wake lets all who wait look again.
func (l *link) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changed.Broadcast()
}

// wait waits until ready, and says why it will never be. The lock is held.
func (c *conn) wait(by *time.Time, ready func() bool) error {
	for {
		left := time.Until(*by)
		switch {
		case c.closed:
			return net.ErrClosed
		case !by.IsZero() && left <= 0:
			return os.ErrDeadlineExceeded
		case ready():
			return nil
		}
		var timer *time.Timer
		if !by.IsZero() {
			timer = time.AfterFunc(left, c.wake)
		}
		c.changed.Wait()
		if timer != nil {
			timer.Stop()
		}
	}
}

// Read returns what has come, and io.EOF only at the proper end of it.
func (c *conn) Read(p []byte) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	err = c.wait(&c.readBy, func() bool { return len(c.in.pieces) > 0 || c.in.end != nil })
	if err == nil && len(c.in.pieces) == 0 {
		err = c.in.end
	}
	if err != nil {
		return 0, err
	}
	first := c.in.pieces[0]
	n = copy(p, first)
	if n == len(first) || c.packets {
		c.in.pieces = c.in.pieces[1:]
	} else {
		c.in.pieces[0] = first[n:]
	}
	c.changed.Broadcast()
	return n, nil
}

// Write waits while the other side does not read what is there.
func (c *conn) Write(p []byte) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	err = c.wait(&c.writeBy, func() bool { return c.packets || c.out.end != nil || len(c.out.pieces) < window })
	if err == nil && c.out.end != nil && !c.packets {
		err = syscall.EPIPE
	}
	if err != nil {
		return 0, err
	}
	if c.out.end == nil && len(c.out.pieces) < window {
		c.out.pieces = append(c.out.pieces, slices.Clone(p))
		c.changed.Broadcast()
	}
	return len(p), nil
}

// CloseWrite ends what is sent; the other side may still answer.
func (c *conn) CloseWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out.end == nil {
		c.out.end = io.EOF
	}
	c.changed.Broadcast()
	return nil
}

// SetLinger with 0 seconds makes Close reset the connection, as that of a
// net.TCPConn does.
func (c *conn) SetLinger(seconds int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.abort = seconds == 0
	return nil
}

// Close ends both directions. When something that came was not read, the other
// side gets a reset, as from Linux.
func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch reset := c.abort || len(c.in.pieces) > 0; {
	case c.closed:
		return net.ErrClosed
	case reset && !c.packets:
		c.out.end = syscall.ECONNRESET
	case c.out.end == nil:
		c.out.end = io.EOF
	}
	c.closed, c.in.end, c.in.pieces = true, net.ErrClosed, nil
	c.changed.Broadcast()
	return nil
}

// unread is how many bytes have come that nobody has read.
func (c *conn) unread() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, piece := range c.in.pieces {
		n += len(piece)
	}
	return n
}

// ended waits until the other side sends no more, without a look at what it
// sends.
func (c *conn) ended() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.in.end == nil {
		c.changed.Wait()
	}
}

// fault ends the connection for both sides with an error.
func (c *conn) fault(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in.end, c.out.end = err, err
	c.changed.Broadcast()
}

// LocalAddr is this end's address.
func (c *conn) LocalAddr() net.Addr { return c.address(c.local) }

// RemoteAddr is that of the other end as this one knows it.
func (c *conn) RemoteAddr() net.Addr { return c.address(c.remote) }

func (c *conn) address(a netip.AddrPort) net.Addr {
	if c.packets {
		return net.UDPAddrFromAddrPort(a)
	}
	return net.TCPAddrFromAddrPort(a)
}

// SetDeadline bounds reads and writes; a zero time is no bound.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline bounds reads.
func (c *conn) SetReadDeadline(t time.Time) error { return c.limit(&c.readBy, t) }

// SetWriteDeadline bounds writes.
func (c *conn) SetWriteDeadline(t time.Time) error { return c.limit(&c.writeBy, t) }

func (c *conn) limit(by *time.Time, t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	*by = t
	c.changed.Broadcast()
	return nil
}
