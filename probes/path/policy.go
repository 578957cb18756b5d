package path

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

// sent is traffic from a source, to nobody yet.
func (w *World) sent(s Source, kind Kind) traffic {
	t := traffic{from: w.Pod(s.Pod), protocol: kind.transport()}
	if t.from != nil {
		t.fromIP = t.from.IP()
	} else if n := w.Node(s.Node); n != nil {
		t.fromIP = n.InternalIP()
	}
	return t
}

// Ruling is what NetworkPolicies say of traffic at one of its ends.
type Ruling string

// The rulings.
const (
	Permitted Ruling = "permitted"
	Denied    Ruling = "denied"
	// Depends is what podpath cannot tell: on the network plugin, or on what it
	// may not read.
	Depends Ruling = "depends"
)

// PolicyWalk is how NetworkPolicies rule over traffic at one end: by the rules
// of networking/v1 a Pod that policies select takes (or sends) only what one of
// them permits.
type PolicyWalk struct {
	Ruling Ruling
	// Limits are the policies that select the Pod for this direction.
	Limits []*kube.NetworkPolicy
	// By is the policy with the rule that permits, counted from 1.
	By   *kube.NetworkPolicy
	Rule int
	// Why is a sentence.
	Why string
}

// Names are those of the policies that limit.
func (p PolicyWalk) Names() []string {
	return names(p.Limits, func(n *kube.NetworkPolicy) string { return n.Name })
}

// leave is whether the source may send it, and enter whether the target may
// take it.
func (w *World) leave(t traffic) PolicyWalk {
	return w.walkPolicies(t, t.from, "egress", func(p *kube.NetworkPolicy) (bool, []kube.PolicyRule) { return p.LimitsEgress, p.Egress }, t.to, t.toIP)
}

func (w *World) enter(t traffic) PolicyWalk {
	return w.walkPolicies(t, t.to, "ingress", func(p *kube.NetworkPolicy) (bool, []kube.PolicyRule) { return p.LimitsIngress, p.Ingress }, t.from, t.fromIP)
}

// rulesOf are whether a policy limits a direction, and its rules for it.
type rulesOf func(*kube.NetworkPolicy) (bool, []kube.PolicyRule)

// walkPolicies looks at one end of the traffic, with the peer at the other.
func (w *World) walkPolicies(t traffic, pod *kube.Pod, direction string, of rulesOf, peer *kube.Pod, address string) PolicyWalk {
	switch {
	case pod == nil:
		return PolicyWalk{Ruling: Permitted, Why: "it is no Pod of the cluster: no NetworkPolicy is about it"}
	case pod.HostNetwork: // policies do not apply to the network of Nodes
		return PolicyWalk{Ruling: Permitted, Why: fmt.Sprintf("NetworkPolicies do not apply to Pods in the network of a Node, such as %s", pod.Name)}
	case t.from != nil && t.from == t.to:
		return PolicyWalk{Ruling: Permitted, Why: "a Pod always reaches itself"}
	case t.from != nil && t.to != nil && t.from.Node == t.to.Node && (t.from.HostNetwork || t.to.HostNetwork):
		return PolicyWalk{Ruling: Permitted, Why: "NetworkPolicies never cut a Pod off from its own Node"}
	}
	walk := PolicyWalk{Ruling: Permitted}
	byNamespaces := false
	for _, policy := range w.Policies {
		limits, rules := of(policy)
		if !limits || policy.Namespace != pod.Namespace || !policy.Pods.Matches(pod.Labels) {
			continue
		}
		walk.Limits = append(walk.Limits, policy)
		for i, rule := range rules {
			if walk.By == nil && w.permits(rule, policy.Namespace, peer, address) && permitsPort(rule, t) {
				walk.By, walk.Rule = policy, i+1
			}
			byNamespaces = byNamespaces || slices.ContainsFunc(rule.Peers, func(p kube.PolicyPeer) bool { return p.Namespaces != nil })
		}
	}
	walk = walk.judged(pod, direction, byNamespaces && w.NamespaceLabels == nil, w.PoliciesUnknown)
	if walk.Ruling != Denied {
		return walk
	}
	if near := w.nearest(t, walk.Limits, of, peer, address); near != "" {
		walk.Why += "; " + near
	}
	return walk
}

// judged draws the conclusion. Unlabelled is set when a rule selects namespaces
// whose labels podpath may not read, and unread when it may not list policies.
func (p PolicyWalk) judged(pod *kube.Pod, direction string, unlabelled, unread bool) PolicyWalk {
	switch {
	case p.By != nil:
		p.Why = fmt.Sprintf("NetworkPolicy %s permits it: %s rule %d", p.By.Name, direction, p.Rule)
	case len(p.Limits) > 0:
		p.Ruling = Denied
		p.Why = fmt.Sprintf("NetworkPolicy %s selects %s, and no rule permits this in its %s", list(p.Names()), pod.Name, direction)
		if unlabelled {
			p.Ruling = Depends
			p.Why += ", as far as podpath can tell: it may not read the labels of namespaces"
		}
	case unread:
		p.Ruling, p.Why = Depends, "podpath may not list NetworkPolicies"
	default:
		p.Why = fmt.Sprintf("no NetworkPolicy limits what %s %s", pod.Name, map[string]string{"egress": "sends", "ingress": "takes"}[direction])
	}
	return p
}

// egressTo is what policies say of packets of a Pod to anybody at a port.
func (w *World) egressTo(pod *kube.Pod, port int, protocol string) PolicyWalk {
	if pod.HostNetwork {
		return PolicyWalk{Ruling: Permitted}
	}
	walk := PolicyWalk{Ruling: Permitted}
	for _, policy := range w.Policies {
		if !policy.LimitsEgress || policy.Namespace != pod.Namespace || !policy.Pods.Matches(pod.Labels) {
			continue
		}
		if walk.Limits = append(walk.Limits, policy); walk.Ruling == Permitted {
			walk.Ruling = Denied
		}
		if slices.ContainsFunc(policy.Egress, func(r kube.PolicyRule) bool { return permitsPort(r, traffic{port: port, protocol: protocol}) }) {
			walk.Ruling = Depends // on who is there
		}
	}
	return walk
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

func inBlock(p kube.PolicyPeer, address string) bool {
	contains := func(cidr string) bool { return within(cidr, address) }
	return contains(p.CIDR) && !slices.ContainsFunc(p.Except, contains)
}

// within reports whether an address lies in a block such as 10.0.0.0/8.
func within(cidr, address string) bool {
	a, err := netip.ParseAddr(address)
	block, errBlock := netip.ParsePrefix(cidr)
	return err == nil && errBlock == nil && block.Contains(a.Unmap())
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
