package launch

import (
	"context"
	"errors"
	"net"
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

// Options say what the user has allowed.
type Options struct {
	// AllowEphemeral permits rung 3, AllowUpload rung 4, AllowHelperPods rung 5.
	AllowEphemeral, AllowUpload, AllowHelperPods bool
	// Image is for containers that podpath adds, where no image with tools is
	// known to be on the Node.
	Image string
	// RunID is in the names of what podpath adds: lower-case letters and
	// digits, different for each run.
	RunID string
	// Namespace is where helper Pods are created and looked for; empty for
	// default, and for all.
	Namespace string
}

// Ladder finds ways for probers to run. It is safe for concurrent use.
type Ladder struct {
	cluster Cluster
	options Options
	network wire.Network // of this process
	// addresses are those of this machine.
	addresses func() ([]net.Addr, error)
	// script returns a script by its name in package assets; prober returns
	// podpath's own prober for an architecture.
	script func(name string) (string, error)
	prober func(arch string) ([]byte, error)

	execs   atomic.Int64
	surveys once[string, survey]
	access  once[kube.Access, bool]
	guests  once[string, place] // the ephemeral container that this run has in a Pod, by its UID
	helpers once[string, place] // the helper Pod on a Node
	uploads uploads

	mu      sync.Mutex
	created []kube.HelperPod
}

// New returns the ladder of one run.
func New(cluster Cluster, o Options) *Ladder {
	return &Ladder{
		cluster: cluster, options: o, network: wire.Host{}, addresses: net.InterfaceAddrs,
		script: assets.Script, prober: assets.Prober,
	}
}

// Execs returns how many commands the ladder has run in containers.
func (l *Ladder) Execs() int { return int(l.execs.Load()) }

// exec runs a command and counts it.
func (l *Ladder) exec(ctx context.Context, e kube.Exec) error {
	l.execs.Add(1)
	return l.cluster.Exec(ctx, e)
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

// Close removes what the ladder has added to the cluster; ctx is to be a new
// one when that of the probes has ended. Close the links before. Ephemeral containers cannot be removed: they end by themselves.
func (l *Ladder) Close(ctx context.Context) error {
	var failures []error
	for _, u := range l.uploads.left() {
		failures = append(failures, l.removeUpload(ctx, u))
	}
	l.mu.Lock()
	created := l.created
	l.created = nil
	l.mu.Unlock()
	return errors.Join(append(failures, l.Remove(ctx, created))...)
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
