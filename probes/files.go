package probes

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"podpath/probes/wire"
)

// maxFile is how much of a file is read: /proc/net/tcp of a Pod with some
// thousand connections.
const maxFile = 1 << 20

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
	known.once.Do(func() { known.text, known.err = f.observer.readFile(ctx, path) })
	return known.text, known.err
}

// readFile reads a file as it is now.
func (o *observer) readFile(ctx context.Context, path string) ([]byte, error) {
	a, err := o.ask(ctx, wire.Request{Op: wire.File, Address: path, Count: maxFile})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if a.Result != wire.OK {
		return nil, fmt.Errorf("read %s: %s", path, a.Result)
	}
	return a.Data, nil
}

// sockets reads the source's TCP sockets. A kernel without IPv6 has no second
// table.
func (o *observer) sockets(ctx context.Context) ([]socket, error) {
	table, err := o.readFile(ctx, "/proc/net/tcp")
	if err != nil {
		return nil, err
	}
	out := parseSockets(table)
	if table, err := o.readFile(ctx, "/proc/net/tcp6"); err == nil {
		out = append(out, parseSockets(table)...)
	}
	return out, nil
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
