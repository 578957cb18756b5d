package forward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"podpath/kube"
)

// directTimeout is how long a connection to a Pod IP may take: the first packet
// may be lost once, and is sent again after a second.
const directTimeout = 3 * time.Second

// Direct is the route that dials the address of the Pod. It needs the Pod
// network, as on a Node.
type Direct struct{ network Dialer }

// Dialer connects to addresses, as a net.Dialer does. Its connections over TCP
// are of type Conn.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// NewDirect returns the direct route on a network; nil is that of this process.
func NewDirect(network Dialer) *Direct {
	if network == nil {
		network = new(net.Dialer)
	}
	return &Direct{network}
}

// Via names the route.
func (*Direct) Via() string { return "direct" }

// Open dials the target over TCP.
func (d *Direct) Open(ctx context.Context, t Target) (Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, directTimeout)
	defer cancel()
	conn, err := d.network.DialContext(ctx, "tcp", t.HostPort())
	if err != nil {
		return nil, blame(err)
	}
	return conn.(Conn), nil
}

// OpenPackets returns a UDP socket that is connected to the target. Whether
// anybody is there shows only later.
func (d *Direct) OpenPackets(ctx context.Context, t Target) (net.Conn, error) {
	conn, err := d.network.DialContext(ctx, "udp", t.HostPort())
	if err != nil {
		return nil, blame(err)
	}
	return conn, nil
}

// Close does nothing: the route keeps nothing open.
func (*Direct) Close() error { return nil }

// blame marks errors that are podpath's own and no endpoint's.
func blame(err error) error {
	for _, own := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL} {
		if errors.Is(err, own) {
			return fmt.Errorf("%w: %w", ErrRouteDown, err)
		}
	}
	return err
}

// isRouteDown reports whether an error of Open is no endpoint's: then another
// one would not do better. A tunnel says so by its own errors.
func isRouteDown(err error) bool {
	var access *kube.AccessError
	var tunnel *kube.PortForwardError
	return errors.Is(err, ErrRouteDown) || errors.As(err, &access) || errors.As(err, &tunnel) && tunnel.Failure == kube.Broken
}
