package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"podpath/kube"
)

// watched are the namespaces that forwards need, each followed by a store.
type watched struct {
	scope  kube.Scope // as the user chose it
	client *kube.Client
	stores map[string]*watchedStore // by namespace; one for "" serves them all
	ended  sync.WaitGroup
}

// watchedStore is a store and its newest snapshot.
type watchedStore struct {
	*kube.Store
	needed []kube.Resource

	mu       sync.Mutex
	snapshot *kube.Snapshot
}

// watch starts a store for each namespace. A store that breaks calls stop.
func (f *forwarding) watch(ctx context.Context, client *kube.Client, scope kube.Scope, orders []order, stop context.CancelCauseFunc) *watched {
	w := &watched{scope: scope, client: client, stores: map[string]*watchedStore{}}
	add := func(namespace string, needed ...kube.Resource) {
		if scope.All() {
			namespace = ""
		}
		s := w.stores[namespace]
		if s == nil {
			s = &watchedStore{Store: kube.NewStore(client, kube.Scope{Namespace: namespace}, kube.Pods, kube.Services, kube.EndpointSlices)}
			w.stores[namespace] = s
		}
		s.needed = append(s.needed, needed...)
	}
	if f.selector != nil {
		add(scope.Namespace, kube.Services, kube.EndpointSlices)
	}
	for _, o := range orders {
		if o.Kind == "svc" {
			add(o.Namespace, kube.Services, kube.EndpointSlices)
		} else {
			add(o.Namespace, kube.Pods)
		}
	}
	for _, s := range w.stores {
		w.ended.Go(func() {
			if err := s.Run(ctx); err != nil {
				stop(brokeError{err})
			}
		})
	}
	return w
}

// ready waits until what is needed was read, as settle does, but leaves the
// stores running.
func (w *watched) ready(ctx context.Context, timeout time.Duration, server string) error {
	ctx, cancel := bounded(ctx, timeout)
	defer cancel()
	for _, s := range w.stores {
		if err := s.ready(ctx); err != nil {
			return fmt.Errorf("%s: %w", server, err)
		}
		if err := checkNamespace(ctx, w.client, s.latest()); err != nil {
			return err
		}
	}
	return nil
}

func (s *watchedStore) ready(ctx context.Context) error {
	for {
		next, err := s.Next(ctx)
		if err != nil {
			last, err := overdue(s.latest(), s.needed, err)
			s.set(last)
			return err
		}
		s.set(next)
		err = failure(next, s.needed)
		switch {
		case err != nil && !busy(next, s.needed):
			return err
		case err == nil && settled(next, s.Resources()):
			return nil
		}
	}
}

// follow calls changed with every snapshot, the one that is there first.
func (s *watchedStore) follow(ctx context.Context, changed func(*kube.Snapshot)) {
	for next, err := s.latest(), error(nil); err == nil; next, err = s.Next(ctx) {
		s.set(next)
		changed(next)
	}
}

func (s *watchedStore) set(next *kube.Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.snapshot = next
}

func (s *watchedStore) latest() *kube.Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snapshot
}

// store returns the one that sees a namespace.
func (w *watched) store(namespace string) *watchedStore {
	if s := w.stores[namespace]; s != nil {
		return s
	}
	return w.stores[""]
}

// snapshot returns the newest one that shows a namespace.
func (w *watched) snapshot(namespace string) *kube.Snapshot { return w.store(namespace).latest() }

// wait waits for the stores, which end with their context. A credential plugin
// may keep one longer.
func (w *watched) wait() {
	done := make(chan struct{})
	go func() { defer close(done); w.ended.Wait() }()
	select {
	case <-done:
	case <-time.After(endGrace):
	}
}
