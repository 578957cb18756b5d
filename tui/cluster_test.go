package tui

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"podpath/kube"
	"podpath/kube/demo"
	"podpath/kube/demo/api"
	"podpath/kube/demo/fixture"
	"podpath/probes"
	"podpath/probes/launch"
	"podpath/tui/golden"
)

// practise has a screen that looks at a whole practice cluster, with a network
// to probe.
func practise(t *testing.T, o setup, test func(s *screen)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(golden.Now))
		s := &screen{T: t, setup: o, practice: fixture.Start(t, demo.Options{Still: true, Seed: 1})}
		client, _ := s.practice.Client(kube.Options{})
		s.client = client.Client
		s.use(test)
	})
}

// serve serves the objects that the screen looks at.
func (s *screen) serve() {
	answering, answer := context.WithCancel(s.Context())
	s.answer = answer
	s.server = fixture.Serve(s, api.Options{Denies: func(_, resource, _ string) bool {
		if slices.Contains(s.setup.stalled, resource) {
			<-answering.Done()
		}
		return slices.Contains(s.setup.denied, resource)
	}}, s.setup.manifests)
	connect := s.server.Client
	if s.setup.stranger {
		connect = s.server.Stranger
	}
	s.client, _ = connect(kube.Options{})
	if s.setup.closed {
		s.server.Close()
	}
	_, _ = s.client.Allowed(s.Context(), kube.Access{}) // connects once, where the first five requests would each connect
	if s.setup.manifests != "" {
		return
	}
	objects, err := testCluster()
	must(s, err)
	for _, o := range objects {
		_, err := s.server.Put(o)
		must(s, err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// connect is what the user's choice of a context or namespace leads to.
func (s *screen) connect(c Choice) (Cluster, error) {
	s.chosen = append(s.chosen, c)
	if s.setup.connect != nil {
		if err := s.setup.connect(c); err != nil {
			return Cluster{}, err
		}
	}
	return s.cluster(c), nil
}

var contexts = []string{"arn:aws:eks:eu-central-1:123456789012:cluster/in-the-cloud", "laptop", "raspi", "server-1", "server-2", "server-3", "x" + hostile}

// cluster is the API server under any of the contexts' names.
func (s *screen) cluster(c Choice) Cluster {
	var scope kube.Scope
	if !c.All {
		scope.Namespace = cmp.Or(c.Namespace, "default")
	}
	var source Source = kube.NewStore(s.client, scope)
	if s.setup.snapshot != nil {
		source = &atRest{s.setup.snapshot(s)}
	}
	if s.setup.source != nil {
		source = s.setup.source(source)
	}
	cluster := Cluster{Context: c.Context, Contexts: contexts, Server: "https://192.168.13.101:6443", Scope: scope, Source: source, Reader: s.client, Prober: s.prober}
	if s.practice != nil {
		client, _ := s.practice.Client(kube.Options{})
		cluster.Prober = probes.NewProber(client, launch.Options{Namespace: scope.Namespace, Machine: s.practice.Machine()})
	}
	return cluster
}

// atRest is a source of one snapshot: of a state that cannot be had from the
// API server, or for many screens of the same.
type atRest struct{ snapshot *kube.Snapshot }

func (*atRest) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func (r *atRest) Next(ctx context.Context) (*kube.Snapshot, error) {
	if s := r.snapshot; s != nil {
		r.snapshot = nil
		return s, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// breaking is a source that breaks when a test says so.
type breaking struct {
	Source
	breaks chan error
}

func (b breaking) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return b.Source.Run(ctx) })
	group.Go(func() error {
		select {
		case err := <-b.breaks:
			return err
		case <-ctx.Done():
			return nil
		}
	})
	return group.Wait()
}

// testCluster are the objects of the test cluster, read once for all servers.
var testCluster = sync.OnceValues(func() (objects []api.Object, err error) {
	documents, err := api.Documents([]byte(golden.Manifests))
	for i := 0; i < len(documents) && err == nil; i++ {
		var o api.Object
		o, err = api.Decode(documents[i])
		objects = append(objects, o)
	}
	return objects, err
})
