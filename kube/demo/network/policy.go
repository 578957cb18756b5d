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
	if from.node == to.node {
		seen = from.ip // within a machine kube-proxy masquerades after policies have decided
	}
	shut := func(at *host, direction networkingv1.PolicyType, peer *host, ip netip.Addr) (shut bool) {
		for _, p := range v.limits(at, direction) {
			shut = true
			for _, r := range rules(p, direction) {
				if v.permitsPeer(r.From, p.Namespace, peer, ip) && permitsPort(r.Ports, to.pod, proto, port) {
					return false
				}
			}
		}
		return shut
	}
	return shut(from, networkingv1.PolicyTypeEgress, to, to.ip) || shut(to, networkingv1.PolicyTypeIngress, v.addresses[seen], seen)
}

// limits are the policies that limit a Pod in a direction.
func (v *view) limits(at *host, direction networkingv1.PolicyType) []*networkingv1.NetworkPolicy {
	if at.pod == nil || v.namespace(at.pod.Namespace).Annotations[PoliciesAnnotation] == "ignored" {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(v.policies), func(p *networkingv1.NetworkPolicy) bool {
		return p.Namespace != at.pod.Namespace || !applies(&p.Spec, direction) || !selects(&p.Spec.PodSelector, at.pod.Labels)
	})
}

// applies reports whether a policy is for a direction.
func applies(p *networkingv1.NetworkPolicySpec, direction networkingv1.PolicyType) bool {
	if len(p.PolicyTypes) > 0 {
		return slices.Contains(p.PolicyTypes, direction)
	}
	return direction == networkingv1.PolicyTypeIngress || len(p.Egress) > 0
}

// rules are those of a policy in a direction. Either has peers and ports.
func rules(p *networkingv1.NetworkPolicy, direction networkingv1.PolicyType) []networkingv1.NetworkPolicyIngressRule {
	if direction == networkingv1.PolicyTypeIngress {
		return p.Spec.Ingress
	}
	var out []networkingv1.NetworkPolicyIngressRule
	for _, r := range p.Spec.Egress {
		out = append(out, networkingv1.NetworkPolicyIngressRule{From: r.To, Ports: r.Ports})
	}
	return out
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
			return selects(p.NamespaceSelector, v.namespace(peer.pod.Namespace).Labels)
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
