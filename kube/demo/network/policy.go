package network

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// denied reports whether a NetworkPolicy denies a packet, by the rules of
// networking/v1. They are written anew here and not shared with package probes:
// what expects and what enforces should not err together.
func (v *view) denied(from *host, seen netip.Addr, to *host, proto string, port uint16) bool {
	if from.node != nil && from.node == to.node && (from.pod == nil || to.pod == nil) || from == to {
		return false // a Node always reaches its own Pods, and they reach it
	}
	sender := v.addresses[seen]
	for _, at := range []*host{from, to} {
		if at == nil || at.pod == nil {
			continue
		}
		ingress, limited, permitted := at == to, false, false
		for _, p := range v.policies {
			types := p.Spec.PolicyTypes
			if len(types) == 0 {
				types = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
				if len(p.Spec.Egress) > 0 {
					types = append(types, networkingv1.PolicyTypeEgress)
				}
			}
			direction := networkingv1.PolicyTypeEgress
			if ingress {
				direction = networkingv1.PolicyTypeIngress
			}
			ignored := v.namespaces[p.Namespace] != nil && v.namespaces[p.Namespace].Annotations[PoliciesAnnotation] == "ignored"
			if ignored || p.Namespace != at.pod.Namespace || !slices.Contains(types, direction) || !selects(&p.Spec.PodSelector, at.pod.Labels) {
				continue
			}
			limited = true
			if ingress {
				permitted = permitted || slices.ContainsFunc(p.Spec.Ingress, func(r networkingv1.NetworkPolicyIngressRule) bool {
					return v.permitsPeer(r.From, p.Namespace, sender, seen) && permitsPort(r.Ports, to.pod, proto, port)
				})
			} else {
				permitted = permitted || slices.ContainsFunc(p.Spec.Egress, func(r networkingv1.NetworkPolicyEgressRule) bool {
					return v.permitsPeer(r.To, p.Namespace, to, to.ip) && permitsPort(r.Ports, to.pod, proto, port)
				})
			}
		}
		if limited && !permitted {
			return true
		}
	}
	return false
}

func selects(selector *metav1.LabelSelector, of labels.Set) bool {
	s, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && s.Matches(of)
}

func (v *view) permitsPeer(peers []networkingv1.NetworkPolicyPeer, namespace string, peer *host, ip netip.Addr) bool {
	within := func(cidr string) bool { block, err := netip.ParsePrefix(cidr); return err == nil && block.Contains(ip) }
	return len(peers) == 0 || slices.ContainsFunc(peers, func(p networkingv1.NetworkPolicyPeer) bool {
		switch {
		case p.IPBlock != nil:
			return within(p.IPBlock.CIDR) && !slices.ContainsFunc(p.IPBlock.Except, within)
		case peer == nil || peer.pod == nil:
			return false
		case p.PodSelector != nil && !selects(p.PodSelector, peer.pod.Labels):
			return false
		case p.NamespaceSelector != nil:
			return selects(p.NamespaceSelector, v.namespaceLabels(peer.pod.Namespace))
		}
		return peer.pod.Namespace == namespace
	})
}

func permitsPort(ports []networkingv1.NetworkPolicyPort, pod *corev1.Pod, proto string, number uint16) bool {
	return len(ports) == 0 || slices.ContainsFunc(ports, func(p networkingv1.NetworkPolicyPort) bool {
		switch {
		case protocol(value(p.Protocol)) != proto:
			return false
		case p.Port == nil:
			return true
		case p.Port.Type == intstr.Int:
			return int32(number) >= p.Port.IntVal && int32(number) <= max(p.Port.IntVal, value(p.EndPort))
		}
		return pod != nil && PortNamed(pod, p.Port.StrVal, value(p.Protocol)) == int32(number)
	})
}

// PortNamed is the number of a port that a container of the Pod declares, or 0.
func PortNamed(pod *corev1.Pod, name string, p corev1.Protocol) int32 {
	for _, c := range pod.Spec.Containers {
		for _, declared := range c.Ports {
			if declared.Name == name && protocol(declared.Protocol) == protocol(p) {
				return declared.ContainerPort
			}
		}
	}
	return 0
}
