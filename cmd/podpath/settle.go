package main

import (
	"context"
	"time"

	"podpath/kube"
)

// endGrace is how long a store may take to end once its snapshot is there.
const endGrace = 300 * time.Millisecond

// settle runs the store until the resources were listed, and returns that
// snapshot, as kube.Await does. What the store follows and is not needed may
// fail: notices tells.
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
	return kube.Await(ctx, store.Next, needed, store.Resources())
}

// notices tells what is missing from a listing that goes on without it.
func notices(s *kube.Snapshot, resources []kube.Resource) []string {
	var out []string
	for _, r := range resources {
		if err := s.Failure(r); err != nil {
			out = append(out, err.Error())
		}
	}
	return out
}
