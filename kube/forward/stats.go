package forward

import "time"

// Counts are what happened at an endpoint since the forward began. They only
// grow.
type Counts struct {
	// Total counts connections that were given to it, Failures those that it
	// did not take, Retries those that came after another one had failed.
	Total, Failures, Retries uint64
	// Broken counts connections that ended without a proper end on its side.
	Broken    uint64
	Ejections uint64
	// Sent and Received are bytes to it and from it.
	Sent, Received int64
}

func (c Counts) plus(d Counts) Counts {
	return Counts{
		Total: c.Total + d.Total, Failures: c.Failures + d.Failures, Retries: c.Retries + d.Retries, Broken: c.Broken + d.Broken,
		Ejections: c.Ejections + d.Ejections, Sent: c.Sent + d.Sent, Received: c.Received + d.Received,
	}
}

// EndpointStats are the figures of one endpoint.
type EndpointStats struct {
	Target
	// State is ready, not ready, terminating, ejected or gone.
	State string
	// Serving says that one that terminates still answers.
	Serving bool
	// EjectedFor is how long one that is ejected stays so.
	EjectedFor time.Duration
	// Active is the number of open connections.
	Active int
	Counts
	// Latency is the peak EWMA of how long opening takes.
	Latency time.Duration
}

// Stats are the figures of a forward at one moment.
type Stats struct {
	Forward string
	// Listen is the address where it listens, Via how it gets to endpoints.
	Listen, Via string
	Policy      Policy
	// Open are the clients' connections, those that are held included; Held
	// wait for an endpoint.
	Open, Held int
	// Refused counts connections of clients that got no endpoint.
	Refused uint64
	// RefusedWhy is the reason of the last of them.
	RefusedWhy string
	// LostEvents counts events that nobody took in time.
	LostEvents int64
	// Why says why there is no endpoint; "" where there is one.
	Why string
	// Endpoints are ordered by address; those that have gone come last. Gone
	// ones beyond the last 64 are only in All.
	Endpoints []EndpointStats
	// All are the sums over all endpoints that there were.
	All Counts
}
