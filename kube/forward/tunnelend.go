package forward

import (
	"time"
)

// wordGrace is how long the end of one stream is waited for after that of the
// other: runtimes end both at once.
const wordGrace = time.Second

// remoteEnd is what the end of one of the two streams means. An end of the data
// is a good one only with the end of the error stream: containerd (seen in 1.6.20)
// ends the data first, and then says what went wrong. The lock is held.
func (s *stream) remoteEnd(id uint32, reset bool) {
	if id == s.errors {
		delete(s.link.streams, id)
		if s.closed {
			s.link.winding--
		}
		if s.link.winding == 0 {
			s.link.strays = 0
		}
	}
	if id == s.data && !s.ended {
		s.ended, s.good = true, s.half.verdict(s.link.cut)
	}
	s.over = true
	s.out = s.out[:0] // there is no reader for it any more
	if s.unheard {
		s.unheard = false
		s.link.doubt()
	}
	switch {
	case len(s.text) > 0:
		s.finish(remoteError(string(s.text)))
	case reset:
		s.finish(errRemoteReset)
	case s.ended && s.link.streams[s.errors] == nil:
		s.finish(s.good)
	case s.word == nil && s.end == nil:
		s.word = time.AfterFunc(wordGrace, s.wordless)
		s.writable.Broadcast()
	}
}

// wordless ends a stream whose runtime says no more about it.
func (s *stream) wordless() {
	s.link.mu.Lock()
	defer s.link.mu.Unlock()
	s.finish(s.good)
}

// doubt keeps further clients away until every worker of the far side has
// answered a ping. A runtime (seen in containerd 1.6.20) may hold a worker for
// ever that has data for a stream which is over; what is for the same worker
// then waits for ever, such as the opening of every fifth stream. The lock is
// held.
func (l *link) doubt() {
	if l.proofs == 0 {
		l.doubted = time.Now()
	}
	l.proofs += pings
	for range pings {
		l.control = appendPing(l.control, proof)
	}
	l.work.Signal()
}

// proved notes an answer to such a ping. The lock is held.
func (l *link) proved() {
	if l.proofs--; l.proofs == 0 {
		l.doubted = time.Time{}
	}
}
