package forward

import (
	"context"
	"fmt"
	"time"
)

// open watches the namespace, finds the destination, and listens.
func (h *Hub) open(e *entry) (_ *Watch, err error) {
	o := e.ordered()
	watch, err := h.Watch(e.ctx, e.cluster, o.Namespace, o.Needs()...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Label, err)
	}
	defer func() {
		if err != nil {
			watch.Close()
		}
	}()
	view, err := o.Find(watch.Snapshot())
	if err != nil {
		return nil, err
	}
	if o.Protocol = view.Protocol; o.Local == OwnPort {
		o.Local = view.Port
	}
	route, err := h.route(e.ctx, e.cluster, o, view)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Label, err)
	}
	f, err := Listen(e.ctx, Options{
		Forward: o.Label, Address: o.Address, Port: o.Local, Protocol: o.Protocol,
		Policy: o.Policy, Route: route, Drain: h.options.Drain, Events: h.options.Events, Wake: h.tell,
	})
	if err != nil {
		return nil, err
	}
	f.Update(view)
	e.listens(f, o, view)
	return watch, nil
}

// measured is how many endpoints are asked to choose the route.
const measured = 3

// route returns the way to the endpoints of an order. What it opens is the
// cluster's.
func (h *Hub) route(ctx context.Context, c *Cluster, o Order, v View) (Route, error) {
	if o.Via != ViaDirect {
		if err := c.mayTunnel(ctx, o.Namespace); err != nil {
			return nil, err
		}
	}
	direct := NewDirect(c.network)
	switch {
	case o.Via == ViaDirect:
		return direct, nil
	case o.Protocol == "UDP" && o.Via == ViaTunnel:
		return nil, errNoUDP
	case o.Protocol == "UDP":
		return direct, nil
	case o.Via == ViaTunnel:
		return c.sharedTunnel(), nil
	}
	auto := NewAuto(direct, borrowed{c.sharedTunnel()}, time.Now)
	var targets []Target
	for _, e := range v.Endpoints {
		if e.Ready && e.Pod != "" && len(targets) < measured {
			targets = append(targets, e.Target)
		}
	}
	auto.Measure(ctx, targets)
	return auto, nil
}

// borrowed is a route of somebody else, who closes it.
type borrowed struct{ Route }

// Close does nothing.
func (borrowed) Close() error { return nil }

// SetPolicy changes how the next connections of a forward are given to
// endpoints.
func (h *Hub) SetPolicy(id int, p Policy) {
	e := h.entry(id)
	if e == nil {
		return
	}
	e.mu.Lock()
	e.order.Policy = p
	if e.forward != nil {
		e.forward.SetPolicy(p)
	}
	e.mu.Unlock()
	h.tell()
}

// SetVia changes the way of the next connections. It fails when the user may not
// go that way, and the forward goes on as before.
func (h *Hub) SetVia(ctx context.Context, id int, via Via) error {
	e := h.entry(id)
	if e == nil {
		return errUnknown
	}
	e.mu.Lock()
	o, view, f := e.order, e.view, e.forward
	e.mu.Unlock()
	o.Via = via
	if f == nil {
		return fmt.Errorf("%s does not listen yet", o.Label)
	}
	route, err := h.route(ctx, e.cluster, o, view)
	if err != nil {
		return fmt.Errorf("%s: %w", o.Label, err)
	}
	e.mu.Lock()
	e.order.Via = via
	f.SetRoute(route)
	e.mu.Unlock()
	h.tell()
	return nil
}
