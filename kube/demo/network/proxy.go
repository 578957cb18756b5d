package network

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"syscall"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// eligible are the endpoints that kube-proxy chooses from for a client. Without
// any it rejects; where a traffic policy leaves none it drops, and what comes to a
// load balancer from elsewhere than it may.
func (v *view) eligible(e *entry, from *host, seen netip.Addr) ([]endpoint, syscall.Errno) {
	all := v.endpoints(e.service, e.port)
	if len(usable(all)) == 0 {
		return nil, syscall.ECONNREFUSED
	}
	within := func(block string) bool { b, err := netip.ParsePrefix(block); return err == nil && b.Contains(seen) }
	ranges := e.service.Spec.LoadBalancerSourceRanges
	if e.balanced && len(ranges) > 0 && !slices.ContainsFunc(ranges, within) {
		return nil, dropped
	}
	local := value(e.service.Spec.InternalTrafficPolicy) == corev1.ServiceInternalTrafficPolicyLocal
	if e.external {
		local = staysLocal(e.service) && from.node != e.door
	}
	if local {
		all = slices.DeleteFunc(all, func(u endpoint) bool { return u.node != e.door.Name })
	} else {
		all = hinted(all, e.door)
	}
	if all = usable(all); len(all) == 0 {
		return nil, dropped
	}
	return all, 0
}

// hinted are the endpoints that are meant for a Node: when every ready one is
// for some Nodes, and any of them for this one, only those; else the same with
// the zone of the Node; else all (k8s.io/kubernetes/pkg/proxy/topology.go).
func hinted(all []endpoint, node *corev1.Node) []endpoint {
	ready := slices.DeleteFunc(slices.Clone(all), func(e endpoint) bool { return !e.ready })
	for _, meant := range []func(e endpoint) (somebody, us bool){
		func(e endpoint) (somebody, us bool) {
			return len(e.hints.ForNodes) > 0, slices.Contains(e.hints.ForNodes, discoveryv1.ForNode{Name: node.Name})
		},
		func(e endpoint) (somebody, us bool) {
			return len(e.hints.ForZones) > 0, slices.Contains(e.hints.ForZones, discoveryv1.ForZone{Name: node.Labels[corev1.LabelTopologyZone]})
		},
	} {
		everyone, ours := true, []endpoint(nil)
		for _, e := range ready {
			somebody, us := meant(e)
			everyone = everyone && somebody
			if us {
				ours = append(ours, e)
			}
		}
		if everyone && len(ours) > 0 {
			return ours
		}
	}
	return all
}

// usable are those that are ready, else those that still serve while they
// terminate (KEP-1669).
func usable(all []endpoint) []endpoint {
	ready := slices.DeleteFunc(slices.Clone(all), func(e endpoint) bool { return !e.ready })
	if len(ready) > 0 {
		return ready
	}
	return slices.DeleteFunc(slices.Clone(all), func(e endpoint) bool { return !e.leaving })
}

// pick chooses at random, as kube-proxy does, or the same one again for a client
// with affinity.
func (n *Network) pick(s *corev1.Service, client netip.Addr, eligible []endpoint) endpoint {
	if s.Spec.SessionAffinity == corev1.ServiceAffinityClientIP {
		return slices.MaxFunc(eligible, func(a, b endpoint) int { return cmp.Compare(bond(client, a), bond(client, b)) })
	}
	return n.anyOf(eligible)
}

func (n *Network) anyOf(endpoints []endpoint) endpoint {
	n.mu.Lock()
	defer n.mu.Unlock()
	return endpoints[n.random.IntN(len(endpoints))]
}

// bond is a number for a client and an endpoint. The highest one decides, so that
// a client changes only when its endpoint goes or a new one suits better.
func bond(client netip.Addr, e endpoint) uint32 {
	h := fnv.New32a()
	_, _ = fmt.Fprint(h, e.AddrPort, client)
	return h.Sum32()
}
