package main

import (
	"context"
	"fmt"
	"time"

	"podpath/kube"
)

// endGrace is how long a store may take to end once its snapshot is there.
const endGrace = 300 * time.Millisecond

// settle runs the store until the resources were listed, and returns that
// snapshot. It fails as soon as one of the needed resources cannot be read; an API server that is
// only busy gets until ctx ends.
// What else the store follows may fail: notices tells.
func settle(ctx context.Context, store *kube.Store, needed ...kube.Resource) (_ *kube.Snapshot, err error) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- store.Run(ctx)
		cancel() // a store that broke makes no more snapshots
	}()
	defer func() {
		cancel()
		select {
		case broke := <-ended:
			if broke != nil {
				err = brokeError{broke}
			}
		case <-time.After(endGrace): // a credential plugin runs on
		}
	}()
	var last *kube.Snapshot
	for {
		snapshot, err := store.Next(ctx)
		if err != nil {
			return overdue(last, needed, err)
		}
		last = snapshot
		err = failure(snapshot, needed)
		switch {
		case err != nil && !busy(snapshot, needed):
			return nil, err
		case err == nil && settled(snapshot, store.Resources()):
			return snapshot, nil
		}
	}
}

// overdue decides at the end of the time: what is needed may be there, and if
// it is not the API server may have said why.
func overdue(last *kube.Snapshot, needed []kube.Resource, err error) (*kube.Snapshot, error) {
	if last == nil {
		return nil, fmt.Errorf("wait for the API server: %w", err)
	}
	if why := failure(last, needed); why != nil {
		return nil, fmt.Errorf("%w: %w", err, why)
	}
	for _, r := range needed {
		if !last.State(r).Listed {
			return nil, fmt.Errorf("wait for the API server: %w", err)
		}
	}
	return last, nil
}

// busy reports that the API server only asks to try again.
func busy(s *kube.Snapshot, needed []kube.Resource) bool {
	for _, r := range needed {
		if s.State(r).Temporary() {
			return true
		}
	}
	return false
}

// settled reports whether each resource is listed, or has failed.
func settled(s *kube.Snapshot, resources []kube.Resource) bool {
	for _, r := range resources {
		if state := s.State(r); !state.Settled() && (state.Err == "" || state.Temporary()) {
			return false
		}
	}
	return true
}

// failure says which needed resource cannot be read, and what to do about it.
func failure(s *kube.Snapshot, needed []kube.Resource) error {
	for _, r := range needed {
		switch state := s.State(r); {
		case state.Listed:
		case state.Phase == kube.Forbidden:
			return fmt.Errorf("%w; a rule in a %s would permit it: %s", state.Denied, state.Denied.RoleKind(), state.Denied.Rule())
		case state.Err != "":
			return fmt.Errorf("list %s: %s; %s", r, state.Err, state.Advice())
		}
	}
	return nil
}

// notices tells what is missing from a listing that goes on without it.
func notices(s *kube.Snapshot, resources []kube.Resource) []string {
	var out []string
	for _, r := range resources {
		if err := failure(s, []kube.Resource{r}); err != nil {
			out = append(out, err.Error())
		}
	}
	return out
}
