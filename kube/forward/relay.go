package forward

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// replayLimit is how much of what the client has sent is kept for another
	// endpoint: enough for the head of nearly every HTTP request.
	replayLimit = 64 << 10
	// firstChunk is how much is read at once until the first answer. Idle
	// connections hold two of them.
	firstChunk = 4 << 10
	// bulkFrom is how much moves in one direction before the rest of it is left
	// to the kernel: that costs two file descriptors for each direction, which
	// short and quiet connections do not need.
	bulkFrom = 64 << 10
	// brokenGrace is how long an endpoint that takes no more may still send.
	brokenGrace = 5 * time.Second
	// leaveGrace is how long it may take to hear that an endpoint leaves, after it
	// has ended a connection without a word: its process was told to end, and
	// nobody has been served.
	leaveGrace = 250 * time.Millisecond
)

// halfCloser is a connection whose sending side can end alone. A client's is
// one: a *net.TCPConn or a *net.UnixConn.
type halfCloser interface {
	net.Conn
	CloseWrite() error
}

// relay moves bytes between a client and an endpoint, both ways, until both
// directions have ended. A direction that ends does so for the other side, too,
// and the other direction runs on. An error resets the client.
//
// Until the first answer it keeps what the client has sent, so that another
// endpoint can be tried unseen by the client: a tunnel hears of a refusal only
// then, and a process that ends resets connections that it did not accept yet.
// What is much passes by carry, which leaves it to the kernel.
type relay struct {
	client halfCloser
	chunks *sync.Pool // of *[firstChunk]byte
	// turn is a token: whoever holds it may use what follows, and write to the
	// endpoint. While another endpoint is looked for, pump has to wait for it.
	turn  chan struct{}
	far   Conn // nil when it is over
	flow  *flow
	kept  []byte
	lost  bool  // more was sent than is kept
	gone  bool  // the client is
	sent  int64 // to this endpoint
	grace *time.Timer

	ended    atomic.Bool // the client sends no more
	resets   int         // endpoints that reset the connection after something was sent
	answered atomic.Bool
	pumped   chan struct{} // closed when pump has ended; nil before it runs
}

func newRelay(client halfCloser, chunks *sync.Pool) *relay {
	return &relay{client: client, chunks: chunks, turn: make(chan struct{}, 1)}
}

// chunk returns a buffer from the pool, and what puts it back: thousands of
// short connections a second would keep the garbage collector busy.
func (r *relay) chunk() (buffer []byte, done func()) {
	c, _ := r.chunks.Get().(*[firstChunk]byte)
	if c == nil {
		c = new([firstChunk]byte)
	}
	return c[:], func() { r.chunks.Put(c) }
}

// run moves bytes until both directions have ended, or this endpoint has
// failed. Again reports that another endpoint may be tried: then run or finish
// must follow. Proved is called with the first sign that the endpoint has taken
// the connection.
func (r *relay) run(far Conn, f *flow, proved func()) (again bool, err error) {
	r.far, r.flow, r.sent = far, f, 0
	if tcp, ok := far.(*net.TCPConn); ok {
		f.follow(tcp)
	}
	resent := r.begin()
	err = r.drain(far, f, proved)
	if err == nil {
		_ = r.client.CloseWrite()
		<-resent
		<-r.pumped
		<-r.turn
		_ = r.client.Close()
		r.finish()
		return false, nil
	}
	if errors.Is(err, net.ErrClosed) && f.leaves() {
		err = syscall.ECONNRESET // its Pod is gone
	}
	reset(far) // it lets go of whoever writes to it
	<-resent
	<-r.turn
	if r.mayTryAgain(err) {
		return true, err
	}
	r.finish()
	return false, err
}

// begin starts what goes to the endpoint, and returns a channel that is closed
// when that has what an earlier one did not take.
func (r *relay) begin() <-chan struct{} {
	resent := make(chan struct{})
	if r.pumped == nil {
		r.pumped = make(chan struct{})
		r.turn <- struct{}{}
		go r.pump()
		close(resent)
		return resent
	}
	go func() { // beside reading: the endpoint may want to be read first
		defer close(resent)
		r.resend()
		r.turn <- struct{}{}
	}()
	return resent
}

// finish ends it. A client whose connection is not closed yet gets a reset. The
// token is held.
func (r *relay) finish() {
	if r.grace != nil {
		r.grace.Stop()
	}
	if r.far != nil {
		_ = r.far.Close()
		r.far = nil
	}
	reset(r.client)
	r.turn <- struct{}{}
	<-r.pumped
}

// mayTryAgain decides whether another endpoint may get what the client has
// sent. After a refusal it may: nobody has seen it. After a reset, or whatever
// else the runtime of a Pod says, the endpoint may have acted on it, though one
// that is leaving most likely has not. Of others one more is tried, and no third
// one that the same request could bring down.
func (r *relay) mayTryAgain(err error) bool {
	if r.answered.Load() || r.lost || r.gone {
		return false
	}
	for _, refusal := range []error{syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	var remote *RemoteError // such as: its network namespace is closed
	if !errors.Is(err, syscall.ECONNRESET) && !errors.As(err, &remote) {
		return false
	}
	if len(r.kept) > 0 && !r.flow.leavesWithin(leaveGrace) {
		r.resets++
	}
	return r.resets <= 1
}

// drain passes on what the endpoint sends, and returns nil at its proper end.
func (r *relay) drain(far Conn, f *flow, proved func()) error {
	received, err := r.drainFirst(far, f, proved)
	if err == nil {
		var more int64
		var ofFar bool
		more, ofFar, err = carry(r.client, far, far, &f.received, nil)
		received += more
		if err != nil && !ofFar {
			return errClientGone
		}
	} else if errors.Is(err, io.EOF) {
		err = nil
	}
	f.endReceived(received)
	if err == nil && !endedProperly(far, received) {
		return syscall.ECONNRESET // that the other direction has heard of
	}
	return err
}

// drainFirst passes on the first of it, and notes that there is an answer. It
// returns nil when there is more.
func (r *relay) drainFirst(far Conn, f *flow, proved func()) (received int64, err error) {
	chunk, done := r.chunk()
	defer done()
	for received < bulkFrom {
		n, err := far.Read(chunk)
		received += int64(n)
		if errors.Is(err, io.EOF) && received == 0 && !r.ended.Load() && f.leavesWithin(leaveGrace) {
			return 0, syscall.ECONNRESET
		}
		if !r.answered.Load() && (n > 0 || errors.Is(err, io.EOF) && endedProperly(far, received)) {
			r.answered.Store(true)
			proved()
		}
		raise(&f.received, received)
		if n > 0 {
			if _, failed := r.client.Write(chunk[:n]); failed != nil {
				return received, errClientGone
			}
		}
		if err != nil {
			return received, err
		}
	}
	return received, nil
}

// errClientGone means that the client has broken its connection off.
var errClientGone = errors.New("the client has closed the connection")
