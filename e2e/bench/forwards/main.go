// Command forwards measures podpath forward on the real cluster beside kubectl port-forward, a bare TCP proxy and connections
// without any proxy, and prints a table. The ways take turns, so that a busy machine hits all of them alike. See the script run,
// which starts it in the master's network.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"podpath/e2e/bench/table"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "forwards:", err)
		os.Exit(1)
	}
}

// options are where things are.
type options struct {
	podpath, kubectl string // programs
	kubeconfig       string
	namespace        string   // with the Service far
	pods             []string // their addresses
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("forwards", flag.ContinueOnError)
	var o options
	flags.StringVar(&o.podpath, "podpath", "bin/podpath", "the program to measure")
	flags.StringVar(&o.kubectl, "kubectl", "kubectl", "the program beside it")
	flags.StringVar(&o.namespace, "namespace", "", "where the Service far is")
	pods := flags.String("pods", "", "the addresses of its Pods, with commas")
	proxy := flags.Bool("proxy", false, "be the bare proxy to the Pods")
	if err := flags.Parse(args); err != nil {
		return err
	}
	o.pods = strings.Split(*pods, ",")
	if *proxy {
		return serveProxy(ctx, o.pods)
	}
	if o.kubeconfig = os.Getenv("KUBECONFIG"); o.kubeconfig == "" {
		return errors.New("KUBECONFIG does not name the cluster's; run: make bench")
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		fmt.Fprintf(os.Stderr, "load of the machine before: %s", load)
	}
	figures := table.Table{Beside: "beside it, same run"}
	if err := measure(ctx, o, &figures); err != nil {
		return err
	}
	fmt.Print(figures.String())
	return nil
}

// measure does all measurements.
func measure(ctx context.Context, o options, figures *table.Table) error {
	all, stop, err := open(ctx, o)
	if err != nil {
		return err
	}
	defer stop()
	for _, measure := range []func(context.Context, ways, *table.Table) error{
		measureBulk, measureConnections, measureSmallWrites, measureOpen,
	} {
		if err := measure(ctx, all, figures); err != nil {
			return err
		}
	}
	return measureFirstByte(ctx, o, figures)
}
