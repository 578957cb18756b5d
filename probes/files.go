package probes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"podpath/probes/wire"
)

// maxTable is how much of a table of sockets is read: some ten thousand.
// maxText is how much of other files is.
const (
	maxTable = 2 << 20
	maxText  = 256 << 10
)

// files reads files of a source, each once.
type files struct {
	observer *observer
	mu       sync.Mutex
	known    map[string]*file
}

type file struct {
	once sync.Once
	text []byte
	err  error
}

// read returns the text of a file as it was at the first reading.
func (f *files) read(ctx context.Context, path string) ([]byte, error) {
	f.mu.Lock()
	if f.known == nil {
		f.known = map[string]*file{}
	}
	known := f.known[path]
	if known == nil {
		known = &file{}
		f.known[path] = known
	}
	f.mu.Unlock()
	known.once.Do(func() { known.text, known.err = f.observer.readFile(ctx, path, maxText) })
	return known.text, known.err
}

// readFile reads a file as it is now. One that is longer than limit is an
// error: the rest may tell something else.
func (o *observer) readFile(ctx context.Context, path string, limit int) ([]byte, error) {
	a, err := o.ask(ctx, wire.Request{Op: wire.File, Address: path, Count: limit})
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", path, err)
	case a.Result != wire.OK:
		return nil, fmt.Errorf("read %s: %s", path, a.Result)
	case len(a.Data) >= limit:
		return nil, fmt.Errorf("read %s: %w", path, errTool{fmt.Sprintf("it is longer than %d bytes", limit), true})
	}
	return a.Data, nil
}

// sockets reads the source's TCP sockets. A kernel without IPv6 has no second
// table.
func (o *observer) sockets(ctx context.Context) ([]socket, error) {
	table, err := o.readFile(ctx, "/proc/net/tcp", maxTable)
	if err != nil {
		return nil, err
	}
	six, err := o.readFile(ctx, "/proc/net/tcp6", maxTable)
	if missing := (errTool{}); err != nil && (!errors.As(err, &missing) || missing.tooLong) {
		return nil, err
	}
	return append(parseSockets(table), parseSockets(six)...), nil
}

// lookupEnv finds a variable in /proc/PID/environ.
func lookupEnv(environ []byte, name string) (string, bool) {
	for _, entry := range bytes.Split(environ, []byte{0}) {
		if value, ok := bytes.CutPrefix(entry, []byte(name+"=")); ok {
			return string(value), true
		}
	}
	return "", false
}
