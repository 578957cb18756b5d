package kube

import (
	"context"
	"errors"
	"reflect"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"
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
	opens(withList bool)
	fails(err error, denied Denied)
	forbidden() bool
}

// follow lists and watches one resource into the sink until ctx ends. Every
// outcome, good or bad, becomes the sink's state.
func (s *Store) follow(ctx context.Context, r Resource, into sink) {
	if r.ClusterScoped() && !s.scope.All() && !s.mayList(ctx, r, into) {
		return
	}
	reflector := cache.NewReflectorWithOptions(s.listWatch(r, into), nil, into, cache.ReflectorOptions{
		Name:            "podpath/" + r.String(),
		TypeDescription: r.String(),
		// What the reflector retries by itself (connection refused, 429).
		Backoff: &wait.Backoff{Duration: s.retry, Factor: 1, Jitter: retryJitter, Steps: 1 << 30},
	})
	for ctx.Err() == nil {
		_ = reflector.ListAndWatchWithContext(ctx) // the sink knows already
		if into.forbidden() {
			pause(ctx, s.deniedRetry)
		} else {
			pause(ctx, s.retry)
		}
	}
}

// mayList asks the API server before a namespaced store makes a call for the
// whole cluster, and asks again from time to time while the answer is no. It
// returns false when ctx ends.
func (s *Store) mayList(ctx context.Context, r Resource, into sink) bool {
	for ctx.Err() == nil {
		allowed, err := s.client.Allowed(ctx, Access{Verb: "list", Group: r.Group(), Resource: r.String()})
		switch {
		case allowed:
			return true
		case ctx.Err() != nil:
			return false
		case err == nil || apierrors.IsForbidden(err):
			denied := Denied{Verb: "list", Resource: r}
			into.fails(denied, denied)
			pause(ctx, s.deniedRetry)
		default:
			into.fails(err, Denied{})
			pause(ctx, s.retry)
		}
	}
	return false
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(wait.Jitter(d, retryJitter)):
	case <-ctx.Done():
	}
}

// errCut stands for the errors that client-go turns into a watch that is over
// before it began.
var errCut = errors.New("the connection to the API server timed out or was cut")

// listWatch reads the resource and tells the sink how it goes. The reflector
// keeps some errors to itself, such as a refused connection while it watches;
// here all of them pass. Nothing is retried below: the sink has to hear of the
// first failure.
func (s *Store) listWatch(r Resource, into sink) *cache.ListWatch {
	namespace := s.scope.Namespace
	if r.ClusterScoped() {
		namespace = ""
	}
	request := func(options *metav1.ListOptions) *rest.Request {
		return s.client.of(r).Get().Namespace(namespace).Resource(r.String()).
			VersionedParams(options, metav1.ParameterCodec).MaxRetries(0)
	}
	fails := func(ctx context.Context, verb string, err error) {
		var denied Denied
		if apierrors.IsForbidden(err) {
			denied = Denied{Verb: verb, Resource: r, Namespace: namespace}
		}
		if ctx.Err() == nil {
			into.fails(err, denied)
		}
	}
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			limited, cancel := s.client.deadline(ctx)
			defer cancel()
			list, err := request(&options).Do(limited).Get()
			if err != nil {
				fails(ctx, "list", err)
			}
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.Watch = true
			withList := options.SendInitialEvents != nil
			w, err := s.open(ctx, request(&options), withList)
			switch {
			case err == nil && isCut(w):
				fails(ctx, "watch", errCut)
			case err == nil:
				into.opens(withList)
			case withList && (apierrors.IsInvalid(err) || apierrors.IsForbidden(err)):
				// An old server, or a user who may list and not watch: the
				// reflector asks for a plain list next, and that one tells.
			default:
				fails(ctx, "watch", err)
			}
			if withList && (utilnet.IsConnectionRefused(err) || apierrors.IsTooManyRequests(err)) {
				err = errors.New(err.Error()) // else the reflector sleeps on it, past the end of ctx
			}
			return w, err
		},
	}
}

// open starts a watch. One that begins with a list has something to say at
// once, so it must answer in time; others may be kept waiting for the first
// event by a proxy.
func (s *Store) open(ctx context.Context, r *rest.Request, withList bool) (watch.Interface, error) {
	if !withList || s.client.timeout <= 0 {
		return r.Watch(ctx)
	}
	ctx, cancel := context.WithCancel(ctx)
	late := time.AfterFunc(s.client.timeout, cancel)
	w, err := r.Watch(ctx)
	if !late.Stop() {
		return nil, s.client.errTimeout()
	}
	if err != nil || isCut(w) {
		cancel()
		return w, err
	}
	return &stoppable{w, cancel}, nil
}

// stoppable is a watch whose context ends with it.
type stoppable struct {
	watch.Interface
	cancel context.CancelFunc
}

// Stop ends the watch.
func (w *stoppable) Stop() {
	w.Interface.Stop()
	w.cancel()
}

func isCut(w watch.Interface) bool {
	return reflect.TypeOf(w) == reflect.TypeOf(watch.NewEmptyWatch())
}
