package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
)

// Network is the part of the world that a prober works on: that of the process
// (Host), or a virtual one. Its errors tell what happened with the
// system's error numbers, such as syscall.ECONNREFUSED.
type Network interface {
	// DialContext connects to HOST:PORT, as that of net.Dialer; the network is
	// tcp or udp. The local address of the connection is IP:PORT.
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
	// Open opens a file for reading.
	Open(path string) (io.ReadCloser, error)
}

// Host is the network and the files of the process itself.
type Host struct{}

// DialContext connects as a net.Dialer does.
func (Host) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// Addresses are those of the interfaces of the machine, but for loopback. Where
// they cannot be read there are none.
func (Host) Addresses() []netip.Addr {
	var out []netip.Addr
	addresses, _ := net.InterfaceAddrs()
	for _, a := range addresses {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && !prefix.Addr().IsLoopback() {
			out = append(out, prefix.Addr().Unmap())
		}
	}
	return out
}

// Open opens a file. It does not wait for the other end of a named pipe.
func (Host) Open(path string) (io.ReadCloser, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// resultOf maps an error of a Network.
func resultOf(err error) Result {
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return OK
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH),
		errors.Is(err, syscall.EHOSTDOWN), errors.Is(err, syscall.ENETDOWN):
		return Unreachable
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return Reset
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return Denied
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return Timeout
	}
	return Failed
}

// isTimeout finds syscall.ETIMEDOUT, and what a virtual network may return.
func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}
