package forward

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
)

// pairAttempts is how many free ports are tried until one is free at both
// addresses.
const pairAttempts = 20

// errNoAddress means that this machine lacks an address.
var errNoAddress = errors.New("this machine does not have the address")

func isAbsent(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}

// listenEach listens at an address, and with the same port at the one that it
// may also have. That may be missing, as ::1 is without IPv6.
func listenEach[T io.Closer](
	ctx context.Context, a Address, port int, listen func(context.Context, Address, int) (T, error),
) ([]T, error) {
	for attempt := 1; ; attempt++ {
		first, err := listen(ctx, Address{IP: a.IP, Unix: a.Unix}, port)
		if err != nil {
			return nil, err
		}
		if !a.Also.IsValid() {
			return []T{first}, nil
		}
		second, err := listen(ctx, Address{IP: a.Also}, portOf(addrOf(first)))
		switch {
		case err == nil:
			return []T{first, second}, nil
		case errors.Is(err, errNoAddress):
			return []T{first}, nil
		}
		_ = first.Close()
		if port != 0 || attempt == pairAttempts {
			return nil, err
		}
	}
}

// addrOf is the address of a socket.
func addrOf(socket io.Closer) net.Addr {
	switch s := socket.(type) {
	case net.Listener:
		return s.Addr()
	case net.PacketConn:
		return s.LocalAddr()
	default:
		return nil
	}
}

// portOf is the port of an address; 0 where it has none.
func portOf(a net.Addr) int {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.Port
	case *net.UDPAddr:
		return a.Port
	default:
		return 0
	}
}
