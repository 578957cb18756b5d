// Package screen runs a program in a terminal of its own and tells what a person in front of it would see.
package screen

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// Options say what kind of terminal the program gets. The zero value is a dark one of 80×24.
type Options struct {
	Cols, Rows int
	// Light makes the background white.
	Light bool
	// Mute makes a terminal that answers no question, such as a serial console.
	Mute bool
}

// Screen is a program and its terminal.
type Screen struct {
	cmd    *exec.Cmd
	master *os.File
	exited chan struct{} // closed when the program has ended and exit is set
	ended  chan struct{} // closed when nothing more can be read
	exit   error

	mu       sync.Mutex // guards what follows
	terminal *terminal
	output   bytes.Buffer
	last     time.Time     // when output came last
	changed  chan struct{} // closed and replaced when output comes
}

// Start runs cmd in a new terminal. Without an environment it gets that of this process and TERM=xterm-256color.
func Start(cmd *exec.Cmd, options Options) (*Screen, error) {
	if options.Cols == 0 || options.Rows == 0 {
		options.Cols, options.Rows = 80, 24
	}
	if cmd.Env == nil {
		cmd.Env = append(os.Environ(), "TERM=xterm-256color")
	}
	master, err := start(cmd, options)
	if err != nil {
		return nil, fmt.Errorf("start %s in a terminal: %w", cmd.Path, err)
	}
	s := &Screen{
		cmd:      cmd,
		master:   master,
		exited:   make(chan struct{}),
		ended:    make(chan struct{}),
		terminal: newTerminal(options),
		changed:  make(chan struct{}),
	}
	go s.read()
	go func() {
		s.exit = cmd.Wait()
		close(s.exited)
	}()
	return s, nil
}

// start returns the master's side of the terminal. It can be closed while it is read, unlike the one of package pty, which is
// in blocking mode.
func start(cmd *exec.Cmd, options Options) (*os.File, error) {
	blocking, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: uint16(options.Cols), Rows: uint16(options.Rows)})
	if err != nil {
		return nil, err
	}
	defer blocking.Close()
	fd, err := unix.FcntlInt(blocking.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), blocking.Name()), nil
}

// read feeds the terminal, and the program with the terminal's answers, until no process has the terminal open.
func (s *Screen) read() {
	defer close(s.ended)
	buffer := make([]byte, 64<<10)
	for {
		n, err := s.master.Read(buffer)
		if n > 0 {
			s.mu.Lock()
			s.output.Write(buffer[:n])
			s.last = time.Now()
			answers := s.terminal.write(buffer[:n])
			close(s.changed)
			s.changed = make(chan struct{})
			s.mu.Unlock()
			if len(answers) > 0 {
				_, _ = s.master.Write(answers) // a program that has ended hears no answer
			}
		}
		if err != nil {
			return
		}
	}
}

// Send types keys: text as it is, and escape sequences for the other keys; see the constants of this package.
func (s *Screen) Send(keys string) error {
	if _, err := s.master.WriteString(keys); err != nil {
		return fmt.Errorf("type %q: %w", keys, err)
	}
	return nil
}

// Resize changes the size of the terminal, which tells the program.
func (s *Screen) Resize(cols, rows int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.terminal.vt.Resize(cols, rows)
	err := s.control(func(fd int) error {
		return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: uint16(cols), Row: uint16(rows)})
	})
	if err != nil {
		return fmt.Errorf("resize to %d×%d: %w", cols, rows, err)
	}
	return nil
}

// control calls the kernel about the terminal.
func (s *Screen) control(call func(fd int) error) error {
	connection, err := s.master.SyscallConn()
	if err != nil {
		return err
	}
	var called error
	if err := connection.Control(func(fd uintptr) { called = call(int(fd)) }); err != nil {
		return err
	}
	return called
}

// Text is what the screen shows: its rows, without the spaces at their ends.
func (s *Screen) Text() string {
	return strings.Join(s.Lines(), "\n")
}

// Lines are the rows of the screen, without the spaces at their ends.
func (s *Screen) Lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.terminal.lines()
}

// Cell is the character at a column and a row, both from 0, and how it looks.
func (s *Screen) Cell(col, row int) Cell {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.terminal.cell(col, row)
}

// Find is the column and the row of the first cell of a text on the screen; the text is within one row.
func (s *Screen) Find(text string) (col, row int, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.terminal.find(text)
}

// State is what a terminal has beside its cells.
func (s *Screen) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.terminal.state()
}

// Cooked tells whether the terminal echoes what is typed and ends lines itself, as a shell needs it.
func (s *Screen) Cooked() (bool, error) {
	var mode *unix.Termios
	err := s.control(func(fd int) (err error) {
		mode, err = unix.IoctlGetTermios(fd, unix.TCGETS)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("ask for the terminal's mode: %w", err)
	}
	const cooked = unix.ICANON | unix.ECHO | unix.ISIG
	return mode.Lflag&cooked == cooked, nil
}

// Output is every byte that the program has written so far.
func (s *Screen) Output() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.output.Bytes())
}

// Received is how many bytes the program has written so far.
func (s *Screen) Received() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.output.Len()
}

// WaitForBytes waits until the program has written more than a number of bytes in all, and tells when the last of them
// came.
func (s *Screen) WaitForBytes(more int, timeout time.Duration) (time.Time, error) {
	err := s.wait(timeout, func() bool { return s.output.Len() > more })
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		return time.Time{}, fmt.Errorf("waited %v for more than %d bytes, got %d: %w", timeout, more, s.output.Len(), err)
	}
	return s.last, nil
}

// WaitFor waits until the screen satisfies a condition. The error holds the whole screen.
func (s *Screen) WaitFor(what string, satisfied func(text string) bool, timeout time.Duration) error {
	err := s.wait(timeout, func() bool { return satisfied(strings.Join(s.terminal.lines(), "\n")) })
	if err != nil {
		return fmt.Errorf("waited %v for %s: %w; the screen:\n%s", timeout, what, err, s.framed())
	}
	return nil
}

// WaitForText waits until the screen shows a text, within one row.
func (s *Screen) WaitForText(text string, timeout time.Duration) error {
	return s.WaitFor(fmt.Sprintf("%q", text), func(shown string) bool { return strings.Contains(shown, text) }, timeout)
}

var (
	errTimeout = errors.New("it did not happen")
	errEnded   = errors.New("the program has ended")
)

// wait waits until a condition, which is checked under the lock, holds.
func (s *Screen) wait(timeout time.Duration, satisfied func() bool) error {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	for {
		s.mu.Lock()
		done, changed := satisfied(), s.changed
		s.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-deadline.C:
			return errTimeout
		case <-s.ended:
			s.mu.Lock()
			done = satisfied()
			s.mu.Unlock()
			if done {
				return nil
			}
			return errEnded
		}
	}
}

// framed is the screen in a frame.
func (s *Screen) framed() string {
	var frame strings.Builder
	for _, line := range s.Lines() {
		fmt.Fprintf(&frame, "│%s\n", line)
	}
	return frame.String()
}

// PID is the process of the program.
func (s *Screen) PID() int { return s.cmd.Process.Pid }

// Signal sends a signal to the program.
func (s *Screen) Signal(signal syscall.Signal) error { return s.cmd.Process.Signal(signal) }

// HangUp drops the line, as an SSH connection that breaks does. Nothing can be read or typed afterwards.
func (s *Screen) HangUp() error {
	if err := s.master.Close(); err != nil {
		return fmt.Errorf("hang up: %w", err)
	}
	<-s.ended
	return nil
}

// Wait waits until the program has ended and returns its exit code, or -1 when a signal ended it.
func (s *Screen) Wait(timeout time.Duration) (int, error) {
	select {
	case <-s.exited:
	case <-time.After(timeout):
		return 0, fmt.Errorf("%s has not ended after %v; the screen:\n%s", s.cmd.Path, timeout, s.framed())
	}
	var exit *exec.ExitError
	if s.exit != nil && !errors.As(s.exit, &exit) {
		return 0, fmt.Errorf("wait for %s: %w", s.cmd.Path, s.exit)
	}
	select { // what it wrote last is on the screen, unless a child of it still writes
	case <-s.ended:
	case <-time.After(100 * time.Millisecond):
	}
	return s.cmd.ProcessState.ExitCode(), nil
}

// Close kills the program if it still runs, and gives the terminal back.
func (s *Screen) Close() {
	_ = s.cmd.Process.Kill() // it may have ended
	<-s.exited
	_ = s.master.Close() // it may have hung up
	<-s.ended
}
