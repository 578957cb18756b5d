// Package demo is the practice cluster: three Raspberry Pis that exist only in
// this process, with an API server on loopback, a Pod network, and as much of
// the controllers of Kubernetes as makes it live. It is also the test double of
// whatever talks to a cluster.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"podpath/assets"
	"podpath/kube/demo/api"
	"podpath/kube/demo/network"
)

// Options say what cluster to start.
type Options struct {
	// Manifests holds the objects, in files named *.yaml; nil for those that
	// podpath carries.
	Manifests fs.FS
	// Lesson is what to begin with; see Begin.
	Lesson assets.Lesson
	// Still keeps the cluster from living by itself: no rollouts, no scaling.
	Still bool
	// Seed is of all that is chosen at random: names, Nodes, endpoints, and what
	// happens when.
	Seed uint64
	// Now is the clock of the objects; nil for time.Now. Each Tick the
	// controllers look at it; nil for one a second.
	Now  func() time.Time
	Tick <-chan time.Time
	// API is for the API server.
	API api.Options
}

// Cluster is a running practice cluster.
type Cluster struct {
	options Options
	store   *api.Store
	network *network.Network
	server  *api.Server
	machine *Machine
	cancel  context.CancelFunc
	work    sync.WaitGroup

	learning sync.Mutex
	undo     func() error // of what the lesson has changed

	// The rest belongs to the goroutine of the controllers.
	random   *rand.Rand
	age      time.Duration        // how long ago it is while the cluster is made
	last     map[string]int       // the Pod address that each Node has given last
	upcoming map[string]time.Time // when each Deployment does something next
}

// oldest is the age of most objects when the cluster starts; Pods are younger,
// so that they know all Services.
const (
	oldest    = 72 * time.Hour
	podsAge   = 26*time.Hour + 2*time.Minute // not when one that crashes has just been started
	tickEvery = time.Second
	// ageAnnotation gives an object another age.
	ageAnnotation = "demo.podpath/age"
	// settling is how many steps of a second Pods get to start at first.
	settling = 10
)

// Start starts a cluster. It lives until Close, which must be called, or until
// ctx ends.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Manifests == nil {
		o.Manifests = assets.Demo()
	}
	ctx, cancel := context.WithCancel(ctx)
	c := &Cluster{
		options: o, store: api.NewStore(o.Now), cancel: cancel,
		random: rand.New(rand.NewPCG(o.Seed, 1)), last: map[string]int{}, upcoming: map[string]time.Time{},
	}
	c.network = network.New(c.store, o.Seed)
	c.machine = &Machine{network: c.network}
	err := c.load(o.Manifests)
	if err == nil {
		c.server, err = api.Serve(ctx, c.store, c, o.API)
	}
	if err != nil {
		cancel()
		return nil, errors.Join(err, c.network.Close())
	}
	c.work.Go(func() { c.control(ctx) })
	return c, nil
}

// Close ends the cluster and waits for all of it.
func (c *Cluster) Close() error {
	c.cancel()
	c.server.Close()
	c.work.Wait()
	return c.network.Close()
}

// Config is how to connect to the API server.
func (c *Cluster) Config() *rest.Config { return c.server.Config() }

// Kubeconfig is the same as a file for kubectl.
func (c *Cluster) Kubeconfig() ([]byte, error) { return c.server.Kubeconfig() }

// Store holds the objects.
func (c *Cluster) Store() *api.Store { return c.store }

// Network is what connects the Pods.
func (c *Cluster) Network() *network.Network { return c.network }

// load reads the manifests and lets the cluster settle in the past.
func (c *Cluster) load(manifests fs.FS) error {
	names, err := fs.Glob(manifests, "*.yaml")
	if err != nil {
		return err
	}
	c.age = oldest
	for _, name := range names {
		text, err := fs.ReadFile(manifests, name)
		if err != nil {
			return fmt.Errorf("read the practice cluster: %w", err)
		}
		if _, err := c.Apply(text); err != nil {
			return fmt.Errorf("read the practice cluster: %s: %w", name, err)
		}
	}
	for c.age = podsAge; c.age > podsAge-settling*time.Second; c.age -= time.Second {
		c.reconcile()
	}
	c.age = 0
	if err := c.Begin(c.options.Lesson); err != nil { // now: a Node that was down before would have no Pods
		return err
	}
	for range settling { // until nothing changes any more
		changed := c.store.Changed()
		c.reconcile()
		select {
		case <-changed:
		default:
			return nil
		}
	}
	return nil
}

// now is the time of the objects, to the second as the API has it.
func (c *Cluster) now() metav1.Time {
	return metav1.NewTime(c.options.Now().Add(-c.age).Truncate(time.Second))
}

// aged gives a new object its age: what it asks for, or else that of the
// cluster.
func (c *Cluster) aged(o api.Object) api.Object {
	age := c.age
	if _, isPod := o.(*corev1.Pod); isPod {
		age = min(age, podsAge)
	}
	if own, err := time.ParseDuration(o.GetAnnotations()[ageAnnotation]); err == nil {
		age = own
	}
	o.SetCreationTimestamp(metav1.NewTime(c.options.Now().Add(-age).Truncate(time.Second)))
	return o
}
