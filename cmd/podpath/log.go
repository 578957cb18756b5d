package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"k8s.io/klog/v2"
)

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

// Handle leaves out what only says that something has ended as it should.
func (defaultHandler) Handle(ctx context.Context, r slog.Record) error {
	if endsAsExpected(r) {
		return nil
	}
	return slog.Default().Handler().Handle(ctx, r)
}

func (defaultHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return slog.Default().Handler().WithAttrs(attrs)
}

func (defaultHandler) WithGroup(name string) slog.Handler {
	return slog.Default().Handler().WithGroup(name)
}

// endsAsExpected reports a record about a connection that its own side has
// closed, or a request that its own side has given up: client-go logs those as
// errors, one or more for each connection of a forward.
func endsAsExpected(r slog.Record) bool {
	expected := false
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			expected = isExpectedEnd(err)
		}
		return !expected
	})
	return expected
}

func isExpectedEnd(err error) bool {
	for _, end := range []error{net.ErrClosed, io.ErrClosedPipe, io.EOF, context.Canceled} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// redirectLogs sends what libraries log (klog, log/slog) to the log. Credential
// plugins get another stderr from client-go, os.Stderr: with silence that is
// the log as well, else they would draw over the UI; without it is the real
// one, made plain. Without a place for the log it is dropped. The returned
// function undoes it.
func redirectLogs(silence bool) (path string, undo func()) {
	log := openLog()
	logger, stderr := slog.Default(), os.Stderr
	slog.SetDefault(slog.New(slog.NewTextHandler(log, nil)))
	var plugins io.Writer = stderr
	if silence {
		plugins = log
	}
	stop := redirectStderr(&plain{to: plugins})
	return log.path, func() {
		stop()
		slog.SetDefault(logger)
		log.close()
	}
}

// redirectStderr makes os.Stderr a pipe to a writer until stop. It has to be a
// file: programs that are started inherit it.
func redirectStderr(to io.Writer) (stop func()) {
	out, in, err := os.Pipe()
	if err != nil {
		return func() {}
	}
	before, copied := os.Stderr, make(chan struct{})
	os.Stderr = in
	go func() {
		defer close(copied)
		_, _ = io.Copy(to, out)
	}()
	return func() {
		os.Stderr = before
		_ = in.Close()
		select {
		case <-copied:
		case <-time.After(endGrace): // a credential plugin runs on, and has it
		}
		_ = out.Close()
		<-copied
	}
}
