package tui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/term"
	"golang.org/x/sys/unix"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
)

// Run shows the UI on the terminal until the user quits, a signal arrives or
// the terminal goes away. The terminal is restored on every way out.
func Run(ctx context.Context, options Options, in, out *os.File) error {
	width, height, err := term.GetSize(out.Fd())
	if err != nil {
		return fmt.Errorf("ask the terminal for its size: %w", err)
	}
	before, err := term.GetState(in.Fd())
	if err != nil {
		return fmt.Errorf("ask the terminal for its mode: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(signals)

	model := NewModel(ctx, options, width, height)
	model.noShell = unix.Getpgrp() == sessionID()
	input := newKeyboard(in)
	program := tea.NewProgram(model, tea.WithInput(input), tea.WithOutput(out), tea.WithoutSignalHandler())
	restoreOnCrash(program)
	ended := make(chan error, 1)
	go func() {
		_, err := program.Run()
		ended <- err
	}()
	var dump []byte
	select {
	case err = <-ended:
	case s := <-signals:
		if s == syscall.SIGQUIT {
			dump = stacks() // before anything ends
		}
		cancel()
		err = leave(program.Quit, ended)
	case <-input.lost:
		cancel()
		err = leave(program.Kill, ended) // nobody sees a last screen
	case <-ctx.Done():
		err = leave(program.Quit, ended)
	}
	cancel()
	stuck := errors.Is(err, errStuck)
	if stuck {
		force(in, out, before)
	}
	if input.isLost() && !errors.Is(err, tea.ErrProgramPanic) {
		err = nil // it is how the program was told to end
	}
	err = errors.Join(err, printDump(dump), model.waitForSessions())
	if stuck {
		return err // the program may still be at work on the model
	}
	return errors.Join(err, model.fatal)
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

// restoreOnCrash restores the terminal before a panic in one of client-go's
// goroutines ends the process. Bubble Tea does so for its own goroutines, and
// a session returns its panics as errors.
func restoreOnCrash(program *tea.Program) {
	utilruntime.PanicHandlers = append(utilruntime.PanicHandlers, func(context.Context, any) { program.Kill() })
}
