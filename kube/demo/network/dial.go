package network

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"time"
)

const (
	// firstPort to lastPort are the ports of clients (Linux: ip_local_port_range).
	firstPort, lastPort = 32768, 60999
	// patience is how long a connection takes that nobody answers: Linux sends
	// the first packet six times again (tcp_syn_retries).
	patience = 127 * time.Second
)

// DialContext connects to HOST:PORT over tcp or udp. A host that is no address is
// looked up in the cluster's DNS, as far as the place asks there. Errors are
// those of the system; where nobody answers it takes until ctx ends.
func (p *Place) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	fail := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: &net.UnixAddr{Name: address, Net: network}, Err: err}
	}
	to, err := p.resolve(ctx, address)
	if err != nil {
		return fail(err)
	}
	if !to.Addr().Is4() {
		return fail(syscall.ENETUNREACH)
	}
	n := p.network
	v := n.view()
	from, err := p.at(v)
	if err != nil {
		return fail(err)
	}
	f := n.route(v, from, network, to)
	if network == "udp" && errors.Is(f.err, errDropped) { // as if it were sent
		near, _ := n.ends(from, to, fate{seen: from.ip, at: to}, network)
		return near, nil
	}
	if errors.Is(f.err, errDropped) {
		f.delay, f.err = patience, syscall.ETIMEDOUT
	}
	if err := n.wait(ctx, f.delay); err != nil {
		return fail(err)
	}
	if network == "tcp" && f.err != nil {
		return fail(f.err)
	}
	near, far := n.ends(from, to, f, network)
	if f.err != nil {
		near.fault(f.err)
		return near, nil //nolint:nilerr // over UDP it shows in the answer
	}
	if !n.accept(&session{near, far, from, f.to}, f) {
		return fail(syscall.ENETDOWN)
	}
	return near, nil
}

// wait lets time pass.
func (n *Network) wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-n.ctx.Done():
		return syscall.ENETDOWN
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return os.ErrDeadlineExceeded
		}
		return ctx.Err()
	}
}

// ends are both ends of a new connection, each with the addresses that it knows.
func (n *Network) ends(from *host, to netip.AddrPort, f fate, network string) (near, far *conn) {
	n.mu.Lock()
	if n.port++; n.port > lastPort {
		n.port = firstPort
	}
	port := n.port
	n.mu.Unlock()
	own := from.ip
	if to.Addr().IsLoopback() {
		own = to.Addr()
	}
	address := func(a netip.AddrPort) net.Addr {
		if network == "udp" {
			return net.UDPAddrFromAddrPort(a)
		}
		return net.TCPAddrFromAddrPort(a)
	}
	near, far = newLink(address(netip.AddrPortFrom(own, port)), address(to))
	far.local, far.remote = address(f.at), address(netip.AddrPortFrom(f.seen, port))
	return near, far
}

// accept starts what serves the connection. It reports false when the network
// is closed.
func (n *Network) accept(s *session, f fate) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ctx.Err() != nil {
		return false
	}
	n.open[s] = true
	n.work.Go(func() {
		n.serve(s.far, f)
		_ = s.far.Close()
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.open, s)
	})
	return true
}

// resolve finds the address of HOST:PORT.
func (p *Place) resolve(ctx context.Context, address string) (netip.AddrPort, error) {
	if to, err := netip.ParseAddrPort(address); err == nil {
		return netip.AddrPortFrom(to.Addr().Unmap(), to.Port()), nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, err
	}
	found, err := p.lookup(ctx, host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return netip.AddrPortFrom(found, uint16(number)), nil
}
