package forward

import (
	"bufio"
	"encoding/binary"
	"io"
	"time"
)

// send writes what streams have to send, a frame of each in turn, and one frame
// in one write. While it writes, small writes of clients add up to one frame.
func (l *link) send() {
	l.mu.Lock()
	defer l.mu.Unlock()
	var spare []byte
	for l.err == nil {
		switch {
		case len(l.control) > 0:
			out := l.control
			l.control = spare[:0]
			l.write(out)
			spare = out
		case len(l.ready) > 0:
			s := l.ready[0]
			l.ready = l.ready[1:]
			s.flush()
		case l.closing:
			l.fail(errGone)
		default:
			l.work.Wait()
		}
	}
}

// write lets go of the lock meanwhile.
func (l *link) write(frames []byte) {
	l.writingSince = time.Now()
	l.written += int64(len(frames))
	l.mu.Unlock()
	var err error
	for len(frames) > 0 && err == nil {
		n := min(len(frames), maxFrame)
		_, err = l.conn.Write(frames[:n])
		frames = frames[n:]
	}
	l.mu.Lock()
	l.writingSince = time.Time{}
	if err != nil {
		l.fail(errLost)
	}
}

// receive reads frames until the connection ends.
func (l *link) receive() {
	r := bufio.NewReaderSize(l.conn, maxFrame+frameHead)
	for {
		f, err := readFrame(r)
		if err == nil {
			l.mu.Lock()
			l.heard, l.asked = time.Now(), time.Time{}
			l.mu.Unlock()
			if f.control {
				err = l.receiveControl(r, f)
			} else {
				err = l.receiveData(r, f)
			}
		}
		if err != nil {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.fail(errLost)
			return
		}
	}
}

func (l *link) receiveControl(r io.Reader, f frame) error {
	payload := make([]byte, f.size)
	if _, err := io.ReadFull(r, payload); err != nil {
		return err
	}
	if f.kind == goAway {
		return io.EOF
	}
	if len(payload) < 4 {
		return nil // a kind that does not concern us
	}
	id := binary.BigEndian.Uint32(payload)
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.streams[id]
	switch {
	case f.kind == ping && id%2 == 0: // its own question
		l.control = appendPing(l.control, id)
		l.work.Signal()
	case f.kind == ping && id == proof:
		l.proved()
	case f.kind == synReply && s != nil:
		s.replies++
		s.readable.Broadcast()
	case f.kind == resetStream && s != nil:
		s.remoteEnd(id, true)
	}
	return nil
}

func (l *link) receiveData(r *bufio.Reader, f frame) error {
	for rest := f.size; rest > 0; {
		n := min(rest, maxFrame)
		rest -= n
		if !l.awaitRoom(f.stream) {
			if _, err := r.Discard(n); err != nil {
				return err
			}
			if err := l.stray(n); err != nil {
				return err
			}
			continue
		}
		chunk := make([]byte, n)
		if _, err := io.ReadFull(r, chunk); err != nil {
			return err
		}
		l.mu.Lock()
		if s := l.streams[f.stream]; s != nil {
			s.take(f.stream, chunk)
		}
		l.mu.Unlock()
	}
	if f.fin {
		l.mu.Lock()
		defer l.mu.Unlock()
		if s := l.streams[f.stream]; s != nil {
			s.remoteEnd(f.stream, false)
		}
	}
	return nil
}

// awaitRoom waits until the stream may take more, and reports false when it
// takes nothing any more. A client with a connection of its own is waited for
// as long as it likes.
func (l *link) awaitRoom(id uint32) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.err == nil {
		s := l.streams[id]
		switch {
		case s == nil || s.end != nil && id == s.data:
			return false
		case id == s.errors || s.in.size < window, l.open > 1 && l.waiting < sharedWindow:
			return true
		case l.open > 1 && time.Since(s.moved) >= stallTime:
			s.abort(errUnread)
			l.pause(farGrace)
			return false
		}
		l.waitForSpace()
	}
	return false
}

// pause stops reading for a while. A runtime goes on sending for a second to a
// client that has left, as fast as it can: that would slow down everybody, and
// what is not read is not sent. The lock is held.
func (l *link) pause(d time.Duration) {
	l.blocked = true
	end := time.Now().Add(d) // not after the timer has started: it wakes only once, and that must not be too early
	wake := time.AfterFunc(d, l.look)
	defer wake.Stop()
	for l.err == nil && time.Now().Before(end) {
		l.space.Wait()
	}
	l.blocked = false
}

// waitForSpace waits until a client has read something, one has come or left,
// or a while has passed. The lock is held.
func (l *link) waitForSpace() {
	l.blocked = true
	if l.open > 1 {
		wake := time.AfterFunc(stallTime/4, l.look)
		defer wake.Stop()
	}
	l.space.Wait()
	l.blocked = false
}

// look lets the receiver look at the clock. With the lock: it may be about to
// wait.
func (l *link) look() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.space.Signal()
}

// stray counts bytes for clients that have left: their sender is told, but goes
// on for a second. When that is much and nobody else is there, a new connection
// is cheaper.
func (l *link) stray(n int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.strays += n
	if l.strays > flood && l.open == 0 {
		return errFlood
	}
	return nil
}
