package forward

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// bulk sends without end.
func bulk(c *net.TCPConn) { _, _ = io.Copy(c, neverEnding{}) }

func TestTunnelClientThatReadsNothingHarmsNobody(t *testing.T) {
	overBoth(t, func(t *testing.T, p *practice) {
		tunnel, web, floods := p.tunnel(t), p.serve(t, "web", echo), p.serve(t, "web", bulk)
		siblings := make([]Conn, 2*linksPerPod)
		for i := range siblings {
			siblings[i] = open(t, tunnel, web)
			defer func() { _ = siblings[i].Close() }()
		}
		quiet := roundTrips(t, siblings, 200*time.Millisecond)
		stalled := open(t, tunnel, floods)
		defer func() { _ = stalled.Close() }()
		_, err := io.ReadFull(stalled, make([]byte, 1<<20))
		must(t, err)
		during := roundTrips(t, siblings, 2*time.Second)
		t.Logf("p99 %s, and %s beside a client that reads nothing", quiet, during)
		if during > 20*quiet+50*time.Millisecond {
			t.Errorf("got p99 %s, before %s", during, quiet)
		}
		late := open(t, tunnel, web)
		defer func() { _ = late.Close() }()
		checkEcho(t, late)
		if late.(*tunnelConn).link == stalled.(*tunnelConn).link {
			t.Error("a new client shares the connection with the one that reads nothing")
		}
	})
}

// roundTrips has the clients send and read for a while, and returns the p99.
func roundTrips(t *testing.T, clients []Conn, d time.Duration) time.Duration {
	t.Helper()
	var mu sync.Mutex
	var all []time.Duration
	var running sync.WaitGroup
	until := time.Now().Add(d)
	for _, c := range clients {
		running.Go(func() {
			for time.Now().Before(until) {
				start := time.Now()
				if _, err := c.Write([]byte("ping")); err != nil {
					t.Error(err)
					return
				}
				if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				all = append(all, time.Since(start))
				mu.Unlock()
				time.Sleep(time.Millisecond)
			}
		})
	}
	running.Wait()
	slices.Sort(all)
	return all[len(all)*99/100]
}

func TestTunnelClientAloneIsWaitedFor(t *testing.T) {
	var sent atomic.Int64
	p := newPractice(t)
	tunnel, floods := p.tunnel(t), p.serve(t, "web", func(c *net.TCPConn) {
		for block := make([]byte, 32<<10); ; {
			n, err := c.Write(block)
			if sent.Add(int64(n)); err != nil {
				return
			}
		}
	})
	tunnel.timing = timing{pingEvery: 50 * time.Millisecond, pingWait: stallTime / 2, patience: stallTime, idle: time.Minute, flush: time.Second}
	conn := open(t, tunnel, floods)
	defer func() { _ = conn.Close() }()
	time.Sleep(stallTime + 500*time.Millisecond)
	before := sent.Load()
	time.Sleep(200 * time.Millisecond)
	if more := sent.Load() - before; more > 0 {
		t.Errorf("the sender goes on: %d bytes more", more)
	}
	link := conn.(*tunnelConn).link
	link.mu.Lock()
	waiting := link.waiting
	link.mu.Unlock()
	if waiting > 2*window {
		t.Errorf("got %d bytes in memory", waiting)
	}
	if _, err := io.ReadFull(conn, make([]byte, 16<<20)); err != nil {
		t.Errorf("got %v when it reads again", err)
	}
}

func TestTunnelCancelledDownloadTouchesNobody(t *testing.T) {
	overBoth(t, func(t *testing.T, p *practice) {
		tunnel, web, floods := p.tunnel(t), p.serve(t, "web", echo), p.serve(t, "web", bulk)
		siblings := make([]Conn, linksPerPod)
		for i := range siblings {
			siblings[i] = open(t, tunnel, web)
			defer func() { _ = siblings[i].Close() }()
		}
		for range 8 {
			conn := open(t, tunnel, floods)
			_, err := io.ReadFull(conn, make([]byte, 1<<20))
			must(t, err)
			must(t, conn.Close())
		}
		for _, s := range siblings {
			checkEcho(t, s)
		}
	})
}

func TestTunnelCancelledDownloadEndsWithItsConnection(t *testing.T) {
	p := newPractice(t)
	tunnel, web, floods := p.tunnel(t), p.serve(t, "web", echo), p.serve(t, "web", bulk)
	conn := open(t, tunnel, floods)
	_, err := io.ReadFull(conn, make([]byte, 1<<20))
	must(t, err)
	must(t, conn.Close())
	link := conn.(*tunnelConn).link
	select {
	case <-link.ended:
	case <-time.After(500 * time.Millisecond):
		t.Error("the connection still brings what nobody reads")
	}
	if got, err := ask(t.Context(), tunnel, web, "hello"); got != "hello" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestTunnelClientThatStallsOnASharedConnectionIsTold(t *testing.T) {
	p := newPractice(t)
	near, web, floods := p.tunnel(t), p.serve(t, "web", echo), p.serve(t, "web", bulk)
	first := open(t, near, floods)
	defer func() { _ = first.Close() }()
	link := first.(*tunnelConn).link
	second, err := link.openStream(t.Context(), web.Port)
	must(t, err)
	if p99 := roundTrips(t, []Conn{&tunnelConn{stream: second}}, 3*stallTime); p99 > stallTime/2 {
		t.Errorf("got p99 %s", p99)
	}
	n, err := io.Copy(io.Discard, first)
	if !errors.Is(err, errUnread) || n > 2*sharedWindow {
		t.Errorf("got %d bytes, %v", n, err)
	}
	link.mu.Lock()
	second.leave()
	link.mu.Unlock()
}

// The shorter a pause, the likelier its end comes before anybody waits for it.
func TestAPauseOfTheReceiverEnds(t *testing.T) {
	l := newLink(nil, timing{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.mu.Lock()
		defer l.mu.Unlock()
		for i := range 300 {
			l.pause(time.Duration(i%50) * time.Microsecond)
		}
	}()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("got a pause of microseconds that goes on")
	}
}

func TestTunnelPodThatReadsNothingIsWaitedFor(t *testing.T) {
	resume, goOn := context.WithCancel(t.Context())
	defer goOn()
	p := newPractice(t)
	tunnel, web, sleeps := p.tunnel(t), p.serve(t, "web", echo), p.serve(t, "web", func(c *net.TCPConn) { <-resume.Done(); echo(c) })
	tunnel.timing.pingEvery, tunnel.timing.pingWait = 50*time.Millisecond, stallTime+100*time.Millisecond // so that a write is known to be held up by then
	stuck := open(t, tunnel, sleeps)
	defer func() { _ = stuck.Close() }()
	var sending sync.WaitGroup
	const size = 32 << 20
	sending.Go(func() {
		if _, err := stuck.Write(make([]byte, size)); err != nil {
			t.Error(err)
		}
	})
	time.Sleep(2 * stallTime)
	for range 2 * linksPerPod {
		sibling := open(t, tunnel, web)
		defer func() { _ = sibling.Close() }()
		checkEcho(t, sibling)
	}
	goOn()
	if _, err := io.ReadFull(stuck, make([]byte, size)); err != nil {
		t.Error(err)
	}
	sending.Wait()
}
