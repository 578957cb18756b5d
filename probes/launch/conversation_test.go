package launch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"podpath/kube"
	"podpath/probes/wire"
)

// Whatever a test starts has to end.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// saying is a prober that answers each request with the lines that answer
// returns for it, as they are, and says last when its input ends.
func saying(first string, answer func(r wire.Request) string, last string) program {
	return func(_ context.Context, in io.ReadCloser, out, _ io.WriteCloser) error {
		_, _ = io.WriteString(out, first)
		for lines := bufio.NewScanner(in); lines.Scan(); {
			r, err := wire.ParseRequest(lines.Text())
			if err != nil {
				return err
			}
			text := answer(r)
			if _, err := io.WriteString(out, text); err != nil || strings.HasSuffix(text, "CUT") {
				return err
			}
		}
		_, _ = io.WriteString(out, last)
		return nil
	}
}

const hello = "podpath 1 bash\n"

// line is an answer with the request's own data.
func line(r wire.Request) string {
	return wire.Answer{ID: r.ID, Result: wire.OK, Data: r.Data}.String() + "\n"
}

func TestAnswersFindTheirRequests(t *testing.T) {
	for name, test := range map[string]struct {
		program program
		asks    int
		cut     bool // the first Ask
		close   string
	}{
		"in order":                    {saying(hello, line, "END 3\n"), 3, false, ""},
		"a warning before the first":  {saying("bash: warning: setlocale\n\n"+hello, line, "END 1\n"), 1, false, ""},
		"noise between":               {saying(hello, func(r wire.Request) string { return "x\n99 ok - 1 - -\n" + line(r) }, "END 1\n"), 1, false, ""},
		"a line that never ends":      {saying(hello, func(r wire.Request) string { return strings.Repeat("x", 3*maxLine) + "\n" + line(r) }, "END 1\n"), 1, false, ""},
		"the first of two counts":     {saying(hello, func(r wire.Request) string { return line(r) + strings.Replace(line(r), "ok", "refused", 1) }, "END 1\n"), 1, false, ""},
		"no END":                      {saying(hello, line, ""), 1, false, "without an END"},
		"END cut":                     {saying(hello, line, "END 1"), 1, false, "without an END"},
		"an answer lost":              {saying(hello, line, "END 2\n"), 1, false, "it gave 2 answers, and 1 arrived"},
		"cut in the middle of a line": {saying(hello, func(r wire.Request) string { return strings.TrimSuffix(line(r), "\n") + "CUT" }, ""), 1, true, "without an END"},
		"cut between parts":           {saying(hello, func(wire.Request) string { return "1 part - - - abc\nCUT" }, ""), 1, true, "without an END"},
		"more than was asked for":     {saying(hello, func(wire.Request) string { return strings.Repeat("1 part - - - "+strings.Repeat("a", 700)+"\n", 9) }, ""), 1, true, "more than the 768 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := converse(t.Context(), Via{}, test.program)
			must(t, err)
			for i := range test.asks {
				data := "data " + strconv.Itoa(i)
				a, err := c.Ask(t.Context(), wire.Request{Op: wire.TCP, Data: []byte(data)})
				switch {
				case test.cut && !errors.Is(err, ErrCut):
					t.Errorf("got %v, %v; want ErrCut", a, err)
				case !test.cut && (err != nil || string(a.Data) != data || a.Result != wire.OK):
					t.Errorf("got %v, %v; want ok and %q", a, err, data)
				}
			}
			if got := c.Via().Tool; got != "bash" {
				t.Errorf("got tool %q, want what the first line says", got)
			}
			switch err := c.Close(); {
			case test.close == "" && err != nil:
				t.Errorf("got %v from Close", err)
			case test.close != "" && (!errors.Is(err, ErrCut) || !strings.Contains(err.Error(), test.close)):
				t.Errorf("got %v from Close, want ErrCut and %q", err, test.close)
			}
			if _, err := c.Ask(t.Context(), wire.Request{Op: wire.TCP}); !errors.Is(err, ErrCut) {
				t.Errorf("got %v after Close, want ErrCut", err)
			}
		})
	}
}

func TestWhatIsNoProberIsToldWithItsWords(t *testing.T) {
	gone := &kube.ExecError{Failure: kube.NoProgram, Program: "bash"}
	for name, test := range map[string]struct {
		program program
		want    string
		is      error
	}{
		"exec fails":      {func(context.Context, io.ReadCloser, io.WriteCloser, io.WriteCloser) error { return gone }, "no program bash", gone},
		"says it is none": {saying(strings.Repeat("hello\n", 200), line, ""), "no prober of podpath", nil},
		"an old version":  {saying("podpath 0 bash\n", line, "END 0\n"), "", nil},
		"complains": {func(_ context.Context, _ io.ReadCloser, _, stderr io.WriteCloser) error {
			_, _ = io.WriteString(stderr, "line 3: syntax\x1b error"+strings.Repeat(".", 5000))
			return &kube.ExitError{Code: 2}
		}, "exit code 2 (it says: line 3: syntax error...", nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				c, err := converse(ctx, Via{}, test.program)
				if err == nil {
					_ = c.Close()
					t.Fatal("got a link")
				}
				if !strings.Contains(err.Error(), test.want) || test.is != nil && !errors.Is(err, test.is) || len(err.Error()) > 500 {
					t.Errorf("got %q, want %q", err, test.want)
				}
			})
		})
	}
}

func TestAProberThatNeverAnswersIsLeft(t *testing.T) {
	c, err := converse(t.Context(), Via{}, saying(hello, func(r wire.Request) string {
		if r.ID == 1 {
			return ""
		}
		return line(r) + "1 ok - 5 - late\n"
	}, "END 2\n"))
	must(t, err)
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, errors.New("too late"))
	defer cancel()
	if _, err := c.Ask(ctx, wire.Request{Op: wire.TCP}); err == nil || err.Error() != "too late" {
		t.Errorf("got %v, want the cause", err)
	}
	// A late answer belongs to nobody any more, but is counted.
	if a, err := c.Ask(t.Context(), wire.Request{Op: wire.TCP}); err != nil || a.ID != 2 {
		t.Errorf("got %v, %v", a, err)
	}
	must(t, c.Close())
}

func TestCancelEndsAProberThatDoesNotListen(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	c, err := converse(ctx, Via{}, func(ctx context.Context, _ io.ReadCloser, out, _ io.WriteCloser) error {
		_, _ = io.WriteString(out, hello)
		<-ctx.Done()
		return context.Cause(ctx)
	})
	must(t, err)
	var work sync.WaitGroup
	for range 3 {
		work.Go(func() {
			if _, err := c.Ask(t.Context(), wire.Request{Op: wire.TCP, Data: make([]byte, 700)}); !errors.Is(err, ErrCut) {
				t.Errorf("got %v, want ErrCut", err)
			}
		})
	}
	cancel(errors.New("the user left"))
	work.Wait()
	began := time.Now()
	if err := c.Close(); !errors.Is(err, ErrCut) || !strings.Contains(err.Error(), "the user left") || time.Since(began) > time.Second {
		t.Errorf("got %v after %s, want ErrCut with the cause at once", err, time.Since(began))
	}
}

// echo is a listener on loopback that sends back what it gets.
func echo(t *testing.T) (address string, port int) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	var work sync.WaitGroup
	work.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer func() { _ = conn.Close() }()
				buffer := make([]byte, 64<<10)
				n, _ := conn.Read(buffer)
				_, _ = conn.Write(buffer[:n])
			})
		}
	})
	t.Cleanup(func() { _ = listener.Close(); work.Wait() })
	return "127.0.0.1", listener.Addr().(*net.TCPAddr).Port
}

func TestLocalDialsFromThisProcess(t *testing.T) {
	address, port := echo(t)
	l := New(nil, Options{})
	link, err := l.Local(t.Context())
	must(t, err)
	var work sync.WaitGroup
	for i := range 100 { // more than the prober works on at once
		work.Go(func() {
			data := strings.Repeat(fmt.Sprint(i, " "), 500) // answered in parts
			a, err := link.Ask(t.Context(), wire.Request{Op: wire.TCP, Timeout: 5 * time.Second, Address: address, Port: port, Count: len(data), Data: []byte(data)})
			if err != nil || a.Result != wire.OK || string(a.Data) != data {
				t.Errorf("got %d bytes, %v, %v", len(a.Data), a.Result, err)
			}
		})
	}
	work.Wait()
	if got := link.Via(); got.Rung != Local || got.Tool != "podpath" {
		t.Errorf("got %+v", got)
	}
	held, err := link.Ask(t.Context(), wire.Request{Op: wire.Hold, Timeout: time.Second, Address: address, Port: port})
	must(t, err)
	more, err := link.Ask(t.Context(), wire.Request{ID: held.ID, Op: wire.More, Timeout: time.Second, Count: 9, Data: []byte("more")})
	if err != nil || string(more.Data) != "more" {
		t.Errorf("got %q, %v over a held connection", more.Data, err)
	}
	must(t, link.Close())
}
