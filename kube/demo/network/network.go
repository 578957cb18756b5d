// Package network is the Pod network of the practice cluster: Pods and machines
// that are servers in this process, and what decides whether packets between
// them arrive: routes, kube-proxy, NetworkPolicies, cluster DNS, and faults that
// annotations of the objects ask for. Nothing of it leaves the process.
package network

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"podpath/kube/demo/api"
)

// Objects are those of the cluster; *api.Store is one.
type Objects interface {
	List(resource, namespace string) []api.Object
	Changed() <-chan struct{}
}

// Network is a running network. It is safe for concurrent use.
type Network struct {
	objects Objects
	ctx     context.Context // of the servers, which no call brings one to
	cancel  context.CancelFunc
	work    sync.WaitGroup
	// certificate is made when it is first needed.
	certificate func() (tls.Certificate, error)

	mu       sync.Mutex // guards all below
	random   *rand.Rand
	latest   *view
	changed  <-chan struct{} // closed when latest is out of date
	open     map[*session]bool
	port     uint16                      // of the last client
	affinity map[affinity]netip.AddrPort // endpoints that clients keep
}

// session is a connection that was accepted.
type session struct {
	near, far *conn
	from, to  *host
}

// New returns the network of the cluster. Seed is for what kube-proxy chooses
// at random.
func New(objects Objects, seed uint64) *Network {
	n := &Network{
		objects: objects, certificate: sync.OnceValues(func() (tls.Certificate, error) { return api.SelfSigned(time.Now()) }), random: rand.New(rand.NewPCG(seed, seed)),
		open: map[*session]bool{}, port: firstPort, affinity: map[affinity]netip.AddrPort{},
	}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	return n
}

// Close resets all connections and waits until all servers have ended.
func (n *Network) Close() error {
	n.cancel()
	n.mu.Lock()
	for s := range n.open {
		s.far.fault(syscall.ECONNRESET)
	}
	n.mu.Unlock()
	n.work.Wait()
	return nil
}

// Refresh resets the connections of Pods that are gone, also when nobody dials.
func (n *Network) Refresh() { n.view() }

// view returns the cluster as it is now. Connections of Pods that are gone are
// reset.
func (n *Network) view() *view {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.latest != nil {
		select {
		case <-n.changed:
		default:
			return n.latest
		}
	}
	n.changed = n.objects.Changed() // before the lists, so that no change is missed
	n.latest = newView(n.objects)
	for s := range n.open {
		if !n.latest.lives(s.from) || !n.latest.lives(s.to) {
			s.far.fault(syscall.ECONNRESET)
		}
	}
	return n.latest
}

// Place is a network namespace with files, as programs in it see them. It
// implements wire.Network.
type Place struct {
	network   *Network
	host      string // the key of a host in a view
	pod       string // NAMESPACE/NAME; "" on a machine
	container string // whose variables programs have; "" for the first one
}

// Pod is the place of programs in a Pod.
func (n *Network) Pod(namespace, name string) (*Place, error) {
	p := &Place{network: n, host: namespace + "/" + name, pod: namespace + "/" + name}
	if _, err := p.at(n.view()); err != nil {
		return nil, err
	}
	return p, nil
}

// Machine is the place of programs on a Node, or on Outside.
func (n *Network) Machine(name string) (*Place, error) {
	p := &Place{network: n, host: name}
	if _, err := p.at(n.view()); err != nil {
		return nil, err
	}
	return p, nil
}

// In is the place of programs in one container of the Pod.
func (p *Place) In(container string) *Place {
	in := *p
	in.container = container
	return &in
}

// Addresses are those of the interfaces, but for loopback.
func (p *Place) Addresses() []netip.Addr {
	h, err := p.at(p.network.view())
	if err != nil {
		return nil
	}
	return []netip.Addr{h.ip}
}

func (p *Place) at(v *view) (*host, error) {
	h := v.hosts[p.host]
	if h == nil {
		return nil, fmt.Errorf("%s has no network: %w", p.host, syscall.ENETDOWN)
	}
	return h, nil
}
