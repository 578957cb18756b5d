package e2e_test

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// wantLen is nil if there are so many.
func wantLen(got []string, want int) error {
	if len(got) != want {
		return fmt.Errorf("got %q, want %d of them", got, want)
	}
	return nil
}

func TestForwardDeliversAnAnswerLongAfterTheClientHasSentAll(t *testing.T) {
	t.Parallel()
	p := backends(t)
	f := forward(t, p.c.Kubeconfig, p.namespace, "svc/backends", "0:80", "--via", "direct")
	l := load{address: f.listen, pause: steady}
	l.start()
	r := ask(t, f.listen, "/late?after=10s")
	if err := r.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if name := strings.TrimSpace(r.body(t, 15*time.Second)); !strings.HasPrefix(name, "answering-") {
		t.Errorf("got %q, want the name of a Pod", name)
	}
	if err := r.ends(); err != nil {
		t.Errorf("the answer ended with %v", err)
	}
	l.stop().wantNoFailure(t, "direct")
}

func TestForwardEndsWhenItsConnectionsHave(t *testing.T) {
	t.Parallel()
	p := backends(t)
	for via, f := range overBoth(t, p.c, p.namespace, "svc/backends", "0:80", "--drain", "20s") {
		t.Run(via, func(t *testing.T) {
			r := ask(t, f.listen, "/late?after=3s")
			time.Sleep(time.Second) // it is with the Pod now
			began := time.Now()
			f.interrupt(t)
			time.Sleep(500 * time.Millisecond)
			if _, err := (&net.Dialer{Timeout: soon}).DialContext(t.Context(), "tcp", f.listen); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("a new connection got %v, want a refusal", err)
			}
			if name := strings.TrimSpace(r.body(t, soon)); !strings.HasPrefix(name, "answering-") {
				t.Errorf("got %q, want the name of a Pod", name)
			}
			_ = r.Close()
			if code, took := f.ends(t, soon), time.Since(began); code != 0 || took > 5*time.Second {
				t.Errorf("it ended with exit code %d after %s, want 0 with its last connection", code, took)
			}
		})
	}
}

func TestForwardEndsAtOnceWhenAskedTwice(t *testing.T) {
	t.Parallel()
	p := backends(t)
	for via, f := range overBoth(t, p.c, p.namespace, "svc/backends", "0:80", "--drain", "1m") {
		t.Run(via, func(t *testing.T) {
			r := ask(t, f.listen, "/endless?every=50ms")
			r.body(t, soon)
			f.interrupt(t)
			time.Sleep(time.Second)
			r.line(t, soon) // runs on
			began := time.Now()
			f.interrupt(t)
			if err := r.ends(); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the connection ended with %v, want a reset", err)
			}
			if code, took := f.ends(t, soon), time.Since(began); code != 0 || took > 2*time.Second {
				t.Errorf("it ended with exit code %d after %s, want 0 at once", code, took)
			}
			if s := f.await(t, "ForwardSummary"); s.Connections != 1 {
				t.Errorf("got %+v, want a summary all the same", s)
			}
		})
	}
}

func TestForwardStopsByItselfWhenItsListenerBreaks(t *testing.T) {
	t.Parallel()
	p := backends(t)
	f := forward(t, p.c.Kubeconfig, p.namespace, "svc/backends", "0:80", "--via", "direct")
	l := load{address: f.listen, pause: steady}
	l.start()
	breakListener(t, f.cmd.Process.Pid, f.listen)
	code := f.ends(t, 20*time.Second)
	l.stop() // whoever came later was refused
	if text := f.err.String(); code != 4 || !strings.Contains(text, "svc/backends:80") || !strings.Contains(text, f.listen) {
		t.Errorf("got exit code %d and %q, want 4 and what broke", code, text)
	}
	f.await(t, "ForwardSummary")
}

func TestForwardStopsByItselfWhenItCannotPrint(t *testing.T) {
	t.Parallel()
	p := backends(t)
	cmd := command(t, p.c.Kubeconfig, "forward", "-n", p.namespace, "svc/backends", "0:80", "--via", "direct")
	full := exec.CommandContext(t.Context(), "sh", append([]string{"-c", `exec "$@" >/dev/full`, "sh"}, cmd.Args...)...)
	full.Env = cmd.Env
	if got := run(t, full); got.code != 4 || !strings.Contains(got.err, "no space left on device") {
		t.Errorf("got exit code %d and %q, want 4 and why", got.code, got.err)
	}
}

// breakListener shuts down the socket on which another process listens: with a copy of its descriptor, as no command can.
func breakListener(t *testing.T, pid int, address string) {
	t.Helper()
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(process)
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, file := range files {
		n, _ := strconv.Atoi(filepath.Base(file))
		fd, err := unix.PidfdGetfd(process, n, 0)
		if err != nil {
			continue
		}
		listens, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
		if listens == 1 {
			err = unix.Shutdown(fd, unix.SHUT_RDWR)
		}
		_ = unix.Close(fd)
		if listens == 1 && err == nil {
			return
		}
	}
	t.Fatalf("process %d does not listen on %s", pid, address)
}
