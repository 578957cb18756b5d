package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"podpath/kube"
	"podpath/tui/pods"
	"podpath/tui/services"
	"podpath/tui/table"
)

// listing is a command that prints one table and ends.
type listing struct {
	cluster *clusterOptions
	output  string
	// follow are the resources to read, of which needed must be readable.
	follow, needed []kube.Resource
	// document is what -o json and -o yaml print.
	document func(*kube.Snapshot) any
	// table prints the table, with more columns when wide.
	table func(w io.Writer, s *kube.Snapshot, wide bool) error
}

var outputs = []string{"text", "wide", "json", "yaml"}

func newPods(s streams, o *clusterOptions) *cobra.Command {
	l := podListing()
	l.cluster = o
	return newListing(s, "pods", "Print the Pods by Node, once", l)
}

func podListing() listing {
	return listing{
		follow:   []kube.Resource{kube.Pods, kube.Nodes, kube.Services, kube.EndpointSlices},
		needed:   []kube.Resource{kube.Pods},
		document: func(s *kube.Snapshot) any { return podDocument(s) },
		table: func(w io.Writer, s *kube.Snapshot, wide bool) error {
			columns := pods.Columns(s.Scope, func() *kube.Snapshot { return s }, func() time.Time { return s.At })
			rows := pods.Group(s, pods.Rows(s), false, func(string) bool { return false })
			return table.Print(w, columns, pods.Row.Heading, rows, wide)
		},
	}
}

func newServices(s streams, o *clusterOptions) *cobra.Command {
	l := serviceListing()
	l.cluster = o
	return newListing(s, "services", "Print the Services with their endpoints, once", l)
}

func serviceListing() listing {
	return listing{
		follow:   []kube.Resource{kube.Services, kube.EndpointSlices, kube.Pods},
		needed:   []kube.Resource{kube.Services, kube.EndpointSlices},
		document: func(s *kube.Snapshot) any { return serviceDocument(s) },
		table: func(w io.Writer, s *kube.Snapshot, wide bool) error {
			return table.Print(w, services.Columns(s.Scope, func() *kube.Snapshot { return s }, func() time.Time { return s.At }), nil, s.Services, wide)
		},
	}
}

func newListing(s streams, name, short string, l listing) *cobra.Command {
	cmd := &cobra.Command{
		Use:   name,
		Short: short,
		Args:  cobra.NoArgs,

		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return l.run(cmd.Context(), s) },
	}
	cmd.Flags().StringVarP(&l.output, "output", "o", "text", "how to print: "+strings.Join(outputs, ", "))
	if err := cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(outputs, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag was added above
	}
	return cmd
}

func (l listing) run(ctx context.Context, s streams) error {
	write, err := l.printer()
	if err != nil {
		return err
	}
	_, undo := redirectLogs(false)
	defer undo()
	config, client, err := l.cluster.connect()
	if err != nil {
		return err
	}
	ctx, cancel := bounded(ctx, l.cluster.RequestTimeout)
	defer cancel()
	snapshot, err := settle(ctx, kube.NewStore(client, config.Scope, l.follow...), l.needed...)
	if err != nil {
		return fmt.Errorf("%s: %w", config.Server, err)
	}
	if err := client.CheckNamespace(ctx, snapshot); err != nil {
		return err
	}
	for _, notice := range notices(snapshot, l.follow) {
		if _, err := fmt.Fprintf(s.err, "podpath: something is missing: %s\n", notice); err != nil {
			return brokeError{err}
		}
	}
	if err := write(s.out, snapshot); err != nil {
		return brokeError{fmt.Errorf("print the listing: %w", err)}
	}
	return nil
}

// bounded gives reading the cluster the time of --request-timeout.
func bounded(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no complete answer within %s (--request-timeout)", timeout))
}

// printer returns what prints a snapshot in the chosen format.
func (l listing) printer() (func(io.Writer, *kube.Snapshot) error, error) {
	switch l.output {
	case "text", "wide":
		return func(w io.Writer, s *kube.Snapshot) error {
			var text bytes.Buffer
			if err := l.table(&text, s, l.output == "wide"); err != nil {
				return err
			}
			_, err := io.WriteString(w, inLocale(text.String()))
			return err
		}, nil
	case "json":
		return func(w io.Writer, s *kube.Snapshot) error { return printJSON(w, l.document(s)) }, nil
	case "yaml":
		return func(w io.Writer, s *kube.Snapshot) error { return printYAML(w, l.document(s)) }, nil
	default:
		return nil, fmt.Errorf("there is no output format %q: use one of %s", l.output, strings.Join(outputs, ", "))
	}
}
