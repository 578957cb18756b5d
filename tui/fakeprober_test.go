package tui

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"podpath/kube"
	"podpath/probes/launch"
	"podpath/probes/path"
)

// fakeProber answers each check after a while: it does not reach what is not
// ready, and cannot look from a Pod without tools.
type fakeProber struct {
	pause    time.Duration // before each result
	noTools  string        // a Pod
	look     func(ctx context.Context)
	run      func(ctx context.Context)
	ran      [][]string // the IDs of each run
	running  int
	closed   int
	closeErr error
	closing  time.Duration
	mess     bool // whether something was added to the cluster and is there yet
}

func (p *fakeProber) Look(ctx context.Context, s *kube.Snapshot, _ path.Intent) *path.World {
	if p.look != nil {
		p.look(ctx)
	}
	return &path.World{Snapshot: s, Home: s.Scope.Namespace}
}

func (p *fakeProber) Plan(w *path.World, i path.Intent) ([]path.Check, error) {
	if slices.Contains(i.Everything, fixedGroup) {
		return fixedPlan(w), nil
	}
	return w.PlanFor(i)
}

func (p *fakeProber) Allow(...launch.Rung) {}

func (p *fakeProber) Close(ctx context.Context) error {
	if p.running > 0 {
		return errors.New("closed while a run goes on")
	}
	select {
	case <-time.After(p.closing):
	case <-ctx.Done():
		return ctx.Err()
	}
	p.closed++
	p.mess = false
	return p.closeErr
}

func (p *fakeProber) Run(ctx context.Context, _ *path.World, checks []path.Check, seen func(path.Result)) []path.Result {
	p.running++
	defer func() { p.running-- }()
	p.mess = true
	var ids []string
	var results []path.Result
	for _, c := range checks {
		ids = append(ids, c.ID)
		select {
		case <-time.After(p.pause):
		case <-ctx.Done():
		}
		if p.run != nil {
			p.run(ctx)
		}
		r := p.result(ctx, c)
		told := r
		told.Unexplained = true
		seen(told)
		results = append(results, r)
	}
	p.ran = append(p.ran, ids)
	for i, r := range results {
		results[i].Cause = causeOf(r)
	}
	return results
}

func (p *fakeProber) result(ctx context.Context, c path.Check) path.Result {
	r := path.Result{Check: c, Verdict: path.Pass}
	r.Tries, r.Stage, r.Address = 1, path.StageConnect, net.JoinHostPort(c.Ask.Host, strconv.Itoa(c.Ask.Port))
	r.Via = launch.Via{Rung: launch.Tools, Tool: "bash", Pod: c.Source.Pod.String(), Container: "redis", Command: []string{"bash", "-c", "exec 3<>/dev/tcp/\"$1\"/\"$2\"", "prober"}}
	took := time.Duration(len(c.ID)*len(c.ID)) * 100 * time.Nanosecond
	r.Times = []path.StageTime{{Stage: path.StageConnect, Took: took}}
	switch {
	case ctx.Err() != nil:
		r.Verdict, r.Blind = path.Inconclusive, context.Cause(ctx)
	case p.noTools != "" && c.Source.Pod.Name == p.noTools:
		r.Verdict, r.Blind = path.Inconclusive, errors.New("no prober runs in it: tools: nothing to make a connection with")
	case strings.Contains(c.Target, "none-ready") || strings.Contains(c.Target, "not-ready"):
		r.Verdict, r.Error, r.Responder = path.Fail, path.Refused, ""
	case c.Kind == path.Spread:
		r.Spread = &path.SpreadResult{
			Verdict: path.Pass, Connections: 120, How: "their sockets",
			Shares:     []path.Share{{Endpoint: "pod/a:80", Known: true, Count: 41}, {Endpoint: "pod/b:80", Known: true, Count: 79}},
			Failing:    path.Part{Verdict: path.Pass, Text: "0 of 120 connections failed"},
			Unexpected: path.Part{Verdict: path.Pass, Text: "only eligible endpoints answered"},
			Coverage:   path.Part{Verdict: path.Pass, Text: "each of the 2 endpoints took some"},
			Evenly:     path.Part{Verdict: path.Pass, Text: "no evidence of imbalance (χ² = 1.2, p = 0.55)"},
		}
	}
	return r
}

func causeOf(r path.Result) *path.Cause {
	switch {
	case r.Verdict == path.Fail:
		return &path.Cause{
			Code: path.NoReadyEndpoint, Summary: "None of the endpoints is ready.", Hop: path.Translate,
			Evidence: []path.Evidence{{What: "pod/not-ready", Seen: "runs, but is not ready"}, {What: r.Target, Where: r.Source.Label, Seen: "refused"}},
			Next:     path.Next{Argv: []string{"kubectl", "describe", "pods", "-n", "default", "-l", "app=slow"}, Note: "shows why"},
		}
	case r.Blind != nil && strings.HasPrefix(r.Blind.Error(), "no prober"):
		return &path.Cause{Code: path.NoTools, Summary: "No container of the Pod has a tool to probe with.", Hop: path.Look, Next: path.Next{Note: "allow an ephemeral container with --allow-ephemeral"}}
	default:
		return r.Expect.Cause
	}
}
