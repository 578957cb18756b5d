package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/klog/v2"
)

func TestLogsGoToAFile(t *testing.T) {
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	path, undo := redirectLogs(true)
	stderr := os.Stderr
	klog.Error("from klog")
	slog.Error("from slog")
	_, _ = fmt.Fprintln(os.Stderr, "from a \x1b[31mplugin")
	undo()
	if want := filepath.Join(state, "podpath", "podpath.log"); path != want {
		t.Errorf("got the log in %s, want %s", path, want)
	}
	text := readFile(t, path)
	for _, want := range []string{"from klog", "from slog", "from a [31mplugin"} {
		if !strings.Contains(text, want) {
			t.Errorf("got %q, want %q in it", text, want)
		}
	}
	if os.Stderr == stderr {
		t.Error("got stderr still redirected")
	}
}

func TestExpectedEndsAreNotLogged(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	path, undo := redirectLogs(true)
	cut := &net.OpError{Op: "read", Net: "tcp", Err: net.ErrClosed}
	klog.ErrorS(cut, "closed by podpath itself")
	klog.ErrorS(fmt.Errorf("stream: %w", io.EOF), "ended")
	klog.ErrorS(io.ErrUnexpectedEOF, "cut off")
	undo()
	text := readFile(t, path)
	if strings.Contains(text, "itself") || strings.Contains(text, "ended") || !strings.Contains(text, "cut off") {
		t.Errorf("got %q, want only what was cut off", text)
	}
}

func TestLogsGoBelowHomeWithoutAStateDirectory(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("HOME", home)
	path, undo := redirectLogs(false)
	undo()
	if want := filepath.Join(home, ".local", "state", "podpath", "podpath.log"); path != want {
		t.Errorf("got the log in %s, want %s", path, want)
	}
}

func TestTheLogIsBoundedWhilePodpathRuns(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	log := openLog()
	defer log.close()
	line := strings.Repeat("x", 1<<10)
	for range 3 * logLimit / len(line) {
		_, _ = io.WriteString(log, line)
	}
	_, _ = io.WriteString(log, "the last")
	var all int64
	for _, path := range []string{log.path, log.path + ".old"} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		all += info.Size()
	}
	if all > 2*logLimit {
		t.Errorf("got %d bytes, want at most %d", all, 2*logLimit)
	}
	if !strings.HasSuffix(readFile(t, log.path), "the last") {
		t.Error("got a log without its newest line")
	}
}

func TestALargeLogOfEarlierIsPutAside(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	path, err := logPath()
	if err := errors.Join(err, os.WriteFile(path, nil, 0o600), os.Truncate(path, logLimit)); err != nil {
		t.Fatal(err)
	}
	_, undo := redirectLogs(false)
	slog.Warn("new")
	undo()
	if text := readFile(t, path); !strings.Contains(text, "new") || len(text) > 200 {
		t.Errorf("got %d bytes, want only what is new", len(text))
	}
}

func TestWithoutAPlaceForTheLogItIsDropped(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", "/dev/null")
	path, undo := redirectLogs(true)
	defer undo()
	slog.Warn("to nowhere")
	if path != os.DevNull {
		t.Errorf("got the log in %s, want it dropped", path)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
