package tui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/term"
	"golang.org/x/sys/unix"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
)

// exitGrace is how long the program may take to leave in an orderly way once
// it was told to. A terminal that is gone may block it for ever.
const exitGrace = 600 * time.Millisecond

// sessionGrace is how long sessions may take to end after that. Only a request
// that waits for a credential plugin takes longer, and nothing can hurry that.
const sessionGrace = 300 * time.Millisecond

// cleanGrace is how long podpath may take to delete what its probes have added
// to the cluster. Where they have added nothing, it takes no time.
const cleanGrace = 5 * time.Second

// errUnclean means that the clean-up did not end within cleanGrace.
var errUnclean = errors.New("the API server did not answer in time: what the probes have added to the cluster, labelled app.kubernetes.io/managed-by=podpath, may be left")

// errStuck means that the program did not leave within exitGrace.
var errStuck = errors.New("the terminal did not take the last output in time")

// Run shows the UI on the terminal until the user quits, a signal arrives or
// the terminal goes away. The terminal is restored on every way out.
func Run(ctx context.Context, options Options, in, out *os.File) error {
	width, height, err := term.GetSize(out.Fd())
	if err != nil {
		return fmt.Errorf("ask the terminal for its size: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)

	model := NewModel(ctx, options, width, height)
	model.noShell = unix.Getpgrp() == sessionID()
	input := &hangup{File: in, lost: make(chan struct{})}
	program := tea.NewProgram(model, tea.WithInput(input), tea.WithOutput(out), tea.WithoutSignalHandler())
	restoreOnCrash(program)
	ended := make(chan error, 1)
	go func() {
		_, err := program.Run()
		ended <- err
	}()
	select {
	case err = <-ended:
	case <-signals:
		err = leave(program, ended)
	case <-input.lost:
		err = leave(program, ended)
	case <-ctx.Done():
		err = leave(program, ended)
	}
	cancel()
	left := model.waitForSessions()
	if errors.Is(err, errStuck) {
		return errors.Join(err, left) // the program may still be at work on the model
	}
	return errors.Join(err, model.fatal, left)
}

// sessionID is the process group of the session's leader. When it is podpath's
// own group, as in "ssh -t host podpath", no shell with job control waits.
func sessionID() int {
	sid, err := unix.Getsid(0)
	if err != nil {
		return 0
	}
	return sid
}

// leave ends the program and returns what it says, or errStuck.
func leave(program *tea.Program, ended <-chan error) error {
	go program.Quit() // it blocks when the program does
	select {
	case err := <-ended:
		return err
	case <-time.After(exitGrace):
		return errStuck
	}
}

// restoreOnCrash restores the terminal before a panic in one of client-go's
// goroutines ends the process. Bubble Tea does so for its own goroutines, and
// a session returns its panics as errors.
func restoreOnCrash(program *tea.Program) {
	utilruntime.PanicHandlers = append(utilruntime.PanicHandlers, func(context.Context, any) { program.Kill() })
}

// hangup is the terminal's input. It notices that the terminal is gone even
// where no SIGHUP comes, as under nohup: reading fails or ends.
type hangup struct {
	*os.File
	lost chan struct{}
}

func (h *hangup) Read(p []byte) (int, error) {
	n, err := h.File.Read(p)
	if err != nil {
		select {
		case <-h.lost:
		default:
			close(h.lost)
		}
	}
	return n, err
}
