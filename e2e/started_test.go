package e2e_test

import (
	"bytes"
	"net"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// started is a command that runs while the test does something else.
type started struct {
	t        *testing.T
	cmd      *exec.Cmd
	out, err bytes.Buffer // valid once it has ended
	ended    chan struct{}
}

func start(t *testing.T, cmd *exec.Cmd) *started {
	t.Helper()
	s := &started{t: t, cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &s.out, &s.err
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait() // its code says how it ended
		close(s.ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // refused when it has ended
		<-s.ended
	})
	return s
}

// signal sends a signal and returns how the command ended, which it does within so long.
func (s *started) signal(signal syscall.Signal, within time.Duration) result {
	s.t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		s.t.Fatalf("send %s: %v; stderr %q", signal, err, s.err.String())
	}
	return s.ends(within)
}

// ends waits for the end of the command.
func (s *started) ends(within time.Duration) result {
	s.t.Helper()
	began := time.Now()
	select {
	case <-s.ended:
	case <-time.After(within):
		_ = s.cmd.Process.Kill()
		<-s.ended
		s.t.Fatalf("it still ran after %v; stdout %q, stderr %q", within, s.out.String(), s.err.String())
	}
	s.t.Logf("it ended after %v", time.Since(began).Round(10*time.Millisecond))
	return result{s.out.String(), s.err.String(), s.cmd.ProcessState.ExitCode()}
}

// slowly returns a kubeconfig whose line to the API server carries so many bytes a second.
func slowly(t *testing.T, kubeconfig string, rate int) string {
	t.Helper()
	server := regexpOne(t, kubeconfig, `server: https://(\S+)`)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return // the test is over
			}
			far, err := new(net.Dialer).DialContext(t.Context(), "tcp", server)
			if err != nil {
				_ = near.Close()
				continue
			}
			work.Go(func() { trickle(far, near, rate) })
			work.Go(func() { trickle(near, far, 1<<30) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		work.Wait() // whoever used the line has ended
	})
	through := edited(t, kubeconfig, regexp.MustCompile(`server: \S+`), "server: https://"+listener.Addr().String())
	return edited(t, through, regexp.MustCompile(`certificate-authority-data: \S+`), "insecure-skip-tls-verify: true")
}

// trickle copies at most so many bytes a second, and closes both ends when one has.
func trickle(to, from net.Conn, rate int) {
	defer to.Close()   //nolint:errcheck // the test looks at what podpath says
	defer from.Close() //nolint:errcheck // likewise
	chunk := make([]byte, 16<<10)
	for {
		n, err := from.Read(chunk)
		if n > 0 {
			time.Sleep(time.Duration(n) * time.Second / time.Duration(rate))
			if _, err := to.Write(chunk[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
