// Package probes walks paths: it looks at the cluster, starts a prober in each
// source, asks what was planned and what tells failures apart, and reports what
// came. What that means is decided in package path.
package probes

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"podpath/kube"
	"podpath/probes/launch"
	"podpath/probes/path"
)

// Launcher starts probers. *launch.Ladder is one.
type Launcher interface {
	Pod(ctx context.Context, s *kube.Snapshot, pod kube.Key, container string) (launch.Link, error)
	Node(ctx context.Context, s *kube.Snapshot, name string) (launch.Link, error)
	Local(ctx context.Context) (launch.Link, error)
}

// Options say how to run checks.
type Options struct {
	// Timeout of each step of a check: a lookup, a connection, a request.
	Timeout time.Duration
	// Parallel is how many execs may be open at once.
	Parallel int
	// Roots are the authorities that certificates are checked against (--ca); nil
	// for those of the machine, whose word on an issuer is told and not judged.
	Roots *x509.CertPool
	// Reader reads of the cluster what turns out to matter once something has
	// failed; nil for nothing.
	Reader Reader
}

const (
	// DefaultTimeout is longer than a lost SYN takes to be sent again (1 s).
	DefaultTimeout = 2 * time.Second
	// DefaultParallel is what an API server bears: hundreds of parallel execs
	// overwhelm it and give false failures.
	DefaultParallel = 16
	// maxTries is how often a source is asked when its stream was lost.
	maxTries = 3
	// rowParallel is how many checks one source carries out at once.
	rowParallel = 32
)

// run is one run of a plan.
type run struct {
	*path.World
	launcher Launcher
	options  Options
	links    *links

	mu      sync.Mutex
	results []path.Result
	seen    func(path.Result)
}

// Run carries out the checks and returns their results, in the order of the
// checks, with causes. Seen gets each result as soon as it is there, without
// its cause, one at a time. When ctx ends the rest is inconclusive.
func Run(ctx context.Context, w *path.World, checks []path.Check, launcher Launcher, o Options, seen func(path.Result)) []path.Result {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Parallel <= 0 {
		o.Parallel = DefaultParallel
	}
	r := &run{World: w, launcher: launcher, options: o, results: make([]path.Result, len(checks)), seen: seen}
	r.links = newLinks(max(2, o.Parallel), r.open)
	defer r.links.close()
	r.rows(ctx, checks, r.note)
	confirmed := make(chan struct{})
	go func() { // while others look closer: what they compare takes as long
		defer close(confirmed)
		r.confirm(ctx, checks)
	}()
	for i, c := range checks {
		if c.Kind == path.Spread {
			r.set(i, r.result(c, r.confirmedSpread(ctx, c)))
		}
	}
	known := r.known()
	world := r.readServers(ctx, known)
	looks := r.lookCloser(ctx, world, known)
	<-confirmed
	path.Explain(world, r.results, looks)
	return r.results
}

// confirm carries out once more what was to be reached and whose packets seem
// to be lost: one lost packet, or an app whose queue was full for a moment, is
// no failure. What was taken and not answered stays so.
func (r *run) confirm(ctx context.Context, checks []path.Check) {
	var doubtful []int
	var again []path.Check
	for i, result := range r.known() {
		if isDoubtful(result) {
			doubtful, again = append(doubtful, i), append(again, checks[i])
		}
	}
	r.rows(ctx, again, func(i int, result path.Result) {
		if result.Tries++; result.Blind == nil && result.Error == path.NoError {
			result.Detail = strings.TrimPrefix(result.Detail+"; the first try timed out", "; ")
		}
		r.set(doubtful[i], result)
	})
}

// isDoubtful reports a failure that another try may not have.
func isDoubtful(r path.Result) bool {
	return r.Blind == nil && r.Expect.Outcome == path.Reached && r.Kind != path.Spread && mayPass(r.Observation)
}

func (r *run) open(ctx context.Context, s path.Source) (launch.Link, error) {
	switch s.Kind {
	case path.FromPod:
		return r.launcher.Pod(ctx, r.Snapshot, s.Pod, s.Container)
	case path.FromNode:
		return r.launcher.Node(ctx, r.Snapshot, s.Node)
	default:
		return r.launcher.Local(ctx)
	}
}

// result judges what was seen.
func (r *run) result(c path.Check, o path.Observation) path.Result {
	if pod := r.Pod(c.Path.Pod); pod != nil && !c.Path.Virtual() && c.Kind != path.Env && o.Blind == nil && o.Error == path.NoError {
		o.Responder = r.PodSource(pod.Key()).Label
	}
	return path.Result{Check: c, Observation: o, Verdict: path.Judge(c, o), Unexplained: true}
}

// set notes the result of check i, and tells it.
func (r *run) set(i int, result path.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results[i] = result
	if r.seen != nil {
		r.seen(result)
	}
}

// note notes the result of check i, and tells it unless it is doubtful.
func (r *run) note(i int, result path.Result) {
	if !isDoubtful(result) {
		r.set(i, result)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results[i] = result
}

// known are the results so far.
func (r *run) known() []path.Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.results)
}

// rows carries out the checks of each source together, and hands out each
// result.
func (r *run) rows(ctx context.Context, checks []path.Check, set func(int, path.Result)) {
	var sources []string
	rows := map[string][]int{}
	for i, c := range checks {
		switch c.Kind {
		case path.Spread: // after the rows, it needs several sources
		case path.Status:
			set(i, r.result(c, path.Observation{Stage: path.StageResolve, Error: path.Missing, Detail: c.Path.Lacks()}))
		default:
			if rows[c.Source.Label] == nil {
				sources = append(sources, c.Source.Label)
			}
			rows[c.Source.Label] = append(rows[c.Source.Label], i)
		}
	}
	var group errgroup.Group
	group.SetLimit(max(2, r.options.Parallel))
	for _, s := range sources {
		group.Go(func() error {
			r.row(ctx, checks, rows[s], set)
			return nil
		})
	}
	_ = group.Wait() // no row returns an error
}

// row carries out the checks of one source. What was lost with a stream is
// asked again.
func (r *run) row(ctx context.Context, checks []path.Check, open []int, set func(int, path.Result)) {
	source := checks[open[0]].Source
	for try := 1; len(open) > 0; try++ {
		var lost []int
		broken := false
		var mu sync.Mutex
		link, done, err := r.links.use(ctx, source)
		if err != nil {
			if try < maxTries && ctx.Err() == nil && passing(err) {
				r.links.forget(source)
				continue
			}
			for _, i := range open {
				set(i, r.result(checks[i], path.Observation{Blind: err, Tries: try}))
			}
			return
		}
		observer := newObserver(link, r.options)
		observer.guest = isGuest(r.Pod(source.Pod), link.Via())
		var group errgroup.Group
		group.SetLimit(rowParallel)
		for _, i := range open {
			group.Go(func() error {
				o := observer.observe(ctx, checks[i])
				o.Tries = try
				cut := o.Blind != nil && passing(o.Blind)
				mu.Lock()
				broken = broken || cut
				if cut && try < maxTries && ctx.Err() == nil {
					lost = append(lost, i)
					mu.Unlock()
					return nil
				}
				mu.Unlock()
				set(i, r.result(checks[i], o))
				return nil
			})
		}
		_ = group.Wait() // no check returns an error
		done(broken)
		slices.Sort(lost)
		open = lost
	}
}

// passing reports errors that another try may not have: what is lost on the
// way, but neither what is forbidden nor what a container cannot do.
func passing(err error) bool {
	var denied *kube.AccessError
	var exec *kube.ExecError
	var tool errTool
	var failure *launch.Failure
	switch {
	case errors.As(err, &failure):
		return failure.Code == launch.ExecFailed && !errors.Is(err, context.DeadlineExceeded)
	case errors.As(err, &denied), errors.As(err, &tool):
		return false
	case errors.As(err, &exec):
		return exec.Failure == kube.Broken || exec.Failure == kube.KubeletAway
	default:
		return true
	}
}
