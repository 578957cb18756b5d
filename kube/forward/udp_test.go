package forward

import (
	"net"
	"sync"
	"testing"
	"time"
)

// serveUDP starts a backend that puts its name before what it gets.
func serveUDP(t testing.TB, name string) (Endpoint, func()) {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		datagram := make([]byte, 2000)
		for {
			n, from, err := c.ReadFromUDP(datagram)
			if err != nil {
				return
			}
			_, _ = c.WriteToUDP(append([]byte(name+" "), datagram[:n]...), from)
		}
	})
	stop := sync.OnceFunc(func() { _ = c.Close(); wait.Wait() })
	t.Cleanup(stop)
	return Endpoint{Target: Target{Address: "127.0.0.1", Port: c.LocalAddr().(*net.UDPAddr).Port, Pod: name}, Ready: true}, stop
}

// client is a UDP socket that talks to the forward.
type client struct{ *net.UDPConn }

func (r *running) client(t testing.TB) client {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "udp", r.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return client{c.(*net.UDPConn)}
}

// ask sends a datagram until an answer comes: any may be lost.
func (c client) ask(t testing.TB, what string) string {
	t.Helper()
	answer := make([]byte, 2000)
	for end := time.Now().Add(patience); time.Now().Before(end); {
		_, _ = c.Write([]byte(what))
		_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		if n, err := c.Read(answer); err == nil {
			return string(answer[:n])
		}
	}
	t.Fatalf("no answer to %q", what)
	return ""
}

func TestDatagramsOfAClientStayWithOneEndpoint(t *testing.T) {
	a, _ := serveUDP(t, "a")
	b, _ := serveUDP(t, "b")
	r := start(t, Options{Protocol: "UDP", Policy: RoundRobin}, a, b)
	seen := map[string]int{}
	for range 4 {
		c := r.client(t)
		first := c.ask(t, "x")
		if second := c.ask(t, "x"); first != second {
			t.Errorf("got %q after %q, want the same endpoint", second, first)
		}
		seen[first]++
	}
	if seen["a x"] != 2 || seen["b x"] != 2 {
		t.Errorf("got %v, want both endpoints alike", seen)
	}
	if s := r.Stats(); s.Open != 4 || s.All.Total != 4 || s.All.Sent < 8 || s.All.Received < 24 {
		t.Errorf("got %+v, want 4 sessions with their bytes", s)
	}
}

func TestSessionsEndWhenNothingMoves(t *testing.T) {
	a, _ := serveUDP(t, "a")
	r := start(t, Options{Protocol: "UDP", idle: 50 * time.Millisecond}, a)
	c := r.client(t)
	c.ask(t, "x")
	until(t, "the session has ended", func() bool { return r.Stats().Open == 0 })
	if got := c.ask(t, "again"); got != "a again" {
		t.Errorf("got %q from a new session", got)
	}
}

func TestSessionsMoveWhenTheirEndpointLeavesOrDies(t *testing.T) {
	a, stopA := serveUDP(t, "a")
	b, _ := serveUDP(t, "b")
	c, _ := serveUDP(t, "c")
	r := start(t, Options{Protocol: "UDP"}, a)
	client := r.client(t)
	client.ask(t, "x")
	stopA() // its port is closed now: the kernel says so by ICMP
	r.Update(View{Endpoints: []Endpoint{a, b}})
	until(t, "another endpoint answers", func() bool { return client.ask(t, "x") == "b x" })
	r.Update(View{Endpoints: []Endpoint{c}})
	until(t, "the one that came answers", func() bool { return client.ask(t, "x") == "c x" })
}

func TestDatagramsWithoutAnEndpointAreLostAndCounted(t *testing.T) {
	r := start(t, Options{Protocol: "UDP"})
	c := r.client(t)
	_, _ = c.Write([]byte("x"))
	if e := r.await(t, Refused); e.Reason != "no endpoint is ready" {
		t.Errorf("got %+v", e)
	}
	a, _ := serveUDP(t, "a")
	r.Update(View{Endpoints: []Endpoint{a}})
	if got := c.ask(t, "x"); got != "a x" {
		t.Errorf("got %q once there is one", got)
	}
}
