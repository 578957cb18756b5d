package probes

import (
	"fmt"
	"net/netip"
	"slices"

	"podpath/kube"
)

// listening are the sockets of the Pod at the other end, when they were read
// because it refused.
func (k kase) listening() (listeners []listener, at netip.Addr, port int, known bool) {
	if k.Error != Refused || k.About.Pod == (kube.Key{}) {
		return nil, at, 0, false
	}
	listeners, known = k.evidence.listeners[k.About.Pod]
	address, err := netip.ParseAddrPort(k.Address)
	return listeners, address.Addr(), int(address.Port()), known && err == nil
}

func (k kase) loopbackOnly() *Cause {
	sockets, at, port, known := k.listening()
	if !known || at.IsLoopback() || !slices.ContainsFunc(sockets, func(l listener) bool { return l.Port == port && l.Address.IsLoopback() }) {
		return nil
	}
	return &Cause{
		Code: LoopbackOnly, Summary: fmt.Sprintf("The app in Pod %s listens on port %d for localhost only, so that nobody else reaches it.", k.About.Pod.Name, port),
		Evidence: []string{fmt.Sprintf("%s refuses", k.Address), "/proc/net/tcp in the Pod: it listens on " + listenerList(sockets)},
		Next:     k.again() + "  looks again, once the app's listen address is 0.0.0.0 (or ::)",
	}
}

func (k kase) wrongTargetPort() *Cause {
	sockets, at, port, known := k.listening()
	if !known || slices.ContainsFunc(sockets, func(l listener) bool { return l.takes(at, port) || l.Port == port }) {
		return nil
	}
	what, next := fmt.Sprintf("Nothing in Pod %s listens on port %d", k.About.Pod.Name, port), fmt.Sprintf("kubectl describe pod -n %s %s", k.About.Pod.Namespace, k.About.Pod.Name)
	if svc := k.Service(k.About.Service); svc != nil {
		what += fmt.Sprintf(", the target port of Service %s", svc.Name)
		next = fmt.Sprintf("kubectl edit service -n %s %s  and set targetPort to the port that the app listens on", svc.Namespace, svc.Name)
	}
	return &Cause{
		Code: WrongTargetPort, Summary: what + ".",
		Evidence: []string{fmt.Sprintf("%s refuses", k.Address), "/proc/net/tcp in the Pod: it listens on " + listenerList(sockets)}, Next: next,
	}
}

// notListening is a Pod that refuses, and into which podpath cannot look.
func (k kase) notListening() *Cause {
	if _, _, _, known := k.listening(); known || k.Error != Refused || k.About.Pod == (kube.Key{}) || k.About.Virtual {
		return nil
	}
	return &Cause{
		Code:     NotListening,
		Summary:  fmt.Sprintf("Pod %s refuses connections: its app listens on another port, or on localhost only.", k.About.Pod.Name),
		Evidence: []string{k.Address + " refuses", "no container of the Pod has a tool to see where it listens"},
		Next:     k.again() + " --allow-ephemeral  looks where it listens",
	}
}

func listenerList(sockets []listener) string {
	if len(sockets) == 0 {
		return "no port"
	}
	out := names(sockets, func(l listener) string { return netip.AddrPortFrom(l.Address, uint16(l.Port)).String() })
	slices.Sort(out)
	return list(slices.Compact(out))
}

// lost are the errors of packets that do not arrive.
func lost(e ErrorKind) bool { return e == TimedOut || e == Unreachable }

// crossNode compares paths within a Node with those between the two Nodes.
func (k kase) crossNode() *Cause {
	from, to := k.Source.Node, k.About.Node
	if !lost(k.Error) || k.About.Virtual || from == "" || to == "" || from == to || !k.onPodNetwork(k.About.Pod) {
		return nil
	}
	pair, within := k.all.paths[way{from, to, k.Source.Kind}], k.all.paths[way{to, to, ""}]
	elsewhere := k.others(k.all.at[k.Address], func(r *Result) bool { return r.Source.Node != from && !r.About.Virtual })
	if pair.good > 0 || within.good < within.all || within.all == 0 && count(elsewhere, succeeded) == 0 {
		return nil
	}
	return &Cause{
		Code:    CrossNodeRoute,
		Summary: fmt.Sprintf("Packets from Pods on Node %s to Pods on Node %s, or their answers, get lost: a route, the overlay or a FORWARD rule between the two is missing.", from, to),
		Evidence: []string{
			fmt.Sprintf("0 of %d paths from %s to %s work", pair.all, from, to),
			fmt.Sprintf("%d of %d paths within %s work", within.good, within.all, to),
			fmt.Sprintf("%s answers %d of %d sources elsewhere", k.Address, count(elsewhere, succeeded), len(elsewhere)),
		},
		Next: fmt.Sprintf("on %s and %s: ip route | grep -E 'cni|flannel|10\\.'  and  kubectl get pods -n kube-system -o wide", from, to),
	}
}
