package forward

import (
	"cmp"
	"context"
	"sync"
)

// Phase is how far a forward of a hub is.
type Phase string

// The phases.
const (
	Starting  Phase = "starting"
	Serving   Phase = "listening"
	Finishing Phase = "stopping" // open connections run on
	Failed    Phase = "failed"   // it did not come to listen, or had to stop by itself
)

// Status is a forward of a hub at one moment.
type Status struct {
	ID int
	// Cluster is the name of the cluster.
	Cluster string
	// Order is what was asked for, with changes that were made since.
	Order Order
	Phase Phase
	// Err says why it has failed; its text may come from the cluster.
	Err error
	// URL is what a client opens: a URL where HTTP is spoken, as far as the port
	// says, else the address; "" before the forward listens.
	URL string
	// Stats have no Listen address before the forward listens.
	Stats Stats
}

// entry is a forward of a hub, from the time that it was asked for.
type entry struct {
	id      int
	cluster *Cluster
	ctx     context.Context // its life
	end     context.CancelCauseFunc
	started chan struct{} // closed when it listens or has failed

	mu      sync.Mutex // guards all below
	order   Order
	phase   Phase
	err     error
	forward *Forward // nil before it listens
	view    View     // the last one
	spoken  View     // the one that it began with
	aborted bool
}

func newEntry(ctx context.Context, id int, c *Cluster, o Order) *entry {
	o.Policy, o.Via = cmp.Or(o.Policy, EWMA), cmp.Or(o.Via, ViaAuto)
	e := &entry{id: id, cluster: c, order: o, phase: Starting, started: make(chan struct{})}
	e.ctx, e.end = context.WithCancelCause(ctx)
	return e
}

// run forwards until the entry's end.
func (h *Hub) run(e *entry) {
	watch, err := h.open(e)
	if err == nil {
		h.tell()
		err = h.serve(e, watch)
		watch.Close()
	}
	ended := e.ended(err)
	if ended.Phase != Failed {
		h.forget(e)
	}
	if ended.Stats.Listen != "" && h.options.Ended != nil {
		h.options.Ended(ended)
	}
	h.tell()
}

// serve runs the forward and feeds it with what the cluster says.
func (h *Hub) serve(e *entry, watch *Watch) error {
	var follow sync.WaitGroup
	follow.Go(func() {
		seen := watch.Snapshot()
		for {
			next, err := watch.After(e.ctx, seen)
			if err != nil {
				e.end(err) // does nothing where the end came first
				return
			}
			seen = next
			view, err := e.order.Find(next)
			if err != nil {
				view = View{Why: err.Error()} // it may come back
			}
			e.update(view)
			h.tell()
		}
	})
	err := e.forward.Run(e.ctx)
	e.end(err) // where it has stopped by itself
	follow.Wait()
	return err
}

// update takes over what the cluster says.
func (e *entry) update(v View) {
	e.mu.Lock()
	e.view = v
	e.mu.Unlock()
	e.forward.Update(v)
}

// listens notes that the forward has come to listen.
func (e *entry) listens(f *Forward, o Order, v View) {
	e.mu.Lock()
	defer e.mu.Unlock()
	o.Policy = e.order.Policy // it may have been changed meanwhile
	f.SetPolicy(o.Policy)
	e.forward, e.order, e.view, e.spoken, e.phase = f, o, v, v, Serving
	if e.aborted {
		f.Abort()
	}
	close(e.started)
}

// ended notes the end, and returns the last status: Failed, unless somebody has
// asked for the end.
func (e *entry) ended(err error) Status {
	cause := context.Cause(e.ctx)
	asked := e.ctx.Err() != nil && (cause == errStopped || cause == context.Canceled)
	e.mu.Lock()
	if !asked {
		e.phase, e.err = Failed, cmp.Or(err, cause)
	} else if e.forward == nil {
		e.err = errStopped
	}
	if e.forward == nil {
		close(e.started)
	}
	e.mu.Unlock()
	e.end(errStopped)
	return e.status()
}

func (e *entry) ordered() Order {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.order
}

func (e *entry) state() (Phase, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.phase, e.err
}

func (e *entry) status() Status {
	e.mu.Lock()
	f, view := e.forward, e.spoken
	s := Status{ID: e.id, Cluster: e.cluster.Name, Order: e.order, Phase: e.phase, Err: e.err}
	e.mu.Unlock()
	if s.Phase != Failed && e.ctx.Err() != nil {
		s.Phase = Finishing
	}
	s.Stats.Forward = s.Order.Label
	if f != nil {
		s.Stats = f.Stats()
		s.URL = url(view, s.Order, s.Stats.Listen)
	}
	return s
}

// abort resets open connections, now or as soon as the forward has ended.
func (e *entry) abort() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.aborted = true
	if e.forward != nil {
		e.forward.Abort()
	}
}
