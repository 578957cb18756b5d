package tui

import (
	"context"
	"errors"
	"strings"
	"time"

	"podpath/kube"
	engine "podpath/probes"
	"podpath/probes/launch"
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

func (p *fakeProber) Look(ctx context.Context, s *kube.Snapshot) *engine.World {
	if p.look != nil {
		p.look(ctx)
	}
	return &engine.World{Snapshot: s, Home: s.Scope.Namespace}
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

func (p *fakeProber) Run(ctx context.Context, _ *engine.World, checks []engine.Check, seen func(engine.Result)) []engine.Result {
	p.running++
	defer func() { p.running-- }()
	p.mess = true
	var ids []string
	var results []engine.Result
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
		seen(r)
		results = append(results, r)
	}
	p.ran = append(p.ran, ids)
	for i, r := range results {
		results[i].Cause = causeOf(r)
	}
	return results
}

func (p *fakeProber) result(ctx context.Context, c engine.Check) engine.Result {
	r := engine.Result{Check: c, Verdict: engine.Pass}
	r.Tries, r.Stage, r.Address = 1, engine.StageConnect, c.Ask.Host
	r.Via = launch.Via{Rung: launch.Tools, Tool: "bash", Pod: c.Source.Pod.String(), Container: "redis", Command: []string{"bash", "-c", "exec 3<>/dev/tcp/\"$1\"/\"$2\"", "prober"}}
	took := time.Duration(len(c.ID)*len(c.ID)) * 100 * time.Nanosecond
	r.Times = []engine.StageTime{{Stage: engine.StageConnect, Took: took}}
	switch {
	case ctx.Err() != nil:
		r.Verdict, r.Blind = engine.Inconclusive, context.Cause(ctx)
	case p.noTools != "" && c.Source.Pod.Name == p.noTools:
		r.Verdict, r.Blind = engine.Inconclusive, errors.New("no prober runs in it: tools: nothing to make a connection with")
	case strings.Contains(c.Target, "none-ready") || strings.Contains(c.Target, "not-ready"):
		r.Verdict, r.Error, r.Responder = engine.Fail, engine.Refused, ""
	case c.Kind == engine.Spread:
		r.Spread = &engine.SpreadResult{
			Verdict: engine.Pass, Connections: 120, How: "their sockets",
			Shares:     []engine.Share{{Endpoint: "pod/a:80", Known: true, Count: 41}, {Endpoint: "pod/b:80", Known: true, Count: 79}},
			Failing:    engine.Part{Verdict: engine.Pass, Text: "0 of 120 connections failed"},
			Unexpected: engine.Part{Verdict: engine.Pass, Text: "only eligible endpoints answered"},
			Coverage:   engine.Part{Verdict: engine.Pass, Text: "each of the 2 endpoints took some"},
			Evenly:     engine.Part{Verdict: engine.Pass, Text: "no evidence of imbalance (χ² = 1.2, p = 0.55)"},
		}
	}
	return r
}

func causeOf(r engine.Result) *engine.Cause {
	switch {
	case r.Verdict == engine.Fail:
		return &engine.Cause{
			Code: engine.NoReadyEndpoint, Summary: "None of the endpoints is ready.", Evidence: []string{"Pod not-ready runs, but is not ready", r.Target + ": refused"},
			Next: "kubectl describe pods -n default -l app=slow  shows why",
		}
	case r.Blind != nil && strings.HasPrefix(r.Blind.Error(), "no prober"):
		return &engine.Cause{Code: engine.NoTools, Summary: "No container of the Pod has a tool to probe with.", Next: "podpath probe --allow-ephemeral"}
	default:
		return r.Expect.Cause
	}
}
