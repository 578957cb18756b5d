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

// Network is a running network. It is safe for concurrent use.
type Network struct {
	store  *api.Store
	ctx    context.Context // of the servers, which no call brings one to
	cancel context.CancelFunc
	work   sync.WaitGroup
	// certificate is made when it is first needed.
	certificate func() (tls.Certificate, error)

	mu      sync.Mutex // guards all below
	random  *rand.Rand
	latest  *view
	changed <-chan struct{} // closed when latest is out of date
	open    map[*conn]bool  // both ends of the connections that were accepted
	port    uint16          // of the last client
	queued  map[queue]int   // connections that programs which hang have not accepted
}

// New returns the network of the cluster. Seed is for what kube-proxy chooses
// at random.
func New(store *api.Store, seed uint64) *Network {
	n := &Network{
		store: store, certificate: sync.OnceValues(func() (tls.Certificate, error) { return api.SelfSigned(time.Now()) }),
		random: rand.New(rand.NewPCG(seed, seed)), open: map[*conn]bool{}, port: firstPort, queued: map[queue]int{},
	}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	return n
}

// Close resets all connections and waits until all servers have ended.
func (n *Network) Close() error {
	n.cancel()
	n.mu.Lock()
	for c := range n.open {
		c.fault(syscall.ECONNRESET)
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
	n.changed = n.store.Changed() // before the lists, so that no change is missed
	n.latest = newView(n.store)
	for c := range n.open {
		if !n.latest.lives(c.host) {
			c.fault(syscall.ECONNRESET)
		}
	}
	return n.latest
}

// Place is a network namespace with files, as programs in it see them. It
// implements wire.Network.
type Place struct {
	network   *Network
	key       string // NAMESPACE/NAME of a Pod, or the name of a machine
	container string // whose variables programs have; "" for the first one
}

// Pod is the place of programs in a Pod.
func (n *Network) Pod(namespace, name string) (*Place, error) {
	return n.Machine(namespace + "/" + name)
}

// Machine is the place of programs on a Node, or on Outside.
func (n *Network) Machine(name string) (*Place, error) {
	p := &Place{network: n, key: name}
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
	h := v.hosts[p.key]
	if h == nil {
		return nil, fmt.Errorf("%s has no network: %w", p.key, syscall.ENETDOWN)
	}
	return h, nil
}
