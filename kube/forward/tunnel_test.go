package forward

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// overBoth runs a test over a WebSocket and over SPDY.
func overBoth(t *testing.T, test func(t *testing.T, p *practice)) {
	for name, denied := range map[string]string{"WebSocket": "", "SPDY": noWebSocket} {
		t.Run(name, func(t *testing.T) {
			p := newPractice(t)
			p.deny(denied)
			test(t, p)
		})
	}
}

func open(t testing.TB, route Route, to Target) Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := route.Open(ctx, to)
	must(t, err)
	must(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	return conn
}

func TestTunnelCarriesAMegabyteEachWayAndTheEnd(t *testing.T) {
	overBoth(t, func(t *testing.T, p *practice) {
		web := p.serve(t, "web", func(c *net.TCPConn) { _, _ = io.CopyN(c, c, 1<<20) })
		conn := open(t, p.tunnel(t), web)
		defer func() { _ = conn.Close() }()
		want := make([]byte, 1<<20)
		for i := range want {
			want[i] = byte(rand.Uint32())
		}
		var sending sync.WaitGroup
		sending.Go(func() {
			for rest := want; len(rest) > 0; {
				n := min(len(rest), 1+rand.IntN(50_000))
				if _, err := conn.Write(rest[:n]); err != nil {
					t.Error(err)
					return
				}
				rest = rest[n:]
			}
			if err := conn.CloseWrite(); err != nil {
				t.Error(err)
			}
			if _, err := conn.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
				t.Errorf("got %v from Write after CloseWrite, want EPIPE", err)
			}
		})
		got, err := io.ReadAll(conn)
		sending.Wait()
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("got %d bytes (as sent: %t), error %v", len(got), bytes.Equal(got, want), err)
		}
	})
}

func TestTunnelServesFiftyClientsAtOnce(t *testing.T) {
	overBoth(t, func(t *testing.T, p *practice) {
		tunnel, web := p.tunnel(t), p.serve(t, "web", echo)
		var all sync.WaitGroup
		for client := range 50 {
			all.Go(func() {
				for round := range 20 {
					want := fmt.Sprintf("client %d, round %d", client, round)
					if got, err := ask(t.Context(), tunnel, web, want); got != want || err != nil {
						t.Errorf("got %q, %v; want %q", got, err, want)
					}
				}
			})
		}
		all.Wait()
		// Those that a busy machine makes look troubled do not count.
		if got := p.upgrades(); got > 3*linksPerPod {
			t.Errorf("got %d upgraded connections, want about %d", got, linksPerPod)
		}
	})
}

// ask opens a connection, sends the text, and reads as much back.
func ask(ctx context.Context, route Route, to Target, text string) (string, error) {
	conn, err := route.Open(ctx, to)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, text); err != nil {
		return "", err
	}
	got := make([]byte, len(text))
	_, err = io.ReadFull(conn, got)
	return string(got), err
}

func TestTunnelToldThatThePortRefusesSaysSo(t *testing.T) {
	overBoth(t, func(t *testing.T, p *practice) {
		tunnel := p.tunnel(t)
		sibling := open(t, tunnel, p.serve(t, "web", echo))
		defer func() { _ = sibling.Close() }()

		checkRefused(t, tunnel, dead(t, "web").Target)
		ended := open(t, tunnel, p.serve(t, "web", func(*net.TCPConn) {}))
		defer func() { _ = ended.Close() }()
		if got, err := io.ReadAll(ended); len(got) > 0 || err != nil {
			t.Errorf("got %q, %v of a server that closes; want a clean end", got, err)
		}
		if _, err := ended.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("got %v from Write after the end, want EPIPE", err)
		}
		checkEcho(t, sibling)
	})
}

// checkRefused wants connection refused: from Open if the far side is quick,
// else from Read and Write.
func checkRefused(t *testing.T, tunnel *Tunnel, to Target) {
	t.Helper()
	conn, err := tunnel.Open(t.Context(), to)
	var remote *RemoteError
	if err == nil {
		defer func() { _ = conn.Close() }()
		_, err = io.ReadAll(conn)
		if _, err := conn.Write([]byte("x")); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("got %v from Write, want connection refused", err)
		}
	}
	if !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &remote) {
		t.Errorf("got %v, want connection refused", err)
	}
}

func checkEcho(t *testing.T, conn net.Conn) {
	t.Helper()
	_, err := io.WriteString(conn, "still here")
	must(t, err)
	got := make([]byte, len("still here"))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != "still here" {
		t.Errorf("got %q, %v from a sibling", got, err)
	}
}

func TestTunnelSendsWhatWasWrittenBeforeClose(t *testing.T) {
	p, got := newPractice(t), make(chan int, 1)
	conn := open(t, p.tunnel(t), p.serve(t, "web", func(c *net.TCPConn) {
		n, _ := io.ReadFull(c, make([]byte, 200_000))
		got <- n
	}))
	_, err := conn.Write(make([]byte, 200_000))
	must(t, err)
	must(t, conn.Close())
	if n := <-got; n != 200_000 {
		t.Errorf("got %d bytes, want 200000", n)
	}
}

func TestTunnelDeadlinesHitOnlyTheirConnection(t *testing.T) {
	p := newPractice(t)
	tunnel, web := p.tunnel(t), p.serve(t, "web", echo)
	conns := make([]Conn, linksPerPod+1) // so that the last shares one's connection
	for i := range conns {
		conns[i] = open(t, tunnel, web)
		defer func() { _ = conns[i].Close() }()
		must(t, conns[i].SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	}
	for _, conn := range conns {
		_, err := conn.Read(make([]byte, 1))
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
		must(t, conn.SetReadDeadline(time.Time{}))
	}
	for _, conn := range conns {
		checkEcho(t, conn)
	}
}

func TestTunnelOpenNeedsAPod(t *testing.T) {
	_, err := NewTunnel(nil).Open(t.Context(), Target{Address: "10.0.0.7", Port: 80})
	if err == nil || !strings.Contains(err.Error(), "10.0.0.7:80") || !strings.Contains(err.Error(), "direct") {
		t.Errorf("got %v", err)
	}
}

func TestRemoteErrorKnowsTheWordsOfRuntimes(t *testing.T) {
	for text, want := range map[string]error{
		`error forwarding port 81 to pod 4f, uid : failed to execute portforward in network namespace "/var/run/netns/cni": failed to connect to localhost:81 inside namespace "4f", IPv4: dial tcp4 127.0.0.1:81: connect: connection refused IPv6 dial tcp6: address localhost: no suitable address`: syscall.ECONNREFUSED,
		"socat[8]: E connect(5, AF=2 127.0.0.1:81, 16): Connection refused": syscall.ECONNREFUSED,
		"dial tcp 127.0.0.1:81: i/o timeout":                                syscall.ETIMEDOUT,
		"read tcp 127.0.0.1:1: read: connection reset by peer":              syscall.ECONNRESET,
		"something else \x1b[31m":                                           nil,
	} {
		err := remoteError(text)
		if got := errors.Unwrap(err); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
		if strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q is not cleaned", err)
		}
		var timeout net.Error
		if errors.As(err, &timeout); timeout.Timeout() != (want == syscall.ETIMEDOUT) {
			t.Errorf("%q: got timeout %t", text, timeout.Timeout())
		}
	}
}
