package tui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"podpath/kube"
	"podpath/probes/launch"
	"podpath/probes/path"
	"podpath/tui/probes"
)

// Prober probes a cluster. All but Plan and Allow may take long, and end with ctx.
type Prober interface {
	// Look completes a snapshot to what the checks of an intent are planned from.
	Look(ctx context.Context, s *kube.Snapshot, i path.Intent) *path.World
	// Plan plans the checks of an intent. Its error is for the user.
	Plan(w *path.World, i path.Intent) ([]path.Check, error)
	// Run carries out the checks. Seen gets each result as soon as it is
	// there, one at a time; what is returned has causes as well.
	Run(ctx context.Context, w *path.World, checks []path.Check, seen func(path.Result)) []path.Result
	// Allow permits further rungs of the ladder.
	Allow(rungs ...launch.Rung)
	// Close removes what was added to the cluster. No run goes on then.
	Close(ctx context.Context) error
}

// probing is one run of checks.
type probing struct {
	from      *session
	cancelled bool            // by the user
	ctx       context.Context // it is the run's life
	cancel    context.CancelCauseFunc
	request   probes.Request
	again     []string // the IDs of checks to run once more; nil for all
	// snapshot holds one, once there is one with all that a plan is made of.
	snapshot chan *kube.Snapshot

	told chan struct{} // holds one when there is news
	mu   sync.Mutex
	news probes.News
	last time.Time // when news was taken
}

// newsCame is what has happened in a run.
type newsCame struct {
	of   *probing
	news probes.News
}

// newsEvery is the shortest time between two news of a run: more often nobody
// can read.
const newsEvery = 100 * time.Millisecond

// mayProbe reports whether anything may be probed, and tells the user why not.
func (m *Model) mayProbe() bool {
	switch {
	case m.options.ReadOnly:
		m.notice = "podpath was started with --readonly: it runs nothing in the cluster, so that it cannot probe."
	case m.session == nil || m.session.Prober == nil:
		m.notice = "There is nothing that could probe this cluster."
	default:
		return true
	}
	return false
}

// start begins a run of what was requested, or of some of its checks again,
// and shows it.
func (m *Model) start(r probes.Request, again []string) tea.Cmd {
	switch {
	case !m.mayProbe() || r.Intent.Empty():
		return nil
	case m.session.probing != nil:
		m.notice = "A run goes on: esc or ctrl-c in pane 3 cancels it."
		return nil
	}
	p := &probing{from: m.session, request: r, again: again, snapshot: make(chan *kube.Snapshot, 1), told: make(chan struct{}, 1)}
	p.offer(m.snapshot)
	p.ctx, p.cancel = context.WithCancelCause(p.from.ctx)
	p.from.probing = p
	p.from.runs <- p // it has room for the one run that there may be
	m.probes.Begin(m.options.Now(), r.Title, again)
	m.showProbes(again != nil)
	return waitForNews(p)
}

// probe carries out the runs of a session one after the other, and at its end
// cleans up behind them.
func (s *session) probe() error {
	for {
		select {
		case p := <-s.runs:
			p.run(s.Prober)
		case <-s.ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), cleanGrace)
			defer cancel()
			if err := s.Prober.Close(ctx); err != nil {
				return fmt.Errorf("remove what the probes have added to the cluster: %w", err)
			}
			return nil
		}
	}
}

// offer lets the run begin when all that a plan is made of is listed, or cannot
// be: with half of it podpath would leave checks out, and not say so.
func (p *probing) offer(s *kube.Snapshot) {
	if !s.Settled(kube.Pods, kube.Services, kube.EndpointSlices, kube.Nodes) {
		return
	}
	select {
	case p.snapshot <- s:
	default:
	}
}

// run looks, plans and checks. A panic becomes the session's error, so that
// the program can restore the terminal and say it.
func (p *probing) run(prober Prober) {
	defer p.cancel(nil)
	defer func() {
		if v := recover(); v != nil {
			p.tell(func(n *probes.News) {
				n.Done, n.Err = true, kube.Panicked("probing", v)
			})
		}
	}()
	var world *path.World
	select {
	case s := <-p.snapshot:
		world = prober.Look(p.ctx, s, p.request.Intent)
	case <-p.ctx.Done():
	}
	checks, err := p.plan(prober, world)
	if err != nil {
		p.tell(func(n *probes.News) { n.Done, n.Err = true, err })
		return
	}
	p.tell(func(n *probes.News) {
		n.Planned, n.Checks, n.Unknown, n.World, n.Choices = true, checks, world.Unknown, world, world.Choices(p.request.Intent)
	})
	results := p.carryOut(prober, world, checks)
	p.tell(func(n *probes.News) { n.Done, n.Final = true, results })
}

// carryOut carries out the checks. Where podpath could not look and the run was
// cancelled already, it did not look for that reason: such a check has no
// result. The error alone does not tell, as the ladder keeps only its text.
func (p *probing) carryOut(prober Prober, world *path.World, checks []path.Check) []path.Result {
	unseen := map[string]bool{} // by ID
	results := prober.Run(p.ctx, world, checks, func(r path.Result) {
		if r.Blind != nil && p.ctx.Err() != nil {
			unseen[r.ID] = true
			return
		}
		p.tell(func(n *probes.News) { n.Seen = append(n.Seen, r) })
	})
	return slices.DeleteFunc(results, func(r path.Result) bool { return unseen[r.ID] })
}

func (p *probing) plan(prober Prober, w *path.World) ([]path.Check, error) {
	if p.ctx.Err() != nil {
		return nil, context.Cause(p.ctx)
	}
	checks, err := prober.Plan(w, p.request.Intent)
	if err != nil {
		return nil, err
	}
	if p.again != nil {
		wanted := map[string]bool{}
		for _, id := range p.again {
			wanted[id] = true
		}
		checks = slices.DeleteFunc(checks, func(c path.Check) bool { return !wanted[c.ID] })
	}
	if len(checks) == 0 {
		return nil, errors.New("there is nothing to check: " + p.request.Title)
	}
	return checks, nil
}

// tell notes news; it never waits for the UI.
func (p *probing) tell(note func(*probes.News)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	note(&p.news)
	select {
	case p.told <- struct{}{}:
	default:
	}
}

// take returns the news since the last time.
func (p *probing) take() probes.News {
	p.mu.Lock()
	defer p.mu.Unlock()
	news := p.news
	p.news, p.last = probes.News{}, time.Now()
	return news
}

// waitForNews waits for what happens next in a run. It comes back within a
// second even so, that the time on the screen goes on.
func waitForNews(p *probing) tea.Cmd {
	return func() tea.Msg {
		select {
		case <-p.told:
		case <-time.After(time.Second):
		case <-p.from.ctx.Done():
			return nil // nobody looks any more
		}
		p.mu.Lock()
		pause := newsEvery - time.Since(p.last)
		p.mu.Unlock()
		select {
		case <-time.After(pause):
		case <-p.from.ctx.Done():
			return nil
		}
		return newsCame{p, p.take()}
	}
}

// receiveNews shows what has happened in a run.
func (m *Model) receiveNews(msg newsCame) tea.Cmd {
	if m.session == nil || msg.of != m.session.probing {
		return nil
	}
	n := msg.news
	m.now = m.options.Now()
	m.probes.Receive(m.now, n)
	m.book.Add(m.now, n.Seen...)
	m.book.Add(m.now, n.Final...)
	if n.Planned {
		m.session.request = msg.of.request
	}
	next := waitForNews(msg.of)
	if n.Done {
		m.session.probing, next = nil, nil
	}
	var broke *kube.PanicError
	if errors.As(n.Err, &broke) {
		m.fatal = broke
		return tea.Quit
	}
	if n.Err != nil {
		m.notice = kube.Clean(n.Err.Error())
	}
	m.refresh()
	return next
}

// errCancelled is why a run that the user cancels has not seen the rest.
var errCancelled = errors.New("you cancelled the run")

// cancelProbing ends the run that goes on. What it has not seen yet has no
// result then.
func (m *Model) cancelProbing() {
	m.session.probing.cancelled = true
	m.session.probing.cancel(errCancelled)
	m.probes.Cancelling()
	m.notice = "cancelled: what podpath has not seen has no result; ctrl-c quits"
}

// canCancel reports whether a run goes on that the user looks at and has not
// cancelled.
func (m *Model) canCancel() bool {
	if m.session == nil || m.session.probing == nil || m.session.probing.cancelled {
		return false
	}
	switch m.top().(type) {
	case *probes.Pane, *probes.Evidence:
		return true
	default:
		return false
	}
}

// offerCleanup tells, when the Pods of a session are known for the first time,
// of helper Pods: this session cannot have made any yet.
func (m *Model) offerCleanup() {
	if m.session.knowsPods || !m.snapshot.State(kube.Pods).Listed {
		return
	}
	m.session.knowsPods = true
	for _, p := range m.snapshot.Pods {
		if p.Labels.Get(kube.ManagedByLabel) == kube.ManagedBy && p.Labels.Has(kube.RunLabel) {
			m.notice = "Pod " + p.Key().String() + " is of another run of podpath, perhaps a killed one: podpath cleanup deletes it"
			return
		}
	}
}
