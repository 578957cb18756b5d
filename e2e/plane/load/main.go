// Command load fills the bare plane, or churns what is on it: see the script plane, which runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"podpath/e2e/plane"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return errors.New("say what to do: fill or churn")
	}
	command, flags := args[0], flag.NewFlagSet(args[0], flag.ContinueOnError)
	size := plane.Full
	flags.IntVar(&size.Pods, "pods", size.Pods, "fill: how many Pods")
	flags.IntVar(&size.Nodes, "nodes", size.Nodes, "fill: how many Nodes")
	flags.IntVar(&size.Services, "services", size.Services, "fill: how many Services")
	rate := flags.Int("rate", 50, "churn: updates a second")
	duration := flags.Duration("duration", time.Minute, "churn: for how long")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	api, err := plane.Connect(os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	began := time.Now()
	switch command {
	case "fill":
		if err := plane.Fill(ctx, api, size); err != nil {
			return err
		}
		fmt.Fprintf(out, "filled with %d Pods, %d Nodes and %d Services in %.1f s\n",
			size.Pods, size.Nodes, size.Services, time.Since(began).Seconds())
	case "churn":
		pods, err := plane.Pods(ctx, api)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, *duration)
		defer cancel()
		updates, err := plane.Churn(ctx, api, pods, *rate)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "updated Pods %d times in %v\n", updates, *duration)
	default:
		return fmt.Errorf("unknown command %q: fill or churn", command)
	}
	return nil
}
