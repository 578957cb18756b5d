package probes

import (
	"net/netip"
	"slices"

	"podpath/kube"
)

// World is everything that is known before a probe is sent. It does not
// change.
type World struct {
	*kube.Snapshot
	Ingresses []*kube.Ingress
	Policies  []*kube.NetworkPolicy
	// NamespaceLabels are the labels of the namespaces, for policies.
	NamespaceLabels map[string]kube.Labels
	// PoliciesUnknown is set when Policies could not be read.
	PoliciesUnknown bool
	// Unknown says of what could not be read why, for example Ingresses.
	Unknown []error
	// LocalNode is the Node that podpath itself runs on, or "".
	LocalNode string
	// LocalPod is the Pod that podpath itself runs in; its Name is empty
	// elsewhere. It is no source of a plan, since local is.
	LocalPod kube.Key
	// Equipped are the Pods that are known to have a container with tools: where
	// one Pod of several will do, a plan starts from these.
	Equipped map[kube.Key]bool
	// Home is the namespace of names that are written without one; "" when
	// podpath looks at all namespaces.
	Home string
}

// podAt finds the Pod with an address of its own.
func (w *World) podAt(address string) *kube.Pod {
	for _, p := range w.Pods {
		if p.HostNetwork || p.Finished {
			continue
		}
		for _, ip := range p.IPs {
			if ip == address {
				return p
			}
		}
	}
	return nil
}

// serviceAt finds the Service with a virtual address.
func (w *World) serviceAt(address string) *kube.Service {
	for _, s := range w.Services {
		for _, ip := range s.ClusterIPs {
			if ip == address {
				return s
			}
		}
	}
	return nil
}

// nodeOf returns the Node that podpath runs on when these are its addresses:
// on the Node itself, or in a Pod there. It is "" outside of the cluster.
func nodeOf(s *kube.Snapshot, addresses []netip.Addr, inPod bool) string {
	for _, a := range addresses {
		for _, n := range s.Nodes {
			if slices.Contains(n.InternalIPs, a.String()) {
				return n.Name
			}
		}
	}
	if !inPod {
		return "" // the networks of other clusters may have the same addresses
	}
	for _, a := range addresses {
		for _, n := range s.Nodes {
			if slices.ContainsFunc(n.PodCIDRs, func(cidr string) bool {
				block, err := netip.ParsePrefix(cidr)
				return err == nil && block.Contains(a)
			}) {
				return n.Name
			}
		}
		for _, p := range s.Pods {
			if slices.Contains(p.IPs, a.String()) {
				return p.Node
			}
		}
	}
	return ""
}

// podOf returns the Pod that podpath runs in when these are its addresses.
func podOf(s *kube.Snapshot, addresses []netip.Addr) kube.Key {
	for _, p := range s.Pods {
		if !p.HostNetwork && !p.Finished && slices.ContainsFunc(addresses, func(a netip.Addr) bool { return slices.Contains(p.IPs, a.String()) }) {
			return p.Key()
		}
	}
	return kube.Key{}
}
