package forward

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// farAway returns the address of a proxy to the server that adds the round trip
// time.
func farAway(t *testing.T, rtt time.Duration) func(server string) (string, func()) {
	return func(server string) (string, func()) {
		listener, err := net.Listen("tcp4", "127.0.0.1:0") //nolint:noctx // loopback
		must(t, err)
		var all sync.WaitGroup
		all.Go(func() {
			for {
				near, err := listener.Accept()
				if err != nil {
					return
				}
				far, err := net.Dial("tcp4", server) //nolint:noctx // loopback
				if err != nil {
					_ = near.Close()
					return
				}
				all.Go(func() { delay(far, near, rtt/2) })
				all.Go(func() { delay(near, far, rtt/2) })
			}
		})
		return listener.Addr().String(), func() {
			_ = listener.Close()
			all.Wait()
		}
	}
}

// delay copies, and has every byte arrive that much later.
func delay(to, from net.Conn, by time.Duration) {
	type parcel struct {
		data []byte
		due  time.Time
	}
	parcels := make(chan parcel, 10_000)
	go func() {
		defer close(parcels)
		for {
			data := make([]byte, 32<<10)
			n, err := from.Read(data)
			if err != nil {
				return
			}
			parcels <- parcel{data[:n], time.Now().Add(by)}
		}
	}()
	for p := range parcels {
		time.Sleep(time.Until(p.due))
		_, _ = to.Write(p.data)
	}
	_ = to.Close()
}

func TestTunnelTakesTwoRoundTripsToTheFirstByte(t *testing.T) {
	const rtt = 200 * time.Millisecond
	overBoth(t, farEcho, func(t *testing.T, f *farEnd) {
		tunnel := f.tunnel(t, farAway(t, rtt))
		best := time.Hour
		for range 3 { // the machine may be busy
			first := open(t, tunnel, 80)
			eventually(t, "connections ahead", 1, func() int { return ahead(tunnel) })
			best = min(best, firstByte(t, tunnel))
			must(t, first.Close())
		}
		if trips := best.Seconds() / rtt.Seconds(); trips > 2.1 {
			t.Errorf("got %.2f round trips, want 2.1 at most", trips)
		} else {
			t.Logf("%.2f round trips", trips)
		}
	})
}

// ahead counts the connections that are ready and unused.
func ahead(t *Tunnel) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, s := range t.unused() {
		if h := s.health(); h.usable && !h.pending && !s.dropped {
			n++
		}
	}
	return min(n, 1)
}

// firstByte is the time from the wish to connect to the first byte of the answer.
func firstByte(t *testing.T, tunnel *Tunnel) time.Duration {
	t.Helper()
	start := time.Now()
	conn := open(t, tunnel, 80)
	defer func() { _ = conn.Close() }()
	_, err := conn.Write([]byte("x"))
	must(t, err)
	_, err = io.ReadFull(conn, make([]byte, 1))
	must(t, err)
	return time.Since(start)
}
