package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"podpath/kube"
	"podpath/probes"
	"podpath/probes/launch"
	"podpath/probes/path"
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
shell, python, perl); it installs nothing and creates nothing unless one
of the --allow flags permits it.

Exit code: 0 when all is as expected, 1 when something is not, 3 when podpath
could not look everywhere, 2 for bad usage or no cluster, 4 when podpath itself
broke.`

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
	outputs []string // that there are
	only    []string
	count   int
	watch   time.Duration
	options probes.Options
	allow   launch.Options
	// ephemeral is an image, anyImage, or "" when no ephemeral container is
	// allowed.
	ephemeral string
	// connectOnly leaves it at connections that open.
	connectOnly bool
	status      int
	ca          string // a file of certificates
	draw        bool   // the paths, instead of a report
	noBodies    bool   // of HTTP answers, whatever is printed

	groups []path.Group
}

func newProbe(s streams, o *clusterOptions) *cobra.Command {
	p := &probe{cluster: o, streams: s, outputs: probeOutputs}
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
	p.flags(cmd)
	f := cmd.Flags()
	f.StringSliceVar(&p.only, "only", nil, "check only paths, services, discovery or spread (separated by commas)")
	f.IntVar(&p.count, "count", 0, "open so many connections to the Service, and see who takes them")
	f.DurationVar(&p.watch, "watch", 0, "check again and again, with this pause, until ctrl-c")
	completeFlags(cmd, map[string][]string{"only": names(path.Groups)})
	return cmd
}

// flags adds those that every command has that walks paths.
func (p *probe) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&p.output, "output", "o", "text", "how to print: "+strings.Join(p.outputs, ", "))
	f.DurationVar(&p.options.Timeout, "timeout", probes.DefaultTimeout, "how long each step of a check may take: a lookup, a connection, a request")
	f.IntVar(&p.options.Parallel, "parallel", probes.DefaultParallel, "how many execs may be open at once")
	f.StringVar(&p.ephemeral, "allow-ephemeral", "", "where a container has no tools, add an ephemeral container; it stays in the Pod's list. With =IMAGE, that image")
	f.Lookup("allow-ephemeral").NoOptDefVal = anyImage
	f.BoolVar(&p.allow.AllowUpload, "allow-upload", false, "where a container has no tools, write podpath's prober into it, run it and delete it")
	f.BoolVar(&p.allow.AllowHelperPods, "allow-helper-pods", false, "to probe from a Node, run a Pod in its network and delete it")
	f.BoolVar(&p.connectOnly, "connect-only", false, "leave it at connections that open: do not ask in the protocol of the port")
	f.IntVar(&p.status, "expect-status", 0, "the HTTP status that is right, such as 404; without it 5xx is a failure, and for a URL 4xx as well, but for 401 and 403")
	f.StringVar(&p.ca, "ca", "", "a file with the certificates (PEM) of the authorities that the server's certificate has to be from")
	f.BoolVar(&p.noBodies, "no-bodies", false, "print nothing of the bodies of HTTP answers; JSON and YAML else have their first 256 bytes")
	completeFlags(cmd, map[string][]string{"output": p.outputs})
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
	case !slices.Contains(p.outputs, p.output):
		return fmt.Errorf("there is no output format %q: use one of %s", p.output, strings.Join(p.outputs, ", "))
	case p.count < 0:
		return fmt.Errorf("--count %d must not be negative", p.count)
	case p.watch < 0:
		return fmt.Errorf("--watch %s must not be negative", p.watch)
	case p.options.Timeout < time.Millisecond:
		return fmt.Errorf("--timeout %s is too short: it must be at least 1ms", p.options.Timeout)
	case p.options.Parallel <= 0:
		return fmt.Errorf("--parallel %d must be at least 1", p.options.Parallel)
	case p.count > 0 && len(args) == 0:
		return errors.New("--count needs a source and a Service: podpath probe pod/NAME svc/NAME --count 300")
	case p.status != 0 && (p.status < 100 || p.status > 599):
		return fmt.Errorf("--expect-status %d is no HTTP status: they go from 100 to 599", p.status)
	case p.connectOnly && p.status != 0:
		return errors.New("--connect-only asks for nothing, so that --expect-status never comes: leave one out")
	case len(p.only) > 0 && len(args) > 0:
		return errors.New("--only chooses among everything in the namespace: leave it out, or the source and the targets")
	}
	p.groups = path.Groups
	if len(p.only) > 0 {
		p.groups = nil
	}
	for _, g := range p.only {
		if !slices.Contains(path.Groups, path.Group(g)) {
			return fmt.Errorf("--only %s: choose among %s", g, strings.Join(names(path.Groups), ", "))
		}
		p.groups = append(p.groups, path.Group(g))
	}
	if err := p.readRoots(); err != nil {
		return err
	}
	p.allow.AllowEphemeral = p.ephemeral != ""
	if p.ephemeral != anyImage {
		p.allow.Image = p.ephemeral
	}
	return nil
}

// readRoots reads the authorities of --ca.
func (p *probe) readRoots() error {
	if p.ca == "" {
		return nil
	}
	text, err := os.ReadFile(p.ca)
	if err != nil {
		return fmt.Errorf("--ca: %w", err)
	}
	p.options.Roots = x509.NewCertPool()
	if !p.options.Roots.AppendCertsFromPEM(text) {
		return fmt.Errorf("--ca %s: there is no certificate in it: it has to be PEM, which begins with -----BEGIN CERTIFICATE-----", p.ca)
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
	intent := p.intent(args)
	world, checks, err := p.plan(ctx, config, client, ladder, intent)
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
	options := p.options
	options.Reader = client
	results := probes.Run(ctx, world, checks, ladder, options, progress.seen)
	progress.end()
	if again && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	made := results
	if ctx.Err() != nil && (p.output == "text" || p.output == "wide") {
		made = slices.DeleteFunc(slices.Clone(results), func(r path.Result) bool { return r.Blind != nil })
		_, _ = fmt.Fprintf(p.streams.err, "podpath: interrupted: %d of %s are made\n", len(made), kube.Count(len(results), "check"))
	}
	if err := p.write(world, world.Choices(intent), made, time.Since(began)); err != nil {
		return brokeError{fmt.Errorf("print the report: %w", err)}
	}
	return verdictOf(results)
}

// cleanupTimeout is how long removing what a run created may take.
const cleanupTimeout = 10 * time.Second

// plan reads the cluster and plans the checks.
func (p *probe) plan(ctx context.Context, config *kube.Config, client *kube.Client, ladder *launch.Ladder, intent path.Intent) (*path.World, []path.Check, error) {
	world, err := p.look(ctx, config, client, intent)
	if err != nil {
		return nil, nil, err
	}
	if len(intent.Targets) == 0 {
		world.Equipped = ladder.Equipped(ctx, world.Representatives())
	}
	checks, err := world.PlanFor(intent)
	switch {
	case err != nil && len(world.Unknown) > 0 && len(intent.Namespaces(world)) == 0 && len(world.Looked) > 0:
		return nil, nil, fmt.Errorf("%w; %w", err, world.Unknown[len(world.Unknown)-1])
	case err != nil:
		return nil, nil, err
	case len(checks) == 0:
		return nil, nil, fmt.Errorf("there is nothing to check in %s: no Pod that runs and declares a TCP port, and no Service", where(world.Scope))
	}
	return world, checks, nil
}

func where(s kube.Scope) string {
	if s.All() {
		return "the whole cluster"
	}
	return "namespace " + s.Namespace
}

// look reads what the plan and the expectations come from.
func (p *probe) look(ctx context.Context, config *kube.Config, client *kube.Client, intent path.Intent) (*path.World, error) {
	ctx, cancel := bounded(ctx, p.cluster.RequestTimeout)
	defer cancel()
	needed := []kube.Resource{kube.Pods, kube.Services, kube.EndpointSlices}
	follow := append([]kube.Resource{kube.Nodes}, needed...)
	snapshot, err := settle(ctx, kube.NewStore(client, config.Scope, follow...), needed...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", config.Server, err)
	}
	if err := client.CheckNamespace(ctx, snapshot); err != nil {
		return nil, err
	}
	return probes.Look(ctx, snapshot, client, p.cluster.machine(), intent), nil
}

// intent is what the arguments ask for.
func (p *probe) intent(args []string) path.Intent {
	if len(args) == 0 {
		return path.Intent{Everything: p.groups}
	}
	return path.Intent{
		Sources: args[:1], Targets: args[1:], Options: path.PlanOptions{Count: p.count, ConnectOnly: p.connectOnly, Status: p.status},
	}
}

// notice tells what podpath may not read, and what a killed run left behind.
func (p *probe) notice(ctx context.Context, w *path.World, ladder *launch.Ladder) {
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

func (p *probe) write(w *path.World, choices []path.Choice, results []path.Result, took time.Duration) error {
	out := p.streams.out
	if p.noBodies {
		results = probes.WithoutBodies(results)
	}
	if p.draw && p.output == "text" {
		return writeTraces(out, w, results)
	}
	switch p.output {
	case "wide":
		return writeWide(out, results)
	case "json":
		return printJSON(out, probes.NewReport(w, choices, results, took))
	case "yaml":
		if p.watch > 0 {
			_, _ = io.WriteString(out, "---\n")
		}
		return printYAML(out, probes.NewReport(w, choices, results, took))
	case "junit":
		return writeJUnit(out, results, took)
	case "tap":
		return writeTAP(out, results)
	default:
		if p.watch > 0 {
			_, _ = fmt.Fprintf(out, "%s\n", time.Now().Format(time.DateTime))
		}
		return writeText(out, w, choices, results, took)
	}
}

// verdictOf turns results into the exit code.
func verdictOf(results []path.Result) error {
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
	if f := terminal(stderr); f != nil {
		p.out = f
	}
	return p
}

func (p *progress) seen(r path.Result) {
	p.seenSo++
	if r.Verdict == path.Fail {
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
