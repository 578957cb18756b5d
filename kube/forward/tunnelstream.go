package forward

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// stream is the connection of one client through a link: a data stream and its
// error stream. It implements Conn but for what the tunnel adds.
type stream struct {
	link         *link
	errors, data uint32 // stream ids

	// What follows is guarded by the link's lock.
	readable, writable sync.Cond
	replies            int // of two: the far side has taken both streams

	in    queue
	moved time.Time // when the client read last, or its queue became full
	end   error     // why nothing more comes; io.EOF when that is as it should be
	ended bool      // the far side has ended the data
	over  bool      // it has ended one of the two, and reads no more
	good  error     // what its end of the data means where nothing else is said
	word  *time.Timer
	text  []byte // of the error stream

	out, spare   []byte // a data frame to send, with room for its head; one that was sent
	queued       bool   // in the link's list of those that have something to send
	fin, finSent bool   // of what we send
	unheard      bool   // nothing has come since data was sent
	half         half
	closed       bool // by the client
	reset        bool // the far side is to be told, or was

	readUntil, writeUntil deadline
}

// maxText bounds what is kept of an error stream: bytes.
const maxText = 4 << 10

func newStream(l *link, id uint32) *stream {
	s := &stream{link: l, errors: id, data: id + 2}
	s.readable.L, s.writable.L = &l.mu, &l.mu
	return s
}

// Read returns what has come. What the runtime says about the connection is the
// error after that, as a *RemoteError.
func (s *stream) Read(p []byte) (int, error) {
	s.link.mu.Lock()
	defer s.link.mu.Unlock()
	for {
		switch {
		case s.closed:
			return 0, net.ErrClosed
		case s.readUntil.passed():
			return 0, os.ErrDeadlineExceeded
		case s.in.size > 0:
			before := s.in.size
			n := s.in.read(p)
			s.link.waiting -= before - s.in.size
			s.moved = time.Now()
			s.link.space.Signal()
			return n, nil
		case s.end != nil:
			return 0, s.end
		case len(p) == 0:
			return 0, nil
		}
		s.readable.Wait()
	}
}

// Write hands p to the sender. As with a socket, that it was taken does not mean
// that it has arrived.
func (s *stream) Write(p []byte) (int, error) {
	s.link.mu.Lock()
	defer s.link.mu.Unlock()
	written := 0
	for written < len(p) {
		if err := s.writeError(); err != nil {
			return written, err
		}
		if len(s.out) == maxTurn {
			s.writable.Wait()
			continue
		}
		if len(s.out)%maxFrame == 0 {
			s.out = append(s.out, make([]byte, frameHead)...)
		}
		n := min(len(p)-written, maxFrame-len(s.out)%maxFrame)
		s.out = append(s.out, p[written:written+n]...)
		written += n
		s.enqueue()
	}
	return written, nil
}

func (s *stream) writeError() error {
	switch {
	case s.closed:
		return net.ErrClosed
	case s.writeUntil.passed():
		return os.ErrDeadlineExceeded
	case s.half.shut:
		return fmt.Errorf("write after CloseWrite: %w", syscall.EPIPE)
	case errors.Is(s.end, io.EOF) || s.end == nil && s.over:
		return fmt.Errorf("the far side has ended the connection: %w", syscall.EPIPE)
	}
	return s.end
}

// leave ends the stream for the client: what it has written is still sent. The
// lock is held.
func (s *stream) leave() {
	if s.closed {
		return
	}
	s.closed = true
	s.link.open--
	s.link.waiting -= s.in.size
	s.in = queue{}
	delete(s.link.streams, s.data)
	if s.link.streams[s.errors] != nil {
		s.link.winding++
	}
	s.readUntil.stop()
	s.writeUntil.stop()
	s.abort(net.ErrClosed)
}

// abort ends the stream, and tells the far side. The lock is held.
func (s *stream) abort(why error) {
	if over := s.finSent && s.end != nil; !over && !s.reset {
		s.reset = true
		s.enqueue()
	}
	s.finish(why)
}

// finish ends what the client can expect. The lock is held.
func (s *stream) finish(why error) {
	if s.end == nil {
		s.end = why
	}
	if s.word != nil {
		s.word.Stop()
	}
	s.half.stop()
	s.readable.Broadcast()
	s.writable.Broadcast()
	s.link.space.Signal()
}

// take keeps what was received. The lock is held.
func (s *stream) take(id uint32, data []byte) {
	if id == s.errors {
		s.text = append(s.text, data[:min(len(data), maxText-len(s.text))]...)
		return
	}
	if s.end != nil {
		return
	}
	s.unheard = false
	s.half.answered(s.link.rest)
	full := s.in.size >= window
	before := s.in.size
	s.in.push(data)
	s.link.waiting += s.in.size - before
	if !full {
		s.moved = time.Now()
	}
	s.readable.Signal()
}

// enqueue has the sender come by. The lock is held.
func (s *stream) enqueue() {
	if !s.queued {
		s.queued = true
		s.link.ready = append(s.link.ready, s)
		s.link.work.Signal()
	}
}

// flush sends what there is, in one write. The lock is held, but not meanwhile.
func (s *stream) flush() {
	s.queued = false
	out, fin := s.out, s.fin && !s.finSent
	if fin && len(out) == 0 {
		out = make([]byte, frameHead)
	}
	if len(out) > 0 {
		for at := 0; at < len(out); at += maxFrame {
			end := min(at+maxFrame, len(out))
			sealData(out[at:end], s.data, fin && end == len(out))
		}
		s.unheard = s.unheard || len(out) > frameHead
		if fin {
			s.finSent, s.half.passed = true, time.Now()
		}
	}
	if s.reset {
		out = appendReset(out, s.data)
	}
	if len(out) == 0 {
		return
	}
	s.out, s.spare = s.spare[:0], nil
	s.link.write(out)
	s.spare = out[:0]
	s.writable.Broadcast()
}
