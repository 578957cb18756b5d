package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"podpath/kube"
)

// logLimit is the size in bytes at which the log starts anew, also while
// podpath runs: it must not fill the card of a Raspberry Pi. What was before is
// kept once, beside it.
const logLimit = 1 << 20

// logFile is the log, $XDG_STATE_HOME/podpath/podpath.log. Where there is no
// place for it, it takes everything and keeps nothing.
type logFile struct {
	path string // os.DevNull without a place

	mu   sync.Mutex // guards all below
	file *os.File   // nil without a place
	size int64
}

func openLog() *logFile {
	l := &logFile{path: os.DevNull}
	path, err := logPath()
	if err != nil {
		return l
	}
	l.path = path
	if err := l.open(); err != nil {
		l.path = os.DevNull
	}
	return l
}

func logPath() (string, error) {
	dir := os.Getenv("XDG_STATE_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(home, ".local", "state")
	}
	dir = filepath.Join(dir, "podpath")
	return filepath.Join(dir, "podpath.log"), os.MkdirAll(dir, 0o700)
}

// open opens the file for more. The trace of a panic that nothing recovers goes
// there, too.
func (l *logFile) open() error {
	file, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	l.file, l.size = file, 0
	if info, err := file.Stat(); err == nil {
		l.size = info.Size()
	}
	_ = debug.SetCrashOutput(file, debug.CrashOptions{})
	return nil
}

// Write appends to the log, and never fails: nothing else should because of it.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil && l.size > 0 && l.size+int64(len(p)) > logLimit {
		l.shut()
		_ = os.Rename(l.path, l.path+".old")
		_ = l.open()
	}
	if l.file != nil {
		n, _ := l.file.Write(p)
		l.size += int64(n)
	}
	return len(p), nil
}

func (l *logFile) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shut()
}

func (l *logFile) shut() {
	if l.file != nil {
		_ = debug.SetCrashOutput(nil, debug.CrashOptions{})
		_ = l.file.Close()
		l.file = nil
	}
}

// keepTrace writes the trace of a panic to the log, and says where it is. It
// becomes part of what is said where there is no log.
func keepTrace(p *kube.PanicError) string {
	trace := fmt.Sprintf("%s podpath %s (commit %s): %v\n%s", time.Now().Format(time.RFC3339), version, commit, p, p.Stack)
	log := openLog()
	defer log.close()
	if log.file == nil {
		return "there is no place for its trace:\n" + trace
	}
	_, _ = io.WriteString(log, kube.CleanLines(trace))
	return "the trace is in " + log.path
}
