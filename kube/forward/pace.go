package forward

import (
	"net"
	"sync/atomic"
	"time"
)

// Small pieces that follow one another in one direction only go into a tunnel at
// most once in paceRest: meanwhile the next ones add up in the client's socket,
// and become one read, one frame and one TLS record, here and at each hop of the
// way. 512 bytes at a time would cost ten times the processor time.
const (
	// paceRest is what a way through an API server takes anyhow.
	paceRest = time.Millisecond
	// paceFrom is the piece after which the next one has to wait: a few that
	// belong together, or keys that somebody types, go at once.
	paceFrom = 3
	// paceBelow is how many bytes make a piece small. More than that, and the
	// client is faster than the tunnel: its pieces add up by themselves.
	paceBelow = carryChunk / 2
)

// pace slows down how often a client is read from.
type pace struct {
	client   net.Conn
	received *atomic.Int64 // bytes from the endpoint

	pieces   int       // in a row
	answered int64     // received, at the last piece
	last     time.Time // when it was
}

// rest waits after a piece, if that is better.
func (p *pace) rest(size int) {
	if p.due(size, p.received.Load(), time.Now()) {
		gather(p.client, paceRest, carryChunk)
	}
}

// due notes a piece, and decides. Where something came back since the last one,
// it is a dialogue, in which each piece may be waited for.
func (p *pace) due(size int, received int64, now time.Time) bool {
	if received != p.answered || now.Sub(p.last) > 2*paceRest {
		p.pieces = 0
	}
	p.pieces++
	p.answered, p.last = received, now
	return p.pieces >= paceFrom && size < paceBelow
}
