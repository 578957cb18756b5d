package e2e_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// figures are what podpath forward says about its process under --metrics.
var figures = []string{"go_goroutines", "go_gc_heap_live_bytes", "process_open_fds"}

func TestForwardDoesNotGrowWithItsConnections(t *testing.T) {
	p := backends(t)
	metrics := free(t)
	f := forward(t, p.c.Kubeconfig, p.namespace, "svc/backends", "0:80", "--via", "direct", "--metrics", metrics)
	cycles(t, f.listen, 8, 8_000) // all that is kept for later is there
	before := settled(t, f.listen, metrics)
	began := time.Now()
	cycles(t, f.listen, 8, 100_000)
	t.Logf("100,000 connections in %s", time.Since(began).Round(time.Millisecond))
	for try := range 3 { // the last collection may have been in the middle of a connection
		after := settled(t, f.listen, metrics)
		var grown []string
		for _, name := range figures {
			if after[name] > 1.05*before[name] {
				grown = append(grown, name)
			}
		}
		for _, name := range append(figures, "process_resident_memory_bytes") {
			t.Logf("%s: %.0f, then %.0f", name, before[name], after[name])
		}
		if len(grown) == 0 {
			return
		}
		if try == 2 {
			t.Errorf("%q rose by more than 5 %%", grown)
		}
	}
}

// settled returns the figures once the garbage of those who came before is collected.
func settled(t *testing.T, listen, metrics string) map[string]float64 {
	t.Helper()
	cycles(t, listen, 1, 3_000) // few at a time, but enough for the next collection
	time.Sleep(500 * time.Millisecond)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+metrics+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: soon}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		var name string
		var value float64
		if n, _ := fmt.Sscan(line, &name, &value); n == 2 {
			values[name] = value
		}
	}
	return values
}

// cycles opens so many connections, some at a time, and closes each after its answer.
func cycles(t *testing.T, address string, atOnce int, count int64) {
	t.Helper()
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		t.Fatal(err)
	}
	var left atomic.Int64
	left.Store(count)
	var work sync.WaitGroup
	for range atOnce {
		work.Go(func() {
			for left.Add(-1) >= 0 && !t.Failed() {
				if err := cycle(at); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
}

// cycle opens a connection, asks, and closes it after the answer: with the kernel alone, as package net would take longer
// for it, under the race detector, than podpath does.
func cycle(at netip.AddrPort) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	patience := unix.Timeval{Sec: int64(soon / time.Second)}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience); err != nil {
		return err
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}); err != nil {
		return fmt.Errorf("connect to %s: %w", at, err)
	}
	if _, err := unix.Write(fd, []byte("GET / HTTP/1.0\r\n\r\n")); err != nil {
		return fmt.Errorf("write to %s: %w", at, err)
	}
	answer, size := make([]byte, 4<<10), 0
	for {
		n, err := unix.Read(fd, answer)
		size += max(n, 0)
		switch {
		case err == unix.EINTR: //nolint:errorlint // system calls return it bare
		case err != nil:
			return fmt.Errorf("read from %s: %w", at, err)
		case n == 0 && size == 0:
			return fmt.Errorf("%s answered nothing", at)
		case n == 0:
			return nil
		}
	}
}

// free is an address on which nobody listens.
func free(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
