package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"podpath/kube"
	"podpath/kube/forward"
)

// session is a run of the command, from the time that it listens.
type session struct {
	*forwarding
	watched  *watched
	forwards []*active
	events   chan forward.Event
	routes   []forward.Route // to close
	metrics  net.Listener    // nil without --metrics
}

// active is a forward that listens.
type active struct {
	order
	*forward.Forward
}

// eventBuffer is how many events may wait to be printed.
const eventBuffer = 1024

// open listens everywhere. What it opened is closed if that fails.
func (f *forwarding) open(ctx context.Context, client *kube.Client, w *watched, orders []order) (_ *session, err error) {
	orders, notices, err := f.complete(w, orders)
	if err != nil {
		return nil, err
	}
	if f.via != "direct" {
		if err := mayTunnel(ctx, client, orders); err != nil {
			return nil, err
		}
	}
	s := &session{forwarding: f, watched: w, events: make(chan forward.Event, eventBuffer)}
	defer func() {
		if err != nil {
			s.abandon()
		}
	}()
	if f.metrics != "" {
		if s.metrics, err = new(net.ListenConfig).Listen(ctx, "tcp", f.metrics); err != nil {
			return nil, fmt.Errorf("serve metrics: %w", err)
		}
	}
	routes := s.routing(client)
	for _, o := range orders {
		a, err := s.listen(ctx, o, routes)
		switch {
		case err == nil:
			s.forwards = append(s.forwards, a)
		case f.selector == nil:
			return nil, err
		default:
			notices = append(notices, err.Error())
		}
	}
	for _, n := range notices {
		f.notice(n)
	}
	if len(s.forwards) == 0 {
		return nil, errors.New("nothing could be forwarded")
	}
	return s, nil
}

// mayTunnel asks for the permission that the tunnel needs. Direct connections
// need none, but podpath makes them by itself only for users who could have a
// tunnel: the network's leave is not the cluster's.
func mayTunnel(ctx context.Context, client *kube.Client, orders []order) error {
	asked := map[string]bool{}
	for _, o := range orders {
		if asked[o.Namespace] {
			continue
		}
		asked[o.Namespace] = true
		access := kube.Access{Verb: "create", Resource: "pods", Subresource: "portforward", Namespace: o.Namespace}
		allowed, err := client.Allowed(ctx, access)
		if err != nil {
			return err
		}
		if !allowed {
			return &kube.AccessError{Access: access}
		}
	}
	return nil
}

// routing returns what gives each protocol its route. They are shared by all
// forwards: a tunnel's limits are for all of them.
func (s *session) routing(client *kube.Client) func(protocol string) forward.Route {
	direct := forward.NewDirect()
	chosen := forward.Route(direct)
	switch s.via {
	case "auto":
		chosen = forward.NewAuto(direct, forward.NewTunnel(client.PortForwarder()), time.Now)
	case "tunnel":
		chosen = forward.NewTunnel(client.PortForwarder())
	}
	s.routes = append(s.routes, chosen)
	return func(protocol string) forward.Route {
		if protocol == "UDP" && s.via != "tunnel" {
			return direct
		}
		return chosen
	}
}

// measured is how many endpoints are asked to choose the route.
const measured = 3

func (s *session) listen(ctx context.Context, o order, routes func(string) forward.Route) (*active, error) {
	view, err := o.Find(s.watched.snapshot(o.Namespace))
	if err != nil {
		return nil, err
	}
	route := routes(o.Protocol)
	f, err := forward.Listen(ctx, forward.Options{
		Forward: o.Label, Address: o.address, Port: o.local, Protocol: o.Protocol,
		Policy: s.policy, Route: route, Drain: s.drain, Events: s.events,
	})
	if err != nil {
		return nil, err
	}
	f.Update(view)
	if auto, ok := route.(*forward.Auto); ok && auto.Via() == "auto" {
		var targets []forward.Target
		for _, e := range view.Endpoints {
			if e.Ready && e.Pod != "" && len(targets) < measured {
				targets = append(targets, e.Target)
			}
		}
		auto.Measure(ctx, targets)
	}
	return &active{o, f}, nil
}

// abandon closes what was opened.
func (s *session) abandon() {
	ended, stop := context.WithCancel(context.Background())
	stop()
	for _, a := range s.forwards {
		a.Abort()
		_ = a.Run(ended)
	}
	s.close()
}

func (s *session) close() {
	for _, r := range s.routes {
		_ = r.Close()
	}
	if s.metrics != nil {
		_ = s.metrics.Close()
	}
}

// run serves until ctx ends, lets connections end, and prints the summary.
func (s *session) run(ctx context.Context, stop context.CancelCauseFunc) error {
	defer s.close()
	printer := s.newPrinter()
	if err := printer.opened(); err != nil {
		stop(brokeError{err})
	}
	var running, followers, beside sync.WaitGroup
	for _, a := range s.forwards {
		running.Go(func() {
			if err := a.Run(ctx); err != nil {
				stop(brokeError{err})
			}
		})
	}
	done := make(chan struct{})
	for namespace, store := range s.watched.stores {
		followers.Go(func() { store.follow(ctx, func(next *kube.Snapshot) { s.update(namespace, next) }) })
	}
	beside.Go(func() { s.serveMetrics(done) })
	beside.Go(func() { s.hurry(ctx, done) })
	beside.Go(func() { printer.events(s.events) })
	running.Wait() // until ctx ends
	cause := context.Cause(ctx)
	followers.Wait()
	close(done)
	close(s.events)
	beside.Wait()
	if err := printer.summary(); err != nil {
		return brokeError{fmt.Errorf("print the summary: %w", err)}
	}
	var broke brokeError
	if errors.As(cause, &broke) {
		return broke
	}
	return nil
}

// update tells the forwards of a namespace what the cluster says now.
func (s *session) update(namespace string, next *kube.Snapshot) {
	for _, a := range s.forwards {
		if namespace != "" && a.Namespace != namespace {
			continue
		}
		view, err := a.Find(next)
		if err != nil {
			view = forward.View{Why: err.Error()} // it may come back
		}
		a.Update(view)
	}
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
		for _, a := range s.forwards {
			a.Abort()
		}
	case <-done:
	}
}
