package path

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"podpath/kube"
)

// miss is a rule that nearly permits traffic.
type miss struct {
	rank int // what it lacks, the least first
	says string
}

// What a rule lacks, the least first.
const (
	lacksTranslation = iota
	lacksAddress
	lacksPort
	lacksNamespace
	lacksLabel
	lacksAll
)

// nearest says what the rule lacks that nearly permits traffic to or from a
// peer; "" where none does.
func (w *World) nearest(t traffic, limits []*kube.NetworkPolicy, of rulesOf, peer *kube.Pod, address string) string {
	best := miss{rank: lacksAll}
	for _, policy := range limits {
		_, rules := of(policy)
		for i, rule := range rules {
			m := w.missOf(rule, policy.Namespace, t, peer, address)
			if m.says != "" && m.rank < best.rank {
				m.says = fmt.Sprintf("rule %d of %s %s", i+1, policy.Name, m.says)
				best = m
			}
		}
	}
	return best.says
}

// missOf is what one rule lacks, if that is one thing.
func (w *World) missOf(rule kube.PolicyRule, namespace string, t traffic, peer *kube.Pod, address string) miss {
	who, ports := w.permits(rule, namespace, peer, address), permitsPort(rule, t)
	switch {
	case who && !ports:
		says := fmt.Sprintf("permits %s, and this is %s port %d", list(names(rule.Ports, portSays)), t.protocol, t.port)
		if because := w.translatedFrom(rule, t); because != "" {
			return miss{lacksTranslation, says + because}
		}
		if len(rule.Peers) > 0 {
			return miss{lacksPort, says}
		}
		return miss{rank: lacksAll} // it is about something else, such as DNS
	case !ports:
		return miss{rank: lacksAll}
	}
	best := miss{rank: lacksAll}
	for _, p := range rule.Peers {
		if m := w.missOfPeer(p, namespace, peer, address); m.rank < best.rank {
			best = m
		}
	}
	return best
}

// translatedFrom explains a rule with the port of the Service, where policies
// see the one of the Pod.
func (w *World) translatedFrom(rule kube.PolicyRule, t traffic) string {
	for _, svc := range w.servicesOf(t.to) {
		for _, sp := range svc.Ports {
			there := slices.ContainsFunc(endpointsOf(svc, sp), func(e kube.Endpoint) bool {
				return e.Pod == t.to.Name && e.Port == t.port
			})
			if there && permitsPort(rule, traffic{to: t.to, port: sp.Port, protocol: t.protocol}) {
				return fmt.Sprintf(": policies see the Pod's port, and not port %d of Service %s", sp.Port, svc.Name)
			}
		}
	}
	return ""
}

// missOfPeer is what keeps a peer of a rule from being the one at hand.
func (w *World) missOfPeer(p kube.PolicyPeer, namespace string, peer *kube.Pod, address string) miss {
	if p.CIDR != "" {
		return w.missOfBlock(p, peer, address)
	}
	if peer == nil {
		return miss{rank: lacksAll}
	}
	if peer.HostNetwork {
		return miss{lacksAddress, "selects Pods, and " + peer.Name + " is in the network of its Node, where only an ipBlock matches"}
	}
	labels, known := w.NamespaceLabels[peer.Namespace]
	podFits := p.Pods == nil || p.Pods.Matches(peer.Labels)
	here := p.Namespaces == nil && peer.Namespace == namespace || p.Namespaces != nil && p.Namespaces.Matches(labels)
	switch {
	case podFits && p.Namespaces == nil:
		says := fmt.Sprintf("is for Pods of namespace %s, and %s is in %s", namespace, peer.Name, peer.Namespace)
		return miss{lacksNamespace, says}
	case podFits && known && !here:
		says := fmt.Sprintf("is for namespaces with %s, and %s has %s", selectorSays(*p.Namespaces), peer.Namespace, labelsSay(labels))
		return miss{lacksNamespace, says}
	case here && !podFits:
		says := fmt.Sprintf("is for Pods with %s, and %s has %s", selectorSays(*p.Pods), peer.Name, labelsSay(peer.Labels))
		return miss{lacksLabel, says}
	default:
		return miss{rank: lacksAll}
	}
}

// missOfBlock is a block of addresses that leaves one out, or has that of the
// Service instead: policies see a packet after its translation.
func (w *World) missOfBlock(p kube.PolicyPeer, peer *kube.Pod, address string) miss {
	if within(p.CIDR, address) {
		return miss{lacksAddress, fmt.Sprintf("is for %s except %s, where %s lies", p.CIDR, list(p.Except), address)}
	}
	for _, svc := range w.servicesOf(peer) {
		for _, ip := range svc.ClusterIPs {
			if within(p.CIDR, ip) {
				says := fmt.Sprintf("is for %s, where %s of Service %s lies: policies see the Pod's own address, %s",
					p.CIDR, ip, svc.Name, address)
				return miss{lacksAddress, says}
			}
		}
	}
	return miss{rank: lacksAll}
}

// servicesOf are the Services that a Pod is an endpoint of.
func (w *World) servicesOf(pod *kube.Pod) []*kube.Service {
	if pod == nil {
		return nil
	}
	var out []*kube.Service
	for _, svc := range w.Services {
		of := func(e kube.Endpoint) bool { return e.Pod == pod.Name }
		if svc.Namespace == pod.Namespace && slices.ContainsFunc(svc.Endpoints, of) {
			out = append(out, svc)
		}
	}
	return out
}

// portSays writes TCP port 80, or a range.
func portSays(p kube.PolicyPort) string {
	switch {
	case p.Name != "":
		return p.Protocol + " port " + p.Name
	case p.Port == 0:
		return p.Protocol
	case p.End > p.Port:
		return fmt.Sprintf("%s ports %d-%d", p.Protocol, p.Port, p.End)
	default:
		return p.Protocol + " port " + strconv.Itoa(p.Port)
	}
}

// selectorSays writes a selector as kubectl describe does.
func selectorSays(s kube.Selector) string {
	var parts []string
	if len(s.Labels) > 0 {
		parts = append(parts, s.Labels.String())
	}
	for _, r := range s.Expressions {
		part := r.Key + " " + r.Operator
		if len(r.Values) > 0 {
			part += " (" + strings.Join(r.Values, ",") + ")"
		}
		parts = append(parts, part)
	}
	return list(parts)
}

// labelsSay writes labels, or that there are none.
func labelsSay(l kube.Labels) string {
	if len(l) == 0 {
		return "no labels"
	}
	return l.String()
}

// policyKeepsFromDNS is a policy that permits port 53 to some, and the cluster's
// DNS is not among them, or one that keeps the Pod out there.
func (k kase) policyKeepsFromDNS(pod *kube.Pod) *Cause {
	at := Ask{Host: serverName(k.Address), Port: dnsPort}
	var denied *PolicyWalk
	for _, e := range k.ends(k.Source, k.Resolve(k.Source, UDP, at), at) {
		t := traffic{from: pod, fromIP: pod.IP(), to: k.PodAt(e.Address), toIP: e.Address, port: e.Port, protocol: "UDP"}
		leave, enter := k.leave(t), k.enter(t)
		switch {
		case leave.Ruling == Denied:
			denied = &leave
		case enter.Ruling == Denied:
			denied = &enter
		default:
			return nil // it may ask this one
		}
	}
	if denied == nil {
		return nil
	}
	return &Cause{
		Summary:  fmt.Sprintf("Pod %s may not ask the cluster's DNS, so that it cannot look up any name: %s.", pod.Name, denied.Why),
		Evidence: []Evidence{{What: k.Address, Seen: "no answer to a lookup: " + string(k.Error)}},
		Next:     edit("permit UDP and TCP 53 to the cluster's DNS", denied.Limits[0]),
	}
}

// policyDeniesSome is a Service of whose endpoints policies permit some and deny
// others: it fails as often as it leads to one of these.
func (k kase) policyDeniesSome() *Cause {
	from := k.Pod(k.Source.Pod)
	inside := k.Path.Entry == AtClusterIP || k.Path.Entry == AtHeadless
	if from == nil || from.HostNetwork || !inside || !lost(k.Error) || k.Stage != StageConnect {
		return nil
	}
	ends := k.traffics(k.Check)
	denied, answer := 0, 0
	var why *PolicyWalk
	for _, t := range ends {
		p, r := firstDenied(k.leave(t), k.enter(t)), k.dialed(kube.Endpoint{Address: t.toIP, Port: t.port})
		switch {
		case p != nil:
			denied, why = denied+1, p
		case r != nil && !connected(r):
			return nil // it is permitted, and fails as well
		case r != nil:
			answer++
		}
	}
	permitted := len(ends) - denied
	if denied == 0 || permitted == 0 {
		return nil
	}
	return &Cause{
		Summary: fmt.Sprintf("NetworkPolicies permit %s to reach %s endpoints of Service %s only, and it fails as often as it is led to another one: %s.",
			from.Name, of(permitted, len(ends)), k.Path.Service.Name, why.Why),
		Evidence: []Evidence{k.seenAs(string(k.Error)), {What: of(answer, permitted) + " permitted endpoints", Seen: "answer"}},
		Next:     edit("permit all endpoints of the Service, or none", why.Limits[0]),
	}
}

// edit is the command that changes a NetworkPolicy.
func edit(note string, p *kube.NetworkPolicy) Next {
	return run(note, "kubectl", "edit", "networkpolicy", "-n", p.Namespace, p.Name)
}

// firstDenied is the first of the walks that denies.
func firstDenied(walks ...PolicyWalk) *PolicyWalk {
	for i := range walks {
		if walks[i].Ruling == Denied {
			return &walks[i]
		}
	}
	return nil
}
