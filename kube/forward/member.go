package forward

import (
	"cmp"
	"net"
	"strconv"
	"time"

	"podpath/kube"
)

// identity tells endpoints apart: a Pod that got the address of an earlier one
// is another endpoint.
type identity struct {
	address string
	port    int
	pod     string
}

func (t Target) identity() identity { return identity{t.Address, t.Port, t.Pod} }

// HostPort returns the target's address and port as one word.
func (t Target) HostPort() string { return net.JoinHostPort(t.Address, strconv.Itoa(t.Port)) }

// String names the target: its Pod where that is known, and its address.
func (t Target) String() string {
	if t.Pod == "" {
		return t.HostPort()
	}
	return t.Pod + " (" + t.HostPort() + ")"
}

func compareTargets(a, b Target) int {
	return cmp.Or(kube.CompareAddresses(a.Address, b.Address), cmp.Compare(a.Port, b.Port), cmp.Compare(a.Pod, b.Pod))
}

// member is an endpoint with what is going on there. The pool's mutex guards
// it.
type member struct {
	Endpoint
	// here is set while the cluster lists it, used while it takes new
	// connections (ejected or not).
	here, used bool
	// existed is set once its Pod was seen. EndpointSlices may name a Pod a moment
	// before it is seen, and a moment after it has gone.
	existed bool
	// since is when it came; zero when it was there from the beginning, and
	// has no slow start.
	since  time.Time
	health fitness
	// trial is the opening by which an endpoint that was ejected shows whether it
	// is well: until then no other client has to wait for it.
	trial   *flow
	latency latency
	flows   map[*flow]struct{}
	counts  Counts // of flows that have ended, and of all for the rest
}

func (m *member) candidate(now time.Time) candidate {
	age := slowStart
	if !m.since.IsZero() {
		age = now.Sub(m.since)
	}
	return candidate{id: m.HostPort(), active: len(m.flows), latency: m.latency.at(now), age: age}
}

// tried ends a trial.
func (m *member) tried(f *flow) {
	if m.trial == f {
		m.trial = nil
	}
}

func (m *member) stats(now time.Time) EndpointStats {
	s := EndpointStats{Target: m.Target, State: m.state(), Serving: m.Serving, Active: len(m.flows), Latency: m.latency.at(now), Counts: m.counts}
	switch {
	case !m.here:
		s.State = "gone"
	case m.health.ejected:
		s.State, s.EjectedFor = "ejected", m.health.until.Sub(now)
	}
	return s
}
