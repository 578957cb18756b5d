package probes

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"podpath/kube"
	"podpath/probes/launch"
)

// lookCloser reads what tells causes apart, where checks failed: what a Pod
// that refuses listens on, and whether kube-proxy says that it is well.
func (r *run) lookCloser(ctx context.Context) evidence {
	e := evidence{listeners: map[kube.Key][]listener{}, proxies: map[string]Observation{}}
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(max(2, r.options.Parallel))
	asked := map[string]bool{}
	once := func(what string, look func()) {
		if !asked[what] {
			asked[what] = true
			group.Go(func() error { look(); return nil })
		}
	}
	for _, failed := range r.results {
		if failed.Verdict != Fail {
			continue
		}
		if pod := r.Pod(failed.About.Pod); pod != nil && failed.Error == Refused {
			once("pod "+pod.Key().String(), func() {
				if sockets, err := r.socketsOf(ctx, r.podSource(pod)); err == nil {
					mu.Lock()
					defer mu.Unlock()
					e.listeners[pod.Key()] = listeners(sockets)
				}
			})
		}
		if n := r.Node(failed.Source.Node); n != nil && failed.About.Virtual && n.InternalIP() != "" {
			once("node "+n.Name, func() {
				if o, err := r.proxyHealth(ctx, failed.Source, n); err == nil {
					mu.Lock()
					defer mu.Unlock()
					e.proxies[n.Name] = o
				}
			})
		}
	}
	_ = group.Wait() // no look returns an error
	return e
}

// socketsOf reads the sockets of a source, anew when its stream was lost.
func (r *run) socketsOf(ctx context.Context, s Source) (sockets []socket, err error) {
	for try := 1; ; try++ {
		var link launch.Link
		var done func(bool)
		if link, done, err = r.links.use(ctx, s); err == nil {
			sockets, err = newObserver(link, r.options.Timeout).sockets(ctx)
			done(err != nil && passing(err))
		}
		if err == nil || try == maxTries || ctx.Err() != nil || !passing(err) {
			return sockets, err
		}
		r.links.forget(s)
	}
}

// proxyPort is where kube-proxy answers whether it is well (its
// --healthz-bind-address).
const proxyPort = 10256

func (r *run) proxyHealth(ctx context.Context, from Source, n *kube.Node) (Observation, error) {
	link, done, err := r.links.use(ctx, from)
	if err != nil {
		return Observation{}, err
	}
	ask := Ask{Host: n.InternalIP(), Port: proxyPort, HTTP: &HTTPAsk{Host: fmt.Sprintf("%s:%d", n.InternalIP(), proxyPort), Path: "/healthz"}}
	o, err := newObserver(link, r.options.Timeout).http(ctx, ask)
	done(err != nil && passing(err))
	return o, err
}
