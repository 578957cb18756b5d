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
	"strings"
	"time"

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

	var report report
	for _, measure := range []func() error{
		func() error { return measureSmall(ctx, api, subject, &report) },
		func() error { return plane.Fill(ctx, api, plane.Full) },
		func() error { return measureStart(ctx, subject, &report) },
		func() error { return measureRunning(ctx, api, subject, &report) },
		func() error { return measureSizes(*binary, *armv7, &report) },
	} {
		if err := measure(); err != nil {
			return err
		}
	}
	fmt.Print(report.table())
	return nil
}

// figure is one line of the table.
type figure struct {
	what, got, goal, k9s string
	missed               bool
}

type report struct{ figures []figure }

// add adds a figure, which reaches its goal when it is at most limit.
func (r *report) add(what string, got, limit float64, unit, k9s string) {
	f := figure{
		what:   what,
		got:    fmt.Sprintf("%s %s", number(got), unit),
		goal:   fmt.Sprintf("≤ %s %s", number(limit), unit),
		k9s:    k9s,
		missed: got > limit,
	}
	r.figures = append(r.figures, f)
	fmt.Fprintf(os.Stderr, "%s: %s (%s)\n", f.what, f.got, f.goal)
}

// number has three digits, or none after the point when there is nothing to say there.
func number(value float64) string {
	switch {
	case value >= 100 || value == float64(int(value)):
		return fmt.Sprintf("%.0f", value)
	case value >= 10:
		return fmt.Sprintf("%.1f", value)
	default:
		return fmt.Sprintf("%.2f", value)
	}
}

func (r *report) table() string {
	var out strings.Builder
	out.WriteString("| figure | podpath | goal | reached | k9s |\n|---|---|---|---|---|\n")
	for _, f := range r.figures {
		reached := "yes"
		if f.missed {
			reached = "**no**"
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s |\n", f.what, f.got, f.goal, reached, f.k9s)
	}
	return out.String()
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
