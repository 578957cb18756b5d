//go:build linux

package wire_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"podpath/probes/wire"
)

// patience is how long a prober may take for what should take no time.
const patience = 30 * time.Second

// prober is one of the in-Pod sides of the protocol.
type prober struct {
	name string
	tool string // as its Hello has it
	// start runs it until the context ends; exited is closed when it has.
	start func(ctx context.Context, t *testing.T) (in io.WriteCloser, out io.ReadCloser, exited <-chan struct{})
	// lacks are the things that it cannot do, with the reason.
	lacks map[string]string
}

// talk is a conversation with a prober.
type talk struct {
	t       *testing.T
	in      io.WriteCloser
	out     io.ReadCloser
	lines   *bufio.Scanner
	exited  <-chan struct{}
	asked   int
	answers map[int][]wire.Answer
}

// begin starts a prober, and reads its Hello.
func (p prober) begin(t *testing.T) *talk {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	in, out, exited := p.start(ctx, t)
	t.Cleanup(func() {
		_, _ = in.Close(), out.Close()
		cancel()
		<-exited
	})
	c := &talk{t: t, in: in, out: out, lines: bufio.NewScanner(out), exited: exited, answers: map[int][]wire.Answer{}}
	if tool, ok := wire.ParseHello(c.line()); !ok || tool != p.tool {
		t.Fatalf("got %q, want the Hello of %s", c.lines.Text(), p.tool)
	}
	return c
}

func (c *talk) line() string {
	c.t.Helper()
	if !c.lines.Scan() {
		c.t.Fatalf("the prober ended early: %v", c.lines.Err())
	}
	if length := len(c.lines.Bytes()) + 1; length > 4096 {
		c.t.Fatalf("a line of %d bytes, want at most 4096", length)
	}
	return c.lines.Text()
}

// send writes requests.
func (c *talk) send(requests ...wire.Request) {
	c.t.Helper()
	var b strings.Builder
	for _, r := range requests {
		b.WriteString(r.String() + "\n")
	}
	c.asked += len(requests)
	if _, err := io.WriteString(c.in, b.String()); err != nil {
		c.t.Fatal(err)
	}
}

// next reads lines to the next answer, with its parts joined.
func (c *talk) next() wire.Answer {
	c.t.Helper()
	for {
		a, err := wire.ParseAnswer(c.line())
		if err != nil {
			c.t.Fatal(err)
		}
		parts := append(c.answers[a.ID], a)
		if a.Result == wire.Part {
			c.answers[a.ID] = parts
			continue
		}
		delete(c.answers, a.ID)
		var data []byte
		for _, part := range parts {
			data = append(data, part.Data...)
		}
		a.Data = data
		return a
	}
}

// ask sends one request and waits for its answer.
func (c *talk) ask(r wire.Request) wire.Answer {
	c.t.Helper()
	c.send(r)
	return c.next()
}

// end closes the prober's input, and checks that it ends as it should.
func (c *talk) end() {
	c.t.Helper()
	if err := c.in.Close(); err != nil {
		c.t.Fatal(err)
	}
	c.ended()
}

func (c *talk) ended() {
	c.t.Helper()
	if n, ok := wire.ParseEnd(c.line()); !ok || n != c.asked {
		c.t.Fatalf("got %q, want END %d", c.lines.Text(), c.asked)
	}
	if c.lines.Scan() {
		c.t.Fatalf("got %q after END", c.lines.Text())
	}
	c.gone()
}

// gone waits until the prober and all its processes are gone.
func (c *talk) gone() {
	c.t.Helper()
	select {
	case <-c.exited:
	case <-time.After(patience):
		c.t.Fatal("the prober still runs")
	}
}

// whole asks all at once, ends, and returns the answers by ID.
func (p prober) whole(t *testing.T, requests ...wire.Request) map[int]wire.Answer {
	t.Helper()
	c := p.begin(t)
	c.send(requests...)
	if err := c.in.Close(); err != nil {
		t.Fatal(err)
	}
	answers := map[int]wire.Answer{}
	for range requests {
		a := c.next()
		if _, twice := answers[a.ID]; twice {
			t.Fatalf("two answers to %d: %v and %v", a.ID, answers[a.ID], a)
		}
		answers[a.ID] = a
	}
	c.ended()
	return answers
}

// process starts a command in a process group of its own, with nothing but
// tools on its PATH. If that has our nc, it is of that kind.
func process(tools, nc string, argv ...string) func(context.Context, *testing.T) (io.WriteCloser, io.ReadCloser, <-chan struct{}) {
	return func(ctx context.Context, t *testing.T) (io.WriteCloser, io.ReadCloser, <-chan struct{}) {
		t.Helper()
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
		cmd.Env = []string{"PATH=" + tools, "HOME=/nonexistent", "PODPATH_TEST=a b\nc", "LANG=de_DE.UTF-8", "PODPATH_NC=" + nc, "GORACE=atexit_sleep_ms=0"}
		cmd.Stderr = t.Output()
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		// Not StdoutPipe: Wait would close it before all is read.
		out, stdout, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdout = stdout
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		_ = stdout.Close()
		exited := make(chan struct{})
		go func() {
			defer close(exited)
			err := cmd.Wait()
			if left := group(cmd.Process.Pid); len(left) > 0 {
				t.Errorf("these still run: %q", left)
				_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			}
			if err != nil {
				t.Logf("%s: %v", argv[0], err)
			}
		}()
		return in, out, exited
	}
}

// group returns the command lines of the processes in a group.
func group(pgid int) []string {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	var commands []string
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		var state string
		var parent, its int
		_, fields, _ := strings.Cut(string(stat), ") ")
		if _, err := fmt.Sscan(fields, &state, &parent, &its); err == nil && its == pgid && state != "Z" {
			command, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
			commands = append(commands, fmt.Sprintf("%.60s", command))
		}
	}
	return commands
}
