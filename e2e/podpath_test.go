package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"podpath/e2e/cluster"
	"podpath/e2e/screen"
)

// soon is how long a test waits for something that should take a moment.
const soon = 10 * time.Second

// command is podpath as a user starts it, with a home of its own.
func command(t *testing.T, kubeconfig string, args ...string) *exec.Cmd {
	t.Helper()
	path := os.Getenv("PODPATH")
	if path == "" {
		t.Fatalf("PODPATH does not name the program; run: make e2e RUN=%s", t.Name())
	}
	cmd := exec.CommandContext(context.Background(), path, append([]string{"--kubeconfig", kubeconfig}, args...)...)
	cmd.Env = []string{"TERM=xterm-256color", "LANG=C.UTF-8", "HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}
	return cmd
}

// user is a person in front of podpath: what fails ends the test.
type user struct {
	*screen.Screen
	t *testing.T
}

// open starts podpath's UI in a terminal.
func open(t *testing.T, cmd *exec.Cmd, options screen.Options) *user {
	t.Helper()
	s, err := screen.Start(cmd, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return &user{s, t}
}

// sees waits until the screen shows all the texts.
func (u *user) sees(texts ...string) {
	u.t.Helper()
	u.seesWithin(soon, texts...)
}

func (u *user) seesWithin(timeout time.Duration, texts ...string) {
	u.t.Helper()
	for _, text := range texts {
		if err := u.WaitForText(text, timeout); err != nil {
			u.t.Fatal(err)
		}
	}
}

// seesNo waits until the screen shows none of the texts.
func (u *user) seesNo(texts ...string) {
	u.t.Helper()
	for _, text := range texts {
		if err := u.WaitFor("no "+text, func(shown string) bool { return !strings.Contains(shown, text) }, soon); err != nil {
			u.t.Fatal(err)
		}
	}
}

// press types keys.
func (u *user) press(keys ...string) {
	u.t.Helper()
	for _, k := range keys {
		if err := u.Send(k); err != nil {
			u.t.Fatal(err)
		}
		if k == screen.Escape {
			time.Sleep(100 * time.Millisecond) // or it begins an escape sequence with what follows
		}
	}
}

// filter types a filter and keeps it.
func (u *user) filter(text string) {
	u.t.Helper()
	u.press("/", text, screen.Enter)
	u.sees("/" + text)
}

// leaves waits until podpath has ended, and checks that it gave the terminal back as it was.
func (u *user) leaves() (code int) {
	u.t.Helper()
	code, err := u.Wait(gone)
	if err != nil {
		u.t.Fatal(err)
	}
	if state := u.State(); state.AltScreen || !state.CursorVisible {
		u.t.Errorf("the terminal is left with %+v, want the normal screen and a cursor", state)
	}
	if cooked, err := u.Cooked(); err != nil || !cooked {
		u.t.Errorf("the terminal is left raw (%v)", err)
	}
	return code
}

// result is what a command printed, and how it ended.
type result struct {
	out, err string
	code     int
}

func run(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// admin is podpath's UI for the cluster's admin in one namespace.
func admin(t *testing.T, c *cluster.Cluster, namespace string, options screen.Options) *user {
	t.Helper()
	return open(t, command(t, c.Kubeconfig, "-n", namespace), options)
}
