//go:build linux

package wire_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"podpath/probes/wire"
)

// want compares the parts of an answer that do not depend on the clock.
func want(t *testing.T, got wire.Answer, result wire.Result, connected bool, data []byte) {
	t.Helper()
	if got.Result != result || got.Connected != connected || !bytes.Equal(got.Data, data) {
		t.Errorf("got %s, connected %t, %.300q, want %s, connected %t, %.300q",
			got.Result, got.Connected, got.Data, result, connected, data)
	}
}

// exchanges are the behaviours of a single request.
func exchanges() []behaviour {
	one := func(p prober, t *testing.T, r wire.Request) wire.Answer {
		t.Helper()
		r.ID = 7
		if r.Timeout == 0 {
			r.Timeout = 10 * time.Second
		}
		if r.Address == "" {
			r.Address = loopback
		}
		return p.whole(t, r)[7]
	}
	return []behaviour{
		{"connects, and receives nothing when not asked to", "", func(t *testing.T, p prober) {
			port := serve(t, loopback, stalls([]byte("220 ready\r\n")))
			want(t, one(p, t, wire.Request{Op: wire.TCP, Port: port}), wire.OK, true, nil)
		}},
		{"receives a banner to the count", "", func(t *testing.T, p prober) {
			port := serve(t, loopback, stalls([]byte("220 ready\r\n")))
			want(t, one(p, t, wire.Request{Op: wire.TCP, Port: port, Count: 9}), wire.OK, true, []byte("220 ready"))
		}},
		{"sends and receives until the server closes", "", func(t *testing.T, p prober) {
			request := []byte("GET /index.html HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
			port := serve(t, loopback, returns(len(request)))
			want(t, one(p, t, wire.Request{Op: wire.TCP, Port: port, Count: 4000, Data: request}), wire.OK, true, request)
		}},
		{"moves every byte both ways", "", func(t *testing.T, p prober) {
			port := serve(t, loopback, returns(256))
			want(t, one(p, t, wire.Request{Op: wire.TCP, Port: port, Count: 256, Data: allBytes()}), wire.OK, true, allBytes())
		}},
		{"gives long data in parts", "", func(t *testing.T, p prober) {
			long := bytes.Repeat(allBytes(), 80)
			port := serve(t, loopback, sends(long))
			want(t, one(p, t, wire.Request{Op: wire.TCP, Port: port, Count: 1 << 20}), wire.OK, true, long)
		}},
		{"sends long data", "", func(t *testing.T, p prober) {
			long := bytes.Repeat(allBytes(), 16)
			port := serve(t, loopback, returns(len(long)))
			want(t, one(p, t, wire.Request{Op: wire.TCP, Port: port, Count: 1 << 20, Data: long}), wire.OK, true, long)
		}},
		{"says refused", "", func(t *testing.T, p prober) {
			want(t, one(p, t, wire.Request{Op: wire.TCP, Port: closedPort(t), Count: 9}), wire.Refused, false, nil)
		}},
		{"says timeout when nothing answers the SYN", "", func(t *testing.T, p prober) {
			began := time.Now()
			want(t, one(p, t, wire.Request{Op: wire.TCP, Port: blackHole(t), Count: 9, Timeout: time.Second}), wire.Timeout, false, nil)
			if took := time.Since(began); took < 900*time.Millisecond || took > patience/2 {
				t.Errorf("took %v, want about 1 s", took)
			}
		}},
		{"says timeout, and gives what has come, when the server is too slow", "", func(t *testing.T, p prober) {
			port := serve(t, loopback, stalls([]byte("HTTP/1.1 200 OK\r\n")))
			want(t, one(p, t, wire.Request{Op: wire.TCP, Port: port, Count: 999, Timeout: time.Second}), wire.Timeout, true, []byte("HTTP/1.1 200 OK\r\n"))
		}},
		{"says reset", "reset", func(t *testing.T, p prober) {
			port := serve(t, loopback, resets)
			want(t, one(p, t, wire.Request{Op: wire.TCP, Port: port, Count: 9, Data: []byte("x")}), wire.Reset, true, nil)
		}},
		{"speaks IPv6", "", func(t *testing.T, p prober) {
			port := serve(t, "::1", sends([]byte("six")))
			want(t, one(p, t, wire.Request{Op: wire.TCP, Address: "::1", Port: port, Count: 9}), wire.OK, true, []byte("six"))
		}},
		{"knows its port", "local port", func(t *testing.T, p prober) {
			ports := make(chan int, 1)
			port := serve(t, loopback, func(conn *net.TCPConn) { ports <- portOf(t, conn.RemoteAddr()) })
			if got, want := one(p, t, wire.Request{Op: wire.TCP, Port: port, Count: 1}).LocalPort, <-ports; got != want {
				t.Errorf("got %d, want %d", got, want)
			}
		}},
		{"gets a datagram back", "udp", func(t *testing.T, p prober) {
			long := append(allBytes(), allBytes()[:44]...)
			port := datagrams(t, func(b []byte) []byte { return append([]byte("re:"), b...) })
			want(t, one(p, t, wire.Request{Op: wire.UDP, Port: port, Count: 4096, Data: long}), wire.OK, false, append([]byte("re:"), long...))
		}},
		{"says refused for a datagram", "udp", func(t *testing.T, p prober) {
			want(t, one(p, t, wire.Request{Op: wire.UDP, Port: closedUDP(t), Count: 512, Data: []byte("?")}), wire.Refused, false, nil)
		}},
		{"says timeout when no datagram comes", "udp", func(t *testing.T, p prober) {
			port := datagrams(t, func([]byte) []byte { return nil })
			want(t, one(p, t, wire.Request{Op: wire.UDP, Port: port, Count: 512, Data: []byte("?"), Timeout: 500 * time.Millisecond}), wire.Timeout, false, nil)
		}},
		{"reads a file", "", func(t *testing.T, p prober) {
			path := filepath.Join(t.TempDir(), "with blank, ümlaut and $(true)")
			if err := os.WriteFile(path, bytes.Repeat(allBytes(), 8), 0o600); err != nil {
				t.Fatal(err)
			}
			want(t, one(p, t, wire.Request{Op: wire.File, Address: path, Count: 1000}), wire.OK, false, bytes.Repeat(allBytes(), 8)[:1000])
		}},
		{"reads the environment it was started with", "", func(t *testing.T, p prober) {
			got := one(p, t, wire.Request{Op: wire.File, Address: "/proc/self/environ", Count: 1 << 16})
			if own, _ := os.ReadFile("/proc/self/environ"); p.name == "serve" && bytes.Equal(got.Data, own) {
				return
			}
			if value := []byte("PODPATH_TEST=a b\nc\x00"); got.Result != wire.OK || !bytes.Contains(got.Data, value) {
				t.Errorf("got %s, %q, want %q in it", got.Result, got.Data, value)
			}
		}},
		{"fails with a text for a missing file", "", func(t *testing.T, p prober) {
			got := one(p, t, wire.Request{Op: wire.File, Address: "/nonexistent/file", Count: 9})
			if got.Result != wire.Failed || !strings.Contains(strings.ToLower(string(got.Data)), "no such file") {
				t.Errorf("got %s, %q, want failed and why", got.Result, got.Data)
			}
		}},
		{"fails with a text for what it does not know", "", func(t *testing.T, p prober) {
			got := one(p, t, wire.Request{Op: "fly"})
			if got.Result != wire.Failed || !strings.Contains(string(got.Data), "cannot fly") {
				t.Errorf("got %s, %q, want that it cannot fly", got.Result, got.Data)
			}
		}},
		{"keeps 100 requests going while one is stuck", "", func(t *testing.T, p prober) {
			others := make(chan struct{})
			server, stuck := serve(t, loopback, returns(5)), serve(t, loopback, func(conn *net.TCPConn) {
				<-others
				returns(5)(conn)
			})
			c := p.begin(t)
			var requests []wire.Request
			for i := 1; i <= 100; i++ {
				requests = append(requests, wire.Request{ID: i, Op: wire.TCP, Timeout: patience, Address: loopback, Port: server, Count: 99, Data: fmt.Appendf(nil, "%05d", i)})
			}
			requests[2].Port = stuck
			c.send(requests...)
			for i := range requests {
				if i == 99 {
					close(others)
				}
				a := c.next()
				if (a.ID == 3) != (i == 99) {
					t.Errorf("answer %d is to %d, want the one to 3 last", i+1, a.ID)
				}
				want(t, a, wire.OK, true, requests[a.ID-1].Data)
			}
			c.end()
		}},
	}
}
