package main

import (
	"context"
	"errors"
	"sync"

	"podpath/kube"
	"podpath/probes"
	"podpath/probes/launch"
)

// prober probes one cluster for the UI.
type prober struct {
	client *kube.Client

	mu      sync.Mutex
	allow   launch.Options
	ladders []*launch.Ladder // the last one is used; the others may have something to clean up
}

func newProber(client *kube.Client, scope kube.Scope, machine launch.Machine) *prober {
	p := &prober{client: client, allow: launch.Options{RunID: runID(), Namespace: scope.Namespace, Machine: machine}}
	p.ladders = []*launch.Ladder{launch.New(client, p.allow)}
	return p
}

// Look completes a snapshot.
func (p *prober) Look(ctx context.Context, s *kube.Snapshot) *probes.World {
	w := probes.Look(ctx, s, p.client, p.allow.Machine)
	w.Equipped = p.ladder().Equipped(ctx, w.Representatives())
	return w
}

// ladder is the one with the newest permissions.
func (p *prober) ladder() *launch.Ladder {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ladders[len(p.ladders)-1]
}

// Run carries out checks.
func (p *prober) Run(ctx context.Context, w *probes.World, checks []probes.Check, seen func(probes.Result)) []probes.Result {
	options := probes.Options{Timeout: probes.DefaultTimeout, Parallel: probes.DefaultParallel}
	return probes.Run(ctx, w, checks, p.ladder(), options, seen)
}

// Allow permits further rungs.
func (p *prober) Allow(rungs ...launch.Rung) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range rungs {
		switch r {
		case launch.Ephemeral:
			p.allow.AllowEphemeral = true
		case launch.Upload:
			p.allow.AllowUpload = true
		case launch.Helper:
			p.allow.AllowHelperPods = true
		case launch.Local, launch.Tools: // need no permission
		}
	}
	p.allow.RunID = runID() // names must differ from those of the ladder before
	p.ladders = append(p.ladders, launch.New(p.client, p.allow))
}

// Close removes what was added to the cluster.
func (p *prober) Close(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var failed []error
	for _, l := range p.ladders {
		failed = append(failed, l.Close(ctx))
	}
	return errors.Join(failed...)
}
