package launch

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"podpath/assets"
	"podpath/kube"
	"podpath/probes/wire"
)

// Cluster is what the ladder needs of a cluster; *kube.Client is one.
type Cluster interface {
	Allowed(ctx context.Context, a kube.Access) (bool, error)
	Exec(ctx context.Context, e kube.Exec) error
	AddEphemeral(ctx context.Context, pod kube.Key, g kube.Guest) error
	AwaitRunning(ctx context.Context, pod kube.Key, container string) error
	CreateHelper(ctx context.Context, h kube.HelperPod, g kube.Guest, life time.Duration) (kube.HelperPod, error)
	DeleteHelper(ctx context.Context, h kube.HelperPod) error
	Helpers(ctx context.Context, scope kube.Scope) ([]kube.HelperPod, error)
}

// Machine is what podpath runs on: wire.Host, or a machine of the practice
// cluster.
type Machine interface {
	wire.Network
	// Addresses are those of its interfaces, but for loopback.
	Addresses() []netip.Addr
}

// Options say what the user has allowed.
type Options struct {
	// AllowEphemeral permits rung 3, AllowUpload rung 4, AllowHelperPods rung 5.
	AllowEphemeral, AllowUpload, AllowHelperPods bool
	// Image is for containers that podpath adds; empty for one that a Pod of
	// the same namespace and Node has already.
	Image string
	// RunID is in the names of what podpath adds: lower-case letters and
	// digits, different for each run.
	RunID string
	// Namespace is where helper Pods are created and looked for; empty for
	// default, and for all.
	Namespace string
	// Machine is the one that podpath runs on; nil for the one that it really
	// runs on.
	Machine Machine
	// Parallel is how many commands that end by themselves may run at once,
	// beside the probers of open links; 0 for defaultParallel.
	Parallel int
}

// NewRunID returns a RunID that no other run has.
func NewRunID() string { return strings.ToLower(rand.Text()[:8]) }

// defaultParallel is what an API server bears: hundreds of parallel execs
// overwhelm it and give false failures.
const defaultParallel = 16

// Ladder finds ways for probers to run. It is safe for concurrent use.
type Ladder struct {
	cluster Cluster
	options Options
	// script returns a script by its name in package assets; prober returns
	// podpath's own prober for an architecture.
	script func(name string) (string, error)
	prober func(arch string) ([]byte, error)

	execs   atomic.Int64
	room    chan struct{} // holds one for each exec of brief
	surveys once[string, survey]
	access  once[kube.Access, bool]
	guests  once[string, place] // the ephemeral container of this run that runs in a Pod, by its UID
	added   added               // all of those, whether they run or not
	helpers once[string, place] // the helper Pod that runs on a Node
	created created             // all of those
	uploads uploads
}

// New returns the ladder of one run.
func New(cluster Cluster, o Options) *Ladder {
	if o.Machine == nil {
		o.Machine = wire.Host{}
	}
	return &Ladder{
		cluster: cluster, options: o,
		script: assets.Script, prober: assets.Prober,
		room: make(chan struct{}, cmp.Or(o.Parallel, defaultParallel)),
	}
}

// Execs returns how many commands the ladder has run in containers.
func (l *Ladder) Execs() int { return int(l.execs.Load()) }

// exec runs a command and counts it. A container of podpath's own that turns
// out to have ended is known no more, so that whoever needs it makes another.
func (l *Ladder) exec(ctx context.Context, e kube.Exec) error {
	l.execs.Add(1)
	err := l.cluster.Exec(ctx, e)
	var failed *kube.ExecError
	if errors.As(err, &failed) && failed.Failure == kube.NotRunning {
		ended := func(p place) bool { return p.pod == e.Pod && p.container == e.Container }
		l.guests.forgetWhere(ended)
		l.helpers.forgetWhere(ended)
	}
	return err
}

// brief runs a command that ends by itself, when there is room for it. Its
// time starts then: whoever waits behind others has not been slow. Commands
// that others wait for must not run like this, or nobody would go on.
func (l *Ladder) brief(ctx context.Context, limit time.Duration, e kube.Exec) error {
	select {
	case l.room <- struct{}{}:
		defer func() { <-l.room }()
	case <-ctx.Done():
		return fmt.Errorf("exec in %s: %w", e.Pod, context.Cause(ctx))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, tooLateError{e.Command[0] + " did not end", limit})
	defer cancel()
	return l.exec(ctx, e)
}

// Pod starts a prober in the network of the Pod, on the first rung that holds.
// A named container is used alone, unless nothing runs in it; all containers
// of a Pod share its network, so otherwise the best-equipped one is used. The
// prober lives until the link is closed, or until ctx ends. The error is a
// *Failure.
func (l *Ladder) Pod(ctx context.Context, s *kube.Snapshot, pod kube.Key, container string) (Link, error) {
	t := &attempt{ladder: l, source: "pod/" + pod.String()}
	p := s.Pod(pod)
	switch {
	case p == nil:
		return nil, t.over(Tools, errors.New("there is no such Pod"))
	case len(candidates(p, container)) == 0 && p.Finished:
		return nil, t.over(Tools, errors.New("the Pod is over: "+p.Status))
	case !t.mayExec(ctx, p.Namespace):
		return nil, t.failure() // every rung needs it
	}
	if link := t.tools(ctx, p, container); link != nil {
		return link, nil
	}
	if link := t.ephemeral(ctx, s, p); link != nil {
		return link, nil
	}
	if link := t.upload(ctx, s, p); link != nil {
		return link, nil
	}
	return nil, t.failure()
}

// Close removes what the ladder has added to the cluster, all at the same time;
// ctx is to be a new one when that of the probes has ended. Close the links
// before. What could not be removed the next Close tries again. Ephemeral
// containers cannot be removed: they end by themselves.
func (l *Ladder) Close(ctx context.Context) error {
	var work sync.WaitGroup
	files, helpers := l.uploads.left(), l.created.left()
	failures := make([]error, len(files)+len(helpers))
	for i, u := range files {
		work.Go(func() { failures[i] = l.removeUpload(ctx, u) })
	}
	for i, h := range helpers {
		work.Go(func() { failures[len(files)+i] = l.removeHelper(ctx, h) })
	}
	work.Wait()
	return errors.Join(failures...)
}

// Leftovers lists the helper Pods of other runs of podpath, which may have
// been killed. They end by themselves after helperLife.
func (l *Ladder) Leftovers(ctx context.Context) ([]kube.HelperPod, error) {
	helpers, err := l.cluster.Helpers(ctx, kube.Scope{Namespace: l.options.Namespace})
	var others []kube.HelperPod
	for _, h := range helpers {
		if h.Run != l.options.RunID {
			others = append(others, h)
		}
	}
	return others, err
}

// Remove deletes helper Pods, all at the same time.
func (l *Ladder) Remove(ctx context.Context, helpers []kube.HelperPod) error {
	failures := make([]error, len(helpers))
	var work sync.WaitGroup
	for i, h := range helpers {
		work.Go(func() { failures[i] = l.cluster.DeleteHelper(ctx, h) })
	}
	work.Wait()
	return errors.Join(failures...)
}

// tooLateError is what a command did not do in its time.
type tooLateError struct {
	what  string
	limit time.Duration
}

func (e tooLateError) Error() string { return fmt.Sprintf("%s within %s", e.what, e.limit) }

// Is makes it one of the errors of a deadline.
func (e tooLateError) Is(target error) bool { return target == context.DeadlineExceeded }
