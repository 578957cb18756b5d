package main

import (
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// monitor shows podpath's UI in a real terminal of 80×24, and what a person in
// front of it would see.
type monitor struct {
	*testing.T
	user *os.File // what is typed goes in here

	mu      sync.Mutex // guards what follows
	vt      vt10x.Terminal
	pending string // the beginning of a sequence
	last    time.Time
}

// startMonitor runs podpath in a terminal until the test ends.
func startMonitor(t *testing.T, args ...string) *monitor {
	t.Helper()
	t.Setenv("TERM", "xterm-256color") // what vt10x knows well
	t.Setenv("LC_ALL", "C.UTF-8")
	user, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(tty, &pty.Winsize{Cols: 80, Rows: 24}); err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Dup(int(user.Fd())) // for a file whose Close ends a Read
	if err != nil {
		t.Fatal(err)
	}
	_, _ = syscall.SetNonblock(fd, true), user.Close()
	s := &monitor{T: t, user: os.NewFile(uintptr(fd), user.Name()), vt: vt10x.New(vt10x.WithSize(80, 24))}
	var running sync.WaitGroup
	running.Go(s.follow)
	running.Go(func() {
		cluster := &clusterOptions{}
		defer cluster.close()
		root := newRoot(streams{in: tty, out: tty, err: t.Output()}, cluster)
		root.SetArgs(append([]string{}, args...)) // not nil, which would be those of the test
		if code := exitCode(root.ExecuteContext(t.Context()), t.Output()); code != exitOK {
			t.Errorf("the UI ended with exit code %d", code)
		}
		_ = tty.Close() // then nothing more can be read
	})
	t.Cleanup(func() { running.Wait(); _ = s.user.Close() }) // the context of the test has ended
	return s
}

// private are sequences that ask a terminal what it can do, and switch that on.
// vt10x would take some of them for others.
var (
	private = regexp.MustCompile(`\x1b\[(?:[<=>][0-9;:]*[ -/]*[@-~]|\?[0-9;:]*(?:[ -/]+[@-~]|[^0-9;:hl\x1b]))`)
	partial = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*)?$|[\xc0-\xff][\x80-\xbf]{0,2}$`)
)

// follow draws what podpath writes.
func (s *monitor) follow() {
	buffer := make([]byte, 64<<10)
	for {
		n, err := s.user.Read(buffer)
		s.mu.Lock()
		text := s.pending + string(buffer[:n])
		s.pending = partial.FindString(text)
		text = strings.TrimSuffix(text, s.pending)
		_, _ = s.vt.Write([]byte(private.ReplaceAllString(text, "")))
		s.last = time.Now()
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *monitor) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := strings.Split(s.vt.String(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

// namedKeys are those that are no letters, as a terminal sends them.
var namedKeys = map[string]string{
	"enter": "\r", "esc": "\x1b", "tab": "\t", "space": " ", "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
	"ctrl-d": "\x04", "ctrl-u": "\x15", "ctrl-r": "\x12", "ctrl-w": "\x17",
}

// quiet is how long nothing is drawn once a key was handled. Esc has to stand
// alone for longer than Bubble Tea waits for the rest of a sequence.
const quiet = 70 * time.Millisecond

// press types keys as lessons write them: their names or letters, apart by
// blanks. What begins with a colon is a command line up to enter.
func (s *monitor) press(keys ...string) {
	s.Helper()
	line := false // a command line
	for i, k := range keys {
		typed, named := namedKeys[k]
		switch {
		case named:
			line = false
		case line:
			typed = " " + k
		default:
			typed, line = k, strings.HasPrefix(k, ":")
		}
		before := time.Now()
		if _, err := s.user.WriteString(typed); err != nil {
			s.Fatalf("type %q: %v", typed, err)
		}
		if named || i == len(keys)-1 {
			s.settle(before)
		}
	}
}

// settle waits until something was drawn after a time, and then nothing more. A
// key may also change nothing.
func (s *monitor) settle(after time.Time) {
	for end := after.Add(time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		s.mu.Lock()
		last := s.last
		s.mu.Unlock()
		if last.After(after) && time.Since(last) > quiet {
			return
		}
	}
}

// sees waits until a text is on the screen, within one line, and reports
// whether it came.
func (s *monitor) sees(text string) bool {
	s.Helper()
	for end := time.Now().Add(patience); !strings.Contains(s.text(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.Errorf("%q is not on the screen:\n%s", text, s.text())
			return false
		}
	}
	return true
}

// patience is how long a promise may take to come true.
const patience = 20 * time.Second
