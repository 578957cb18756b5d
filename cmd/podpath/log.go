package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"

	"k8s.io/klog/v2"
)

// logLimit is the size in bytes at which the log starts anew: a forgotten log
// must not fill the card of a Raspberry Pi.
const logLimit = 1 << 20

// logThroughSlog makes klog log to whatever slog's default is at the moment.
// It is done once for the process, before the first client: client-go's
// goroutines read klog's logger without a lock, some after the request that
// they belong to was given up.
func logThroughSlog() { klog.SetSlogLogger(slog.New(defaultHandler{})) }

// defaultHandler is the handler of slog's default, also when that changes.
type defaultHandler struct{}

func (defaultHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return slog.Default().Handler().Enabled(ctx, l)
}

func (defaultHandler) Handle(ctx context.Context, r slog.Record) error {
	return slog.Default().Handler().Handle(ctx, r)
}

func (defaultHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return slog.Default().Handler().WithAttrs(attrs)
}

func (defaultHandler) WithGroup(name string) slog.Handler {
	return slog.Default().Handler().WithGroup(name)
}

// redirectLogs sends what libraries log (klog, log/slog) to
// $XDG_STATE_HOME/podpath/podpath.log. With silence, what goes to os.Stderr
// goes there as well: client-go hands that to credential plugins, which would
// draw over the UI. Without a place for the file it is dropped. The returned
// function undoes it.
func redirectLogs(silence bool) (path string, undo func()) {
	file, err := openLog()
	if err != nil {
		file, err = os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			return "", func() {}
		}
	}
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(file, nil)))
	speak := func() {}
	if silence {
		stderr := os.Stderr
		speak = func() { os.Stderr = stderr }
		os.Stderr = file
	}
	return file.Name(), func() {
		speak()
		slog.SetDefault(before)
		_ = file.Close()
	}
}

func openLog() (*os.File, error) {
	dir := os.Getenv("XDG_STATE_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, err
		}
		dir = filepath.Join(home, ".local", "state")
	}
	dir = filepath.Join(dir, "podpath")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "podpath.log")
	flags := os.O_CREATE | os.O_APPEND | os.O_WRONLY
	if info, err := os.Stat(path); err == nil && info.Size() > logLimit {
		flags |= os.O_TRUNC
	}
	return os.OpenFile(path, flags, 0o600)
}
