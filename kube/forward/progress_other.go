//go:build !linux

package forward

import (
	"errors"
	"net"
)

// progress is how far a connection is.
type progress struct{ sent, received int64 }

// progressOf knows nothing here: the figures come when a direction ends.
func progressOf(*net.TCPConn) (progress, bool) { return progress{}, false }

// finReceived is not known here.
func finReceived(*net.TCPConn, int64) bool { return true }

// brokenBy reports whether an error of copying to or from an endpoint is of the
// endpoint's side: the error has its address as the remote one.
func brokenBy(far *net.TCPConn, err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Addr != nil && op.Addr.String() == far.RemoteAddr().String()
}
