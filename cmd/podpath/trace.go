package main

import (
	"errors"
	"io"
	"strings"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"podpath/kube"
	"podpath/probes/path"
	"podpath/probes/present"
)

const traceHelp = `Draw the way of a request, hop by hop, and say where it ends.

SOURCE and TARGET are those of podpath probe. Each hop says who makes it and
what it makes of the request:

  name        what the name means to the source      its resolver, the cluster's DNS
  translate   to which endpoint the address leads    kube-proxy
  leave       whether the source may send this       NetworkPolicies
  cross       whether it gets to the other Node      the network between the Nodes
  enter       whether the target may take it         NetworkPolicies
  listen      whether anything listens there         the container
  speak       whether it answers as it should        the app

✓ works, ✗ is broken, ⊘ is not passed and that is right, ? is not known,
– was not reached. Exit codes are those of podpath probe.`

const traceExamples = `  podpath trace pod/client http://web.shop/
  podpath trace deploy/web svc/db:5432
  podpath trace local svc/web -o json`

// newTrace is podpath probe for one target, drawn.
func newTrace(s streams, o *clusterOptions) *cobra.Command {
	p := &probe{cluster: o, streams: s, outputs: []string{"text", "json", "yaml"}, draw: true}
	cmd := &cobra.Command{
		Use:     "trace SOURCE TARGET",
		Short:   "Draw the way of a request, hop by hop",
		Long:    traceHelp,
		Example: traceExamples,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("podpath trace takes a source and a target, such as pod/client svc/web")
			}
			return nil
		},
		ValidArgsFunction: completeWords(o, kube.Pods, probeWords),
		PreRunE:           func(_ *cobra.Command, args []string) error { return p.validate(args) },
		RunE:              func(cmd *cobra.Command, args []string) error { return p.run(cmd.Context(), args) },
	}
	p.flags(cmd)
	return cmd
}

// whyNot tells explanations of what is not as it should be apart, by their
// codes and sentences; it is "" for what is.
func whyNot(r path.Result) (code, sentence string) {
	switch {
	case r.Verdict != path.Fail && r.Verdict != path.Inconclusive:
		return "", ""
	case r.Cause != nil:
		return string(r.Cause.Code), r.Cause.Summary
	default:
		return string(r.Verdict), string(r.Verdict) + string(r.Error)
	}
}

// traceWidth is how wide a path is drawn where the output is no terminal.
const traceWidth = 80

// writeTraces draws the path of each request. What was dialed beside a Service
// is drawn as its fork, and by itself where it fails for a reason of its own.
func writeTraces(out io.Writer, w *path.World, results []path.Result) error {
	width := traceWidth
	if f := terminal(out); f != nil {
		if columns, _, err := term.GetSize(f.Fd()); err == nil && columns > 0 {
			width = columns
		}
	}
	var b strings.Builder
	drawn := map[string]bool{}
	for _, r := range results {
		code, why := whyNot(r)
		if r.Path.Entry == path.AtEndpoint && (why == "" || drawn[code] || drawn[why]) {
			continue
		}
		if drawn[why] = true; r.Path.Entry != path.AtEndpoint {
			drawn[code] = true // of the Service, for the reason of one of its endpoints
		}
		if b.Len() > 0 {
			b.WriteString("\n")
		}
		for _, line := range present.Trace(w, r, width) {
			b.WriteString(line.Text + "\n")
		}
	}
	_, err := io.WriteString(out, inLocale(b.String()))
	return err
}
