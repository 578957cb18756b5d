package network

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// fate is what becomes of a connection, or of a packet.
type fate struct {
	err   syscall.Errno // dropped, or what the client is told; 0 when it gets through
	delay time.Duration
	to    *host
	by    listener       // that takes it
	at    netip.AddrPort // where it arrives
	seen  netip.Addr     // whom the other side sees
}

// dropped is what clients are told in the end when nobody answers.
const dropped = syscall.ETIMEDOUT

// entry is a port of a Service behind an address.
type entry struct {
	service  *corev1.Service
	port     corev1.ServicePort
	door     *corev1.Node // whose kube-proxy leads on; nil for none
	external bool         // it is not the ClusterIP
	balanced bool         // it is that of a load balancer
}

// entry finds the Service behind an address. For a ClusterIP the door is the
// Node of the client, for a node port that of the address, and for external
// addresses that of the client or, from outside of the cluster, the Node that has
// the address, else the one that it is brought to.
func (v *view) entry(from *host, proto string, to netip.AddrPort) *entry {
	ip, machine := to.Addr().String(), v.addresses[to.Addr()]
	for _, s := range v.services {
		balanced := slices.ContainsFunc(s.Status.LoadBalancer.Ingress, func(i corev1.LoadBalancerIngress) bool { return i.IP == ip })
		external := balanced || slices.Contains(s.Spec.ExternalIPs, ip)
		for _, p := range s.Spec.Ports {
			switch {
			case protocol(p.Protocol) != proto:
			case s.Spec.ClusterIP == ip && p.Port == int32(to.Port()):
				return &entry{service: s, port: p, door: from.node}
			case external && p.Port == int32(to.Port()):
				e := &entry{s, p, from.node, true, balanced}
				if machine != nil {
					e.door = cmp.Or(e.door, machine.node)
				}
				e.door = cmp.Or(e.door, v.entrance(e))
				return e
			case machine != nil && machine.pod == nil && p.NodePort != 0 && p.NodePort == int32(to.Port()):
				return &entry{service: s, port: p, door: machine.node, external: true}
			}
		}
	}
	return nil
}

// entrance is the Node that takes what comes from outside for an address that no
// Node has: the first one that works. A load balancer looks which of them can do
// something with it; the router, which knows an external IP, does not.
func (v *view) entrance(e *entry) *corev1.Node {
	for _, name := range slices.Sorted(maps.Keys(v.hosts)) {
		h := v.hosts[name]
		if h.node == nil || name != h.node.Name || down(h.node) || !v.proxied(h.node) {
			continue
		}
		if !e.balanced || !staysLocal(e.service) || slices.ContainsFunc(v.endpoints(e.service, e.port), func(e endpoint) bool { return e.ready && e.node == h.name }) {
			return h.node
		}
	}
	return nil
}

// staysLocal reports whether a Node leads what comes from outside to its own
// Pods only, with the address of the client.
func staysLocal(s *corev1.Service) bool {
	return s.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal
}

// route decides what becomes of a packet from a host. What goes to a Service is
// led to an endpoint by the kube-proxy of one Node.
func (n *Network) route(v *view, from *host, proto string, to netip.AddrPort) fate {
	switch {
	case !to.Addr().Is4():
		return fate{err: syscall.ENETUNREACH}
	case to.Addr().IsLoopback():
		return v.take(from, to.Addr(), proto, to)
	}
	e := v.entry(from, proto, to)
	if e == nil || e.door == nil || !v.proxied(e.door) {
		return v.arrive(from, from.ip, proto, to)
	}
	door := v.hosts[e.door.Name]
	seen := v.source(from, from.ip, door)
	if v.lost(from, seen, door, proto, to.Port()) {
		return fate{err: dropped}
	}
	eligible, err := v.eligible(e, from, seen)
	if err != 0 {
		return fate{err: err}
	}
	chosen, sender := n.pick(e.service, seen, eligible), from
	if from.node != e.door { // it goes on from there, where the policies of the client are not known
		sender = door
	}
	if e.external && !staysLocal(e.service) || chosen.Addr() == from.ip && from.pod != nil {
		seen = door.ip // masqueraded, so that the answer comes back the same way, and a Pod takes it from itself
	}
	return v.arrive(sender, seen, proto, chosen.AddrPort)
}

// source is the address that a packet has when it comes to a host. What leaves
// the Pod network is masqueraded.
func (v *view) source(from *host, sent netip.Addr, to *host) netip.Addr {
	if from.pod != nil && to.pod == nil && to.node != from.node {
		return v.hosts[from.node.Name].ip
	}
	return sent
}

// arrive decides what becomes of a packet to an address that is no Service's.
func (v *view) arrive(from *host, seen netip.Addr, proto string, at netip.AddrPort) fate {
	to := v.addresses[at.Addr()]
	if to == nil {
		return fate{err: dropped}
	}
	seen = v.source(from, seen, to)
	if v.lost(from, seen, to, proto, at.Port()) {
		return fate{err: dropped}
	}
	f := v.take(to, seen, proto, at)
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
		missing, _ := Fault(at.node.Annotations, "no-route")
		return missing == other.node.Name
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
func (v *view) take(h *host, seen netip.Addr, proto string, at netip.AddrPort) fate {
	f := fate{to: h, at: at, seen: seen, err: syscall.ECONNREFUSED}
	pod := h.pod
	for _, l := range h.listeners {
		if l.takes(proto, at, v.now()) {
			f.by, f.err, pod = l, 0, l.pod
			break
		}
	}
	if pod == nil {
		return f
	}
	late, _ := Fault(pod.Annotations, "delay")
	f.delay, _ = time.ParseDuration(late)
	if _, drops := Fault(pod.Annotations, "drop"); drops && !at.Addr().IsLoopback() {
		f.err = dropped
	}
	return f
}
