package forward

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// drainIdle is how long a session may still wait for an answer when the forward
// ends.
const drainIdle = time.Second

// sessions are the UDP clients of a forward: what comes from one address and
// port goes to one endpoint, and what that answers goes back.
type sessions struct {
	*Forward
	buffers datagrams
	mu      sync.Mutex
	open    map[netip.AddrPort]*session
}

// session is one client's.
type session struct {
	*flow
	near   *net.UDPConn // where the client sends to
	client netip.AddrPort
	member *member
	far    net.Conn
	moved  atomic.Int64 // when a datagram went either way, in nanoseconds since 1970
}

// serveUDP passes datagrams on until ctx ends. Sessions that are open then may
// still get their answers.
func (f *Forward) serveUDP(ctx, work context.Context) error {
	s := &sessions{Forward: f, open: map[netip.AddrPort]*session{}}
	defer s.drain()
	return f.each(len(f.packets), func(i int) error { return s.receive(ctx, work, f.packets[i]) })
}

// receive passes on what comes to one of the sockets.
func (s *sessions) receive(ctx, work context.Context, near *net.UDPConn) error {
	datagram := make([]byte, datagramMost)
	for {
		n, client, err := near.ReadFromUDPAddrPort(datagram)
		switch {
		case err == nil:
			s.pass(work, near, client, datagram[:n])
		case ctx.Err() != nil:
			return nil //nolint:nilerr // the end of the work has closed it
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("%s: the socket on %s was closed", s.options.Forward, near.LocalAddr())
		default:
			why := fmt.Sprintf("receive a datagram: %v; going on", err)
			s.events.send(Event{At: s.options.Now(), Kind: Trouble, Reason: why})
			select {
			case <-time.After(acceptPause):
			case <-ctx.Done():
			}
		}
	}
}

// pass sends a datagram to the client's endpoint. One that finds none is lost,
// as is the way of UDP. Where the endpoint has left, the next datagram goes to
// another one.
func (s *sessions) pass(work context.Context, near *net.UDPConn, client netip.AddrPort, datagram []byte) {
	s.mu.Lock()
	found := s.open[client]
	s.mu.Unlock()
	if found == nil || found.hasLeft() {
		var err error
		if found, err = s.begin(work, near, client); err != nil {
			s.refusals.note(s.Forward, err.Error())
			return
		}
	}
	if n, err := found.far.Write(datagram); err == nil {
		found.sent.Add(int64(n))
		s.keep(found)
	}
}

// keep lets a session on which something has moved live on.
func (s *sessions) keep(n *session) {
	now := time.Now()
	n.moved.Store(now.UnixNano())
	_ = n.far.SetReadDeadline(now.Add(s.options.idle))
}

// begin opens a session on an endpoint.
func (s *sessions) begin(work context.Context, near *net.UDPConn, client netip.AddrPort) (*session, error) {
	route, ok := (*s.route.Load()).(PacketRoute)
	if !ok {
		return nil, errors.New("the route carries no UDP")
	}
	n := &session{flow: &flow{}, near: near, client: client}
	if n.member, _ = s.pool.take(client.Addr().String(), nil, n.flow); n.member == nil {
		return nil, errors.New(cmp.Or(s.pool.reason(), "no endpoint is known yet"))
	}
	var err error
	if n.far, err = route.OpenPackets(work, n.target); err != nil {
		s.pool.failed(n.member, err)
		s.pool.end(n.member, n.flow)
		return nil, err
	}
	s.keep(n)
	n.attach(n.far)
	s.mu.Lock()
	if s.open[client] == nil { // else it takes its own place
		s.makeRoom()
	}
	s.open[client] = n
	s.mu.Unlock()
	s.Forward.open.Add(1)
	s.options.Wake()
	s.work.Add(1)
	go s.answer(n)
	return n, nil
}

// makeRoom ends the session that was idle for the longest when there are too
// many: a client that asks from a new port each time, as those of DNS do, never
// comes back to the old ones. The lock is held.
func (s *sessions) makeRoom() {
	if len(s.open) < mostOpen {
		return
	}
	var idlest *session
	for _, n := range s.open {
		if idlest == nil || n.moved.Load() < idlest.moved.Load() {
			idlest = n
		}
	}
	delete(s.open, idlest.client)
	_ = idlest.far.Close()
}

// answer passes on what the endpoint sends, until nothing has moved for the
// idle time or nobody is there.
func (s *sessions) answer(n *session) {
	defer s.work.Done()
	defer s.Forward.open.Add(-1)
	defer s.end(n)
	far := s.buffers.reader(n.far)
	for proved := false; ; {
		err := far.next(func(datagram []byte) {
			n.received.Add(int64(len(datagram)))
			s.keep(n)
			_, _ = n.near.WriteToUDPAddrPort(datagram, n.client)
		})
		switch {
		case err == nil:
		case errors.Is(err, syscall.ECONNREFUSED) && !n.hasLeft():
			s.pool.failed(n.member, err)
			return
		default: // idle, or severed
			return
		}
		if !proved {
			proved = true
			s.pool.proved(n.member)
		}
	}
}

func (s *sessions) end(n *session) {
	_ = n.far.Close()
	s.mu.Lock()
	if s.open[n.client] == n {
		delete(s.open, n.client)
	}
	s.mu.Unlock()
	s.pool.end(n.member, n.flow)
}

// drain shortens the time that sessions wait: they do not end by themselves.
func (s *sessions) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.open {
		_ = n.far.SetReadDeadline(time.Now().Add(drainIdle))
	}
}
