package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/streaming/pkg/httpstream"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Exec is a command to run in a container of a Pod, without a terminal. Streams
// that are nil are not opened.
type Exec struct {
	Pod       Key
	Container string
	Command   []string
	// Stdin is closed at the end, if it can be: whoever reads from it is let go.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Exec runs the command and returns when it has ended: nil for exit code 0, an
// *ExitError for another one, an *AccessError when the user may not, and an
// *ExecError when it could not be run. The API server is known to lose the end
// of the output and the exit code now and then (kubernetes #124571): nil does
// not prove that all was read. When ctx ends the connection is closed, which
// does not kill the command; one that reads its input sees the end of it.
// Nothing is written to Stdout and Stderr any more once Exec has returned.
func (c *Client) Exec(ctx context.Context, e Exec) error {
	if closer, ok := e.Stdin.(io.Closer); ok {
		defer func() { _ = closer.Close() }()
	}
	gate := &gate{}
	defer gate.shut()
	options := remotecommand.StreamOptions{Stdin: e.input(), Stdout: gate.guard(e.Stdout), Stderr: gate.guard(e.Stderr)}
	err := c.stream(ctx, e.url(c.core), options)
	if apierrors.IsUnauthorized(cause(err)) && ctx.Err() == nil {
		// It did not pass through the transport, which would have done it.
		c.transport.renew()
		err = c.stream(ctx, e.url(c.core), options)
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("exec in %s: %w", e.Pod, context.Cause(ctx))
	default:
		return e.failure(cause(err))
	}
}

func (e Exec) url(core rest.Interface) *url.URL {
	request := core.Get().Namespace(e.Pod.Namespace).Resource(Pods.String()).Name(e.Pod.Name).SubResource("exec").
		Param("container", e.Container)
	for stream, opened := range map[string]bool{"stdin": e.Stdin != nil, "stdout": e.Stdout != nil, "stderr": e.Stderr != nil} {
		request.Param(stream, strconv.FormatBool(opened))
	}
	for _, word := range e.Command {
		request.Param("command", word)
	}
	return request.URL()
}

// input is Stdin for client-go, which logs it as an error when a pipe is closed.
func (e Exec) input() io.Reader {
	if e.Stdin == nil {
		return nil
	}
	return input{e.Stdin}
}

type input struct{ io.Reader }

// Read takes a closed pipe for the end.
func (i input) Read(p []byte) (int, error) {
	n, err := i.Reader.Read(p)
	if errors.Is(err, io.ErrClosedPipe) {
		err = io.EOF
	}
	return n, err
}

// stream runs a command over a WebSocket. Where the API server or a proxy
// before it knows none, and where the user may only create pods/exec, it is
// SPDY: no byte of the input was taken until then.
func (c *Client) stream(ctx context.Context, to *url.URL, options remotecommand.StreamOptions) error {
	config := c.transport.credentials()
	websocket, err := remotecommand.NewWebSocketExecutor(config, http.MethodGet, to.String())
	if err != nil {
		return err
	}
	spdy, err := remotecommand.NewSPDYExecutor(config, http.MethodPost, to)
	if err != nil {
		return err
	}
	executor, err := remotecommand.NewFallbackExecutor(websocket, spdy, mayWorkOverSPDY)
	if err != nil {
		return err
	}
	return executor.StreamWithContext(ctx, options)
}

// mayWorkOverSPDY reports whether a failed WebSocket says something about
// WebSockets. What the API server says about the Pod, the kubelet or the
// credentials it would say again.
func mayWorkOverSPDY(err error) bool {
	if !httpstream.IsUpgradeFailure(err) {
		return httpstream.IsHTTPSProxyError(err)
	}
	err = cause(err)
	return !apierrors.IsUnauthorized(err) && !apierrors.IsNotFound(err) && !isKubeletAway(err.Error())
}

// cause unwraps a failed upgrade, which client-go does not let errors.As do.
func cause(err error) error {
	var upgrade *httpstream.UpgradeFailureError
	if errors.As(err, &upgrade) {
		return upgrade.Cause
	}
	return err
}

// gate ends what client-go's goroutines may write: they go on for a moment
// after a cancelled exec has returned.
type gate struct {
	mu   sync.Mutex
	down bool
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.down = true
}

func (g *gate) guard(w io.Writer) io.Writer {
	if w == nil {
		return nil // and not an interface that holds nothing
	}
	return guarded{g, w}
}

type guarded struct {
	*gate
	to io.Writer
}

// Write passes on what is written while the gate is open. The lock is held
// meanwhile, so that shut waits for it: writers that can block must be closed
// before.
func (w guarded) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down {
		return 0, io.ErrClosedPipe
	}
	return w.to.Write(p)
}
