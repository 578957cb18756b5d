package path

import (
	"maps"
	"net/netip"
	"slices"
	"sync"

	"podpath/kube"
)

// World is everything that is known before a probe is sent. It does not
// change; what is read later makes another one (Clone).
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
	// Here are the addresses of the machine that podpath runs on.
	Here []netip.Addr
	// LocalPod is the Pod that podpath itself runs in; its Name is empty
	// elsewhere. It is no source of a plan, since local is.
	LocalPod kube.Key
	// Equipped are the Pods that are known to have a container with tools: where
	// one Pod of several will do, a plan starts from these.
	Equipped map[kube.Key]bool
	// Home is the namespace of names that are written without one; "" when
	// podpath looks at all namespaces.
	Home string
	// Looked are the namespaces besides that of the snapshot's scope that were
	// read, too, because a target lies there, each as it was read.
	Looked map[string]*kube.Snapshot
	// Absent are namespaces that were looked for because a target would lie
	// there, and that do not exist.
	Absent []string
	// Nobody are addresses that were looked for in all namespaces, and that no
	// Service and no Pod has.
	Nobody []string
	// Engines are policy engines besides NetworkPolicy whose API the cluster
	// has, such as cilium.io: what those deny podpath does not know.
	Engines []string

	once   sync.Once
	owners map[string]owner // by address
}

// Clone returns a World that may be added to.
func (w *World) Clone() *World {
	return &World{
		Snapshot: w.Snapshot, Ingresses: slices.Clone(w.Ingresses), Policies: slices.Clone(w.Policies), NamespaceLabels: w.NamespaceLabels,
		PoliciesUnknown: w.PoliciesUnknown, Unknown: slices.Clone(w.Unknown), LocalNode: w.LocalNode, Here: w.Here, LocalPod: w.LocalPod,
		Equipped: w.Equipped, Home: w.Home, Looked: maps.Clone(w.Looked), Absent: slices.Clone(w.Absent), Nobody: slices.Clone(w.Nobody), Engines: w.Engines,
	}
}

// homePods are the Pods of the namespace that podpath looks at: what else was
// read is no part of a plan that nobody asked it of.
func (w *World) homePods() []*kube.Pod {
	return slices.DeleteFunc(slices.Clone(w.Pods), func(p *kube.Pod) bool { return !w.atHome(p.Namespace) })
}

// homeServices are the Services there.
func (w *World) homeServices() []*kube.Service {
	return slices.DeleteFunc(slices.Clone(w.Services), func(svc *kube.Service) bool { return !w.atHome(svc.Namespace) })
}

func (w *World) atHome(namespace string) bool {
	return w.Scope.All() || namespace == w.Scope.Namespace
}

// PodAt finds the Pod with an address of its own.
func (w *World) PodAt(address string) *kube.Pod { return w.addresses()[address].pod }

// knows reports whether podpath could list what there is of a resource in a
// namespace, so that what it does not see there is not there.
func (w *World) knows(r kube.Resource, namespace string) bool {
	if looked := w.Looked[namespace]; looked != nil {
		return looked.State(r).Listed
	}
	return w.State(r).Listed && (w.Scope.All() || w.Scope.Namespace == namespace)
}

// NodeOf returns the Node that podpath runs on when these are its addresses:
// on the Node itself, or in a Pod there. It is "" outside of the cluster.
func NodeOf(s *kube.Snapshot, addresses []netip.Addr, inPod bool) string {
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

// PodOf returns the Pod that podpath runs in when these are its addresses.
func PodOf(s *kube.Snapshot, addresses []netip.Addr) kube.Key {
	for _, p := range s.Pods {
		if !p.HostNetwork && !p.Finished && slices.ContainsFunc(addresses, func(a netip.Addr) bool { return slices.Contains(p.IPs, a.String()) }) {
			return p.Key()
		}
	}
	return kube.Key{}
}
