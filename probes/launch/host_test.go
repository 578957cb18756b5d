package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"podpath/assets"
	"podpath/kube"
)

// host is a cluster in which this machine is the container of Pod web, with the
// programs in one folder alone.
type host struct {
	*practice
	path string
}

func (h host) Exec(ctx context.Context, e kube.Exec) error {
	program, err := exec.LookPath(filepath.Join(h.path, e.Command[0]))
	if err != nil {
		return &kube.ExecError{Failure: kube.NoProgram, Pod: e.Pod, Container: e.Container, Program: e.Command[0]}
	}
	c := exec.CommandContext(ctx, program, e.Command[1:]...)
	c.Env = []string{"PATH=" + h.path}
	c.Stdout, c.Stderr, c.WaitDelay = e.Stdout, e.Stderr, 2*time.Second
	// A runtime does not wait for more input when the program has ended.
	in, err := c.StdinPipe()
	if err != nil {
		return err
	}
	var copying sync.WaitGroup
	if e.Stdin != nil {
		copying.Go(func() {
			_, _ = io.Copy(in, e.Stdin)
			_ = in.Close()
		})
	}
	err = c.Run()
	if closer, ok := e.Stdin.(io.Closer); ok {
		_ = closer.Close()
	}
	copying.Wait()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("exec in %s: %w", e.Pod, context.Cause(ctx))
	case errors.As(err, &exit):
		return &kube.ExitError{Code: exit.ExitCode()}
	default:
		return err
	}
}

// hostWith returns this machine with some of its programs, and skips the test
// when it lacks one.
func hostWith(t *testing.T, programs ...string) host {
	t.Helper()
	h := host{startPractice(t, podYAML("web", "here", container{"app", "host"})+`
---
apiVersion: v1
kind: Node
metadata: {name: here}
status: {nodeInfo: {architecture: `+runtime.GOARCH+`}}
`), t.TempDir()}
	for _, p := range programs {
		path, err := exec.LookPath(p)
		if err != nil {
			t.Skipf("this machine has no %s", p)
		}
		if p == "python3" { // behind a wrapper there may be another one
			executable, err := exec.CommandContext(t.Context(), path, "-c", "import sys; print(sys.executable)").Output()
			must(t, err)
			path = strings.TrimSpace(string(executable))
		}
		must(t, os.Symlink(path, filepath.Join(h.path, p)))
	}
	return h
}

// ladder has the programs that podpath carries.
func (h host) ladder(o Options) *Ladder {
	l := h.practice.ladder(o)
	l.cluster, l.prober = h, assets.Prober
	return l
}

// check asks a server of this machine through a link, as practice.check does.
func (h host) check(t *testing.T, link Link, err error, want Via) {
	t.Helper()
	address, port := echo(t)
	checkLink(t, link, err, want, netip.AddrPortFrom(netip.MustParseAddr(address), uint16(port)))
}

func TestTheScriptsRunOnRealTools(t *testing.T) {
	for name, test := range map[string]struct {
		programs []string
		tool     string
	}{
		"all of them":           {[]string{"sh", "python3", "perl", "bash", "cat"}, "python3"},
		"python without shell":  {[]string{"python3"}, "python3"},
		"perl":                  {[]string{"sh", "perl"}, "perl"},
		"bash, as in a Debian":  {[]string{"sh", "bash", "cat"}, "bash"},
		"bash without its link": {[]string{"bash", "cat"}, "bash"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := hostWith(t, test.programs...)
			link, err := h.ladder(Options{}).Pod(t.Context(), h.snapshot, web, "")
			h.check(t, link, err, Via{Rung: Tools, Tool: test.tool, Container: "app"})
		})
	}
}

func TestABusyboxImage(t *testing.T) {
	h := hostWith(t, "busybox")
	for _, applet := range []string{"sh", "nc", "od", "dd", "cat", "sleep", "tr", "uname"} {
		must(t, os.Symlink("busybox", filepath.Join(h.path, applet)))
	}
	link, err := h.ladder(Options{}).Pod(t.Context(), h.snapshot, web, "")
	h.check(t, link, err, Via{Rung: Tools, Tool: "nc", Container: "app"})
}

func TestTheProberIsUploadedAndDeleted(t *testing.T) {
	if _, err := assets.Prober(runtime.GOARCH); err != nil {
		t.Skip(err)
	}
	h := hostWith(t, "sh", "cat", "chmod", "rm", "wc", "sha256sum")
	l := h.ladder(Options{AllowUpload: true, RunID: fmt.Sprint("test", os.Getpid())})
	link, err := l.Pod(t.Context(), h.snapshot, web, "")
	h.check(t, link, err, Via{Rung: Upload, Tool: "podpath", Container: "app"})
	if left, _ := filepath.Glob("/tmp/.podpath-" + l.options.RunID + "*"); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestUploadScript(t *testing.T) {
	program := []byte("#!/bin/sh\necho it runs\n")
	upload := func(t *testing.T, in string, argv ...string) string {
		t.Helper()
		c := exec.CommandContext(t.Context(), "sh", append([]string{"-c", uploadScript, "sh"}, argv...)...)
		c.Stdin = strings.NewReader(in)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	size, sum := strconv.Itoa(len(program)), sumOf(program)
	readable := filepath.Join(t.TempDir(), "none") // not there
	writable := t.TempDir()
	file := filepath.Join(writable, "name")
	want := fmt.Sprintf("file %s\nsize %s\nsha256 %s\nEND\n", file, size, sum)
	if got := upload(t, string(program), size, sum, "name", readable, writable); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", runUploaded, "sh", file).Output(); string(out) != "it runs\n" || err != nil {
		t.Errorf("got %q, %v", out, err)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("got %v, want that the file is gone when it runs", err)
	}
	must(t, os.WriteFile(file, program, 0o600))
	if got := upload(t, "", "0", "", "name", readable, writable); got != "END\n" {
		t.Errorf("got %q for a deletion", got)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("got %v, want it deleted", err)
	}
}

func TestHalfAnUploadIsDeletedWithEitherTool(t *testing.T) {
	for _, tool := range []string{"wc", "sha256sum"} {
		h := hostWith(t, "sh", "cat", "chmod", "rm", tool)
		u := uploaded{name: fmt.Sprintf("half-%s-%d", tool, os.Getpid())}
		argv := u.command([]byte("#!/bin/sh\necho it runs\n"))
		c := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
		c.Env = []string{"PATH=" + h.path}
		c.Stdin = strings.NewReader("#!/bin/sh\n")
		out, err := c.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "file /tmp/"+u.name+"\n") {
			t.Fatalf("%v: %s", err, out)
		}
		if _, err := os.Stat("/tmp/" + u.name); !os.IsNotExist(err) {
			t.Errorf("got %v with %s, want that half a file is deleted", err, tool)
			_ = os.Remove("/tmp/" + u.name)
		}
	}
}

func TestDeletionPassesOverFilesThatAreMounted(t *testing.T) {
	h := hostWith(t, "busybox")
	for _, applet := range []string{"sh", "rm"} { // GNU's rm takes no offence
		must(t, os.Symlink("busybox", filepath.Join(h.path, applet)))
	}
	mounted, folder, home := filepath.Join(t.TempDir(), "mounted"), t.TempDir(), t.TempDir()
	for _, file := range []string{mounted, filepath.Join(folder, "name"), filepath.Join(home, "name")} {
		must(t, os.WriteFile(file, []byte("x"), 0o600))
	}
	c := exec.CommandContext(t.Context(), filepath.Join(h.path, "sh"), "-c", uploadScript, "sh", "0", "", "name", mounted, folder)
	c.Env = []string{"PATH=" + h.path, "HOME=" + home}
	if out, err := c.CombinedOutput(); err != nil || string(out) != "END\n" {
		t.Errorf("got %q, %v", out, err)
	}
	for _, place := range []string{folder, home} {
		if _, err := os.Stat(filepath.Join(place, "name")); !os.IsNotExist(err) {
			t.Errorf("got %v, want the file deleted from %s", err, place)
		}
	}
}

func TestUploadGoesIntoTheHomeFolderWhereNothingElseServes(t *testing.T) {
	h := hostWith(t, "sh", "cat", "chmod", "rm")
	home := t.TempDir()
	c := exec.CommandContext(t.Context(), "sh", "-c", uploadScript, "sh", "3", "", "name", filepath.Join(home, "none"))
	c.Env = []string{"PATH=" + h.path, "HOME=" + home + "/"}
	c.Stdin = strings.NewReader("abc")
	out, err := c.CombinedOutput()
	if want := "file " + filepath.Join(home, "name") + "\nEND\n"; err != nil || string(out) != want {
		t.Errorf("got %q, %v, want %q", out, err, want)
	}
}
