package path

import (
	"fmt"
	"net/netip"
	"slices"

	"podpath/kube"
)

// noSuchAddress is an address of the Pods' network, or one among those of
// Services, that nobody has: Pods and Services get another one when they are
// made anew.
func (k kase) noSuchAddress() *Cause {
	address := k.Ask.Host
	owned := k.Path.Entry != NoEntry || k.Path.Pod.Name != "" || k.Path.Node != ""
	if owned || k.Stage != StageConnect || k.Error == NoError || k.Error == Refused || !k.nobody(address) {
		return nil
	}
	c := &Cause{Evidence: k.failedHere(), Next: run("who has taken its place?", "kubectl", "get", "services,pods", "-A", "-o", "wide")}
	for _, n := range k.Nodes {
		if slices.ContainsFunc(n.PodCIDRs, func(cidr string) bool { return within(cidr, address) }) {
			c.Summary = fmt.Sprintf("No Pod has the address %s: it is of the Pods' network on Node %s, "+
				"and a Pod that is made anew gets another one.", address, n.Name)
			return c
		}
	}
	if low, high := k.around(address); low != "" && high != "" {
		c.Summary = fmt.Sprintf("No Service has the address %s: it is among those of Services (%s and %s are), "+
			"and a Service that is made anew gets another one.", address, low, high)
		return c
	}
	return nil
}

// nobody reports that no Service and no Pod of any namespace has an address. The
// API finds them by the first of their addresses only.
func (w *World) nobody(address string) bool {
	two := slices.ContainsFunc(w.Nodes, func(n *kube.Node) bool { return len(n.PodCIDRs) > 1 })
	return slices.Contains(w.Nobody, address) && !two || w.Scope.All() && w.State(kube.Pods).Listed && w.State(kube.Services).Listed
}

// around are cluster IPs below and above an address of IPv4: all of them come
// from one block, so that what lies between is of that block as well.
func (w *World) around(address string) (low, high string) {
	const largest = 12 // the API server takes no larger block (--service-cluster-ip-range)
	at, err := netip.ParseAddr(address)
	if err != nil || !at.Is4() {
		return "", ""
	}
	block := netip.PrefixFrom(at, largest)
	for _, svc := range w.Services {
		for _, ip := range svc.ClusterIPs {
			a, err := netip.ParseAddr(ip)
			switch {
			case err != nil || !block.Masked().Contains(a):
			case a.Less(at):
				low = ip
			default:
				high = ip
			}
		}
	}
	return low, high
}
