package network

import (
	"cmp"
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
	c, err := p.dial(ctx, network, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: &net.UnixAddr{Name: address, Net: network}, Err: err}
	}
	return c, nil
}

func (p *Place) dial(ctx context.Context, network, address string) (*conn, error) {
	to, err := p.resolve(ctx, address)
	if err != nil {
		return nil, err
	}
	n := p.network
	v := n.view()
	from, err := p.at(v)
	if err != nil {
		return nil, err
	}
	f := n.route(v, from, network, to)
	if f.err == 0 && network == "tcp" && n.full(f.by) {
		f.err = dropped
	}
	if network == "udp" && f.err != 0 { // it shows in the answer, or in that there is none
		near, _ := n.ends(from, to, f, network)
		if f.err != dropped {
			near.fault(f.err)
		}
		return near, nil
	}
	if err := n.await(ctx, f); err != nil {
		return nil, err
	}
	near, far := n.ends(from, to, f, network)
	return near, n.accept(near, far, f.by)
}

// await lets the time pass until one knows what becomes of a connection.
func (n *Network) await(ctx context.Context, f fate) error {
	if f.err == dropped {
		f.delay = patience
	}
	select {
	case <-time.After(f.delay):
	case <-n.ctx.Done(): // package net/http dials on when nobody waits for it any more
		return syscall.ENETDOWN
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return os.ErrDeadlineExceeded
		}
		return ctx.Err()
	}
	if f.err != 0 {
		return f.err
	}
	return nil
}

// ends are both ends of a new connection, each with the addresses that it knows.
func (n *Network) ends(from *host, to netip.AddrPort, f fate, network string) (near, far *conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.port++; n.port > lastPort {
		n.port = firstPort
	}
	own := from.ip
	if to.Addr().IsLoopback() {
		own = to.Addr()
	}
	near, far = newLink(network)
	near.host, near.local, near.remote = from, netip.AddrPortFrom(own, n.port), to
	far.host, far.local, far.remote = f.to, f.at, netip.AddrPortFrom(f.seen, n.port)
	return near, far
}

// accept starts what serves the connection, unless the network is closed.
func (n *Network) accept(near, far *conn, by listener) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ctx.Err() != nil {
		return syscall.ENETDOWN
	}
	n.open[near], n.open[far] = true, true
	if by.kind == "hang" && !far.packets {
		n.queued[by.queue()]++
	}
	n.work.Go(func() {
		server{far, n, by}.serve()
		_ = far.Close()
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.open, near)
		delete(n.open, far)
	})
	return nil
}

// resolve finds the address of HOST:PORT.
func (p *Place) resolve(ctx context.Context, address string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(address)
	number, errNumber := strconv.ParseUint(port, 10, 16)
	if err := cmp.Or(err, errNumber); err != nil {
		return netip.AddrPort{}, err
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		ip, err = p.lookup(ctx, host)
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(number)), err
}
