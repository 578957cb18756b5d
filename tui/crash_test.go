package tui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/creack/pty"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"

	"podpath/kube"
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

func TestPanicRestoresTheTerminal(t *testing.T) {
	if where := os.Getenv(crashVariable); where != "" {
		err := Run(t.Context(), Options{Cluster: Cluster{Source: crashing(where)}}, os.Stdin, os.Stdout)
		t.Fatal(err)
	}
	for _, where := range []crashing{ownGoroutine, clientGoroutine} {
		t.Run(string(where), func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPanicRestoresTheTerminal$")
			cmd.Env = append(os.Environ(), crashVariable+"="+string(where), "TERM=xterm-256color")
			fresh, tty, err := pty.Open()
			if err != nil {
				t.Fatal(err)
			}
			before, err := term.GetState(fresh.Fd()) // of another one: the program may be fast
			_, _ = fresh.Close(), tty.Close()
			if err != nil {
				t.Fatal(err)
			}
			terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 80, Rows: 24})
			if err != nil {
				t.Fatal(err)
			}
			defer terminal.Close() //nolint:errcheck // the program has ended
			var output bytes.Buffer
			_, _ = io.Copy(&output, terminal) // until the program has ended, when reading fails
			var exit *exec.ExitError
			if err := cmd.Wait(); !errors.As(err, &exit) {
				t.Errorf("the program ended with %v, want an exit code", err)
			}
			after, err := term.GetState(terminal.Fd())
			if err != nil {
				t.Fatal(err)
			}
			if *after != *before {
				t.Error("the terminal is left raw")
			}
			text := output.String()
			left := strings.LastIndex(text, "\x1b[?1049l")
			if left < strings.LastIndex(text, "\x1b[?1049h") {
				t.Errorf("the terminal is left on the alternate screen: %q", text)
			}
			if said := strings.LastIndex(text, "something broke"); said < left {
				t.Errorf("the panic is not said after the terminal was restored: %q", text)
			}
		})
	}
}
