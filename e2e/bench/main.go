// Command bench measures podpath in a terminal against the bare plane, and prints a table: each figure, the goal that it has to
// reach, and what k9s needs for the same work. See the script run, which starts it in the plane's network.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"podpath/e2e/bench/table"
	"podpath/e2e/plane"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	binary := flags.String("podpath", "bin/podpath", "the program to measure")
	armv7 := flags.String("armv7", "", "the same for 32-bit ARM; only its size is measured")
	if err := flags.Parse(args); err != nil {
		return err
	}
	kubeconfig := os.Getenv("KUBECONFIG")
	if kubeconfig == "" {
		return errors.New("KUBECONFIG does not name the plane's; run: make bench")
	}
	api, err := plane.Connect(kubeconfig)
	if err != nil {
		return err
	}
	home, err := os.MkdirTemp("", "podpath-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)
	subject := subject{binary: *binary, kubeconfig: kubeconfig, home: home}

	figures := table.Table{Beside: "k9s"}
	for _, measure := range []func() error{
		func() error { return measureSmall(ctx, api, subject, &figures) },
		func() error { return plane.Fill(ctx, api, plane.Full) },
		func() error { return measureStart(ctx, subject, &figures) },
		func() error { return measureRunning(ctx, api, subject, &figures) },
		func() error { return measureSizes(*binary, *armv7, &figures) },
	} {
		if err := measure(); err != nil {
			return err
		}
	}
	fmt.Print(figures.String())
	return nil
}

// rest lets things settle: memory is given back, the API server catches its breath.
func rest(ctx context.Context, duration time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(duration):
		return nil
	}
}
