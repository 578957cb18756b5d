package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"podpath/e2e/cluster"
	"podpath/e2e/screen"
)

// gone is how soon podpath has ended after its terminal went away or a signal came.
const gone = time.Second

func TestSignalsEndPodpathAndRestoreTheTerminal(t *testing.T) {
	c := cluster.Use(t)
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			u := admin(t, c, "kube-system", screen.Options{})
			u.sees("coredns-")
			if err := u.Signal(signal); err != nil {
				t.Fatal(err)
			}
			u.leaves()
		})
	}
	t.Run("ctrl-c", func(t *testing.T) {
		u := admin(t, c, "kube-system", screen.Options{})
		u.sees("coredns-")
		u.press(screen.Ctrl('c'))
		u.leaves()
	})
}

func TestLostTerminalEndsPodpathEvenWithoutASignal(t *testing.T) {
	c := cluster.Use(t)
	plain := command(t, c.Kubeconfig, "-n", "kube-system")
	apart := exec.CommandContext(t.Context(), "setsid", append([]string{"--wait"}, plain.Args...)...) // in a session of its own it gets no SIGHUP
	apart.Env = plain.Env
	for name, cmd := range map[string]*exec.Cmd{"with SIGHUP": plain, "without": apart} {
		t.Run(name, func(t *testing.T) {
			u := open(t, cmd, screen.Options{})
			u.sees("coredns-")
			if err := u.HangUp(); err != nil {
				t.Fatal(err)
			}
			if _, err := u.Wait(gone); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSuspendAndBack(t *testing.T) {
	c := cluster.Use(t)
	plain := command(t, c.Kubeconfig, "-n", "kube-system")
	shell := exec.CommandContext(t.Context(), "bash", "--norc", "-i")
	shell.Env = append(plain.Env, "PS1=shell$ ")
	u := open(t, shell, screen.Options{})
	u.sees("shell$")
	u.press(strings.Join(plain.Args, " ") + "\r")
	u.sees("coredns-")
	u.press(screen.Ctrl('z'))
	u.sees("Stopped", "shell$")
	u.press("fg\r")
	u.sees("coredns-", "live")
	u.press("q")
	u.sees("shell$")
	if u.State().AltScreen {
		t.Error("podpath left the alternate screen on")
	}
}

func TestDroppedSSHLineEndsPodpath(t *testing.T) {
	c := cluster.Use(t)
	folder := t.TempDir()
	key := filepath.Join(folder, "key")
	must(t, exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key))
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // where sshd locks up its unprivileged half
		t.Fatal(err)
	}
	const port = "2222"
	sshd := exec.CommandContext(t.Context(), "/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-h", key,
		"-o", "ListenAddress=127.0.0.1:"+port, "-o", "AuthorizedKeysFile="+key+".pub", "-o", "PidFile=none",
		"-o", "StrictModes=no", "-o", "PermitRootLogin=yes", "-o", "UsePAM=no")
	if err := sshd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sshd.Process.Kill(); _ = sshd.Wait() })

	remote := command(t, c.Kubeconfig, "-n", "kube-system")
	line := fmt.Sprintf("env LANG=C.UTF-8 HOME=%s %s", folder, strings.Join(remote.Args, " "))
	ssh := []string{"ssh", "-tt", "-q", "-F", "/dev/null", "-p", port, "-i", key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "root@127.0.0.1", line}
	c.Eventually("sshd", soon, func() error {
		return exec.CommandContext(t.Context(), ssh[0], append(ssh[1:len(ssh)-1:len(ssh)-1], "true")...).Run()
	})
	u := open(t, exec.CommandContext(t.Context(), ssh[0], ssh[1:]...), screen.Options{})
	u.sees("coredns-")
	if !bytes.Contains(u.Output(), []byte("\x1b[?2026h")) {
		t.Error("over SSH podpath writes without synchronized output")
	}
	pid := processWith(t, folder)
	if err := u.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	dropped := time.Now()
	for runs(pid) {
		if time.Since(dropped) > gone {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatalf("podpath still runs %v after the SSH line dropped", gone)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("podpath was gone %v after the line dropped", time.Since(dropped).Round(time.Millisecond))
}

// runs tells whether a process still runs; one that has ended and that nobody has asked after yet does not.
func runs(pid int) bool {
	_, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	return err == nil
}

// processWith is the process of podpath whose environment holds a text.
func processWith(t *testing.T, text string) int {
	t.Helper()
	found, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		var pid int
		_, _ = fmt.Sscanf(path, "/proc/%d/", &pid)
		environ, _ := os.ReadFile(path) // it may have ended
		program, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		if bytes.Contains(environ, []byte("HOME="+text+"\x00")) && filepath.Base(program) == "podpath" {
			return pid
		}
	}
	t.Fatalf("no process of podpath has %s in its environment", text)
	return 0
}

func must(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
}

func TestIdleScreenWritesNothing(t *testing.T) {
	c := cluster.Use(t)
	namespace := c.Namespace()
	u := admin(t, c, namespace, screen.Options{})
	u.sees("▾ raspi001  Ready", "live")
	time.Sleep(2 * time.Second) // what the terminal is asked at the start
	before := u.Received()
	time.Sleep(15 * time.Second)
	if wrote := u.Output()[before:]; len(wrote) > 0 {
		t.Errorf("an idle screen wrote %d bytes: %q", len(wrote), wrote)
	}
}

func TestWithoutATerminalPodpathSaysWhatToUseInstead(t *testing.T) {
	c := cluster.Use(t)
	got := run(t, command(t, c.Kubeconfig))
	if got.code != 2 || !strings.Contains(got.err, "needs a terminal") || !strings.Contains(got.err, "podpath pods") {
		t.Errorf("without a terminal: exit code %d, stderr %q; want 2 and what to use", got.code, got.err)
	}
	dumb := command(t, c.Kubeconfig)
	dumb.Env = append(dumb.Env, "TERM=dumb")
	u := open(t, dumb, screen.Options{})
	u.sees("TERM=dumb")
	if code := u.leaves(); code != 2 {
		t.Errorf("on a dumb terminal: exit code %d, want 2", code)
	}
}

func TestNoColorAndASCII(t *testing.T) {
	c := cluster.Use(t)
	cmd := command(t, c.Kubeconfig, "-n", "kube-system")
	cmd.Env = append(cmd.Env, "NO_COLOR=1", "LANG=C")
	u := open(t, cmd, screen.Options{})
	u.sees("- raspi001  Ready", "coredns-")
	u.press("2")
	u.sees("53>53/UDP")
	output := u.Output()
	if colour := regexp.MustCompile(`\x1b\[[0-9;]*(3[0-7]|9[0-7]|4[0-7]|38;|48;)[0-9;]*m`).Find(output); colour != nil {
		t.Errorf("with NO_COLOR podpath wrote the colour %q", colour)
	}
	if i := bytes.IndexFunc(output, func(r rune) bool { return r > 0x7e }); i >= 0 {
		t.Errorf("in the C locale podpath wrote %q", output[i:min(len(output), i+4)])
	}
}

func TestMouseOnlyWhenAskedFor(t *testing.T) {
	c := cluster.Use(t)
	for args, want := range map[string]bool{"": false, "--mouse": true} {
		u := open(t, command(t, c.Kubeconfig, strings.Fields("-n kube-system "+args)...), screen.Options{})
		u.sees("coredns-")
		if got := u.State().Mouse; got != want {
			t.Errorf("podpath %s: mouse is %v, want %v", args, got, want)
		}
	}
}
