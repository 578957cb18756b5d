package forward

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"podpath/kube"
)

// refusalPause is the time between two events about refused connections: there
// may be thousands a second.
const refusalPause = time.Second

// refusals counts clients that got no endpoint.
type refusals struct {
	total atomic.Uint64

	mu     sync.Mutex // guards all below
	at     time.Time  // of the last event
	count  int        // since then
	reason string
}

// refuse resets a client's connection, and says why.
func (f *Forward) refuse(client net.Conn, why error) {
	reset(client)
	f.refusals.note(f, why.Error())
}

func (r *refusals) note(f *Forward, reason string) {
	r.total.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	r.reason = kube.Clean(reason)
	if now := f.options.Now(); now.Sub(r.at) >= refusalPause {
		r.send(f, now)
	}
}

// last returns why the last client got no endpoint; "" where each got one.
func (r *refusals) last() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reason
}

// flush tells of those that no event has told of.
func (r *refusals) flush(f *Forward) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count > 0 {
		r.send(f, f.options.Now())
	}
}

func (r *refusals) send(f *Forward, now time.Time) {
	f.events.send(Event{At: now, Kind: Refused, Reason: r.reason, Count: r.count})
	r.at, r.count = now, 0
}
