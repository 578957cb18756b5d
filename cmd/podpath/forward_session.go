package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"podpath/kube"
	"podpath/kube/forward"
)

// session is a run of the command.
type session struct {
	*forwarding
	config    *kube.Config
	cluster   *forward.Cluster
	hub       *forward.Hub
	stop      context.CancelCauseFunc
	events    chan forward.Event
	watches   map[string]*forward.Watch // by namespace; one for "" sees them all
	metrics   net.Listener              // nil without --metrics
	loopbacks loopbacks
	services  map[string]int // forwards by the label of their Service, where whole Services are asked for

	mu    sync.Mutex // guards all below
	ended []forward.Status
	// tell prints the figures of a forward that ends while others go on, which is
	// not remembered then. It is nil while none does.
	tell func([]forward.Status) error
}

// eventBuffer is how many events may wait to be printed.
const eventBuffer = 1024

// newSession returns a session that calls stop when it cannot go on.
func (f *forwarding) newSession(config *kube.Config, client *kube.Client, stop context.CancelCauseFunc) *session {
	s := &session{
		forwarding: f, config: config, cluster: forward.NewCluster(config.Context, client, f.cluster.machine()), stop: stop,
		events: make(chan forward.Event, eventBuffer), watches: map[string]*forward.Watch{}, services: map[string]int{},
	}
	s.hub = forward.NewHub(forward.HubOptions{Drain: f.drain, Patience: f.cluster.RequestTimeout, Events: s.events, Ended: s.sumUp})
	return s
}

// sumUp prints the last figures of a forward, or keeps them for the end. One that
// had to stop by itself ends the session.
func (s *session) sumUp(last forward.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tell == nil || last.Err != nil {
		s.ended = append(s.ended, last)
	} else if err := s.tell([]forward.Status{last}); err != nil {
		s.stop(brokeError{fmt.Errorf("print a summary: %w", err)})
	}
	if last.Err != nil {
		s.stop(brokeError{last.Err})
	}
}

// tellWith has forwards that end told at once by a printer; nil ends that.
func (s *session) tellWith(tell func([]forward.Status) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell = tell
}

// open listens everywhere.
func (s *session) open(ctx context.Context, orders []forward.Order) error {
	if err := s.watch(ctx, orders); err != nil {
		return err
	}
	var notices []string
	if s.selector != nil {
		orders, notices = wholeServices(s.watches[s.watchOf(s.config.Scope.Namespace)].Snapshot(), s.selector)
	}
	orders, err := s.complete(orders)
	if err != nil {
		return err
	}
	if len(orders) == 0 {
		return fmt.Errorf("there is no Service to forward in %s%s", where(s.config.Scope), becauseOf(notices))
	}
	if s.forwarding.metrics != "" {
		if s.metrics, err = new(net.ListenConfig).Listen(ctx, "tcp", s.forwarding.metrics); err != nil {
			return fmt.Errorf("serve metrics: %w", err)
		}
	}
	failed := s.add(ctx, orders)
	if len(failed) > 0 && (s.selector == nil || len(failed) == len(orders)) {
		return failed[0]
	}
	for _, err := range failed {
		notices = append(notices, err.Error())
	}
	for _, n := range notices {
		s.notice(n)
	}
	return nil
}

// watch follows each namespace that the orders need, and waits until it is read.
func (s *session) watch(ctx context.Context, orders []forward.Order) error {
	needed := map[string][]kube.Resource{}
	if s.selector != nil {
		needed[s.watchOf(s.config.Scope.Namespace)] = forward.Destination{Kind: forward.ToService}.Needs()
	}
	for _, o := range orders {
		at := s.watchOf(o.Namespace)
		needed[at] = append(needed[at], o.Needs()...)
	}
	for namespace, resources := range needed {
		w, err := s.hub.Watch(ctx, s.cluster, namespace, resources...)
		if err != nil {
			return fmt.Errorf("%s: %w", s.config.Server, err)
		}
		s.watches[namespace] = w
	}
	return nil
}

// watchOf is the key of the watch that sees a namespace.
func (s *session) watchOf(namespace string) string {
	if s.config.Scope.All() {
		return ""
	}
	return namespace
}

// add begins forwards and waits until they listen. Those that do not are
// forgotten again, and the errors say why.
func (s *session) add(ctx context.Context, orders []forward.Order) (failed []error) {
	if s.addressWord == eachAddress {
		s.loopbacks.assign(orders)
	}
	ids := make([]int, len(orders))
	for i, o := range orders {
		ids[i] = s.hub.Add(s.cluster, o)
	}
	for i, o := range orders {
		if err := s.hub.Started(ctx, ids[i]); err != nil {
			failed = append(failed, err)
			s.hub.Stop(ids[i])
		}
		s.services[o.Label] = ids[i]
	}
	return failed
}

// close ends what goes on, without waiting for open connections.
func (s *session) close() {
	s.hub.AbortAll()
	s.hub.Close()
	if s.metrics != nil {
		_ = s.metrics.Close()
	}
}

// run serves until ctx ends, lets connections end, and prints the summary.
func (s *session) run(ctx context.Context) error {
	printer := s.newPrinter()
	s.warn(s.hub.List())
	if err := printer.opened(s.hub.List()); err != nil {
		s.stop(brokeError{err})
	}
	s.tellWith(printer.summary)
	done := make(chan struct{})
	var follow, beside sync.WaitGroup
	if s.selector != nil {
		follow.Go(func() { s.followServices(ctx, printer) })
	}
	beside.Go(func() { s.serveMetrics(done) })
	beside.Go(func() { s.hurry(ctx, done) })
	beside.Go(func() { printer.events(s.events) })
	<-ctx.Done()
	cause := context.Cause(ctx)
	s.tellWith(nil)
	follow.Wait()
	s.hub.Close()
	close(done)
	close(s.events)
	beside.Wait()
	slices.SortFunc(s.ended, func(a, b forward.Status) int { return a.ID - b.ID })
	if err := printer.summary(s.ended); err != nil {
		return brokeError{fmt.Errorf("print the summary: %w", err)}
	}
	var broke brokeError
	if errors.As(cause, &broke) {
		return broke
	}
	return nil
}

// hurry ends the draining when the user asks a second time.
func (s *session) hurry(ctx context.Context, done <-chan struct{}) {
	select {
	case <-ctx.Done():
	case <-done:
		return
	}
	again := make(chan os.Signal, 1)
	signal.Notify(again, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(again)
	select {
	case <-again:
		s.hub.AbortAll()
	case <-done:
	}
}
