package forward

import (
	"context"
	"fmt"
	"sync"
	"time"

	"podpath/kube"
)

// Watch follows a namespace for a hub's forwards, which share it.
type Watch struct {
	*follower
	release func()
}

// Close gives the watch back. The last one ends it.
func (w *Watch) Close() { w.release() }

// follower follows a namespace and hands each snapshot to everybody who waits.
type follower struct {
	source source
	stop   context.CancelFunc
	users  int // guarded by the hub

	mu      sync.Mutex // guards all below
	latest  *kube.Snapshot
	err     error         // why there will be no more
	changed chan struct{} // closed when there is another one
}

// watchKey says what a follower follows.
type watchKey struct {
	cluster   *Cluster
	namespace string
}

// Watch follows a namespace, or all of them where that is "", and waits until
// the needed resources were listed. It fails when they cannot be, and when there
// is no such namespace.
func (h *Hub) Watch(ctx context.Context, c *Cluster, namespace string, needed ...kube.Resource) (*Watch, error) {
	w := h.watch(c, namespace)
	if w == nil {
		return nil, errStopped
	}
	limited, cancel := ctx, context.CancelFunc(func() {})
	if h.options.Patience > 0 {
		limited, cancel = context.WithTimeoutCause(ctx, h.options.Patience, fmt.Errorf("no complete answer within %s", h.options.Patience))
	}
	defer cancel()
	var seen *kube.Snapshot
	next := func(ctx context.Context) (_ *kube.Snapshot, err error) {
		seen, err = w.After(ctx, seen)
		return seen, err
	}
	s, err := kube.Await(limited, next, needed, w.source.Resources())
	if err == nil && namespace != "" && s.Scope.Namespace == namespace {
		err = c.api.checkNamespace(limited, s)
	}
	if err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// watch takes the follower of a namespace, and starts it where there is none
// yet. One for all namespaces serves each. It returns nil after Close.
func (h *Hub) watch(c *Cluster, namespace string) *Watch {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx.Err() != nil {
		return nil
	}
	key := watchKey{c, namespace}
	if h.watches[watchKey{c, ""}] != nil {
		key.namespace = ""
	}
	f := h.watches[key]
	if f == nil {
		ctx, stop := context.WithCancel(h.ctx)
		f = &follower{source: c.api.store(key.namespace), stop: stop, changed: make(chan struct{})}
		h.watches[key] = f
		h.following.Go(func() { f.follow(ctx) })
	}
	f.users++
	release := sync.OnceFunc(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if f.users--; f.users == 0 {
			f.stop()
			delete(h.watches, key)
		}
	})
	return &Watch{f, release}
}

// follow runs the source until ctx ends.
func (f *follower) follow(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- f.source.Run(ctx)
		cancel() // a source that broke makes no more snapshots
	}()
	for {
		next, err := f.source.Next(ctx)
		if err != nil {
			break
		}
		f.set(next, nil)
	}
	if err := <-ended; err != nil {
		f.set(f.Snapshot(), err)
		return
	}
	f.set(f.Snapshot(), errStopped)
}

func (f *follower) set(next *kube.Snapshot, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.latest, f.err = next, err
	close(f.changed)
	f.changed = make(chan struct{})
}

// Snapshot returns the newest state of the namespace.
func (f *follower) Snapshot() *kube.Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.latest
}

// After waits for a snapshot that is newer than the one that was seen, which
// may be nil. It fails when ctx ends, and when there will be none any more.
func (f *follower) After(ctx context.Context, seen *kube.Snapshot) (*kube.Snapshot, error) {
	for {
		f.mu.Lock()
		latest, err, changed := f.latest, f.err, f.changed
		f.mu.Unlock()
		switch {
		case err != nil:
			return seen, err
		case latest != seen:
			return latest, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return seen, context.Cause(ctx)
		}
	}
}

// stopGrace is how long followers may take to end: only a request that waits for
// a credential plugin takes longer, and nothing can hurry that.
const stopGrace = 300 * time.Millisecond
