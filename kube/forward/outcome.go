package forward

import (
	"fmt"
	"slices"
	"time"

	"podpath/kube"
)

// opened notes how long opening took, or trying to.
func (p *pool) opened(m *member, f *flow, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.tried(f)
	m.latency.seen(took, p.now())
}

// proved notes that the endpoint took a connection.
func (p *pool) proved(m *member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.health.succeeded()
	m.trial = nil
}

// failed notes that the endpoint did not take a connection.
func (p *pool) failed(m *member, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	m.counts.Failures++
	other := slices.ContainsFunc(p.eligible(), func(o *member) bool { return o != m && !o.health.ejected })
	if pause := m.health.failed(now, other && m.here); pause > 0 {
		m.counts.Ejections++
		p.events.send(Event{At: now, Kind: Ejected, Target: m.Target, Reason: kube.Clean(fmt.Sprintf("for %s: %v", pause, err))})
	}
}

// broke counts a connection that the endpoint broke off.
func (p *pool) broke(m *member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.counts.Broken++
}

// end takes the flow off the endpoint.
func (p *pool) end(m *member, f *flow) {
	sent, received := f.bytes()
	p.mu.Lock()
	defer p.mu.Unlock()
	m.tried(f)
	delete(m.flows, f)
	m.counts.Sent += sent
	m.counts.Received += received
	p.bury(m.identity(), m)
}

// abort ends all connections.
func (p *pool) abort() {
	p.mu.Lock()
	var all []*flow
	for _, m := range p.members {
		for f := range m.flows {
			all = append(all, f)
		}
	}
	p.mu.Unlock()
	for _, f := range all {
		f.abort()
	}
}

// reason says why there is no endpoint; "" where there is one, or no view yet.
func (p *pool) reason() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why
}

// hasReady reports whether an endpoint is of the first choice.
func (p *pool) hasReady() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.order, func(m *member) bool { first, _ := m.eligible(); return first })
}

// stats fills in what the pool knows. Connections that are open count with
// what they have moved so far.
func (p *pool) stats(s *Stats) {
	open := map[int][]*flow{}
	p.mu.Lock()
	now := p.now()
	p.readmit(now)
	s.Policy, s.Why, s.All = p.policy, p.why, p.older
	for _, m := range p.members {
		for f := range m.flows {
			open[len(s.Endpoints)] = append(open[len(s.Endpoints)], f)
		}
		s.Endpoints = append(s.Endpoints, m.stats(now))
	}
	s.Endpoints = append(s.Endpoints, p.past...)
	p.mu.Unlock()
	for i, flows := range open { // the kernel is asked without the lock: clients wait for that one
		for _, f := range flows {
			sent, received := f.bytes()
			s.Endpoints[i].Sent += sent
			s.Endpoints[i].Received += received
		}
	}
}
