package probes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"podpath/probes/path"
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
func (f *files) read(ctx context.Context, name string) ([]byte, error) {
	f.mu.Lock()
	if f.known == nil {
		f.known = map[string]*file{}
	}
	known := f.known[name]
	if known == nil {
		known = &file{}
		f.known[name] = known
	}
	f.mu.Unlock()
	known.once.Do(func() { known.text, known.err = f.observer.readFile(ctx, name, maxText) })
	return known.text, known.err
}

// readFile reads a file as it is now. One that is longer than limit is an
// error: the rest may tell something else.
func (o *observer) readFile(ctx context.Context, name string, limit int) ([]byte, error) {
	a, err := o.ask(ctx, wire.Request{Op: wire.File, Address: name, Count: limit})
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", name, err)
	case a.Result != wire.OK:
		return nil, fmt.Errorf("read %s: %s", name, a.Result)
	case len(a.Data) >= limit:
		return nil, fmt.Errorf("read %s: %w", name, errTool{fmt.Sprintf("it is longer than %d bytes", limit), true})
	}
	return a.Data, nil
}

// sockets reads the source's TCP sockets.
func (o *observer) sockets(ctx context.Context) ([]path.Socket, error) {
	return o.tables(ctx, "/proc/net/tcp")
}

// listeners reads where programs of the source listen, for both transports.
func (o *observer) listeners(ctx context.Context) ([]path.Listener, error) {
	tcp, err := o.sockets(ctx)
	if err != nil {
		return nil, err
	}
	udp, err := o.tables(ctx, "/proc/net/udp")
	if err != nil {
		return nil, err
	}
	return append(path.Listeners("TCP", tcp), path.Listeners("UDP", udp)...), nil
}

// tables reads the sockets of both families. A kernel without IPv6 has no
// second table.
func (o *observer) tables(ctx context.Context, file string) ([]path.Socket, error) {
	table, err := o.readFile(ctx, file, maxTable)
	if err != nil {
		return nil, err
	}
	six, err := o.readFile(ctx, file+"6", maxTable)
	if missing := (errTool{}); err != nil && (!errors.As(err, &missing) || missing.tooLong) {
		return nil, err
	}
	return append(path.ParseSockets(table), path.ParseSockets(six)...), nil
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
