package forward

import (
	"slices"
	"sync"
	"time"
)

// pool holds the endpoints of a forward and says which gets a connection.
type pool struct {
	now    func() time.Time
	draw   chance
	events *events

	mu      sync.Mutex // guards all below
	policy  Policy
	members map[identity]*member
	order   []*member     // those of the view, by address
	turn    uint64        // connections so far
	changed chan struct{} // closed when there may be an endpoint now
	seen    bool          // there was a view
	empty   bool          // no endpoint takes connections
	why     string
	past    []EndpointStats // of endpoints that have gone
	older   Counts          // of those that have gone before
}

// mostPast bounds how many endpoints are remembered after they went.
const mostPast = 64

func newPool(policy Policy, now func() time.Time, draw chance, e *events) *pool {
	return &pool{now: now, draw: draw, events: e, policy: policy, members: map[identity]*member{}, changed: make(chan struct{})}
}

// update takes a view over. Connections to Pods that no longer exist are
// severed; others of endpoints that have left run on.
func (p *pool) update(v View) {
	for _, f := range p.replace(v) {
		f.sever()
	}
}

// replace does update's work under the lock, and returns the flows whose Pods
// no longer exist.
func (p *pool) replace(v View) (dead []*flow) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	for _, m := range p.members {
		m.here = false
	}
	p.order = p.order[:0]
	for _, e := range v.Endpoints {
		m := p.members[e.identity()]
		if m == nil {
			m = &member{flows: map[*flow]struct{}{}, counts: p.revive(e.identity())}
			if p.seen {
				m.since = now
			}
			p.members[e.identity()] = m
		}
		m.Endpoint, m.here = e, true
		p.order = append(p.order, m)
	}
	slices.SortFunc(p.order, func(a, b *member) int { return compareTargets(a.Target, b.Target) })
	p.announce(now)
	for id, m := range p.members {
		gone := v.Exists != nil && !v.Exists(m.Target)
		m.existed = m.existed || v.Exists != nil && !gone
		for f := range m.flows {
			if gone && (m.existed || !m.here) {
				dead = append(dead, f)
			}
			if !m.here || m.Terminating {
				f.leave()
			}
		}
		p.bury(id, m)
	}
	p.seen = true
	p.notice(v.Why)
	return dead
}

// announce says which endpoints take connections from now on, and which no
// longer. Openings under way at those that left are given up.
func (p *pool) announce(now time.Time) {
	eligible := map[*member]bool{}
	for _, m := range p.eligible() {
		eligible[m] = true
	}
	for _, m := range p.members {
		switch used := eligible[m]; {
		case used && !m.used:
			p.events.send(Event{At: now, Kind: Joined, Target: m.Target})
		case !used && m.used:
			reason := m.state()
			if !m.here {
				reason = "gone"
			}
			p.events.send(Event{At: now, Kind: Left, Target: m.Target, Reason: reason})
			for f := range m.flows {
				f.stopOpening()
			}
		}
		m.used = eligible[m]
	}
}

// notice tells when the last endpoint has left and when there is one again.
func (p *pool) notice(why string) {
	empty := len(p.eligible()) == 0
	p.why = ""
	if empty {
		p.why = why
		if why == "" {
			p.why = "no endpoint is ready"
		}
	}
	switch {
	case empty && !p.empty:
		p.events.send(Event{At: p.now(), Kind: NoEndpoints, Reason: p.why})
	case !empty && p.empty:
		p.events.send(Event{At: p.now(), Kind: Resumed})
	}
	p.empty = empty
	if !empty {
		close(p.changed)
		p.changed = make(chan struct{})
	}
}

// bury forgets a member that has gone and has no connection left.
func (p *pool) bury(id identity, m *member) {
	if m.here || len(m.flows) > 0 {
		return
	}
	delete(p.members, id)
	if m.counts == (Counts{}) {
		return
	}
	p.past = append(p.past, m.stats(p.now()))
	if len(p.past) > mostPast {
		p.older = p.older.plus(p.past[0].Counts)
		p.past = p.past[1:]
	}
}

// revive returns what is remembered of an endpoint that comes back.
func (p *pool) revive(id identity) (counts Counts) {
	i := slices.IndexFunc(p.past, func(e EndpointStats) bool { return e.identity() == id })
	if i >= 0 {
		counts = p.past[i].Counts
		p.past = slices.Delete(p.past, i, i+1)
	}
	return counts
}

// eligible returns the endpoints that may get connections: those that are
// ready, else those that still serve while they terminate (KEP-1669).
func (p *pool) eligible() []*member {
	var first, second []*member
	for _, m := range p.order {
		switch a, b := m.eligible(); {
		case a:
			first = append(first, m)
		case b:
			second = append(second, m)
		}
	}
	if len(first) > 0 {
		return first
	}
	return second
}

// take gives a connection to an endpoint that was not tried yet, and counts it
// there until end. Without one it returns nil, and a channel that is closed
// when there may be one.
func (p *pool) take(client string, tried []*member, f *flow) (*member, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	p.readmit(now)
	left := slices.DeleteFunc(p.eligible(), func(m *member) bool { return slices.Contains(tried, m) })
	if len(left) == 0 {
		return nil, p.changed
	}
	if healthy := slices.DeleteFunc(slices.Clone(left), func(m *member) bool { return m.health.ejected || m.trial != nil }); len(healthy) > 0 {
		left = healthy // else an ejected one is better than nothing
	}
	candidates := make([]candidate, len(left))
	for i, m := range left {
		candidates[i] = m.candidate(now)
	}
	m := left[p.policy.pick(candidates, client, p.turn, p.draw)]
	p.turn++
	if m.health.onTrial() {
		m.trial = f
	}
	m.flows[f], f.target, f.leaving = struct{}{}, m.Target, m.Terminating
	m.counts.Total++
	if len(tried) > 0 {
		m.counts.Retries++
	}
	return m, nil
}

func (p *pool) readmit(now time.Time) {
	for _, m := range p.order {
		if m.health.readmitted(now) {
			p.events.send(Event{At: now, Kind: Back, Target: m.Target})
		}
	}
}
