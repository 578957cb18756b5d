// Command podpath shows how the Pods, Nodes and Services of a Kubernetes
// cluster are connected.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	utilruntime "k8s.io/apimachinery/pkg/util/runtime"

	"podpath/kube"
)

// The build sets these with -ldflags.
var (
	version = "dev"
	commit  = "unknown"
)

// Exit codes, as the README has them.
const (
	exitOK           = 0
	exitUnexpected   = 1 // podpath probe: something is not as expected
	exitUsage        = 2 // bad usage, or no cluster to look at
	exitInconclusive = 3 // podpath probe: podpath could not look everywhere
	exitBroke        = 4 // podpath itself broke
)

// streams are the standard streams of the process.
type streams struct {
	in       *os.File
	out, err io.Writer
}

func main() {
	s := streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	plugin := isPlugin(os.Args[0])
	if plugin {
		s.err = pluginWriter{os.Stderr}
	}
	os.Exit(exitCode(run(os.Args[1:], s, plugin), s.err))
}

func run(args []string, s streams, plugin bool) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = kube.Panicked("running", p)
		}
	}()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	logThroughSlog()
	exitOnPanic(s.err, os.Exit)
	cluster := &clusterOptions{}
	defer cluster.close()
	root := newRoot(s, cluster)
	if plugin {
		helpAsPlugin(root)
	}
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}

// brokeError is an error that is not the user's: podpath itself broke.
type brokeError struct{ error }

func (e brokeError) Unwrap() error { return e.error }

// verdictError is the outcome of a probe. The report has said it all.
type verdictError struct{ code int }

func (e verdictError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// exitCode says an error on stderr and turns it into the exit code.
func exitCode(err error, stderr io.Writer) int {
	if err == nil {
		return exitOK
	}
	if verdict, ok := err.(verdictError); ok { //nolint:errorlint // with another error beside it, that one is said
		return verdict.code
	}
	stderr = &plain{to: stderr}
	broke, panicked := brokeError{}, (*kube.PanicError)(nil)
	switch {
	case errors.As(err, &panicked):
		_, _ = fmt.Fprintf(stderr, "podpath: %v; %s\n", err, keepTrace(panicked))
		return exitBroke
	case errors.As(err, &broke):
		_, _ = fmt.Fprintf(stderr, "podpath: %v\n", err)
		return exitBroke
	}
	_, _ = fmt.Fprintf(stderr, "podpath: %v\n", err)
	if errors.Is(err, kube.ErrNoConfig) {
		_, _ = fmt.Fprintln(stderr, "podpath --demo needs none: it brings a cluster to practise on")
	}
	return exitUsage
}

// exitOnPanic has a panic in a goroutine of client-go end podpath as one of its
// own does. Whoever wants to hear of it later than this, such as the UI, which
// restores the terminal, has its turn before the end.
func exitOnPanic(stderr io.Writer, exit func(int)) {
	behind := len(utilruntime.PanicHandlers) + 1
	utilruntime.PanicHandlers = append(utilruntime.PanicHandlers, func(ctx context.Context, p any) {
		for _, handle := range utilruntime.PanicHandlers[behind:] {
			handle(ctx, p)
		}
		exit(exitCode(kube.Panicked("talking to the cluster", p), stderr))
	})
}
