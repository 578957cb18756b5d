package probes

import (
	"context"
	"errors"
	"sync"

	"podpath/kube"
	"podpath/probes/launch"
	"podpath/probes/path"
)

// Cluster is what probing needs of a cluster; *kube.Client is one.
type Cluster interface {
	launch.Cluster
	Reader
}

// Prober probes one cluster again and again, and may be allowed more on the way.
type Prober struct {
	cluster Cluster

	mu      sync.Mutex
	allow   launch.Options
	ladders []*launch.Ladder // the last one is used; the others may have something to clean up
}

// NewProber returns a prober. It chooses the RunID of the options itself.
func NewProber(c Cluster, o launch.Options) *Prober {
	p := &Prober{cluster: c, allow: o}
	p.Allow()
	return p
}

// Look completes a snapshot to what the checks of an intent are planned from.
func (p *Prober) Look(ctx context.Context, s *kube.Snapshot, i path.Intent) *path.World {
	w := Look(ctx, s, p.cluster, p.allow.Machine, i)
	w.Equipped = p.ladder().Equipped(ctx, w.Representatives())
	return w
}

// Plan plans the checks of an intent. Its error is for the user.
func (p *Prober) Plan(w *path.World, i path.Intent) ([]path.Check, error) { return w.PlanFor(i) }

// ladder is the one with the newest permissions.
func (p *Prober) ladder() *launch.Ladder {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ladders[len(p.ladders)-1]
}

// Run carries out checks.
func (p *Prober) Run(ctx context.Context, w *path.World, checks []path.Check, seen func(path.Result)) []path.Result {
	options := Options{Timeout: DefaultTimeout, Parallel: DefaultParallel, Reader: p.cluster}
	return Run(ctx, w, checks, p.ladder(), options, seen)
}

// Allow permits further rungs.
func (p *Prober) Allow(rungs ...launch.Rung) {
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
	p.allow.RunID = launch.NewRunID() // names must differ from those of the ladder before
	p.ladders = append(p.ladders, launch.New(p.cluster, p.allow))
}

// Close removes what was added to the cluster.
func (p *Prober) Close(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var failed []error
	for _, l := range p.ladders {
		failed = append(failed, l.Close(ctx))
	}
	return errors.Join(failed...)
}
