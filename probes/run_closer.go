package probes

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"podpath/kube"
	"podpath/probes/launch"
	"podpath/probes/path"
)

// rounds is how often what came of a comparison may ask for another one: the
// endpoints of a Service, then the Node of one of them, then it from there.
const rounds = 3

// lookCloser compares and reads what tells causes apart, where checks failed:
// other ways to the same target, what a Pod that refuses listens on, and
// whether kube-proxy says that it is well.
func (r *run) lookCloser(ctx context.Context, w *path.World, known []path.Result) path.Looks {
	looks := path.Looks{Sockets: map[kube.Key][]path.Listener{}, Proxies: map[string]path.Observation{}}
	for range rounds {
		checks := w.Closer(known)
		if len(checks) == 0 || ctx.Err() != nil {
			break
		}
		more := make([]path.Result, len(checks))
		r.rows(ctx, checks, func(i int, found path.Result) { more[i] = found })
		known, looks.Compared = slices.Concat(known, more), append(looks.Compared, more...)
	}
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(max(2, r.options.Parallel))
	for _, pod := range w.LookInto(known) {
		group.Go(func() error {
			var found []path.Listener
			err := r.visit(ctx, w.PodSource(pod), func(o *observer) (err error) {
				found, err = o.listeners(ctx)
				return err
			})
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				looks.Sockets[pod] = found
			}
			return nil
		})
	}
	for node, from := range w.LookAtProxies(known) {
		group.Go(func() error {
			if o, err := r.proxyHealth(ctx, from, r.Node(node)); err == nil {
				mu.Lock()
				defer mu.Unlock()
				looks.Proxies[node] = o
			}
			return nil
		})
	}
	_ = group.Wait() // no look returns an error
	return looks
}

// readServers reads the namespaces of the DNS servers that did not answer: what
// is wrong with the Pods there explains it. The World that others see stays.
func (r *run) readServers(ctx context.Context, known []path.Result) *path.World {
	servers := r.SilentServers(known)
	if r.options.Reader == nil || len(servers) == 0 {
		return r.World
	}
	w := r.Clone()
	looking{w, r.options.Reader}.strangers(ctx, servers)
	return w
}

// visit lets an observer of a source look, anew when its stream was lost.
func (r *run) visit(ctx context.Context, s path.Source, look func(*observer) error) (err error) {
	for try := 1; ; try++ {
		var link launch.Link
		var done func(bool)
		if link, done, err = r.links.use(ctx, s); err == nil {
			err = look(newObserver(link, r.options))
			done(err != nil && passing(err))
		}
		if err == nil || try == maxTries || ctx.Err() != nil || !passing(err) {
			return err
		}
		r.links.forget(s)
	}
}

// socketsOf reads the sockets of a source.
func (r *run) socketsOf(ctx context.Context, s path.Source) (sockets []path.Socket, err error) {
	err = r.visit(ctx, s, func(o *observer) (err error) {
		sockets, err = o.sockets(ctx)
		return err
	})
	return sockets, err
}

// proxyPort is where kube-proxy answers whether it is well (its
// --healthz-bind-address).
const proxyPort = 10256

func (r *run) proxyHealth(ctx context.Context, from path.Source, n *kube.Node) (path.Observation, error) {
	link, done, err := r.links.use(ctx, from)
	if err != nil {
		return path.Observation{}, err
	}
	ask := path.Ask{Host: n.InternalIP(), Port: proxyPort, HTTP: &path.HTTPAsk{Host: fmt.Sprintf("%s:%d", n.InternalIP(), proxyPort), Path: "/healthz"}}
	o, err := newObserver(link, r.options).http(ctx, ask)
	done(err != nil && passing(err))
	return o, err
}
