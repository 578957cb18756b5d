package forward

import (
	"errors"
	"net"
	"sync"
	"time"
)

// deadline wakes those that wait when it passes. It is a timer, not one of the
// network's: that would hit everybody on the connection.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) set(at time.Time, wake func()) {
	d.stop()
	if d.at = at; !at.IsZero() {
		d.timer = time.AfterFunc(time.Until(at), wake)
	}
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
	}
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

// wake lets those who wait look at the clock.
func (s *stream) wake(who *sync.Cond) func() {
	return func() {
		s.link.mu.Lock()
		defer s.link.mu.Unlock()
		who.Broadcast()
	}
}

func (s *stream) wakeReader() { s.wake(&s.readable)() }

// SetDeadline bounds reads and writes.
func (s *stream) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

// SetReadDeadline bounds reads, also those that wait already.
func (s *stream) SetReadDeadline(t time.Time) error { return s.limit(&s.readUntil, t, &s.readable) }

// SetWriteDeadline bounds writes, also those that wait already.
func (s *stream) SetWriteDeadline(t time.Time) error { return s.limit(&s.writeUntil, t, &s.writable) }

func (s *stream) limit(d *deadline, t time.Time, who *sync.Cond) error {
	s.link.mu.Lock()
	defer s.link.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	d.set(t, s.wake(who))
	return nil
}
