package launch

import (
	"context"
	"io"

	"podpath/probes/wire"
)

// Local runs the prober in podpath's own process, on its own network. It lives
// until Close, or until ctx ends.
func (l *Ladder) Local(ctx context.Context) (Link, error) {
	return link(converse(ctx, Via{Rung: Local, Tool: toolPodpath}, func(ctx context.Context, in io.ReadCloser, out, _ io.WriteCloser) error {
		return wire.Serve(ctx, in, out, toolPodpath, l.options.Machine)
	}))
}

// toolPodpath is the tool of podpath's own prober.
const toolPodpath = "podpath"

// link makes a Link of a conversation that has started, and nil of one that
// has not.
func link(c *conversation, err error) (Link, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}
