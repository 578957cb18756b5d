package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"podpath/kube"
	"podpath/kube/forward"
	"podpath/tui/forwards"
)

// Forwarder holds the forwards of the program. *forward.Hub is one. Started,
// SetVia and Close may take long; the others do not.
type Forwarder interface {
	Add(c *forward.Cluster, o forward.Order) (id int)
	Again(id, local int) (next int)
	Started(ctx context.Context, id int) error
	Stop(id int)
	Abort(id int)
	AbortAll()
	List() []forward.Status
	Changed() <-chan struct{}
	SetPolicy(id int, p forward.Policy)
	SetVia(ctx context.Context, id int, via forward.Via) error
	Close()
}

// looking says which commands wait for news of the forwards.
type looking struct {
	ticking bool // one that waits for the next reading
	waiting bool // one that waits until something begins
	last    time.Time
}

// The pauses between two readings of the figures: while bytes move, and while
// connections are open of which nobody tells when they move again.
const (
	movingPause = 500 * time.Millisecond
	slowPause   = time.Second
)

// What happens to forwards.
type (
	// forwardTicked says that it is time to read the figures, forwardChanged that
	// something began.
	forwardTicked  struct{}
	forwardChanged struct{}
	// forwardStarted says that a forward listens, or why it does not.
	forwardStarted struct {
		id  int
		err error
	}
	// viaSet is the answer to a change of the route.
	viaSet struct {
		via forward.Via
		err error
	}
)

// forwardView is a view that shows forwards.
type forwardView interface{ Follow() }

// readForwards reads the figures.
func (m *Model) readForwards() {
	if m.options.Forwards == nil {
		return
	}
	m.looking.last = m.options.Now()
	m.forwards.Show(m.options.Forwards.List(), m.looking.last)
}

// lookAtForwards keeps what is said of forwards up to date while somebody looks
// at it: by reading now and then while figures move, else when something begins.
// Otherwise nothing is read.
func (m *Model) lookAtForwards() tea.Cmd {
	if _, shown := m.top().(forwardView); !shown || m.options.Forwards == nil {
		return nil
	}
	motion := m.forwards.Motion()
	switch {
	case motion == forwards.Still && !m.looking.waiting:
		m.looking.waiting = true
		return waitForForwards(m.ctx, m.options.Forwards.Changed(), m.looking.last.Add(movingPause).Sub(m.options.Now()))
	case motion != forwards.Still && !m.looking.ticking:
		m.looking.ticking = true
		pause := map[forwards.Motion]time.Duration{forwards.Slow: slowPause, forwards.Moving: movingPause}[motion]
		ctx := m.ctx
		return func() tea.Msg {
			if !waited(ctx, time.After(pause)) {
				return nil
			}
			return forwardTicked{}
		}
	}
	return nil
}

// waitForForwards waits until something begins, but at least for a pause.
func waitForForwards(ctx context.Context, changed <-chan struct{}, pause time.Duration) tea.Cmd {
	return func() tea.Msg {
		if !waited(ctx, time.After(pause)) || !waited(ctx, changed) {
			return nil
		}
		return forwardChanged{}
	}
}

// waited waits for a channel, and reports false where ctx ends before.
func waited[T any](ctx context.Context, c <-chan T) bool {
	select {
	case <-c:
		return true
	case <-ctx.Done():
		return false
	}
}

// receiveForwardNews takes what happens to forwards and reports whether that was
// it.
func (m *Model) receiveForwardNews(msg tea.Msg) bool {
	switch msg := msg.(type) {
	case forwardTicked:
		m.looking.ticking = false
	case forwardChanged:
		m.looking.waiting = false
	case forwardStarted:
		m.readForwards() // also where nobody looks: the tab counts them
		m.tellStarted(msg)
	case viaSet:
		m.notice = "new connections go by the route " + string(msg.via)
		if msg.err != nil {
			m.notice = kube.Clean(msg.err.Error())
		}
	default:
		return false
	}
	if _, shown := m.top().(forwardView); shown {
		m.refresh()
	}
	return true
}

// tellStarted says where a forward listens, or why it does not.
func (m *Model) tellStarted(msg forwardStarted) {
	for _, s := range m.options.Forwards.List() {
		switch {
		case s.ID != msg.id:
		case msg.err != nil:
			m.notice = kube.Clean(msg.err.Error())
		default:
			m.notice = s.Order.Label + " is at " + s.URL + " now; c copies that"
		}
	}
}

// closeForwards ends all forwards, and their connections.
func (m *Model) closeForwards() {
	if m.options.Forwards != nil {
		m.options.Forwards.AbortAll()
		m.options.Forwards.Close()
	}
}
