package main

import (
	"log/slog"
	"os"
	"path/filepath"

	"k8s.io/klog/v2"
)

// logLimit is the size in bytes at which the log starts anew: a forgotten log
// must not fill the card of a Raspberry Pi.
const logLimit = 1 << 20

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
	logger := slog.New(slog.NewTextHandler(file, nil))
	before, stderr := slog.Default(), os.Stderr
	slog.SetDefault(logger)
	klog.SetSlogLogger(logger)
	if silence {
		os.Stderr = file
	}
	return file.Name(), func() {
		os.Stderr = stderr
		slog.SetDefault(before)
		klog.ClearLogger()
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
