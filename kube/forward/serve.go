package forward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// The pauses after an error of accept, such as no free file descriptor: it
// comes again at once.
const (
	acceptPause     = 5 * time.Millisecond
	acceptPauseMost = time.Second
)

// accept takes clients until ctx ends.
func (f *Forward) accept(ctx, work context.Context) error {
	pause := acceptPause
	for ctx.Err() == nil {
		client, err := f.listener.Accept()
		switch {
		case err == nil:
			pause = acceptPause
			f.admit(work, client.(halfCloser))
			continue
		case ctx.Err() != nil:
			continue
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("%s: the listener on %s was closed", f.options.Forward, f.Address())
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

// admit serves a client beside the others, if there are not too many.
func (f *Forward) admit(work context.Context, client halfCloser) {
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
