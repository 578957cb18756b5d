package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"podpath/kube"
	"podpath/probes"
	"podpath/probes/launch"
)

const probeHelp = `Test paths from inside the Pods, and say why something fails.

Without arguments podpath checks everything worth checking in the namespace:
the paths between Pods, the Services with each of their endpoints, how their
connections are spread, and how they are found by DNS and variables. With
arguments it checks the way from one source to each target:

  SOURCE  pod/NAME[/CONTAINER]   deploy/NAME (or sts, ds, rs, job, cronjob)
          node/NAME              local, which is podpath itself
  TARGET  pod/NAME:PORT          svc/NAME[:PORT]      node/NAME:PORT
          ingress/NAME           HOST:PORT            http(s)://HOST/PATH
          dns:NAME[/TYPE]        with TYPE A, AAAA, CNAME, SRV or PTR

NAMESPACE/ may precede NAME. podpath uses what the containers have already (a
shell, python, perl, curl); it installs nothing and creates nothing unless one
of the --allow flags permits it.

Exit code: 0 when all is as expected, 1 when something is not, 3 when podpath
could not look everywhere, 2 for bad usage or no cluster.`

const probeExamples = `  podpath probe
  podpath probe deploy/web svc/db:5432
  podpath probe pod/a pod/b:80 dns:web.default/SRV https://web.default/health
  podpath probe pod/a svc/web --count 300
  podpath probe local svc/web -o json`

// anyImage is the value of --allow-ephemeral without one: an image that the
// Node has already.
const anyImage = "any"

var probeOutputs = []string{"text", "wide", "json", "yaml", "junit", "tap"}

// probe is the command.
type probe struct {
	cluster *clusterOptions
	streams streams
	output  string
	only    []string
	count   int
	watch   time.Duration
	options probes.Options
	allow   launch.Options
	// ephemeral is an image, anyImage, or "" when no ephemeral container is
	// allowed.
	ephemeral string

	groups []probes.Group
}

func newProbe(s streams, o *clusterOptions) *cobra.Command {
	p := &probe{cluster: o, streams: s}
	cmd := &cobra.Command{
		Use:     "probe [SOURCE TARGET...]",
		Short:   "Test paths from inside the Pods",
		Long:    probeHelp,
		Example: probeExamples,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return errors.New("a source alone is not enough: add a target, such as svc/web")
			}
			return nil
		},
		ValidArgsFunction: completeWords(o, kube.Pods, probeWords),
		PreRunE:           func(_ *cobra.Command, args []string) error { return p.validate(args) },
		RunE:              func(cmd *cobra.Command, args []string) error { return p.run(cmd.Context(), args) },
	}
	f := cmd.Flags()
	f.StringVarP(&p.output, "output", "o", "text", "how to print: "+strings.Join(probeOutputs, ", "))
	f.StringSliceVar(&p.only, "only", nil, "check only paths, services, discovery or spread (separated by commas)")
	f.IntVar(&p.count, "count", 0, "open so many connections to the Service, and see who takes them")
	f.DurationVar(&p.watch, "watch", 0, "check again and again, with this pause, until ctrl-c")
	f.DurationVar(&p.options.Timeout, "timeout", probes.DefaultTimeout, "how long each step of a check may take: a lookup, a connection, a request")
	f.IntVar(&p.options.Parallel, "parallel", probes.DefaultParallel, "how many execs may be open at once")
	f.StringVar(&p.ephemeral, "allow-ephemeral", "", "where a container has no tools, add an ephemeral container; it stays in the Pod's list. With =IMAGE, that image")
	f.Lookup("allow-ephemeral").NoOptDefVal = anyImage
	f.BoolVar(&p.allow.AllowUpload, "allow-upload", false, "where a container has no tools, write podpath's prober into it, run it and delete it")
	f.BoolVar(&p.allow.AllowHelperPods, "allow-helper-pods", false, "to probe from a Node, run a Pod in its network and delete it")
	completeFlags(cmd, map[string][]string{"output": probeOutputs, "only": names(probes.Groups)})
	return cmd
}

func names[S ~string](list []S) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}

func (p *probe) validate(args []string) error {
	switch {
	case !slices.Contains(probeOutputs, p.output):
		return fmt.Errorf("there is no output format %q: use one of %s", p.output, strings.Join(probeOutputs, ", "))
	case p.count < 0 || p.watch < 0 || p.options.Timeout < time.Millisecond || p.options.Parallel <= 0:
		return errors.New("--count and --watch must not be negative; --timeout must be at least 1ms, --parallel at least 1")
	case p.count > 0 && len(args) == 0:
		return errors.New("--count needs a source and a Service: podpath probe pod/NAME svc/NAME --count 300")
	case len(p.only) > 0 && len(args) > 0:
		return errors.New("--only chooses among everything in the namespace: leave it out, or the source and the targets")
	}
	p.groups = probes.Groups
	if len(p.only) > 0 {
		p.groups = nil
	}
	for _, g := range p.only {
		if !slices.Contains(probes.Groups, probes.Group(g)) {
			return fmt.Errorf("--only %s: choose among %s", g, strings.Join(names(probes.Groups), ", "))
		}
		p.groups = append(p.groups, probes.Group(g))
	}
	p.allow.AllowEphemeral = p.ephemeral != ""
	if p.ephemeral != anyImage {
		p.allow.Image = p.ephemeral
	}
	return nil
}

func (p *probe) run(ctx context.Context, args []string) error {
	_, undo := redirectLogs(false)
	defer undo()
	config, client, err := p.cluster.connect()
	if err != nil {
		return err
	}
	var last error // the verdict of the last round that was made to its end
	for first := true; ; first = false {
		err := p.round(ctx, config, client, args, !first)
		var verdict verdictError
		judged := err == nil || errors.As(err, &verdict)
		switch ended := ctx.Err() != nil; {
		case p.watch == 0 || first && (ended || !judged):
			return err
		case ended:
			return last
		}
		if judged {
			last = err
		} else { // the API server is away, or a rollout has replaced a Pod: that is what one watches
			_, _ = fmt.Fprintf(p.streams.err, "podpath: %v\n", err)
		}
		select {
		case <-time.After(p.watch):
		case <-ctx.Done():
			return last
		}
	}
}

// round checks everything once. What it created in the cluster is gone when it
// returns. One that is made again says nothing when ctx ends meanwhile: the one
// before it has said it all.
func (p *probe) round(ctx context.Context, config *kube.Config, client *kube.Client, args []string, again bool) error {
	allow := p.allow
	allow.RunID, allow.Namespace = launch.NewRunID(), config.Scope.Namespace
	allow.Parallel, allow.Machine = p.options.Parallel, p.cluster.machine()
	ladder := launch.New(client, allow)
	world, checks, err := p.plan(ctx, config, client, ladder, args)
	if err != nil {
		return err
	}
	if again && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p.notice(ctx, world, ladder)
	defer func() {
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
		defer cancel()
		if failed := ladder.Close(cleanup); failed != nil {
			_, _ = fmt.Fprintf(p.streams.err, "podpath: clean up: %v; podpath cleanup tries again\n", failed)
		}
	}()
	began := time.Now()
	progress := newProgress(p.streams.err, len(checks))
	results := probes.Run(ctx, world, checks, ladder, p.options, progress.seen)
	progress.end()
	if again && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	made := results
	if ctx.Err() != nil && (p.output == "text" || p.output == "wide") {
		made = slices.DeleteFunc(slices.Clone(results), func(r probes.Result) bool { return r.Blind != nil })
		_, _ = fmt.Fprintf(p.streams.err, "podpath: interrupted: %d of %s are made\n", len(made), kube.Count(len(results), "check"))
	}
	if err := p.write(world, made, time.Since(began)); err != nil {
		return brokeError{fmt.Errorf("print the report: %w", err)}
	}
	return verdictOf(results)
}

// cleanupTimeout is how long removing what a run created may take.
const cleanupTimeout = 10 * time.Second

// plan reads the cluster and plans the checks.
func (p *probe) plan(ctx context.Context, config *kube.Config, client *kube.Client, ladder *launch.Ladder, args []string) (*probes.World, []probes.Check, error) {
	world, err := p.look(ctx, config, client, config.Scope)
	if err != nil {
		return nil, nil, err
	}
	if len(args) == 0 {
		world.Equipped = ladder.Equipped(ctx, world.Representatives())
	}
	checks, err := p.checks(world, args)
	if err != nil && slices.ContainsFunc(args, func(word string) bool { return mayBeForeign(world, word) }) {
		wide, wideErr := p.look(ctx, config, client, kube.Scope{})
		if wideErr != nil {
			return nil, nil, fmt.Errorf("%w; to look there: %w", err, wideErr)
		}
		wide.Home, world = config.Scope.Namespace, wide
		checks, err = p.checks(world, args)
	}
	if err != nil {
		return nil, nil, err
	}
	if len(checks) == 0 {
		return nil, nil, fmt.Errorf("there is nothing to check in %s: no Pod that runs and declares a TCP port, and no Service", where(world.Scope))
	}
	return world, checks, nil
}

// mayBeForeign reports whether a word may name something in a namespace that
// podpath does not look at: KIND/NAMESPACE/NAME. In pod/NAME/CONTAINER there is
// such a Pod.
func mayBeForeign(w *probes.World, word string) bool {
	parts := strings.Split(word, "/")
	if w.Scope.All() || len(parts) < 3 || strings.Contains(word, "://") {
		return false
	}
	return parts[1] != w.Scope.Namespace && w.Pod(kube.Key{Namespace: w.Scope.Namespace, Name: parts[1]}) == nil
}

func where(s kube.Scope) string {
	if s.All() {
		return "the whole cluster"
	}
	return "namespace " + s.Namespace
}

// look reads what the plan and the expectations come from.
func (p *probe) look(ctx context.Context, config *kube.Config, client *kube.Client, scope kube.Scope) (*probes.World, error) {
	ctx, cancel := bounded(ctx, p.cluster.RequestTimeout)
	defer cancel()
	needed := []kube.Resource{kube.Pods, kube.Services, kube.EndpointSlices}
	follow := append([]kube.Resource{kube.Nodes}, needed...)
	snapshot, err := settle(ctx, kube.NewStore(client, scope, follow...), needed...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", config.Server, err)
	}
	if err := client.CheckNamespace(ctx, snapshot); err != nil {
		return nil, err
	}
	return probes.Look(ctx, snapshot, client, p.cluster.machine()), nil
}

func (p *probe) checks(w *probes.World, args []string) ([]probes.Check, error) {
	if len(args) == 0 {
		return w.Plan(p.groups...), nil
	}
	sources, err := w.FindSources(args[0])
	if err != nil {
		return nil, err
	}
	targets := make([]probes.Target, len(args)-1)
	for i, word := range args[1:] {
		if targets[i], err = probes.ParseTarget(word); err != nil {
			return nil, err
		}
	}
	return w.PlanFor(sources, targets, p.count)
}

// notice tells what podpath may not read, and what a killed run left behind.
func (p *probe) notice(ctx context.Context, w *probes.World, ladder *launch.Ladder) {
	for _, err := range w.Unknown {
		_, _ = fmt.Fprintf(p.streams.err, "podpath: something is missing: %v\n", err)
	}
	leftovers, err := ladder.Leftovers(ctx)
	if err != nil {
		return // whoever may not list Pods has been told so
	}
	for _, h := range leftovers {
		_, _ = fmt.Fprintf(p.streams.err, "podpath: Pod %s is of another run, which may have been killed: podpath cleanup deletes it\n", h.Key)
	}
}

func (p *probe) write(w *probes.World, results []probes.Result, took time.Duration) error {
	out := p.streams.out
	switch p.output {
	case "wide":
		return writeWide(out, results)
	case "json":
		return printJSON(out, probes.NewReport(w, results, took))
	case "yaml":
		if p.watch > 0 {
			_, _ = io.WriteString(out, "---\n")
		}
		return printYAML(out, probes.NewReport(w, results, took))
	case "junit":
		return writeJUnit(out, results, took)
	case "tap":
		return writeTAP(out, results)
	default:
		if p.watch > 0 {
			_, _ = fmt.Fprintf(out, "%s\n", time.Now().Format(time.DateTime))
		}
		return writeText(out, results, took)
	}
}

// verdictOf turns results into the exit code.
func verdictOf(results []probes.Result) error {
	switch s := probes.Summarize(results); {
	case s.Fail > 0:
		return verdictError{exitUnexpected}
	case s.Inconclusive > 0:
		return verdictError{exitInconclusive}
	}
	return nil
}

// progress says on a terminal how far a run is.
type progress struct {
	out                 io.Writer // nil when it is no terminal
	all, seenSo, failed int
}

func newProgress(stderr io.Writer, all int) *progress {
	p := &progress{all: all}
	if f, ok := stderr.(*os.File); ok && term.IsTerminal(f.Fd()) {
		p.out = f
	}
	return p
}

func (p *progress) seen(r probes.Result) {
	p.seenSo++
	if r.Verdict == probes.Fail {
		p.failed++
	}
	if p.out != nil {
		_, _ = fmt.Fprintf(p.out, "\r%d of %d checks, %d failed", p.seenSo, p.all, p.failed)
	}
}

// end wipes the line.
func (p *progress) end() {
	if p.out != nil {
		_, _ = io.WriteString(p.out, "\r"+strings.Repeat(" ", 40)+"\r")
	}
}
