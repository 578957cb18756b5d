package main

import (
	"context"
	"strings"

	"podpath/kube"
	"podpath/kube/forward"
)

// followServices forwards Services that come, and ends the forwards of those
// that go, until ctx ends.
func (s *session) followServices(ctx context.Context, printer forwardPrinter) {
	watch := s.watches[s.watchOf(s.config.Scope.Namespace)]
	var seen *kube.Snapshot
	for {
		next, err := watch.After(ctx, seen)
		if err != nil {
			if ctx.Err() == nil {
				s.stop(brokeError{err})
			}
			return
		}
		seen = next
		come, gone := s.compare(next)
		for label, id := range gone {
			delete(s.services, label)
			s.hub.Stop(id)
			s.notice(label + " is gone, and not forwarded any more")
		}
		for _, err := range s.add(ctx, come) {
			s.notice(err.Error())
		}
		if err := s.tellOf(come, printer); err != nil {
			s.stop(brokeError{err})
		}
	}
}

// compare says which Services have come since they were looked at last, and the
// forwards of those that have gone. One that could not be forwarded is not tried
// again before it has gone.
func (s *session) compare(next *kube.Snapshot) (come []forward.Order, gone map[string]int) {
	if !next.State(kube.Services).Listed {
		return nil, nil
	}
	orders, _ := wholeServices(next, s.selector)
	orders, err := s.complete(orders)
	if err != nil {
		return nil, nil // a newer snapshot knows better
	}
	s.loopbacks.keep(orders)
	gone = map[string]int{}
	for label, id := range s.services {
		gone[label] = id
	}
	for _, o := range orders {
		if _, known := s.services[o.Label]; !known {
			come = append(come, o)
		}
		delete(gone, o.Label)
	}
	return come, gone
}

// tellOf tells which of the orders listen.
func (s *session) tellOf(orders []forward.Order, printer forwardPrinter) error {
	wanted := map[int]bool{}
	for _, o := range orders {
		wanted[s.services[o.Label]] = true
	}
	for _, status := range s.hub.List() {
		if wanted[status.ID] && status.Phase == forward.Serving {
			if err := printer.joined(status); err != nil {
				return err
			}
		}
	}
	return nil
}

func becauseOf(notices []string) string {
	if len(notices) == 0 {
		return ""
	}
	return ": " + strings.Join(notices, "; ")
}
