package probes

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"

	"podpath/probes/launch"
	"podpath/probes/wire"
)

// network is what a prober in a test sees: each address leads to a real
// server on the loopback device, or to a fate.
type network struct {
	// routes are by "tcp 10.244.1.5:80"; where there is none it is refused.
	routes map[string]string
	files  map[string]string
}

// The fates of what is sent.
const (
	lostOnTheWay = "lost"
	unreachable  = "unreachable"
	forbidden    = "forbidden"
	noTool       = "no tool"
)

func (n network) DialContext(ctx context.Context, kind, address string) (net.Conn, error) {
	switch to := n.routes[kind+" "+address]; to {
	case "":
		return nil, syscall.ECONNREFUSED
	case lostOnTheWay:
		<-ctx.Done()
		return nil, ctx.Err()
	case unreachable:
		return nil, syscall.EHOSTUNREACH
	case forbidden:
		return nil, syscall.EPERM
	case noTool:
		return nil, errors.New("this shell cannot do that")
	default:
		var d net.Dialer
		return d.DialContext(ctx, kind, to)
	}
}

func (n network) Open(path string) (io.ReadCloser, error) {
	text, ok := n.files[path]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.ENOENT}
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

// served is a launch.Link to wire.Serve in this process.
type served struct {
	via      launch.Via
	cutAfter int // answers; 0 for never
	in       *io.PipeWriter
	cancel   context.CancelFunc
	work     sync.WaitGroup
	over     chan struct{}
	writing  sync.Mutex

	mu      sync.Mutex
	lastID  int
	waiting map[int][]chan wire.Answer
}

func serve(ctx context.Context, n wire.Network, cutAfter int) *served {
	ctx, cancel := context.WithCancel(ctx)
	fromTest, in := io.Pipe()
	out, toTest := io.Pipe()
	l := &served{via: launch.Via{Rung: launch.Tools, Tool: "test"}, cutAfter: cutAfter, in: in, cancel: cancel, over: make(chan struct{}), waiting: map[int][]chan wire.Answer{}}
	l.work.Go(func() { _ = wire.Serve(ctx, fromTest, toTest, "test", n) })
	l.work.Go(func() {
		defer close(l.over)
		defer cancel()
		l.read(out)
		_ = out.Close()
		_ = fromTest.Close()
	})
	return l
}

func (l *served) read(out io.Reader) {
	parts := map[int][]byte{}
	answers := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		a, err := wire.ParseAnswer(lines.Text())
		if err != nil {
			continue // the first line, or the last
		}
		if a.Result == wire.Part {
			parts[a.ID] = append(parts[a.ID], a.Data...)
			continue
		}
		a.Data = append(parts[a.ID], a.Data...)
		delete(parts, a.ID)
		l.mu.Lock()
		if waiting := l.waiting[a.ID]; len(waiting) > 0 {
			l.waiting[a.ID] = waiting[1:]
			waiting[0] <- a
		}
		l.mu.Unlock()
		if answers++; answers == l.cutAfter {
			return
		}
	}
}

func (l *served) Via() launch.Via { return l.via }

func (l *served) Ask(ctx context.Context, r wire.Request) (wire.Answer, error) {
	answer := make(chan wire.Answer, 1)
	l.mu.Lock()
	if r.Op != wire.More && r.Op != wire.Drop {
		l.lastID++
		r.ID = l.lastID
	}
	l.waiting[r.ID] = append(l.waiting[r.ID], answer)
	l.mu.Unlock()
	l.writing.Lock()
	_, err := fmt.Fprintln(l.in, r)
	l.writing.Unlock()
	if err != nil {
		return wire.Answer{}, launch.ErrCut
	}
	select {
	case a := <-answer:
		return a, nil
	case <-ctx.Done():
		return wire.Answer{}, context.Cause(ctx)
	case <-l.over:
	}
	select {
	case a := <-answer:
		return a, nil
	default:
		return wire.Answer{}, launch.ErrCut
	}
}

func (l *served) Close() error {
	_ = l.in.Close()
	l.work.Wait()
	return nil
}

// observing is an observer of a network.
func observing(t *testing.T, n network) *observer {
	t.Helper()
	link := serve(t.Context(), n, 0)
	t.Cleanup(func() { _ = link.Close() })
	return newObserver(link, stepTime)
}

// listen runs a TCP server on the loopback device and returns its address.
func listen(t testing.TB, handle func(net.Conn)) string {
	t.Helper()
	var config net.ListenConfig
	server, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer func() { _ = conn.Close() }()
				handle(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = server.Close()
		work.Wait()
	})
	return server.Addr().String()
}

// answers is a server that reads one piece, says something and closes.
func answers(text string) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := c.Read(make([]byte, 4096)); err == nil {
			_, _ = io.WriteString(c, text)
		}
	}
}
