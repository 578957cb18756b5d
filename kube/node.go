package kube

import (
	"cmp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Node is what podpath keeps of a Node.
type Node struct {
	Name, UID string
	Roles     []string
	// Ready is the Node's Ready condition; it is false as well when the
	// control plane has not heard from the Node (condition Unknown).
	Ready bool
	// Status is worded as in kubectl get nodes: Ready, NotReady (also when the
	// condition is Unknown), or Unknown when the Node never reported; with
	// ,SchedulingDisabled for a cordoned Node.
	Status       string
	InternalIPs  []string
	ExternalIPs  []string
	PodCIDRs     []string
	Version      string // of the kubelet
	Arch         string
	OS           string // the image, such as Debian GNU/Linux 12
	Kernel       string
	Runtime      string
	Zone         string
	Taints       []string
	Labels       Labels
	Created      time.Time
	Flags        []Flag
	PodsCapacity int64
}

// Key returns the Node's name.
func (n *Node) Key() Key { return Key{Name: n.Name} }

// InternalIP returns the first internal address, or "".
func (n *Node) InternalIP() string {
	if len(n.InternalIPs) == 0 {
		return ""
	}
	return n.InternalIPs[0]
}

const rolePrefix = "node-role.kubernetes.io/"

func newNode(in interner, o *corev1.Node) *Node {
	info := o.Status.NodeInfo
	n := &Node{
		Name:         in.text(o.Name),
		UID:          Clean(string(o.UID)),
		PodCIDRs:     in.texts(o.Spec.PodCIDRs),
		Version:      in.text(info.KubeletVersion),
		Arch:         in.text(info.Architecture),
		OS:           in.text(info.OSImage),
		Kernel:       in.text(info.KernelVersion),
		Runtime:      in.text(info.ContainerRuntimeVersion),
		Zone:         in.text(o.Labels[corev1.LabelTopologyZone]),
		Labels:       newLabels(in, o.Labels),
		Created:      o.CreationTimestamp.Time,
		PodsCapacity: o.Status.Allocatable.Pods().Value(),
	}
	for key, value := range o.Labels {
		if role, ok := strings.CutPrefix(key, rolePrefix); ok && role != "" {
			n.Roles = append(n.Roles, in.text(role))
		} else if key == "kubernetes.io/role" && value != "" {
			n.Roles = append(n.Roles, in.text(value))
		}
	}
	slices.Sort(n.Roles)
	n.Roles = slices.Compact(n.Roles)
	for _, a := range o.Status.Addresses {
		switch a.Type {
		case corev1.NodeInternalIP:
			n.InternalIPs = append(n.InternalIPs, Clean(a.Address))
		case corev1.NodeExternalIP:
			n.ExternalIPs = append(n.ExternalIPs, Clean(a.Address))
		case corev1.NodeHostName, corev1.NodeInternalDNS, corev1.NodeExternalDNS: // no addresses
		}
	}
	for _, t := range o.Spec.Taints {
		n.Taints = append(n.Taints, in.text(t.ToString()))
	}
	n.setStatus(o)
	return n
}

func (n *Node) setStatus(o *corev1.Node) {
	n.Status = "Unknown"
	why := "it has never reported a Ready condition"
	for _, c := range o.Status.Conditions {
		if c.Type != corev1.NodeReady {
			continue
		}
		n.Ready = c.Status == corev1.ConditionTrue
		why = Clean(cmp.Or(c.Message, c.Reason, "its Ready condition is "+string(c.Status)))
		switch c.Status {
		case corev1.ConditionTrue:
			n.Status = "Ready"
		case corev1.ConditionFalse, corev1.ConditionUnknown:
			n.Status = "NotReady" // kubectl's word for both
		}
	}
	if o.Spec.Unschedulable {
		n.Status += ",SchedulingDisabled"
	}
	if !n.Ready {
		n.Flags = []Flag{nodeNotReady(n.Name, why)}
	}
}
