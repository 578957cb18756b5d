package probes

import (
	"fmt"
	"net/netip"
	"slices"

	"podpath/kube"
)

// traffic is a connection as NetworkPolicies see it. A side that is no Pod has
// only its address.
type traffic struct {
	from, to *kube.Pod
	fromIP   string
	toIP     string
	port     int
	protocol string
}

// denied says which NetworkPolicies deny the traffic, by the rules of
// networking/v1: a Pod that a policy selects takes (or sends) only what one of
// the policies that select it permits. It returns "" when none does.
func (w *World) denied(t traffic) string {
	if t.from != nil && t.to != nil && t.from.Node == t.to.Node && (t.from.HostNetwork || t.to.HostNetwork) {
		return "" // policies never cut a Pod off from its own Node
	}
	if why := w.deniedAt(t, t.to, func(p *kube.NetworkPolicy) (bool, []kube.PolicyRule) { return p.LimitsIngress, p.Ingress }, t.from, t.fromIP); why != "" {
		return why + " its ingress"
	}
	if why := w.deniedAt(t, t.from, func(p *kube.NetworkPolicy) (bool, []kube.PolicyRule) { return p.LimitsEgress, p.Egress }, t.to, t.toIP); why != "" {
		return why + " its egress"
	}
	return ""
}

// deniedAt looks at one end of the traffic, with the peer at the other.
func (w *World) deniedAt(t traffic, pod *kube.Pod, direction func(*kube.NetworkPolicy) (bool, []kube.PolicyRule), peer *kube.Pod, address string) string {
	if pod == nil || pod.HostNetwork { // policies do not apply to the network of Nodes
		return ""
	}
	var selecting []string
	for _, policy := range w.Policies {
		limits, rules := direction(policy)
		if !limits || policy.Namespace != pod.Namespace || !policy.Pods.Matches(pod.Labels) {
			continue
		}
		selecting = append(selecting, policy.Name)
		for _, rule := range rules {
			if w.permits(rule, policy.Namespace, peer, address) && permitsPort(rule, t) {
				return ""
			}
		}
	}
	if len(selecting) == 0 {
		return ""
	}
	return fmt.Sprintf("NetworkPolicy %s selects %s, and no rule permits this in", list(selecting), pod.Name)
}

func (w *World) permits(rule kube.PolicyRule, namespace string, peer *kube.Pod, address string) bool {
	return len(rule.Peers) == 0 || slices.ContainsFunc(rule.Peers, func(p kube.PolicyPeer) bool {
		if p.CIDR != "" {
			return inBlock(p, address)
		}
		return peer != nil && !peer.HostNetwork &&
			(p.Pods == nil || p.Pods.Matches(peer.Labels)) &&
			(p.Namespaces == nil && peer.Namespace == namespace || p.Namespaces != nil && p.Namespaces.Matches(w.NamespaceLabels[peer.Namespace]))
	})
}

// selectsNamespaces reports whether a policy needs the labels of namespaces.
func selectsNamespaces(p *kube.NetworkPolicy) bool {
	return slices.ContainsFunc(slices.Concat(p.Ingress, p.Egress), func(r kube.PolicyRule) bool {
		return slices.ContainsFunc(r.Peers, func(p kube.PolicyPeer) bool { return p.Namespaces != nil })
	})
}

func inBlock(p kube.PolicyPeer, address string) bool {
	a, err := netip.ParseAddr(address)
	contains := func(cidr string) bool {
		block, errBlock := netip.ParsePrefix(cidr)
		return err == nil && errBlock == nil && block.Contains(a.Unmap())
	}
	return contains(p.CIDR) && !slices.ContainsFunc(p.Except, contains)
}

func permitsPort(rule kube.PolicyRule, t traffic) bool {
	return len(rule.Ports) == 0 || slices.ContainsFunc(rule.Ports, func(p kube.PolicyPort) bool {
		switch {
		case p.Protocol != t.protocol:
			return false
		case p.Name != "":
			return t.to != nil && slices.ContainsFunc(t.to.Ports(), func(c kube.ContainerPort) bool {
				return c.Name == p.Name && c.Port == t.port && c.Protocol == t.protocol
			})
		case p.Port == 0:
			return true
		default:
			return t.port >= p.Port && t.port <= max(p.Port, p.End)
		}
	})
}
