package forward

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"time"
)

const (
	// autoTimeout is how long a Pod IP has to answer for the direct route to be
	// taken: the Pod network of a Node answers in milliseconds.
	autoTimeout = 300 * time.Millisecond
	// autoAgain is how long a choice against the direct route stands: the
	// endpoint that was asked may have been the only dead one.
	autoAgain = time.Minute
)

// Auto is the route that chooses by measuring: direct where a Pod IP answers
// within 300 ms, else the other one.
type Auto struct {
	direct, tunnel Route
	now            func() time.Time

	mu     sync.Mutex // guards all below
	chosen Route      // nil as long as nothing was measured
	at     time.Time
}

// NewAuto returns a route that measures with the first connection. It owns both
// routes: Close closes them.
func NewAuto(direct, tunnel Route, now func() time.Time) *Auto {
	return &Auto{direct: direct, tunnel: tunnel, now: now}
}

// Via names the route that was chosen.
func (a *Auto) Via() string {
	if r := a.choice(); r != nil {
		return via(r)
	}
	return "auto"
}

// choice returns the route to use, or nil where it is to be measured.
func (a *Auto) choice() Route {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.chosen == a.tunnel && a.now().Sub(a.at) >= autoAgain {
		return nil
	}
	return a.chosen
}

// choose notes what a measurement says. One that found the direct route is not
// overruled by one that began at the same time.
func (a *Auto) choose(r Route) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.chosen != a.direct {
		a.chosen, a.at = r, a.now()
	}
}

// Measure chooses by the targets, any of which may answer. Without one nothing
// is chosen yet.
func (a *Auto) Measure(ctx context.Context, targets []Target) {
	if len(targets) == 0 {
		return
	}
	answered := make(chan bool, len(targets))
	for _, t := range targets {
		go func() {
			conn, err := a.try(ctx, t)
			if conn != nil {
				_ = conn.Close()
			}
			answered <- answers(err)
		}()
	}
	found := false
	for range targets { // all are waited for: it takes 300 ms at most
		found = <-answered || found
	}
	if ctx.Err() != nil {
		return
	}
	a.choose(map[bool]Route{true: a.direct, false: a.tunnel}[found])
}

func (a *Auto) try(ctx context.Context, t Target) (Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, autoTimeout)
	defer cancel()
	return a.direct.Open(ctx, t)
}

// answers reports whether an error, or none, means that the Pod network is
// there: a refusal comes from the Pod itself.
func answers(err error) bool { return err == nil || errors.Is(err, syscall.ECONNREFUSED) }

// Open connects by the chosen route, and chooses first where that is due. An
// endpoint without a Pod, from an EndpointSlice written by hand, can only be
// reached directly.
func (a *Auto) Open(ctx context.Context, t Target) (Conn, error) {
	if t.Pod == "" {
		return a.direct.Open(ctx, t)
	}
	if r := a.choice(); r != nil {
		return r.Open(ctx, t)
	}
	conn, err := a.try(ctx, t)
	switch {
	case answers(err):
		a.choose(a.direct)
		return conn, err
	case ctx.Err() != nil || isRouteDown(err):
		return nil, err
	}
	a.choose(a.tunnel)
	return a.tunnel.Open(ctx, t)
}

// Close closes both routes.
func (a *Auto) Close() error { return errors.Join(a.direct.Close(), a.tunnel.Close()) }

// via names a route. What does not say is the tunnel.
func via(r Route) string {
	if named, ok := r.(interface{ Via() string }); ok {
		return named.Via()
	}
	return "tunnel"
}
