package forward

import (
	"context"
	"net"
)

const (
	// privileged are the ports below this one: they belong to root.
	privileged = 1024
	// shift leads from 80 to 8080 and from 443 to 8443.
	shift = 8000
	// attempts is how many ports are looked at one after the other.
	attempts = 50
)

// Suggest returns a local port at 127.0.0.1 for the port of a destination that
// is free now: the same number or, below 1024, that plus 8000, or one a little
// above; 0, which is any free one, where all those are taken. Protocol is TCP or
// UDP.
func Suggest(ctx context.Context, port int, protocol string) int {
	if port < privileged {
		port += shift
	}
	for p := port; p < port+attempts && p <= 65535; p++ {
		if isFree(ctx, p, protocol) {
			return p
		}
	}
	return 0
}

func isFree(ctx context.Context, port int, protocol string) bool {
	if protocol == "UDP" {
		c, err := new(net.ListenConfig).ListenPacket(ctx, "udp", Loopback.with(port))
		if err != nil {
			return false
		}
		return c.Close() == nil
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", Loopback.with(port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
