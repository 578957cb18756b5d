package network

import (
	"errors"
	"net/netip"
	"slices"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// errDropped means that nobody answers: a black hole.
var errDropped = errors.New("dropped")

// fate is what becomes of a connection, or of a packet.
type fate struct {
	err   error // errDropped, or what the client is told
	delay time.Duration
	to    *host
	by    listener       // that takes it
	at    netip.AddrPort // where it arrives
	seen  netip.Addr     // whom the other side sees
}

// way is how an address leads to a port of a Service.
type way int

const (
	byClusterIP way = iota
	byNodePort
	byExternalIP
)

// virtual is a port of a Service behind an address.
type virtual struct {
	service *corev1.Service
	port    corev1.ServicePort
	way     way
}

// affinity is a client of a Service with sessionAffinity ClientIP.
type affinity struct {
	service string
	port    int32
	client  netip.Addr
}

// virtual finds the Service behind an address.
func (v *view) virtual(proto string, to netip.AddrPort) *virtual {
	ip, machine := to.Addr().String(), v.addresses[to.Addr()]
	atNode := machine != nil && machine.node != nil && machine.pod == nil
	for _, s := range v.services {
		for _, p := range s.Spec.Ports {
			external := slices.Contains(s.Spec.ExternalIPs, ip) ||
				slices.ContainsFunc(s.Status.LoadBalancer.Ingress, func(i corev1.LoadBalancerIngress) bool { return i.IP == ip })
			switch {
			case protocol(p.Protocol) != proto:
			case s.Spec.ClusterIP == ip && p.Port == int32(to.Port()):
				return &virtual{s, p, byClusterIP}
			case external && p.Port == int32(to.Port()):
				return &virtual{s, p, byExternalIP}
			case atNode && p.NodePort != 0 && p.NodePort == int32(to.Port()):
				return &virtual{s, p, byNodePort}
			}
		}
	}
	return nil
}

// route decides what becomes of a packet from a host. What goes to a Service is
// led to an endpoint by kube-proxy of one Node: that of the client for virtual
// addresses, that of the address for node ports, and for external addresses
// outside of the cluster any that can.
func (n *Network) route(v *view, from *host, proto string, to netip.AddrPort) fate {
	if to.Addr().IsLoopback() {
		return from.take(fate{to: from, at: to, seen: to.Addr()}, proto)
	}
	s := v.virtual(proto, to)
	if s == nil {
		return v.arrive(from, from.ip, proto, to)
	}
	door := from.node
	switch {
	case s.way == byNodePort:
		door = v.addresses[to.Addr()].node
		if v.lost(from, from.ip, v.addresses[to.Addr()], proto, to.Port()) {
			return fate{err: errDropped}
		}
	case door == nil && s.way == byExternalIP:
		door = v.entrance(s)
	}
	if door == nil || down(door) || !v.proxied(door) {
		return v.arrive(from, from.ip, proto, to)
	}
	eligible, err := v.eligible(s, door, from)
	if err != nil {
		return fate{err: err}
	}
	chosen := n.pick(s, from.ip, eligible)
	switch {
	case s.way == byClusterIP && chosen.Addr() == from.ip && from.pod != nil: // a Pod would not take it from itself
		return from.take(fate{to: from, at: chosen.AddrPort, seen: gateway(door)}, proto)
	case s.way == byClusterIP:
		return v.arrive(from, from.ip, proto, chosen.AddrPort)
	case s.service.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal: // keeps the client's address
		return v.arrive(v.hosts[door.Name], from.ip, proto, chosen.AddrPort)
	default: // masqueraded, so that the answer comes back the same way
		return v.arrive(v.hosts[door.Name], v.hosts[door.Name].ip, proto, chosen.AddrPort)
	}
}

// gateway is the address of a Node in its own Pod network.
func gateway(n *corev1.Node) netip.Addr {
	block, err := netip.ParsePrefix(n.Spec.PodCIDR)
	if err != nil || !block.Addr().Is4() {
		return netip.AddrFrom4([4]byte{})
	}
	return block.Addr().Next()
}

// entrance is the Node that takes what comes from outside for an external
// address: the first one that can do something with it.
func (v *view) entrance(s *virtual) *corev1.Node {
	local := s.service.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal
	var names []string
	for name, h := range v.hosts {
		if h.node != nil && h.name == h.node.Name && name == h.name && !down(h.node) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if !local || slices.ContainsFunc(v.endpoints(s.service, s.port), func(e endpoint) bool { return e.ready && e.node == name }) {
			return v.hosts[name].node
		}
	}
	return nil
}

// eligible are the endpoints that kube-proxy chooses from: those that are
// ready, else those that still serve while they terminate (KEP-1669). Without
// any it rejects; where a traffic policy leaves none it drops.
func (v *view) eligible(s *virtual, door *corev1.Node, from *host) ([]endpoint, error) {
	var ready, serving []endpoint
	for _, e := range v.endpoints(s.service, s.port) {
		switch {
		case e.ready:
			ready = append(ready, e)
		case e.serving && e.terminating:
			serving = append(serving, e)
		}
	}
	if len(ready) == 0 {
		ready = serving
	}
	if len(ready) == 0 {
		return nil, syscall.ECONNREFUSED
	}
	internal := s.way == byClusterIP && value(s.service.Spec.InternalTrafficPolicy) == corev1.ServiceInternalTrafficPolicyLocal
	external := s.way != byClusterIP && s.service.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal && from.node != door
	if internal || external {
		ready = slices.DeleteFunc(ready, func(e endpoint) bool { return e.node != door.Name })
	}
	if len(ready) == 0 {
		return nil, errDropped
	}
	return ready, nil
}

// pick chooses at random, as kube-proxy does, or the same one again for a client
// with affinity.
func (n *Network) pick(s *virtual, client netip.Addr, eligible []endpoint) endpoint {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := affinity{s.service.Namespace + "/" + s.service.Name, s.port.Port, client}
	sticky := s.service.Spec.SessionAffinity == corev1.ServiceAffinityClientIP
	if i := slices.IndexFunc(eligible, func(e endpoint) bool { return e.AddrPort == n.affinity[key] }); sticky && i >= 0 {
		return eligible[i]
	}
	chosen := eligible[n.random.IntN(len(eligible))]
	if sticky {
		n.affinity[key] = chosen.AddrPort
	}
	return chosen
}

// arrive decides what becomes of a packet to an address that is no Service's.
func (v *view) arrive(from *host, seen netip.Addr, proto string, at netip.AddrPort) fate {
	to := v.addresses[at.Addr()]
	if to == nil || v.lost(from, seen, to, proto, at.Port()) {
		return fate{err: errDropped}
	}
	if from.pod != nil && to.pod == nil && to.node != from.node { // what leaves the Pod network is masqueraded
		seen = v.hosts[from.node.Name].ip
	}
	f := to.take(fate{to: to, at: at, seen: seen}, proto)
	if to.node != from.node {
		f.delay += acrossNodes
	}
	return f
}

// acrossNodes is how long a connection between machines takes at least. The
// timers of most systems make a millisecond of it; within a machine it would
// be less than they can tell from that.
const acrossNodes = 600 * time.Microsecond

// lost reports whether packets between two hosts, or the answers to them, do
// not arrive.
func (v *view) lost(from *host, seen netip.Addr, to *host, proto string, port uint16) bool {
	misses := func(at, other *host) bool {
		if at.node == nil || other.node == nil {
			return false
		}
		missing, is := Fault(at.node.Annotations, "no-route")
		return is && missing == other.node.Name
	}
	switch sender := v.addresses[seen]; {
	case down(from.node), down(to.node):
		return true
	case from.node == nil && to.pod != nil: // nobody outside knows a way to Pods
		return true
	case to.pod != nil && misses(from, to), sender != nil && sender.pod != nil && misses(to, from):
		return true
	}
	return v.denied(from, seen, to, proto, port)
}

// take finds who listens there.
func (h *host) take(f fate, proto string) fate {
	i := slices.IndexFunc(h.listeners, func(l listener) bool {
		anywhere := !l.address.IsValid() || l.address.IsUnspecified()
		return l.proto == proto && l.port == f.at.Port() && (anywhere || l.address == f.at.Addr())
	})
	pod := h.pod
	if i >= 0 {
		f.by = h.listeners[i]
		pod = f.by.pod
	}
	if pod != nil {
		late, _ := Fault(pod.Annotations, "delay")
		f.delay, _ = time.ParseDuration(late)
	}
	if i < 0 {
		f.err = syscall.ECONNREFUSED
	}
	if pod != nil && !f.at.Addr().IsLoopback() {
		if _, drops := Fault(pod.Annotations, "drop"); drops {
			f.err = errDropped
		}
	}
	return f
}
