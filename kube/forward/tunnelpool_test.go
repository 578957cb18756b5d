package forward

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"podpath/kube"
)

func TestTunnelReusesConnections(t *testing.T) {
	overBoth(t, func(t *testing.T, p *practice) {
		tunnel, web := p.tunnel(t), p.serve(t, "web", echo)
		for range 20 {
			if got, err := ask(t.Context(), tunnel, web, "hello"); got != "hello" || err != nil {
				t.Fatalf("got %q, %v", got, err)
			}
		}
		if got := p.upgrades(); got > 2 {
			t.Errorf("got %d upgrades for 20 clients in turn, want one, and one ahead", got)
		}
	})
}

func TestTunnelKeepsOneConnectionAhead(t *testing.T) {
	p := newPractice(t)
	tunnel, web := p.tunnel(t), p.serve(t, "web", echo)
	for clients := range linksPerPod + 2 {
		conn := open(t, tunnel, web)
		defer func() { _ = conn.Close() }()
		eventually(t, "upgrades", min(clients+2, linksPerPod), p.upgrades)
	}
}

// eventually waits until what is got is wanted.
func eventually(t *testing.T, what string, want int, got func() int) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); got() != want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%s: got %d, want %d", what, got(), want)
		}
	}
}

func (t *Tunnel) size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.total
}

func TestTunnelClosesConnectionsThatNobodyUses(t *testing.T) {
	p := newPractice(t)
	tunnel, web := p.tunnel(t), p.serve(t, "web", echo)
	tunnel.timing.idle = 100 * time.Millisecond
	used := open(t, tunnel, web)
	eventually(t, "connections", 2, tunnel.size)
	eventually(t, "connections", 1, tunnel.size)
	checkEcho(t, used)
	must(t, used.Close())
	eventually(t, "connections", 0, tunnel.size)
}

func TestTunnelMakesRoomAtItsLimit(t *testing.T) {
	p := newPractice(t)
	tunnel, web := p.tunnel(t), p.serve(t, "web", echo)
	to := func(i int) Target {
		other := web
		other.Pod += strconv.Itoa(i)
		p.join(t, other)
		return other
	}
	for i := range linksInAll {
		conn, err := tunnel.Open(t.Context(), to(i))
		must(t, err)
		defer func() { _ = conn.Close() }()
	}
	if _, err := tunnel.Open(t.Context(), to(linksInAll)); err == nil {
		t.Error("got one more than the limit")
	}
	shares, err := tunnel.Open(t.Context(), to(0))
	must(t, err)
	checkEcho(t, shares)
	must(t, shares.Close())
	if got := tunnel.size(); got != linksInAll {
		t.Errorf("got %d connections, want %d", got, linksInAll)
	}
}

func TestTunnelLeavesThePredecessorOfAPodAlone(t *testing.T) {
	p := newPractice(t)
	tunnel, web := p.tunnel(t), p.serve(t, "web", echo)
	first := open(t, tunnel, web)
	must(t, first.Close())
	before := p.upgrades()
	reborn := web
	reborn.Address = "10.0.0.8"
	conn, err := tunnel.Open(t.Context(), reborn)
	must(t, err)
	must(t, conn.Close())
	if p.upgrades() == before {
		t.Error("got a connection to the Pod that had the address before")
	}
}

func TestTunnelOutlivesItsConnections(t *testing.T) {
	overBoth(t, func(t *testing.T, p *practice) {
		tunnel, web := p.tunnel(t), p.serve(t, "web", echo)
		conn := open(t, tunnel, web)
		defer func() { _ = conn.Close() }()
		eventually(t, "connections", 2, tunnel.size)
		p.wire.cut()
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("got %v, want a reset: a clean end would look like success", err)
		}
		if got, err := ask(t.Context(), tunnel, web, "hello"); got != "hello" || err != nil {
			t.Errorf("got %q, %v after the connections were cut", got, err)
		}
	})
}

func TestTunnelCloseLetsOpenConnectionsLive(t *testing.T) {
	p := newPractice(t)
	tunnel, web := p.tunnel(t), p.serve(t, "web", echo)
	conn := open(t, tunnel, web)
	must(t, tunnel.Close())
	checkEcho(t, conn)
	if _, err := tunnel.Open(t.Context(), web); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want closed", err)
	}
	must(t, conn.Close())
	eventually(t, "connections", 0, tunnel.size)
}

// mute is a dialer whose far side takes everything and never says a word.
type mute struct {
	mu    sync.Mutex
	dials int
}

func (m *mute) DialPortForward(context.Context, kube.Key) (io.ReadWriteCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dials++
	near, far := net.Pipe()
	go func() { _, _ = io.Copy(io.Discard, far) }()
	return near, nil
}

func TestTunnelFindsADeadConnection(t *testing.T) {
	tunnel := NewTunnel(&mute{})
	tunnel.timing.pingEvery, tunnel.timing.pingWait = 50*time.Millisecond, 50*time.Millisecond
	defer func() { must(t, tunnel.Close()) }()
	start := time.Now()
	_, err := tunnel.Open(t.Context(), Target{Pod: "web"})
	if !errors.Is(err, errDead) || time.Since(start) > 5*time.Second {
		t.Errorf("got %v after %s, want it found dead by ping", err, time.Since(start))
	}
	eventually(t, "connections", 0, tunnel.size)
}

func TestTunnelOpenEndsWithItsContext(t *testing.T) {
	dialer := &mute{}
	tunnel := NewTunnel(dialer)
	tunnel.timing.flush = 50 * time.Millisecond
	defer func() { must(t, tunnel.Close()) }()
	for range 3 { // the others find a connection that has not answered yet
		left := errors.New("the user left")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, left)
		if _, err := tunnel.Open(ctx, Target{Pod: "web"}); !errors.Is(err, left) {
			t.Errorf("got %v, want the cause", err)
		}
		cancel()
	}
}

func TestTunnelPingsAreAnswered(t *testing.T) {
	overBoth(t, func(t *testing.T, p *practice) {
		tunnel, web := p.tunnel(t), p.serve(t, "web", echo)
		tunnel.timing.pingEvery = 50 * time.Millisecond
		conn := open(t, tunnel, web)
		defer func() { _ = conn.Close() }()
		link, opened := conn.(*tunnelConn).link, time.Now()
		until(t, "something is heard though nothing is sent", func() bool {
			link.mu.Lock()
			defer link.mu.Unlock()
			return link.heard.After(opened.Add(tunnel.timing.pingEvery))
		})
		if asked := link.health(); asked.troubled || !asked.usable {
			t.Errorf("got %+v", asked)
		}
		checkEcho(t, conn)
	})
}
