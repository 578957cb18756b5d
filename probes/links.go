package probes

import (
	"context"
	"sync"

	"podpath/probes/launch"
	"podpath/probes/path"
)

// links keeps one link to each source open, so that a source costs one exec
// however often it is asked, and closes idle ones when there are too many.
type links struct {
	open  func(context.Context, path.Source) (launch.Link, error)
	limit int

	mu      sync.Mutex
	taken   int // places of the limit: a link takes one from before it is opened until it is closed
	entries map[string]*entry
	freed   chan struct{} // closed and replaced when somebody could go on
}

// entry is a link, or the reason why there is none.
type entry struct {
	users  int
	opened chan struct{}
	link   launch.Link
	err    error
}

func newLinks(limit int, open func(context.Context, path.Source) (launch.Link, error)) *links {
	return &links{open: open, limit: limit, entries: map[string]*entry{}, freed: make(chan struct{})}
}

// use returns the link to a source. Whoever gets one calls done when it needs
// it no more, with true when the link is of no use any more. A failure is
// remembered: it is told to all who ask, until forget.
func (l *links) use(ctx context.Context, s path.Source) (link launch.Link, done func(broken bool), err error) {
	e, mine, err := l.entry(ctx, s.Label)
	if err != nil {
		return nil, nil, err
	}
	if mine {
		e.link, e.err = l.open(ctx, s)
		close(e.opened)
		if e.err != nil {
			l.leave()
		}
	}
	select {
	case <-e.opened:
	case <-ctx.Done():
		l.release(s.Label, e, false)
		return nil, nil, context.Cause(ctx)
	}
	if e.err != nil {
		l.release(s.Label, e, ctx.Err() != nil)
		return nil, nil, e.err
	}
	return e.link, func(broken bool) { l.release(s.Label, e, broken) }, nil
}

// entry finds or makes the entry of a source, and waits for a free place to
// make it. Mine tells whoever made it to open the link.
func (l *links) entry(ctx context.Context, label string) (e *entry, mine bool, err error) {
	for {
		l.mu.Lock()
		if e = l.entries[label]; e != nil {
			e.users++
			l.mu.Unlock()
			return e, false, nil
		}
		idle := ""
		if l.taken >= l.limit {
			idle = l.idle()
		}
		if l.taken < l.limit || idle != "" {
			evicted := l.entries[idle]
			delete(l.entries, idle)
			e = &entry{users: 1, opened: make(chan struct{})}
			l.entries[label] = e
			if evicted == nil {
				l.taken++
			}
			l.mu.Unlock()
			if evicted != nil { // its place is passed on
				_ = evicted.link.Close()
			}
			return e, true, nil
		}
		freed := l.freed
		l.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return nil, false, context.Cause(ctx)
		}
	}
}

// idle finds a link that nobody uses, or "".
func (l *links) idle() (label string) {
	for name, e := range l.entries {
		if e.users == 0 && !e.failed() {
			return name
		}
	}
	return ""
}

func (e *entry) failed() bool {
	select {
	case <-e.opened:
		return e.err != nil
	default:
		return false
	}
}

func (l *links) release(label string, e *entry, broken bool) {
	l.mu.Lock()
	e.users--
	if broken && l.entries[label] == e {
		delete(l.entries, label)
	}
	last := e.users == 0 && l.entries[label] != e
	l.wake()
	l.mu.Unlock()
	if last && e.link != nil {
		_ = e.link.Close()
		l.leave()
	}
}

// leave gives a place back.
func (l *links) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken--
	l.wake()
}

// wake lets those who wait look again; the lock is held.
func (l *links) wake() {
	close(l.freed)
	l.freed = make(chan struct{})
}

// forget drops what is known of a source, so that the next use tries anew.
func (l *links) forget(s path.Source) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.entries[s.Label]; e != nil && e.failed() {
		delete(l.entries, s.Label)
	}
}

// close closes all links. Nobody uses one any more.
func (l *links) close() {
	var closing sync.WaitGroup
	for _, e := range l.entries {
		if e.link != nil {
			closing.Go(func() { _ = e.link.Close() })
		}
	}
	closing.Wait()
}
