package forward

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// A runtime ends a connection one second after either side has ended: what the
// Pod answers later is lost, and looks like a good end. So the end of what a
// client sends is kept from it while the client may be owed an answer.
const (
	// answerWait is how long nothing need come for a client that has sent all.
	answerWait = 30 * time.Second
	// restWait is the same once some of the answer has come.
	restWait = 10 * time.Second
	// cutAfter is how long after the end of what the client sends an end of the
	// answer is likely the runtime's doing: a little less than its second.
	cutAfter = 900 * time.Millisecond
)

// errHalfClosed is why a client that has sent all is reset.
var errHalfClosed = errors.New("a client had ended its sending side, and whether it got its whole answer is not known: " +
	"the Pod's runtime ends such a connection after a second; --via direct, where Pod addresses can be reached, does not")

// half is what a stream knows of a client that has sent all. It is guarded by
// the link's lock.
type half struct {
	shut    bool        // the client has sent all
	owed    bool        // it was owed an answer then
	patient *time.Timer // while the end is kept from the far side
	came    time.Time   // the last of the answer since then
	passed  time.Time   // when the far side was told
	late    bool        // something of the answer came after that
}

// CloseWrite ends what is sent. The far side is told at once, unless it has not
// answered the last that was sent: then when it has been silent for a while. It
// is likely to end the connection by then, or the client to be gone.
func (s *stream) CloseWrite() error {
	s.link.mu.Lock()
	defer s.link.mu.Unlock()
	switch {
	case s.closed:
		return net.ErrClosed
	case s.half.shut || s.end != nil:
		return nil
	}
	s.half.shut, s.half.owed = true, s.unheard || len(s.out) > 0
	if s.half.owed {
		s.half.patient = time.AfterFunc(s.link.answer, s.passEnd)
		return nil
	}
	s.fin = true
	s.enqueue()
	return nil
}

// passEnd tells the far side, when it has been silent long enough.
func (s *stream) passEnd() {
	s.link.mu.Lock()
	defer s.link.mu.Unlock()
	silent := time.Since(s.half.came)
	switch {
	case s.fin || s.end != nil:
	case s.in.size > 0: // the client is the one to wait for
		s.half.patient.Reset(s.link.rest)
	case silent < s.link.rest:
		s.half.patient.Reset(s.link.rest - silent)
	default:
		s.fin = true
		s.enqueue()
	}
}

// answered notes some of an answer. The lock is held.
func (h *half) answered(rest time.Duration) {
	if h.patient != nil && h.came.IsZero() {
		h.patient.Reset(rest)
	}
	if h.shut {
		h.came = time.Now()
	}
	h.late = h.late || !h.passed.IsZero()
}

func (h *half) stop() {
	if h.patient != nil {
		h.patient.Stop()
	}
}

// verdict is what an end of the answer means that comes now without a word.
func (h *half) verdict(cut time.Duration) error {
	byItself := h.passed.IsZero() || h.late && time.Since(h.passed) < cut
	if byItself || !h.owed && !h.late {
		return io.EOF
	}
	return errHalfClosed
}

// halvesPause is the time between two events about clients that were reset for
// errHalfClosed: some protocols end like that all the time.
const halvesPause = 10 * time.Second

// halves tells of such clients.
type halves struct {
	mu sync.Mutex
	at time.Time // of the last event
}

func (h *halves) note(f *Forward, t Target, why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := f.options.Now(); now.Sub(h.at) >= halvesPause {
		f.events.send(Event{At: now, Kind: Trouble, Target: t, Reason: why.Error()})
		h.at = now
	}
}
