package forward

import (
	"sync/atomic"
	"time"
)

// EventKind is what happened.
type EventKind string

// The kinds of event.
const (
	Listening   EventKind = "listening"
	Joined      EventKind = "joined"       // an endpoint takes connections now
	Left        EventKind = "left"         // it takes no new ones any more
	Ejected     EventKind = "ejected"      // it failed, and is left alone for a while
	Back        EventKind = "back"         // it may be tried again
	NoEndpoints EventKind = "no-endpoints" // connections are held, then refused
	Resumed     EventKind = "resumed"      // there are endpoints again
	Refused     EventKind = "refused"      // connections of clients were refused
	Trouble     EventKind = "trouble"      // the listener has a problem that may pass
	Stopped     EventKind = "stopped"
)

// Event is something that happened to a forward.
type Event struct {
	At   time.Time
	Kind EventKind
	// Forward is the destination as the user wrote it.
	Forward string
	// Target is the endpoint that it is about; zero when it is about none.
	Target Target
	// Reason says why, in words.
	Reason string
	// Count is how many connections a Refused event is about: at most one such
	// event comes each second.
	Count int
}

// events passes events on, and never waits: what the receiver does not take in
// time is lost, and counted.
type events struct {
	forward string
	to      chan<- Event
	lost    atomic.Int64
}

func (e *events) send(event Event) {
	if e.to == nil {
		return
	}
	event.Forward = e.forward
	select {
	case e.to <- event:
	default:
		e.lost.Add(1)
	}
}
