package tui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	xterm "github.com/charmbracelet/x/term"
	"github.com/creack/pty"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"

	"podpath/kube"
	"podpath/tui/golden"
)

// crashing is a source that panics a moment after the UI has come up.
type crashing string

const (
	ownGoroutine    crashing = "in a goroutine of ours"
	clientGoroutine crashing = "in a goroutine of client-go"
)

func (c crashing) Run(context.Context) error {
	time.Sleep(200 * time.Millisecond)
	if c == clientGoroutine {
		go func() {
			defer utilruntime.HandleCrash()
			panic("something broke")
		}()
		select {}
	}
	panic("something broke")
}

func (crashing) Next(ctx context.Context) (*kube.Snapshot, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// crashVariable makes the test binary itself the program that crashes.
const crashVariable = "PODPATH_TEST_CRASH"

// program is podpath in a process and on a terminal of its own, played by a test
// binary.
type program struct {
	*exec.Cmd
	*os.File // the terminal
	before   *xterm.State
	output   bytes.Buffer
}

// startProgram runs one test alone, which finds the variable set.
func startProgram(t *testing.T, test, value string) *program {
	t.Helper()
	p := &program{Cmd: exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$")}
	p.Env = append(os.Environ(), crashVariable+"="+value, "TERM=xterm-256color")
	fresh, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	p.before, err = xterm.GetState(fresh.Fd()) // of another one: the program may be fast
	_, _ = fresh.Close(), tty.Close()
	if err != nil {
		t.Fatal(err)
	}
	if p.File, err = pty.StartWithSize(p.Cmd, &pty.Winsize{Cols: 80, Rows: 24}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// restores checks that the program ends with an exit code, leaves the terminal
// as it was, and says the text after that.
func (p *program) restores(t *testing.T, text string) {
	t.Helper()
	_, _ = io.Copy(&p.output, p.File) // until the program has ended, when reading fails
	var exit *exec.ExitError
	if err := p.Wait(); !errors.As(err, &exit) || exit.ExitCode() < 0 {
		t.Errorf("the program ended with %v, want an exit code", err)
	}
	after, err := xterm.GetState(p.Fd())
	if err != nil {
		t.Fatal(err)
	}
	if *after != *p.before {
		t.Error("the terminal is left raw")
	}
	all := p.output.String()
	left := strings.LastIndex(all, "\x1b[?1049l")
	if left < strings.LastIndex(all, "\x1b[?1049h") {
		t.Errorf("the terminal is left on the alternate screen: %q", all)
	}
	if said := strings.LastIndex(all, text); said < left {
		t.Errorf("%q is not said after the terminal was restored: %q", text, all)
	}
}

func TestPanicRestoresTheTerminal(t *testing.T) {
	if where := os.Getenv(crashVariable); where != "" {
		err := Run(t.Context(), Options{Cluster: Cluster{Source: crashing(where)}}, os.Stdin, os.Stdout)
		t.Fatal(err)
	}
	for _, where := range []crashing{ownGoroutine, clientGoroutine} {
		t.Run(string(where), func(t *testing.T) {
			startProgram(t, "TestPanicRestoresTheTerminal", string(where)).restores(t, "something broke")
		})
	}
}

// stuckSoon is a clock that blocks the program, and then says so.
func stuckSoon() func() time.Time {
	asked := 0
	return func() time.Time {
		if asked++; asked > 1 {
			_, _ = os.Stdout.WriteString("stuck now")
			select {}
		}
		return golden.Now
	}
}

func TestSIGQUITRestoresTheTerminal(t *testing.T) {
	switch os.Getenv(crashVariable) {
	case "works":
		t.Fatal(Run(t.Context(), Options{Cluster: newCluster(t)}, os.Stdin, os.Stdout))
	case "hangs":
		t.Fatal(Run(t.Context(), Options{Cluster: newCluster(t), Now: stuckSoon()}, os.Stdin, os.Stdout))
	}
	for name, c := range map[string]struct{ shown, stack string }{
		"works": {"dual-0", "tui.(*session).run"},
		"hangs": {"stuck now", "tui.(*Model).receiveSnapshot"},
	} {
		t.Run("it "+name, func(t *testing.T) {
			p := startProgram(t, "TestSIGQUITRestoresTheTerminal", name)
			for more := make([]byte, 4096); !bytes.Contains(p.output.Bytes(), []byte(c.shown)); {
				n, err := p.Read(more)
				if err != nil {
					t.Fatalf("it has ended: %v: %s", err, p.output.String())
				}
				p.output.Write(more[:n])
			}
			if err := p.Process.Signal(syscall.SIGQUIT); err != nil {
				t.Fatal(err)
			}
			p.restores(t, ErrQuit.Error())
			if !strings.Contains(p.output.String(), c.stack) {
				t.Errorf("got no stack with %s in %q", c.stack, p.output.String())
			}
		})
	}
}
