package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"podpath/kube"
)

// PodDialer connects to the runtime of a Pod's Node, which speaks SPDY/3.1 in the
// protocol portforward.k8s.io. A *kube.PortForwarder does.
type PodDialer interface {
	DialPortForward(ctx context.Context, pod kube.Key) (io.ReadWriteCloser, error)
}

// Limits of a tunnel, in upgraded connections. Each costs the API server, the
// kubelet and the runtime one connection.
const (
	linksPerPod = 4
	linksInAll  = 64
	// prefetchBelow keeps room for Pods that are in use.
	prefetchBelow = linksInAll / 2
)

// dialTimeout bounds the upgrade of a connection: several clients may wait for
// one, so that no client's context does.
const dialTimeout = 10 * time.Second

// Tunnel is the route through the API server (pods/portforward). It keeps a pool
// of upgraded connections per Pod: a client has one of its own, unless a Pod
// has more than four clients at once. From Open to the first byte of an answer
// it takes two round trips to the Node, when a connection is there already.
type Tunnel struct {
	dialer PodDialer
	timing timing

	mu     sync.Mutex
	closed bool
	pools  map[place][]*slot
	total  int // of slots that are not dropped
}

// NewTunnel returns a route that uses the dialer. It sends nothing yet.
func NewTunnel(dialer PodDialer) *Tunnel {
	return &Tunnel{dialer: dialer, pools: map[place][]*slot{}, timing: timing{
		pingEvery: 10 * time.Second, pingWait: 5 * time.Second, patience: 2 * time.Minute,
		idle: time.Minute, flush: 2 * time.Second,
		answer: answerWait, rest: restWait, cut: cutAfter,
	}}
}

// Open connects to a port of the target's Pod. There is no sign from the far side
// that the port has answered: "connection refused" and the like come as a
// *RemoteError from Read and Write of the connection, or, when they are quick,
// from Open. Other errors of Open are about the tunnel: a *kube.AccessError, a
// *kube.PortForwardError, or ctx's.
func (t *Tunnel) Open(ctx context.Context, to Target) (Conn, error) {
	address := net.JoinHostPort(to.Address, strconv.Itoa(to.Port))
	if to.Pod == "" {
		return nil, fmt.Errorf("no Pod is known behind %s, and a tunnel leads only to Pods: use the direct route", address)
	}
	at := place{kube.Key{Namespace: to.Namespace, Name: to.Pod}, to.Address}
	for {
		slot, fresh, err := t.acquire(at)
		if err != nil {
			return nil, fmt.Errorf("tunnel to %s: %w", at.pod, err)
		}
		s, err := slot.open(ctx, to.Port)
		if err == nil {
			t.prefetch(at)
			return &tunnelConn{stream: s, address: tunnelAddr(address), leave: sync.OnceFunc(func() { t.release(slot) })}, nil
		}
		t.release(slot)
		// One that has waited in the pool may have died there.
		if fresh || ctx.Err() != nil || !errors.Is(err, errLost) && !errors.Is(err, errGone) {
			return nil, fmt.Errorf("tunnel to %s: %w", at.pod, err)
		}
	}
}

// Close ends dials and connections that nobody uses, and waits for them. Those in
// use end with the last of their clients.
func (t *Tunnel) Close() error {
	t.mu.Lock()
	t.closed = true
	unused := t.unused()
	for _, s := range unused {
		t.drop(s)
	}
	t.mu.Unlock()
	for _, s := range unused {
		<-s.done
	}
	return nil
}

// tunnelConn is a stream that takes part in the pool.
type tunnelConn struct {
	*stream
	address tunnelAddr
	leave   func()
}

// Close ends the connection at once; what was written is still sent.
func (c *tunnelConn) Close() error {
	c.link.mu.Lock()
	c.stream.leave()
	c.link.mu.Unlock()
	c.leave()
	return nil
}

// LocalAddr names the way, for there is no address on the Pod's side.
func (c *tunnelConn) LocalAddr() net.Addr { return tunnelAddr("pods/portforward") }

// RemoteAddr is the endpoint's address.
func (c *tunnelConn) RemoteAddr() net.Addr { return c.address }

type tunnelAddr string

func (tunnelAddr) Network() string  { return "tunnel" }
func (a tunnelAddr) String() string { return string(a) }
