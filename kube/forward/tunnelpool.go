package forward

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"

	"podpath/kube"
)

// place is where upgraded connections lead. A Pod of a StatefulSet comes back
// under its name, but not at its address: a connection to the old one is dead.
type place struct {
	pod     kube.Key
	address string
}

// slot is one upgraded connection, from the dial on.
type slot struct {
	at    place
	stop  context.CancelFunc // of the dial, and of the link when it has sent all
	ready chan struct{}      // closed when there is a link or an error
	done  chan struct{}      // closed when it is over
	link  *link
	err   error

	// What follows is guarded by the tunnel's lock.
	users   int
	since   time.Time   // when the last user left
	idle    *time.Timer // until it is closed
	dropped bool
}

// acquire takes the best connection to the place, or begins one, which fresh
// says: unused ones first, and shared ones only at the limit.
func (t *Tunnel) acquire(at place) (s *slot, fresh bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, false, net.ErrClosed
	}
	best, sound := choose(t.pools[at])
	switch {
	case best != nil && best.users == 0 && !best.health().troubled:
	case sound < linksPerPod && t.hasRoom():
		best, fresh = t.begin(at), true
	case best == nil:
		return nil, false, fmt.Errorf("all %d connections to Pods are in use: close some, or use the direct route", linksInAll)
	}
	best.users++
	return best, fresh, nil
}

// release gives back what acquire took. After Close, the last one waits for the
// end of the connection.
func (t *Tunnel) release(s *slot) {
	t.mu.Lock()
	s.users--
	last := t.closed && s.users == 0
	if s.users == 0 {
		t.rest(s)
	}
	t.mu.Unlock()
	if last {
		s.stop()
		<-s.done
	}
}

// rest has an unused connection closed after a while. The lock is held.
func (t *Tunnel) rest(s *slot) {
	s.since = time.Now()
	if s.idle != nil {
		s.idle.Stop()
	}
	s.idle = time.AfterFunc(t.timing.idle, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if s.users == 0 && time.Since(s.since) >= t.timing.idle {
			t.drop(s)
		}
	})
}

// prefetch sees to it that one unused connection is ready for the next client.
func (t *Tunnel) prefetch(at place) {
	t.mu.Lock()
	defer t.mu.Unlock()
	best, sound := choose(t.pools[at])
	if !t.closed && (best == nil || best.users > 0) && sound < linksPerPod && t.total < prefetchBelow {
		t.rest(t.begin(at))
	}
}

// hasRoom makes room for one more connection, if it can, by closing the one that
// was unused for longest. The lock is held.
func (t *Tunnel) hasRoom() bool {
	if t.total < linksInAll {
		return true
	}
	unused := slices.DeleteFunc(t.unused(), func(s *slot) bool { return s.dropped })
	if len(unused) == 0 {
		return false
	}
	t.drop(slices.MinFunc(unused, func(a, b *slot) int { return a.since.Compare(b.since) }))
	return true
}

// unused lists the connections without users. The lock is held.
func (t *Tunnel) unused() []*slot {
	var unused []*slot
	for _, slots := range t.pools {
		for _, s := range slots {
			if s.users == 0 {
				unused = append(unused, s)
			}
		}
	}
	return unused
}

// drop closes a connection that nobody uses. The lock is held.
func (t *Tunnel) drop(s *slot) {
	if !s.dropped {
		s.dropped = true
		t.total--
		s.stop()
	}
}

// begin starts a dial, which no client's context ends: others may want it. The
// lock is held.
func (t *Tunnel) begin(at place) *slot {
	ctx, stop := context.WithCancel(context.Background())
	s := &slot{at: at, stop: stop, ready: make(chan struct{}), done: make(chan struct{})}
	t.pools[at] = append(t.pools[at], s)
	t.total++
	go t.serve(ctx, s)
	return s
}

// serve owns a connection from its dial to its end.
func (t *Tunnel) serve(ctx context.Context, s *slot) {
	defer close(s.done)
	defer t.forget(s)
	dial, cancel := context.WithTimeout(ctx, dialTimeout)
	conn, err := t.dialer.DialPortForward(dial, s.at.pod)
	cancel()
	if err != nil {
		s.err = err
		close(s.ready)
		return
	}
	s.link = newLink(conn, t.timing)
	close(s.ready)
	retire := context.AfterFunc(ctx, s.link.retire)
	defer retire()
	s.link.run()
}

// forget takes a connection that is over out of the pool.
func (t *Tunnel) forget(s *slot) {
	s.stop()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !s.dropped {
		s.dropped = true
		t.total--
	}
	if s.idle != nil {
		s.idle.Stop()
	}
	t.pools[s.at] = slices.DeleteFunc(t.pools[s.at], func(other *slot) bool { return other == s })
	if len(t.pools[s.at]) == 0 {
		delete(t.pools, s.at)
	}
}
