//go:build linux

package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"podpath/probes/wire"
)

// virtual is a network of functions.
type virtual struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	open func(path string) (io.ReadCloser, error)
}

func (v virtual) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return v.dial(ctx, network, address)
}

func (v virtual) Open(path string) (io.ReadCloser, error) { return v.open(path) }

// capture is an output that stays readable after it was closed.
type capture struct{ strings.Builder }

func (*capture) Close() error { return nil }

func serveLines(t *testing.T, network wire.Network, requests ...wire.Request) (string, error) {
	t.Helper()
	var in strings.Builder
	for _, r := range requests {
		in.WriteString(r.String() + "\n")
	}
	var out capture
	err := wire.Serve(t.Context(), io.NopCloser(strings.NewReader(in.String())), &out, "test", network)
	return out.String(), err
}

func TestServeTellsErrorsApart(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want wire.Result
	}{
		"refused":       {syscall.ECONNREFUSED, wire.Refused},
		"no host":       {syscall.EHOSTUNREACH, wire.Unreachable},
		"no network":    {syscall.ENETUNREACH, wire.Unreachable},
		"SYN timeout":   {syscall.ETIMEDOUT, wire.Timeout},
		"own deadline":  {os.ErrDeadlineExceeded, wire.Timeout},
		"reset":         {syscall.ECONNRESET, wire.Reset},
		"broken pipe":   {syscall.EPIPE, wire.Reset},
		"a sandbox":     {syscall.EACCES, wire.Denied},
		"not permitted": {syscall.EPERM, wire.Denied},
		"no sockets":    {syscall.EMFILE, wire.Failed},
		"anything":      {errors.New("no such thing"), wire.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			network := virtual{
				dial: func(_ context.Context, network, address string) (net.Conn, error) {
					if address != "[fd00::1]:80" {
						t.Errorf("got %s, want [fd00::1]:80", address)
					}
					return nil, &net.OpError{Op: "dial", Net: network, Err: test.err}
				},
				open: func(path string) (io.ReadCloser, error) {
					return nil, &fs.PathError{Op: "open", Path: path, Err: test.err}
				},
			}
			got, err := serveLines(t, network, wire.Request{ID: 1, Op: wire.TCP, Timeout: time.Second, Address: "fd00::1", Port: 80},
				wire.Request{ID: 2, Op: wire.UDP, Timeout: time.Second, Address: "fd00::1", Port: 80},
				wire.Request{ID: 3, Op: wire.File, Timeout: time.Second, Address: "/a"})
			for id := 1; id <= 3; id++ {
				if want := fmt.Sprintf("\n%d %s - ", id, test.want); err != nil || !strings.Contains(got, want) {
					t.Errorf("got %q, %v, want %q in it", got, err, want)
				}
			}
			if !strings.HasSuffix(got, "\nEND 3\n") {
				t.Errorf("got %q, want END 3 at its end", got)
			}
		})
	}
}

func TestServeWorksOnABoundedNumberAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now atomic.Int64
		var mu sync.Mutex
		var most int64
		network := virtual{dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			now.Add(1)
			defer now.Add(-1)
			time.Sleep(time.Millisecond) // until all that may have begun: this is a bubble
			mu.Lock()
			most = max(most, now.Load())
			mu.Unlock()
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		var requests []wire.Request
		for id := 1; id <= 200; id++ {
			requests = append(requests, wire.Request{ID: id, Op: wire.TCP, Timeout: time.Second, Address: "10.0.0.1", Port: 80})
		}
		got, err := serveLines(t, network, requests...)
		if err != nil || strings.Count(got, " timeout - ") != 200 || !strings.HasSuffix(got, "\nEND 200\n") {
			t.Errorf("got %q, %v, want 200 timeouts", got, err)
		}
		if most != 64 {
			t.Errorf("got %d at once, want 64", most)
		}
	})
}

func TestServeEndsWithItsContext(t *testing.T) {
	hole, silent := blackHole(t), serve(t, loopback, stalls(nil))
	requests := []wire.Request{
		{ID: 1, Op: wire.TCP, Timeout: time.Minute, Address: loopback, Port: hole, Count: 1},
		{ID: 2, Op: wire.TCP, Timeout: time.Minute, Address: loopback, Port: silent, Count: 1},
		{ID: 3, Op: wire.Hold, Timeout: time.Minute, Address: loopback, Port: silent},
		{ID: 3, Op: wire.More, Timeout: time.Minute, Count: 1},
	}
	for name, asks := range map[string][]wire.Request{"while nothing is asked": nil, "while requests are open": requests} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			fromTest, in := io.Pipe()
			out, toTest := io.Pipe()
			done := make(chan error, 1)
			go func() { done <- wire.Serve(ctx, fromTest, toTest, "test", wire.Host{}) }()
			hello := make([]byte, len(wire.Hello("test"))+1)
			if _, err := io.ReadFull(out, hello); err != nil {
				t.Fatal(err)
			}
			for _, r := range asks { // the Hold's answer is never read, so that a write is under way, too
				if _, err := io.WriteString(in, r.String()+"\n"); err != nil {
					t.Fatal(err)
				}
			}
			cause := errors.New("the user left")
			cancel(cause)
			select {
			case err := <-done:
				if !errors.Is(err, cause) {
					t.Errorf("got %v, want %v", err, cause)
				}
			case <-time.After(patience):
				t.Fatal("Serve still runs")
			}
		})
	}
}

func TestServeSaysNoEndWhenARequestIsNone(t *testing.T) {
	var out capture
	err := wire.Serve(t.Context(), io.NopCloser(strings.NewReader("1 tcp\n")), &out, "test", wire.Host{})
	if err == nil || !strings.Contains(err.Error(), `"1 tcp"`) || strings.Contains(out.String(), "END") {
		t.Errorf("got %q, %v, want no END and an error with the line", out.String(), err)
	}
}

func TestHostDoesNotWaitForAPipe(t *testing.T) {
	path := t.TempDir() + "/pipe"
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	got, err := serveLines(t, wire.Host{}, wire.Request{ID: 1, Op: wire.File, Timeout: 100 * time.Millisecond, Address: path, Count: 9})
	if err != nil || !strings.HasSuffix(got, "\nEND 1\n") {
		t.Errorf("got %q, %v, want an answer", got, err)
	}
}
