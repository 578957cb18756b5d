package tui

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// escapeWait is how long an escape byte may wait for what would make it the
// beginning of another key: Bubble Tea's own time for that.
const escapeWait = 50 * time.Millisecond

// keyboard is the terminal's input. It notices that the terminal is gone even
// where no SIGHUP comes, as under nohup: reading fails or ends. And it tells
// esc from what follows, which Bubble Tea takes for one key with alt.
type keyboard struct {
	*os.File
	lost    chan struct{} // closed when the terminal is gone
	escapes escapes
	failed  error // why the last reading ended early; the next one says it
}

func newKeyboard(f *os.File) *keyboard { return &keyboard{File: f, lost: make(chan struct{})} }

// isLost reports whether the terminal is gone.
func (k *keyboard) isLost() bool {
	select {
	case <-k.lost:
		return true
	default:
		return false
	}
}

// Read returns what was typed. It waits only where an escape byte came last.
func (k *keyboard) Read(p []byte) (int, error) {
	out := p[:0]
	for room := len(p) / len(escapeKey); ; {
		raw := make([]byte, room)
		n, err := k.read(raw)
		out = k.escapes.append(out, raw[:n])
		room -= n
		if err != nil {
			k.failed = err
		}
		if err != nil || !k.escapes.waits() || room == 0 || !k.more(escapeWait) {
			break
		}
	}
	if out = k.escapes.end(out); len(out) == 0 {
		return 0, k.failed
	}
	return len(out), nil
}

// read reads once, and notes that the terminal is gone.
func (k *keyboard) read(p []byte) (int, error) {
	if k.failed != nil {
		return 0, k.failed
	}
	n, err := k.File.Read(p)
	if err != nil && !k.isLost() {
		close(k.lost)
	}
	return n, err
}

// more reports whether something can be read within the time.
func (k *keyboard) more(wait time.Duration) bool {
	look := []unix.PollFd{{Fd: int32(k.Fd()), Events: unix.POLLIN}}
	for end := time.Now().Add(wait); ; {
		n, err := unix.Poll(look, int(max(0, time.Until(end)).Milliseconds()))
		if !errors.Is(err, unix.EINTR) {
			return err == nil && n > 0 && look[0].Revents&unix.POLLIN != 0
		}
	}
}
