package kube

import (
	"context"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"golang.org/x/sync/errgroup"
)

// snapshotInterval is the shortest time between two snapshots. The first news
// after a pause are shown at once; on a busy cluster five screens a second are
// as many as a reader can follow, and cost half of ten.
const snapshotInterval = 200 * time.Millisecond

// Store follows the resources of one scope and makes snapshots of them.
type Store struct {
	scope     Scope
	client    *Client
	resources []Resource
	now       func() time.Time
	dirty     chan struct{} // holds one token while there is news

	retry, deniedRetry time.Duration // pauses after a failure, after a refusal

	mu         sync.Mutex // guards all below
	pods       *collection[*corev1.Pod, *Pod]
	nodes      *collection[*corev1.Node, *Node]
	services   *collection[*corev1.Service, *Service]
	slices     *collection[*discoveryv1.EndpointSlice, *slice]
	namespaces *collection[*corev1.Namespace, namespace]
	join       join
	latest     *Snapshot
	released   bool // the memory of the first lists
}

// namespace is what podpath keeps of a Namespace.
type namespace string

func (n namespace) Key() Key { return Key{Name: string(n)} }

func newNamespace(in interner, o *corev1.Namespace) namespace { return namespace(in.text(o.Name)) }

// NewStore returns a store of the scope that follows these resources, or all
// when none is named. It does nothing until Run.
func NewStore(client *Client, scope Scope, resources ...Resource) *Store {
	if len(resources) == 0 {
		resources = []Resource{Pods, Nodes, Services, EndpointSlices, Namespaces}
	}
	s := &Store{
		scope: scope, client: client, resources: resources,
		now: time.Now, dirty: make(chan struct{}, 1), retry: retryDelay, deniedRetry: deniedDelay,
	}
	s.pods = newCollection(s, newPod)
	s.nodes = newCollection(s, newNode)
	s.services = newCollection(s, newService)
	s.slices = newCollection(s, newSlice)
	s.namespaces = newCollection(s, newNamespace)
	s.latest = &Snapshot{Scope: scope}
	return s
}

// Run follows the cluster until ctx ends, and returns when everything that it
// started has ended. The only error is a panic in one of its goroutines.
func (s *Store) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	sinks := [resourceCount]sink{Pods: s.pods, Nodes: s.nodes, Services: s.services, EndpointSlices: s.slices, Namespaces: s.namespaces}
	for _, r := range s.resources {
		group.Go(func() (err error) {
			defer func() {
				if p := recover(); p != nil {
					err = Panicked("following "+r.String(), p)
				}
			}()
			s.follow(ctx, r, sinks[r])
			return nil
		})
	}
	s.changed() // the first snapshot says that everything is syncing
	return group.Wait()
}

// changed wakes Next. It never blocks.
func (s *Store) changed() {
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

// Next waits until there is news since the last snapshot that it returned, but
// at least snapshotInterval after that one, and returns the newest state. The
// first complete one does not wait: until then there was nothing to look at. It
// is for one caller at a time, and fails only when ctx ends.
func (s *Store) Next(ctx context.Context) (*Snapshot, error) {
	s.release()
	select {
	case <-s.dirty:
	case <-ctx.Done():
		return nil, s.client.late(context.Cause(ctx))
	}
	s.mu.Lock()
	timer := time.NewTimer(s.latest.At.Add(snapshotInterval).Sub(s.now()))
	s.mu.Unlock()
	defer timer.Stop()
	for wait := true; wait && !s.completed(); {
		select {
		case <-s.dirty: // may be the last list
		case <-timer.C:
			wait = false
		case <-ctx.Done():
			return nil, s.client.late(context.Cause(ctx))
		}
	}
	select {
	case <-s.dirty: // news that arrived meanwhile is in the snapshot, too
	default:
	}
	return s.snapshot(), nil
}

// completed reports whether the next snapshot is the first complete one.
func (s *Store) completed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settled(s.states()) && !s.settled(s.latest.States)
}

func (s *Store) settled(states [resourceCount]State) bool {
	return !slices.ContainsFunc(s.resources, func(r Resource) bool { return !states[r].Settled() })
}

// states are those of now. The lock is held.
func (s *Store) states() [resourceCount]State {
	return [resourceCount]State{s.pods.state, s.nodes.state, s.services.state, s.slices.state, s.namespaces.state}
}

// release gives the memory of the first lists back to the system, once, after
// the first complete snapshot was handed out: decoding them took more than
// twice of what is kept of them.
func (s *Store) release() {
	s.mu.Lock()
	due := !s.released && s.settled(s.latest.States)
	s.released = s.released || due
	s.mu.Unlock()
	if due {
		debug.FreeOSMemory()
	}
}

func (s *Store) snapshot() *Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := &Snapshot{
		Number: s.latest.Number + 1,
		At:     s.now(),
		Scope:  s.scope,
		States: s.states(),
	}
	s.nodes.take()
	next.Namespaces = s.latest.Namespaces
	if len(s.namespaces.take()) > 0 {
		next.Namespaces = make([]string, len(s.namespaces.records))
		for i, n := range s.namespaces.records {
			next.Namespaces[i] = string(n)
		}
	}
	s.join.update(s, next)
	next.Pods, next.Nodes, next.Services = s.pods.records, s.nodes.records, s.join.services
	if next.States[Services].Listed {
		next.Strays = s.join.strays
	}
	s.latest = next
	return next
}

// Resources returns what the store follows.
func (s *Store) Resources() []Resource { return s.resources }
