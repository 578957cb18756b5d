package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load opens short connections to an address, eight at a time.
type load struct {
	address string
	least   int64         // connections, even if stop comes earlier
	pause   time.Duration // of each of the eight after each connection

	done  chan struct{}
	work  sync.WaitGroup
	count atomic.Int64

	mu  sync.Mutex
	odd []attempt
}

// attempt is a connection that failed, or was slow.
type attempt struct {
	began time.Time
	took  time.Duration
	err   error // nil if it was only slow
}

// slow is what no connection takes unless something is wrong.
const slow = time.Second

// traffic is what became of a load.
type traffic struct {
	sent int64
	odd  []attempt
}

func (l *load) start() {
	l.done = make(chan struct{})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	for range 8 {
		l.work.Go(func() {
			for !l.finished() {
				l.count.Add(1)
				a := attempt{began: time.Now()}
				a.err = get(client, "http://"+l.address)
				if a.took = time.Since(a.began); a.err != nil || a.took > slow {
					l.mu.Lock()
					l.odd = append(l.odd, a)
					l.mu.Unlock()
				}
				time.Sleep(l.pause)
			}
		})
	}
}

func (l *load) finished() bool {
	select {
	case <-l.done:
		return l.count.Load() >= l.least
	default:
		return false
	}
}

// stop ends the load.
func (l *load) stop() traffic {
	close(l.done)
	l.work.Wait()
	return traffic{l.count.Load(), l.odd}
}

// failures are the attempts that failed.
func (t traffic) failures() (failed []attempt) {
	for _, a := range t.odd {
		if a.err != nil {
			failed = append(failed, a)
		}
	}
	return failed
}

// wantNoFailure checks that all went well, and returns how many that were.
func (t traffic) wantNoFailure(test *testing.T, via string) int64 {
	test.Helper()
	if failed := t.failures(); len(failed) > 0 || t.sent == 0 {
		test.Errorf("%s: %d of %d connections failed: %v", via, len(failed), t.sent, failed[:min(len(failed), 3)])
	}
	test.Logf("%s: %d connections, %d of them slow or failed", via, t.sent, len(t.odd))
	return t.sent
}

func (a attempt) String() string {
	return fmt.Sprintf("at %s after %s: %v", a.began.Format("15:04:05.000"), a.took.Round(time.Millisecond), a.err)
}

func get(client *http.Client, url string) error {
	answer, err := client.Get(url) //nolint:noctx // the client has a timeout
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && (answer.StatusCode != http.StatusOK || len(body) == 0) {
		err = fmt.Errorf("got %s and %q", answer.Status, body)
	}
	return err
}

// request is a connection on which HTTP is asked by hand, to see how it ends.
type request struct {
	*net.TCPConn
	answer *bufio.Reader
}

// ask sends a request. The answer ends with the connection.
func ask(t *testing.T, address, path string) *request {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.0\r\n\r\n", path); err != nil {
		t.Fatal(err)
	}
	return &request{conn.(*net.TCPConn), bufio.NewReader(conn)}
}

// line reads a line of the answer, which may take so long.
func (r *request) line(t *testing.T, within time.Duration) string {
	t.Helper()
	if err := r.SetReadDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	line, err := r.answer.ReadString('\n')
	if err != nil {
		t.Fatalf("got %q, %v", line, err)
	}
	return line
}

// body reads the head of the answer, and the first line after it.
func (r *request) body(t *testing.T, within time.Duration) string {
	t.Helper()
	line := r.line(t, within)
	for line != "\r\n" {
		line = r.line(t, within)
	}
	return r.line(t, within)
}

// ends reads the rest, and returns how it ended: nil for what looks like success.
func (r *request) ends() error {
	_ = r.SetReadDeadline(time.Now().Add(soon))
	_, err := io.Copy(io.Discard, r.answer)
	return err
}
