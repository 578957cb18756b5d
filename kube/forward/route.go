// Package forward is the balancer: it listens locally and spreads connections
// over the endpoints of a Service, follows them, and never dies with a Pod.
package forward

import (
	"context"
	"errors"
	"net"
)

// ErrRouteDown is wrapped by an error of Open when the way itself is broken,
// as when the API server is gone or podpath has no file descriptor left: no
// endpoint is to blame, and no other one would do better.
var ErrRouteDown = errors.New("the way to the endpoints is down")

// Conn is an open connection to an endpoint. Read returns io.EOF only at the
// proper end of what the endpoint sends, never after a reset.
type Conn interface {
	net.Conn
	// CloseWrite ends what is sent, so that the other side sees the end and may
	// still answer (a TCP half-close). A route that cannot do that says so with
	// errors.ErrUnsupported, and the connection lives on until Close.
	CloseWrite() error
}

// Target is one place that connections can go to.
type Target struct {
	// Address and Port are the endpoint's, as its EndpointSlice has them.
	Address string
	Port    int
	// Namespace and Pod name the Pod behind it; Pod is "" when none is known.
	Namespace, Pod string
	Node           string
}

// Route is a way to endpoints.
type Route interface {
	// Open connects to the target, or says why not: an error that
	// errors.Is(err, syscall.ECONNREFUSED) and the like, where that is known,
	// and one that wraps ErrRouteDown where no endpoint is to blame. The context
	// gives opening up, and has no hold on the connection; a deadline is the
	// route's own. A route that hears of a refusal later returns such an error
	// from Read.
	Open(ctx context.Context, t Target) (Conn, error)
	// Close ends what the route keeps open for later. Connections that were
	// opened live on.
	Close() error
}
