package tui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	xterm "github.com/charmbracelet/x/term"
	"github.com/creack/pty"
	"go.uber.org/goleak"

	"podpath/kube"
	"podpath/kube/demo/api"
	"podpath/kube/demo/fixture"
	"podpath/tui/golden"
)

// terminal is a real one, of which a test holds the other end.
type terminal struct {
	*os.File // what the user types goes in here
	tty      *os.File
	before   *xterm.State
	drawn    chan struct{} // closed once the screen shows the Pods
	output   bytes.Buffer  // valid once read
	read     chan struct{} // closed at the end of the output
}

func newTerminal(t *testing.T) *terminal {
	user, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(tty, &pty.Winsize{Cols: 80, Rows: 24}); err != nil {
		t.Fatal(err)
	}
	before, err := xterm.GetState(tty.Fd())
	if err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Dup(int(user.Fd())) // for a file whose Close ends a Read
	if err != nil {
		t.Fatal(err)
	}
	_, _ = syscall.SetNonblock(fd, true), user.Close()
	user = os.NewFile(uintptr(fd), user.Name())
	term := &terminal{File: user, tty: tty, before: before, drawn: make(chan struct{}), read: make(chan struct{})}
	go term.follow()
	t.Cleanup(func() { _, _ = user.Close(), tty.Close() })
	return term
}

// awaitRaw waits until a program has taken the terminal over: before that, what
// is typed would be edited as a line.
func (term *terminal) awaitRaw(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if mode, err := xterm.GetState(term.tty.Fd()); err == nil && *mode != *term.before {
			return
		}
	}
	t.Fatal("nothing takes the terminal over")
}

func (term *terminal) follow() {
	defer close(term.read)
	buffer := make([]byte, 1<<16)
	for shown := false; ; {
		n, err := term.Read(buffer)
		term.output.Write(buffer[:n])
		if !shown && bytes.Contains(term.output.Bytes(), []byte("dual-0")) {
			shown = true
			close(term.drawn)
		}
		if err != nil {
			return
		}
	}
}

// newCluster is the test cluster, on an API server that runs until the end.
func newCluster(t *testing.T) Cluster {
	client, scope := fixture.Serve(t, api.Options{}, golden.Manifests).Client(kube.Options{})
	return Cluster{Scope: scope, Source: kube.NewStore(client, scope), Reader: client}
}

func TestEveryWayOutRestoresTheTerminalAndLeavesNoGoroutine(t *testing.T) {
	broke := errors.New("panic while following pods")
	for name, c := range map[string]struct {
		leave func(term *terminal, breaks chan<- error, cancel context.CancelFunc)
		gone  bool // the terminal
		want  error
	}{
		"the user quits":       {leave: func(term *terminal, _ chan<- error, _ context.CancelFunc) { _, _ = io.WriteString(term, "q") }},
		"the user presses ^C":  {leave: func(term *terminal, _ chan<- error, _ context.CancelFunc) { _, _ = io.WriteString(term, "\x03") }},
		"a signal comes":       {leave: func(_ *terminal, _ chan<- error, cancel context.CancelFunc) { cancel() }},
		"a session breaks":     {leave: func(_ *terminal, breaks chan<- error, _ context.CancelFunc) { breaks <- broke }, want: broke},
		"the terminal is gone": {leave: func(term *terminal, _ chan<- error, _ context.CancelFunc) { _ = term.Close() }, gone: true},
	} {
		t.Run(name, func(t *testing.T) {
			running := goleak.IgnoreCurrent()
			t.Cleanup(func() { goleak.VerifyNone(t, running) }) // after the API server
			term, cluster, breaks := newTerminal(t), newCluster(t), make(chan error, 1)
			cluster.Source = breaking{cluster.Source, breaks}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended, forwarder := make(chan error, 1), &fakeForwarder{}
			go func() {
				ended <- Run(ctx, Options{Cluster: cluster, Forwards: forwarder}, term.tty, term.tty)
			}()
			<-term.drawn
			left := time.Now()
			c.leave(term, breaks, cancel)
			err := <-ended
			if took := time.Since(left); took > time.Second {
				t.Errorf("took %s to leave, want at most a second", took)
			}
			_ = term.tty.Close() // then the output ends
			<-term.read
			if forwarder.closed != 1 {
				t.Errorf("got the forwards closed %d times, want once", forwarder.closed)
			}
			if c.gone {
				return
			}
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			for what, sequence := range map[string]string{"the first screen": "\x1b[?1049l", "the cursor": "\x1b[?25h"} {
				if out := term.output.Bytes(); !bytes.Contains(out, []byte(sequence)) {
					t.Errorf("got %s not restored: %q", what, out[max(0, len(out)-200):])
				}
			}
		})
	}
}

// Whatever ends the program, the run that goes on is cancelled first, and then
// what it has added to the cluster is removed.
func TestEveryWayOutCancelsTheRunAndCleansUp(t *testing.T) {
	stays := errors.New("delete Pod podpath-x: forbidden")
	for name, c := range map[string]struct {
		leave func(term *terminal, cancel context.CancelFunc)
		err   error // of the clean-up
	}{
		"the user quits":       {leave: func(term *terminal, _ context.CancelFunc) { _, _ = io.WriteString(term, "q") }},
		"the user presses ^C":  {leave: func(term *terminal, _ context.CancelFunc) { _, _ = io.WriteString(term, "1\x03") }},
		"a signal comes":       {leave: func(_ *terminal, cancel context.CancelFunc) { cancel() }},
		"the line drops":       {leave: func(*terminal, context.CancelFunc) { _ = syscall.Kill(syscall.Getpid(), syscall.SIGHUP) }},
		"the terminal is gone": {leave: func(term *terminal, _ context.CancelFunc) { _ = term.Close() }},
		"something stays":      {leave: func(term *terminal, _ context.CancelFunc) { _, _ = io.WriteString(term, "q") }, err: stays},
	} {
		t.Run(name, func(t *testing.T) {
			running := goleak.IgnoreCurrent()
			t.Cleanup(func() { goleak.VerifyNone(t, running) }) // after the API server
			term, cluster := newTerminal(t), newCluster(t)
			started := make(chan struct{})
			prober := &fakeProber{pause: 100 * time.Millisecond, closing: sessionGrace + 100*time.Millisecond, closeErr: c.err, run: func(context.Context) {
				select {
				case <-started:
				default:
					close(started)
				}
			}}
			cluster.Prober = prober
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() {
				ended <- Run(ctx, Options{Cluster: cluster}, term.tty, term.tty)
			}()
			<-term.drawn
			_, _ = io.WriteString(term, "3a")
			<-started
			c.leave(term, cancel)
			err := <-ended
			_ = term.tty.Close() // then the output ends
			<-term.read
			if prober.running != 0 || prober.closed != 1 || prober.mess {
				t.Errorf("got %d runs and %d times cleaned up, want none and once", prober.running, prober.closed)
			}
			if c.err != nil && (!errors.Is(err, c.err) || !strings.Contains(err.Error(), "remove what the probes have added")) {
				t.Errorf("got %v, want %v", err, c.err)
			}
		})
	}
}
