package forward

import (
	"context"
	"io"
	"sync"
	"time"
)

// Bounds of one upgraded connection.
const (
	// window is how much may wait for a client, in bytes, before reading stops, and
	// with it the sender: SPDY as spoken here has no flow control of its own.
	window = 256 << 10
	// sharedWindow is the same for all clients of a connection that several share.
	// There, reading on is what keeps one of them from holding up the others.
	sharedWindow = 4 << 20
	// farGrace is how long a runtime goes on after it has heard that a client has
	// left (containerd: one second).
	farGrace = 1100 * time.Millisecond
	// stallTime without reading makes a client stalled.
	stallTime = time.Second
	// flood is how many bytes may still come for clients that have left; a runtime
	// notices that they have only after a second.
	flood = 256 << 10
	// pings is how many are sent at once: the far side hands them in turn to
	// its five workers, any of which may be held up by a stream that is not read.
	pings = 5
	// proof is the id of pings that show whether all workers are free; others
	// have 1.
	proof = 3
	// openTimeout is how long the far side may take to accept two streams.
	openTimeout = 5 * time.Second
	// farBuffers is how many bytes a Pod that reads nothing lets pass, at least,
	// until the far side is stuck: those between the runtime and the Pod.
	farBuffers = 128 << 10
	// lastStream is where a connection is given up before it runs out of ids.
	lastStream = 1 << 30
)

// timing is what tests shorten.
type timing struct {
	pingEvery, pingWait time.Duration // of silence until it is asked, and until the answer
	// patience replaces pingWait when the far side may be stuck in a Pod that reads
	// nothing: it answers no pings then.
	patience time.Duration
	idle     time.Duration // until an unused connection is closed
	flush    time.Duration // for what is left to send when one is closed
	// answer, rest and cut are about clients that have sent all.
	answer, rest, cut time.Duration
}

// link is one upgraded connection. One lock guards it and its streams, and is
// never held while the network is used.
type link struct {
	conn io.ReadWriteCloser
	timing

	retired, ended chan struct{}

	mu      sync.Mutex
	work    sync.Cond // for the sender: something to send
	space   sync.Cond // for the receiver: something was read
	err     error     // why it ended
	closing bool      // when all is sent

	opener  opener
	control []byte    // frames to send before all others
	ready   []*stream // with something to send
	streams map[uint32]*stream
	next    uint32 // stream id
	open    int    // streams that clients hold
	waiting int    // bytes that were received and not read
	winding int    // streams whose client has left, and the far side not yet
	strays  int    // bytes for clients that have left
	blocked bool   // the receiver waits for a client to read

	proofs  int       // pings to be answered before the connection is used again
	doubted time.Time // since when there are some

	heard        time.Time // the last frame
	asked        time.Time // the first question that nothing was heard after
	written      int64     // bytes, in all
	marks        [2]int64  // written at the last two looks
	writingSince time.Time // zero when the sender does not write
}

func newLink(conn io.ReadWriteCloser, t timing) *link {
	l := &link{
		conn: conn, timing: t, retired: make(chan struct{}), ended: make(chan struct{}),
		streams: map[uint32]*stream{}, next: 1, heard: time.Now(),
	}
	l.work.L, l.space.L = &l.mu, &l.mu
	return l
}

// run serves the connection until it ends.
func (l *link) run() {
	var all sync.WaitGroup
	all.Go(l.send)
	all.Go(l.receive)
	l.keep()
	_ = l.conn.Close()
	all.Wait() // for the receiver cannot but have failed by now
}

// fail ends the connection, and what is open on it, for this reason. The lock
// is held.
func (l *link) fail(why error) {
	if l.err != nil {
		return
	}
	l.err = why
	for _, s := range l.streams {
		s.finish(why)
	}
	l.work.Broadcast()
	l.space.Broadcast()
	close(l.ended)
}

// retire ends the connection once everything is sent.
func (l *link) retire() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closing {
		l.closing = true
		close(l.retired)
		l.work.Broadcast()
	}
}

// openStream opens a stream to the port, and waits until the far side has taken
// it: that does not mean yet that the port answers.
func (l *link) openStream(ctx context.Context, port int) (*stream, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, openTimeout, errSilent)
	defer cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.err != nil:
		return nil, l.err
	case l.closing || l.next > lastStream:
		return nil, errGone
	}
	s := newStream(l, l.next)
	l.control = l.opener.appendOpen(l.control, s.errors, port)
	l.streams[s.errors], l.streams[s.data] = s, s
	l.next += 4
	l.open++
	l.question()
	l.work.Signal()
	l.space.Signal() // it is shared now
	stop := context.AfterFunc(ctx, s.wakeReader)
	defer stop()
	// What is sent at once may overtake the second reply, and fill the window.
	for s.replies < 2 && s.in.size == 0 && s.end == nil && ctx.Err() == nil {
		s.readable.Wait()
	}
	switch {
	case ctx.Err() != nil:
		l.doubt()
		s.leave()
		return nil, context.Cause(ctx)
	case s.end != nil && s.end != io.EOF && s.in.size == 0:
		s.leave()
		return nil, s.end
	}
	return s, nil
}

// question notes that an answer is due. The lock is held.
func (l *link) question() {
	if l.asked.IsZero() {
		l.asked = time.Now()
	}
}

// health is what the pool chooses by.
type health struct {
	usable bool
	// troubled connections get no further clients: one of theirs reads more slowly
	// than it is sent to, the far side takes nothing, or it does not answer.
	troubled bool
	// winding ones may still receive what nobody wants any more.
	winding bool
	pending bool // there is none yet
}

func (l *link) health() health {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := health{usable: l.err == nil && !l.closing && l.next <= lastStream && l.proofs == 0, winding: l.winding > 0}
	h.troubled = l.strays > flood/4 || since(l.asked, stallTime) || since(l.writingSince, stallTime/10)
	for _, s := range l.streams {
		h.troubled = h.troubled || s.in.size >= window
	}
	return h
}

// keep finds out whether the far side is still there, and returns when the
// connection is to be closed.
func (l *link) keep() {
	timer := time.NewTimer(l.pingEvery)
	defer timer.Stop()
	for {
		select {
		case <-l.ended:
			return
		case <-l.retired:
			select {
			case <-l.ended:
			case <-time.After(l.flush):
			}
			return
		case <-timer.C:
			timer.Reset(l.check())
		}
	}
}

// check asks, or looks for the answer, and returns when to do so again.
func (l *link) check() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	quiet, silent := time.Since(l.heard), time.Since(l.asked)
	switch {
	case l.open == 0 && since(l.doubted, l.pingWait):
		l.fail(errGone)
	case l.blocked: // we are the ones who do not listen
		l.asked = time.Time{}
	case l.asked.IsZero() && quiet < l.pingEvery:
		l.mark()
		return l.pingEvery - quiet
	case l.asked.IsZero():
		l.mark()
		for range pings {
			l.control = appendPing(l.control, 1)
		}
		l.question()
		l.work.Signal()
	case silent < l.pingWait:
		return l.pingWait - silent
	case !l.excused() || silent > l.patience:
		l.fail(errDead)
	}
	return l.pingWait
}

// excused reports whether the far side may be silent for another reason than
// death: that much was sent of late. The lock is held.
func (l *link) excused() bool {
	return l.written-l.marks[1] >= farBuffers || since(l.writingSince, stallTime)
}

func (l *link) mark() { l.marks = [2]int64{l.written, l.marks[0]} }

// since reports whether that began, and longer ago than the limit.
func since(t time.Time, limit time.Duration) bool { return !t.IsZero() && time.Since(t) > limit }
