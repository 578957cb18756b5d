package forward

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// flow is one try to serve a client through one endpoint.
type flow struct {
	client net.Conn // nil over UDP
	target Target   // set by take

	// Bytes to the endpoint, and from it, as far as they are known. Final are
	// set when they will not change any more.
	sent, received           atomic.Int64
	sentFinal, receivedFinal atomic.Bool

	mu      sync.Mutex // guards all below
	opening context.CancelFunc
	left    bool // the endpoint has left: opening it is given up
	leaving bool // it has, or is about to
	aborted bool
	far     net.Conn
	// live is set where the kernel moves the bytes by itself.
	live *net.TCPConn
}

// begin names what gives the opening up.
func (f *flow) begin(cancel context.CancelFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.opening = cancel
	if f.left || f.aborted {
		cancel()
	}
}

// attach says that the connection is open. It reports false when the flow was
// aborted meanwhile.
func (f *flow) attach(far net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.far = far
	return !f.aborted
}

// follow makes the figures come from the kernel while bytes move.
func (f *flow) follow(far *net.TCPConn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live = far
}

// stopOpening gives up an opening that is under way. A connection that is open
// runs on.
func (f *flow) stopOpening() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left, f.leaving = true, true
	if f.opening != nil {
		f.opening()
	}
}

// hasLeft reports whether the opening was given up because the endpoint left.
func (f *flow) hasLeft() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.left
}

// leave notes that the endpoint terminates, though it may still be used.
func (f *flow) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leaving = true
}

// leaves reports whether the endpoint has left, or terminates.
func (f *flow) leaves() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.leaving
}

// leavesWithin reports whether leaves is true, or becomes so soon.
func (f *flow) leavesWithin(d time.Duration) bool {
	for end := time.Now().Add(d); !f.leaves(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// sever ends the connection, or gives its opening up. A client that has got
// something is reset; another one may still be served elsewhere.
func (f *flow) sever() {
	f.stopOpening()
	f.mu.Lock()
	far := f.far
	f.mu.Unlock()
	if far == nil {
		return
	}
	if f.client != nil && f.received.Load() > 0 {
		reset(f.client) // it may not read, and hold up whoever would do this
	}
	reset(far)
}

// abort severs the connection, and does not let it come about any more.
func (f *flow) abort() {
	f.mu.Lock()
	f.aborted = true
	f.mu.Unlock()
	f.sever()
}

// bytes returns how much went to the endpoint and came from it so far. The
// figures never fall.
func (f *flow) bytes() (sent, received int64) {
	f.mu.Lock()
	live := f.live
	f.mu.Unlock()
	if final := f.sentFinal.Load() && f.receivedFinal.Load(); live != nil && !final {
		if p, ok := progressOf(live); ok {
			if !f.sentFinal.Load() {
				raise(&f.sent, p.sent)
			}
			if !f.receivedFinal.Load() {
				raise(&f.received, p.received)
			}
		}
	}
	return f.sent.Load(), f.received.Load()
}

// endSent and endReceived set the figure of a direction that has ended.
func (f *flow) endSent(n int64)     { f.sentFinal.Store(true); raise(&f.sent, n) }
func (f *flow) endReceived(n int64) { f.receivedFinal.Store(true); raise(&f.received, n) }

func raise(to *atomic.Int64, n int64) {
	for {
		old := to.Load()
		if n <= old || to.CompareAndSwap(old, n) {
			return
		}
	}
}

// reset closes a connection so that the other side sees an error, never an end
// that looks like success: with SO_LINGER 0 TCP sends RST. Other kinds of
// connection know no such end.
func reset(c net.Conn) {
	if lingers, ok := c.(interface{ SetLinger(seconds int) error }); ok {
		_ = lingers.SetLinger(0)
	}
	_ = c.Close()
}
