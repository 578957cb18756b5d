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
	exitBroke        = 1 // podpath itself broke
	exitUnexpected   = 1 // podpath probe: something is not as expected
	exitUsage        = 2 // bad usage, or no cluster to look at
	exitInconclusive = 3 // podpath probe: podpath could not look everywhere
)

// streams are the standard streams of the process.
type streams struct {
	in       *os.File
	out, err io.Writer
}

func main() {
	os.Exit(exitCode(run(os.Args[1:]), os.Stderr))
}

func run(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	logThroughSlog()
	cluster := &clusterOptions{}
	defer cluster.close()
	root := newRoot(streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}, cluster)
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
	_, _ = fmt.Fprintf(stderr, "podpath: %v\n", err)
	if errors.Is(err, kube.ErrNoConfig) {
		_, _ = fmt.Fprintln(stderr, "podpath --demo needs none: it brings a cluster to practise on")
	}
	if broke := (brokeError{}); errors.As(err, &broke) {
		return exitBroke
	}
	return exitUsage
}
