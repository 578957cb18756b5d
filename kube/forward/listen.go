package forward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

// listen opens the local side for TCP. Package net sets SO_REUSEADDR, so that
// connections of an earlier run that are not forgotten yet are no obstacle.
func listen(ctx context.Context, a Address, port int) (net.Listener, error) {
	config := net.ListenConfig{}
	config.SetMultipathTCP(false) // it gains nothing here, and costs every connection
	if a.Unix != "" {
		return listenUnix(ctx, config, a.Unix)
	}
	if a.IP.IsLoopback() {
		config.KeepAlive = -1 // who is on the same machine does not vanish without a word
	}
	l, err := config.Listen(ctx, "tcp", a.with(port))
	if err != nil {
		return nil, listenError(err, a, port, "tcp")
	}
	return l, nil
}

// listenPackets opens the local side for UDP.
func listenPackets(ctx context.Context, a Address, port int) (*net.UDPConn, error) {
	if a.Unix != "" {
		return nil, fmt.Errorf("listen on unix:%s: UDP needs an IP address", a.Unix)
	}
	c, err := new(net.ListenConfig).ListenPacket(ctx, "udp", a.with(port))
	if err != nil {
		return nil, listenError(err, a, port, "udp")
	}
	return c.(*net.UDPConn), nil
}

// listenUnix opens a socket that only the user may use. One that a killed run
// left behind is replaced; one that somebody listens on is not.
func listenUnix(ctx context.Context, config net.ListenConfig, path string) (net.Listener, error) {
	config.Control = ownOnly
	l, err := config.Listen(ctx, "unix", path)
	if errors.Is(err, syscall.EADDRINUSE) {
		dialer := net.Dialer{Timeout: time.Second}
		probe, dialErr := dialer.DialContext(ctx, "unix", path)
		if dialErr == nil {
			_ = probe.Close()
			return nil, fmt.Errorf("listen on unix:%s: another program does already; choose another path", path)
		}
		if info, statErr := os.Lstat(path); errors.Is(dialErr, syscall.ECONNREFUSED) && statErr == nil && info.Mode()&os.ModeSocket != 0 {
			_ = os.Remove(path)
			l, err = config.Listen(ctx, "unix", path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("listen on unix:%s: %w", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("listen on unix:%s: %w", path, err)
	}
	return l, nil
}

// ownOnly gives a socket the mode that its file gets on Linux when it is bound:
// no moment passes in which others may use it.
func ownOnly(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), 0o600) }) // else it is changed afterwards
}

// listenError says what is in the way and what to do.
func listenError(err error, a Address, port int, network string) error {
	where := a.with(port)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("listen on %s: %s has this port already: choose another one, such as %d:…, or 0:… for a free one", where, holder("/proc", network, a.IP, port), port%50000+10000)
	case errors.Is(err, syscall.EACCES) && port < 1024:
		return fmt.Errorf("listen on %s: ports below 1024 are for root here: choose another one, such as %d:…", where, port+8000)
	case isAbsent(err):
		return fmt.Errorf("listen on %s: %w", where, errNoAddress)
	default:
		return fmt.Errorf("listen on %s: %w", where, err)
	}
}
