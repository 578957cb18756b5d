package forward

import (
	"errors"
	"io"
	"time"
)

// pump passes on what comes from the client, to whichever endpoint it is.
func (r *relay) pump() {
	defer close(r.pumped)
	far, flow, read, sent := r.pumpFirst()
	if far != nil {
		r.carryOn(far, flow, read, sent)
	}
}

// pumpFirst passes on the first of it. It returns the endpoint when there is
// more, and no other endpoint will be tried.
func (r *relay) pumpFirst() (far Conn, f *flow, read, sent int64) {
	chunk, done := r.chunk()
	defer done()
	for {
		n, err := r.client.Read(chunk)
		read += int64(n)
		if errors.Is(err, io.EOF) && !endedProperly(r.client, read) {
			err = errClientGone // a reset that the other direction has heard of
		}
		<-r.turn
		ok := r.send(chunk[:n], err)
		settled := r.answered.Load() || r.lost
		far, f, sent = r.far, r.flow, r.sent
		r.turn <- struct{}{}
		switch {
		case !ok || err != nil:
			return nil, nil, 0, 0
		case settled && read >= bulkFrom:
			return far, f, read, sent
		}
	}
}

// carryOn passes on the rest, without keeping it.
func (r *relay) carryOn(far Conn, f *flow, read, sent int64) {
	p := pace{client: r.client, received: &f.received}
	n, ofFar, err := carry(far, r.client, far, &f.sent, p.rest)
	f.endSent(sent + n)
	if err == nil && !endedProperly(r.client, read+n) {
		err = errClientGone
	}
	<-r.turn
	defer func() { r.turn <- struct{}{} }()
	switch {
	case r.far == nil:
	case err == nil:
		r.ended.Store(true)
		_ = far.CloseWrite() // a route that cannot do it goes on until the endpoint ends
	case ofFar: // what has arrived is still to be delivered; then the other direction finds the same
		r.endSoon()
	default:
		r.gone = true
		reset(far) // reading from it ends, too
	}
}

// send passes on what was read, and the end of it. It reports false when no
// more can be sent.
func (r *relay) send(data []byte, err error) bool {
	if r.far == nil {
		return false
	}
	r.keep(data)
	ok := r.write(data)
	switch {
	case errors.Is(err, io.EOF):
		r.ended.Store(true)
		r.flow.endSent(r.sent)
		_ = r.far.CloseWrite()
	case err != nil:
		r.gone = true
		reset(r.far)
	}
	return ok
}

// keep adds to what another endpoint would get.
func (r *relay) keep(data []byte) {
	switch {
	case r.answered.Load():
		r.kept = nil
	case r.lost || len(r.kept)+len(data) > replayLimit:
		r.kept, r.lost = nil, true
	default:
		r.kept = append(r.kept, data...)
	}
}

// write sends to the endpoint. It reports false when that failed for good; else
// reading from it will say more, and may lead to another endpoint.
func (r *relay) write(data []byte) bool {
	if len(data) == 0 {
		return true
	}
	n, err := r.far.Write(data)
	r.sent += int64(n)
	raise(&r.flow.sent, r.sent)
	if err == nil {
		return true
	}
	r.endSoon()
	return !r.answered.Load() && !r.lost
}

// endSoon lets an endpoint that takes no more send what it has, but not for
// ever.
func (r *relay) endSoon() {
	if far := r.far; r.grace == nil {
		r.grace = time.AfterFunc(brokenGrace, func() { reset(far) })
	}
}

// resend gives a new endpoint what the one before it did not take.
func (r *relay) resend() {
	if r.grace != nil {
		r.grace.Stop()
		r.grace = nil
	}
	r.write(r.kept)
	if r.ended.Load() {
		r.flow.endSent(r.sent)
		_ = r.far.CloseWrite()
	}
}
