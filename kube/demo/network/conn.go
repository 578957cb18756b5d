package network

import (
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// window is how many bytes may be under way in one direction.
const window = 64 << 10

// link is a connection in memory with what net.Pipe lacks: buffers, an end of
// each direction by itself, and resets. Its two ends share one lock.
type link struct {
	mu      sync.Mutex
	changed sync.Cond
	broken  error // what whoever reads or writes gets, such as a reset
	packets bool  // UDP: what is written in one piece is read in one piece
}

// stream is one direction.
type stream struct {
	chunks [][]byte
	size   int
	ended  bool // its writer has said so
	gone   bool // nobody reads it any more
}

// conn is one end of a link, as a net.Conn.
type conn struct {
	*link
	in, out       *stream
	local, remote net.Addr
	reading       deadline
	writing       deadline
	abort, closed bool
}

type deadline struct {
	at    time.Time
	timer *time.Timer
}

// newLink returns both ends of a connection.
func newLink(client, server net.Addr) (near, far *conn) {
	l := &link{packets: client.Network() == "udp"}
	l.changed.L = &l.mu
	there, back := &stream{}, &stream{}
	return &conn{link: l, in: back, out: there, local: client, remote: server},
		&conn{link: l, in: there, out: back, local: server, remote: client}
}

// wait waits until ready, and says why it will never be. The lock is held.
func (c *conn) wait(d *deadline, ready func() (bool, error)) error {
	for {
		if c.closed {
			return net.ErrClosed
		}
		if !d.at.IsZero() && !time.Now().Before(d.at) {
			return os.ErrDeadlineExceeded
		}
		if ok, err := ready(); ok || err != nil {
			return err
		}
		c.changed.Wait()
	}
}

// fail names the connection in an error, as package net does.
func (c *conn) fail(op string, err error) error {
	if err == nil || err == io.EOF { //nolint:errorlint // it is never wrapped
		return err
	}
	return &net.OpError{Op: op, Net: c.local.Network(), Source: c.local, Addr: c.remote, Err: err}
}

// Read returns what has come, and io.EOF only at the proper end of it.
func (c *conn) Read(p []byte) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	err = c.wait(&c.reading, func() (bool, error) {
		switch {
		case len(c.in.chunks) > 0 || len(p) == 0:
			return true, nil
		case c.broken != nil:
			return false, c.broken
		case c.in.ended:
			return false, io.EOF
		}
		return false, nil
	})
	if err != nil || len(p) == 0 {
		return 0, c.fail("read", err)
	}
	first := c.in.chunks[0]
	n = copy(p, first)
	if n == len(first) || c.packets {
		c.in.size -= len(first)
		c.in.chunks = c.in.chunks[1:]
	} else {
		c.in.size -= n
		c.in.chunks[0] = first[n:]
	}
	c.changed.Broadcast()
	return n, nil
}

// Write waits while the other side does not read what is there. What nobody
// can read any more is answered with a reset, which is seen later.
func (c *conn) Write(p []byte) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for part := p[:min(len(p), window)]; len(part) > 0 || c.packets && n == 0; part = p[n:min(len(p), n+window)] {
		err = c.wait(&c.writing, func() (bool, error) {
			if !c.packets && (c.broken != nil || c.out.ended) {
				return false, syscall.EPIPE
			}
			return c.packets || c.out.size < window || c.out.gone, nil
		})
		switch {
		case err != nil:
			return n, c.fail("write", err)
		case c.packets && (c.broken != nil || c.out.gone || c.out.size > window): // lost, as packets may be
			return len(p), nil
		case c.out.gone:
			c.broken = syscall.ECONNRESET
			c.changed.Broadcast()
			return len(p), nil
		}
		c.out.chunks = append(c.out.chunks, slices.Clone(part))
		c.out.size += len(part)
		c.changed.Broadcast()
		if n += len(part); c.packets {
			break
		}
	}
	return n, nil
}

// CloseWrite ends what is sent; the other side may still answer.
func (c *conn) CloseWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.ended = true
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
	if c.closed {
		return c.fail("close", net.ErrClosed)
	}
	if (c.abort || len(c.in.chunks) > 0) && !c.packets && c.broken == nil {
		c.broken = syscall.ECONNRESET
	}
	c.closed, c.out.ended, c.in.gone = true, true, true
	c.changed.Broadcast()
	return nil
}

// fault ends the connection for both sides with an error.
func (c *conn) fault(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken = err
	c.changed.Broadcast()
}

// LocalAddr is this end's address.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is that of the other end as this one knows it.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline bounds reads and writes; a zero time is no bound.
func (c *conn) SetDeadline(t time.Time) error { return c.limit(t, &c.reading, &c.writing) }

// SetReadDeadline bounds reads.
func (c *conn) SetReadDeadline(t time.Time) error { return c.limit(t, &c.reading) }

// SetWriteDeadline bounds writes.
func (c *conn) SetWriteDeadline(t time.Time) error { return c.limit(t, &c.writing) }

func (c *conn) limit(t time.Time, which ...*deadline) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.fail("set", net.ErrClosed)
	}
	for _, d := range which {
		if d.timer != nil {
			d.timer.Stop()
		}
		if d.at = t; !t.IsZero() {
			d.timer = time.AfterFunc(time.Until(t), func() {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.changed.Broadcast()
			})
		}
	}
	c.changed.Broadcast()
	return nil
}
