package forward

import (
	"context"
	"sync"

	"podpath/kube"
)

// Cluster is a cluster that a hub forwards to, as one user.
type Cluster struct {
	// Name is what the user calls it: a context of the kubeconfig.
	Name string

	api     api
	network Dialer

	mu      sync.Mutex         // guards all below
	tunnel  Route              // nil before it is needed
	permits map[string]*permit // by namespace
}

// api is what a hub needs of an API server.
type api interface {
	store(namespace string) source
	checkNamespace(ctx context.Context, s *kube.Snapshot) error
	allowed(ctx context.Context, a kube.Access) (bool, error)
	tunnel() Route
}

// source follows a namespace. *kube.Store is one.
type source interface {
	Run(ctx context.Context) error
	Next(ctx context.Context) (*kube.Snapshot, error)
	Resources() []kube.Resource
}

// NewCluster returns the cluster of a client, and the network that direct routes
// use; nil is that of this process. It sends nothing yet.
func NewCluster(name string, client *kube.Client, network Dialer) *Cluster {
	return &Cluster{Name: name, api: server{client}, network: network}
}

// server is the real API server.
type server struct{ client *kube.Client }

func (s server) store(namespace string) source {
	return kube.NewStore(s.client, kube.Scope{Namespace: namespace}, kube.Pods, kube.Services, kube.EndpointSlices)
}

func (s server) checkNamespace(ctx context.Context, snapshot *kube.Snapshot) error {
	return s.client.CheckNamespace(ctx, snapshot)
}

func (s server) allowed(ctx context.Context, a kube.Access) (bool, error) {
	return s.client.Allowed(ctx, a)
}

func (s server) tunnel() Route { return NewTunnel(s.client.PortForwarder()) }

// sharedTunnel returns the one tunnel of the cluster: its limits are for all
// forwards.
func (c *Cluster) sharedTunnel() Route {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tunnel == nil {
		c.tunnel = c.api.tunnel()
	}
	return c.tunnel
}

// close ends the tunnel.
func (c *Cluster) close() {
	c.mu.Lock()
	tunnel := c.tunnel
	c.mu.Unlock()
	if tunnel != nil {
		_ = tunnel.Close()
	}
}

// permit is the permission for tunnels in a namespace. Whoever holds the gate
// may look and ask.
type permit struct {
	gate    chan struct{}
	granted bool
}

// mayTunnel asks for the permission that a tunnel needs, until it was granted
// once. It fails with a *kube.AccessError where the user lacks it.
func (c *Cluster) mayTunnel(ctx context.Context, namespace string) error {
	p := c.permit(namespace)
	select {
	case p.gate <- struct{}{}:
		defer func() { <-p.gate }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if p.granted {
		return nil
	}
	access := kube.Access{Verb: "create", Resource: "pods", Subresource: "portforward", Namespace: namespace}
	allowed, err := c.api.allowed(ctx, access)
	if err != nil {
		return err
	}
	if !allowed {
		return &kube.AccessError{Access: access}
	}
	p.granted = true
	return nil
}

func (c *Cluster) permit(namespace string) *permit {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.permits == nil {
		c.permits = map[string]*permit{}
	}
	if c.permits[namespace] == nil {
		c.permits[namespace] = &permit{gate: make(chan struct{}, 1)}
	}
	return c.permits[namespace]
}
