package forward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"syscall"
	"time"
)

// The pauses after an error of accept, such as no free file descriptor: it
// comes again at once.
const (
	acceptPause     = 5 * time.Millisecond
	acceptPauseMost = time.Second
)

// accept takes the clients of one listener until ctx ends.
func (f *Forward) accept(ctx, work context.Context, listener net.Listener) error {
	pause := acceptPause
	for ctx.Err() == nil {
		client, err := listener.Accept()
		switch {
		case err == nil:
			pause = acceptPause
			f.admit(work, client.(halfCloser))
			continue
		case ctx.Err() != nil:
			continue
		case isBroken(err):
			return fmt.Errorf("%s: the listener on %s is broken: %w", f.options.Forward, f.Address(), err)
		}
		if pause == acceptPause {
			f.events.send(Event{At: f.options.Now(), Kind: Trouble, Reason: fmt.Sprintf("accept a connection: %v; trying again", err)})
		}
		select {
		case <-time.After(pause):
			pause = min(2*pause, acceptPauseMost)
		case <-ctx.Done():
		}
	}
	return nil
}

// isBroken reports whether an error of accept is one of the listener itself, as
// when its socket was shut down: it never ends. Others may pass, such as those
// of a client that has left already, or of too few file descriptors.
func isBroken(err error) bool {
	return errors.Is(err, net.ErrClosed) || slices.ContainsFunc(
		[]syscall.Errno{syscall.EBADF, syscall.EINVAL, syscall.ENOTSOCK, syscall.EOPNOTSUPP},
		func(no syscall.Errno) bool { return errors.Is(err, no) })
}

// admit serves a client beside the others, if there are not too many.
func (f *Forward) admit(work context.Context, client halfCloser) {
	defer f.options.Wake()
	if f.open.Add(1) > mostOpen {
		f.open.Add(-1)
		f.refuse(client, fmt.Errorf("%d connections are open already", mostOpen))
		return
	}
	f.work.Add(1)
	go func() {
		defer f.work.Done()
		defer f.open.Add(-1)
		(&service{Forward: f, client: client, began: time.Now()}).run(work)
	}()
}
