package main

import (
	"context"
	"fmt"

	"podpath/kube"
)

// settle runs the store until the resources were listed, and returns that
// snapshot. It fails as soon as one of the needed resources cannot be read.
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
		if broke := <-ended; broke != nil {
			err = brokeError{broke}
		}
	}()
	for {
		snapshot, err := store.Next(ctx)
		if err != nil {
			return nil, fmt.Errorf("wait for the API server: %w", err)
		}
		if err := failure(snapshot, needed); err != nil {
			return nil, err
		}
		if settled(snapshot, store.Resources()) {
			return snapshot, nil
		}
	}
}

// settled reports whether each resource is listed, or has failed.
func settled(s *kube.Snapshot, resources []kube.Resource) bool {
	for _, r := range resources {
		if state := s.State(r); !state.Settled() && state.Err == "" {
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
		case state.Unauthorized:
			return fmt.Errorf("the API server does not accept your credentials (%s): log in again", state.Err)
		case state.Err != "":
			return fmt.Errorf("list %s: %s", r, state.Err)
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
