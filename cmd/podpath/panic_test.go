package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	utilruntime "k8s.io/apimachinery/pkg/util/runtime"

	"podpath/kube"
)

// panicked is the error of a panic.
func panicked() (err error) {
	defer func() { err = kube.Panicked("looking", recover()) }()
	panic("no such \x1b[31mhop\nat all")
}

func TestAPanicSaysInOneLineWhatAndWhereItsTraceIs(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	path, err := logPath()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	code := exitCode(fmt.Errorf("list: %w", panicked()), &said)
	want := "podpath: list: podpath itself broke: panic while looking: no such [31mhop at all; the trace is in "
	want += path + "\n"
	if code != exitBroke || said.String() != want {
		t.Errorf("got %d and %q, want %d and %q", code, said.String(), exitBroke, want)
	}
	if text := readFile(t, path); !strings.Contains(text, "cmd/podpath.panicked") {
		t.Errorf("got a trace that does not name the function: %s", text)
	}
}

func TestAPanicIsSaidWithItsTraceWhereThereIsNoLog(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", "/dev/null")
	var said bytes.Buffer
	if code := exitCode(panicked(), &said); code != exitBroke || !strings.Contains(said.String(), "cmd/podpath.panicked") {
		t.Errorf("got %d and %q, want %d and the trace", code, said.String(), exitBroke)
	}
}

// panicVariable makes the test binary itself the program that breaks.
const panicVariable = "PODPATH_TEST_PANIC"

func TestAPanicInAGoroutineOfTheClientHasTheSameExitCode(t *testing.T) {
	if os.Getenv(panicVariable) != "" {
		exitOnPanic(os.Stderr, os.Exit)
		utilruntime.PanicHandlers = append(utilruntime.PanicHandlers, func(context.Context, any) {
			_, _ = io.WriteString(os.Stderr, "the terminal is restored\n")
		})
		_, undo := redirectLogs(true)
		defer undo()
		go func() {
			defer utilruntime.HandleCrash()
			panic("something broke")
		}()
		select {}
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), panicVariable+"=1", "XDG_STATE_HOME="+t.TempDir())
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	var exit *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != exitBroke {
		t.Errorf("got %v, want exit code %d", err, exitBroke)
	}
	_, text, _ := strings.Cut(said.String(), "podpath: ")
	want := "podpath itself broke: panic while talking to the cluster: something broke; the trace is in "
	if !strings.HasPrefix(text, want) || strings.Count(text, "\n") != 1 {
		t.Errorf("got %q, want one line", said.String())
	}
}
