package forward

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// HubOptions are what all forwards of a hub have in common.
type HubOptions struct {
	// Drain is how long open connections may run on after the end of a forward.
	Drain time.Duration
	// Patience is how long listing what a forward needs may take; 0 is for ever.
	Patience time.Duration
	// Events gets what happens, as Options.Events does.
	Events chan<- Event
	// Ended, unless nil, is told of every forward that has listened and has
	// ended, with its last figures. Its Err says why it had to stop by itself.
	Ended func(Status)
}

// Hub holds forwards to any number of clusters and namespaces. They come and go
// while it runs, and follow their namespaces by themselves. All methods may be
// called at any time; none but those with a context waits for the network.
type Hub struct {
	options HubOptions
	ctx     context.Context // the life of the hub, which its forwards share
	stop    context.CancelFunc
	changed chan struct{}
	work    sync.WaitGroup // forwards

	following sync.WaitGroup // watches

	mu      sync.Mutex // guards all below
	last    int        // the newest ID
	entries []*entry   // in the order in which they came
	watches map[watchKey]*follower
	known   map[*Cluster]struct{} // to close
}

// NewHub returns a hub without forwards. It lives until Close.
func NewHub(o HubOptions) *Hub {
	h := &Hub{options: o, changed: make(chan struct{}, 1), watches: map[watchKey]*follower{}, known: map[*Cluster]struct{}{}}
	h.ctx, h.stop = context.WithCancel(context.Background())
	return h
}

// Add begins a forward, and returns the ID that it has from now on. Started says
// whether it came to listen.
func (h *Hub) Add(c *Cluster, o Order) (id int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	if h.ctx.Err() != nil {
		return h.last // nobody waits for it any more
	}
	h.known[c] = struct{}{}
	e := newEntry(h.ctx, h.last, c, o)
	h.entries = append(h.entries, e)
	h.work.Go(func() { h.run(e) })
	return e.id
}

// Again begins a forward that has failed anew, with another local port, and
// returns its new ID. The old one is forgotten.
func (h *Hub) Again(id, local int) (next int) {
	e := h.entry(id)
	if e == nil {
		return 0
	}
	h.Stop(id)
	o := e.ordered()
	o.Local = local
	return h.Add(e.cluster, o)
}

// errUnknown means that there is no forward with an ID.
var errUnknown = errors.New("this forward has ended")

// Started waits until a forward listens, or says why it does not.
func (h *Hub) Started(ctx context.Context, id int) error {
	e := h.entry(id)
	if e == nil {
		return errUnknown
	}
	select {
	case <-e.started:
		_, err := e.state()
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Stop ends a forward: it takes no new connections, and open ones may run on
// for as long as HubOptions.Drain says. One that has failed is forgotten.
func (h *Hub) Stop(id int) {
	if e := h.entry(id); e != nil {
		e.end(errStopped)
		if phase, _ := e.state(); phase == Failed {
			h.forget(e)
		}
		h.tell()
	}
}

// Abort resets the open connections of a forward that was stopped.
func (h *Hub) Abort(id int) {
	if e := h.entry(id); e != nil {
		e.abort()
	}
}

// AbortAll does so for all forwards, also for those that will be stopped.
func (h *Hub) AbortAll() {
	h.mu.Lock()
	entries := slices.Clone(h.entries)
	h.mu.Unlock()
	for _, e := range entries {
		e.abort()
	}
}

// List returns all forwards with the figures of this moment, in the order in
// which they came.
func (h *Hub) List() []Status {
	h.mu.Lock()
	entries := slices.Clone(h.entries)
	h.mu.Unlock()
	out := make([]Status, len(entries))
	for i, e := range entries {
		out[i] = e.status()
	}
	return out
}

// Changed returns the channel that gets a token when a forward may have other
// figures than before: it began or ended, its endpoints have changed, a client
// came. How much open connections move is not told. It is for one receiver.
func (h *Hub) Changed() <-chan struct{} { return h.changed }

// tell never blocks.
func (h *Hub) tell() {
	select {
	case h.changed <- struct{}{}:
	default:
	}
}

// Close ends all forwards as Stop does, and returns when they have ended, and
// everything else that the hub began. A credential plugin that hangs is left
// behind.
func (h *Hub) Close() {
	h.mu.Lock()
	h.stop()
	h.mu.Unlock()
	h.work.Wait()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.following.Wait()
	}()
	select {
	case <-ended:
	case <-time.After(stopGrace):
	}
	for c := range h.known { // nothing is added any more
		c.close()
	}
}

func (h *Hub) entry(id int) *entry {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.entries, func(e *entry) bool { return e.id == id })
	if i < 0 {
		return nil
	}
	return h.entries[i]
}

func (h *Hub) forget(e *entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.entries = slices.DeleteFunc(h.entries, func(other *entry) bool { return other == e })
}
