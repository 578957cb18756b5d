package kube

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

const (
	// retryDelay is the pause before a list or watch is tried again. It is
	// constant: one client asking every few seconds is no load, and an API
	// server that comes back is noticed within ten seconds.
	retryDelay = 2 * time.Second
	// deniedDelay is the pause after a refusal for lack of permission, which
	// changes only when somebody grants it.
	deniedDelay = 30 * time.Second
	// retryJitter spreads the retries of the resources.
	retryJitter = 0.5
)

// sink is a collection as the follower of its resource sees it.
type sink interface {
	cache.TransformingStore
	works()
	fails(err error, denied Denied)
}

// follow lists and watches one resource into the sink until ctx ends. Every
// outcome, good or bad, becomes the sink's state.
func (s *Store) follow(ctx context.Context, r Resource, into sink) {
	if r.ClusterScoped() && !s.scope.All() && !s.mayList(ctx, r, into) {
		return
	}
	denied := false
	reflector := cache.NewReflectorWithOptions(s.listWatch(r, into, &denied), nil, into, cache.ReflectorOptions{
		Name:            "podpath/" + r.String(),
		TypeDescription: r.String(),
		// What the reflector retries by itself (connection refused, 429).
		Backoff: &wait.Backoff{Duration: retryDelay, Factor: 1, Jitter: retryJitter, Steps: 1 << 30},
	})
	for ctx.Err() == nil {
		denied = false
		_ = reflector.ListAndWatchWithContext(ctx) // the sink knows already
		delay := retryDelay
		if denied {
			delay = deniedDelay
		}
		pause(ctx, delay)
	}
}

// mayList asks the API server before a namespaced store makes a call for the
// whole cluster, and asks again from time to time while the answer is no. It
// returns false when ctx ends.
func (s *Store) mayList(ctx context.Context, r Resource, into sink) bool {
	for ctx.Err() == nil {
		delay := deniedDelay
		switch allowed, err := s.client.Allowed(ctx, Access{Verb: "list", Group: r.Group(), Resource: r.String()}); {
		case err != nil && ctx.Err() == nil && !apierrors.IsForbidden(err):
			into.fails(err, Denied{})
			delay = retryDelay
		case allowed:
			return true
		default:
			into.fails(apierrors.NewForbidden(schema.GroupResource{Group: r.Group(), Resource: r.String()}, "", nil), Denied{Verb: "list", Resource: r})
		}
		pause(ctx, delay)
	}
	return false
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(wait.Jitter(d, retryJitter)):
	case <-ctx.Done():
	}
}

// listWatch reads the resource and tells the sink how it goes. The reflector
// keeps some errors to itself, such as a refused connection while it watches;
// here all of them pass.
func (s *Store) listWatch(r Resource, into sink, denied *bool) *cache.ListWatch {
	namespace := s.scope.Namespace
	if r.ClusterScoped() {
		namespace = ""
	}
	told := func(ctx context.Context, verb string, err error) {
		switch {
		case err == nil:
			into.works()
		case ctx.Err() == nil:
			*denied = apierrors.IsForbidden(err)
			into.fails(err, Denied{Verb: verb, Resource: r, Namespace: namespace})
		}
	}
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			limited, cancel := s.client.deadline(ctx)
			defer cancel()
			list, err := s.client.of(r).Get().Namespace(namespace).Resource(r.String()).
				VersionedParams(&options, metav1.ParameterCodec).Do(limited).Get()
			if err != nil {
				told(ctx, "list", err)
			}
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.Watch = true
			w, err := s.client.of(r).Get().Namespace(namespace).Resource(r.String()).
				VersionedParams(&options, metav1.ParameterCodec).Watch(ctx)
			if streamsList := options.SendInitialEvents != nil; streamsList && (err == nil || apierrors.IsInvalid(err)) {
				return w, err // it works when the list is complete; an old server is asked for a plain list next
			} else if streamsList {
				told(ctx, "list", err)
			} else {
				told(ctx, "watch", err)
			}
			return w, err
		},
	}
}
