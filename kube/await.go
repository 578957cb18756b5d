package kube

import (
	"context"
	"fmt"
)

// Await takes snapshots from next, which is a store's, until each of the
// followed resources was listed or has failed, and returns the last one. It
// fails as soon as one of the needed resources cannot be read, and says what to
// do about it; an API server that is only busy gets until ctx ends. What else is
// followed may fail.
func Await(ctx context.Context, next func(context.Context) (*Snapshot, error), needed, followed []Resource) (*Snapshot, error) {
	var last *Snapshot
	for {
		snapshot, err := next(ctx)
		if err != nil {
			return overdue(last, needed, err)
		}
		last = snapshot
		err = snapshot.Failure(needed...)
		switch {
		case err != nil && !snapshot.busy(needed):
			return nil, err
		case err == nil && snapshot.Settled(followed...):
			return snapshot, nil
		}
	}
}

// overdue decides at the end of the time: what is needed may be there, and if
// it is not the API server may have said why.
func overdue(last *Snapshot, needed []Resource, err error) (*Snapshot, error) {
	if last == nil {
		return nil, fmt.Errorf("wait for the API server: %w", err)
	}
	if why := last.Failure(needed...); why != nil {
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
func (s *Snapshot) busy(needed []Resource) bool {
	for _, r := range needed {
		if s.State(r).Temporary() {
			return true
		}
	}
	return false
}

// Settled reports whether each resource is listed, or has failed.
func (s *Snapshot) Settled(resources ...Resource) bool {
	for _, r := range resources {
		if state := s.State(r); !state.Settled() && (state.Err == "" || state.Temporary()) {
			return false
		}
	}
	return true
}

// Failure says which of the resources cannot be read, and what to do about it;
// nil while all are listed or on their way.
func (s *Snapshot) Failure(resources ...Resource) error {
	for _, r := range resources {
		switch state := s.State(r); {
		case state.Listed:
		case state.Phase == Forbidden:
			return fmt.Errorf("%w; a rule in a %s would permit it: %s", state.Denied, state.Denied.RoleKind(), state.Denied.Rule())
		case state.Err != "":
			return fmt.Errorf("list %s: %s; %s", r, state.Err, state.Advice())
		}
	}
	return nil
}

// CheckNamespace tells an empty namespace from one that does not exist, for a
// snapshot of that namespace.
func (c *Client) CheckNamespace(ctx context.Context, s *Snapshot) error {
	if s.Scope.All() || len(s.Pods)+len(s.Services) > 0 {
		return nil
	}
	exists, err := c.NamespaceExists(ctx, s.Scope.Namespace)
	if err == nil && !exists {
		return fmt.Errorf("there is no namespace %q: kubectl get namespaces lists them", s.Scope.Namespace)
	}
	return nil // it exists, or the user may not know
}
