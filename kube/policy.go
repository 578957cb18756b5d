package kube

import (
	"context"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// NetworkPolicy is what podpath keeps of a NetworkPolicy.
type NetworkPolicy struct {
	Namespace, Name string
	// Pods are those of its namespace that the policy is about.
	Pods Selector
	// LimitsIngress and LimitsEgress say which directions the policy is about
	// (policyTypes, with the API's default): there, only what a rule permits is
	// permitted, and without rules nothing.
	LimitsIngress, LimitsEgress bool
	Ingress, Egress             []PolicyRule
}

// Key returns the policy's namespace and name.
func (p *NetworkPolicy) Key() Key { return Key{p.Namespace, p.Name} }

// PolicyRule permits traffic with the peers on the ports: without peers, with
// everybody; without ports, on all of them.
type PolicyRule struct {
	Peers []PolicyPeer
	Ports []PolicyPort
}

// PolicyPeer is the other side of permitted traffic: addresses, or Pods.
type PolicyPeer struct {
	// CIDR permits addresses, without those in Except; empty when the peer is
	// Pods.
	CIDR   string
	Except []string
	// Pods selects Pods; nil is all. Namespaces selects where; nil is the
	// policy's own namespace.
	Pods, Namespaces *Selector
}

// PolicyPort is a port, or a range of ports.
type PolicyPort struct {
	Protocol string // TCP, UDP or SCTP
	// Name is a port's name in the Pod; Port its number. Without either all
	// ports of the protocol are meant.
	Name string
	Port int
	// End is the last port of a range; 0 when it is a single one.
	End int
}

// NetworkPolicies lists the NetworkPolicies of the scope. The error is an
// *AccessError when the user may not.
func (c *Client) NetworkPolicies(ctx context.Context, scope Scope) ([]*NetworkPolicy, error) {
	ctx, cancel := c.deadline(ctx)
	defer cancel()
	access := Access{Verb: "list", Group: networkingv1.GroupName, Resource: "networkpolicies", Namespace: scope.Namespace}
	var list networkingv1.NetworkPolicyList
	err := c.networking.Get().Namespace(scope.Namespace).Resource(access.Resource).
		VersionedParams(&metav1.ListOptions{}, metav1.ParameterCodec).Do(ctx).Into(&list)
	if err != nil {
		return nil, access.refusal(err)
	}
	in, out := interner{}, make([]*NetworkPolicy, len(list.Items))
	for i := range list.Items {
		out[i] = newNetworkPolicy(in, &list.Items[i])
	}
	return out, nil
}

func newNetworkPolicy(in interner, o *networkingv1.NetworkPolicy) *NetworkPolicy {
	p := &NetworkPolicy{Namespace: in.text(o.Namespace), Name: Clean(o.Name), Pods: newSelector(in, o.Spec.PodSelector)}
	for _, kind := range o.Spec.PolicyTypes {
		p.LimitsIngress = p.LimitsIngress || kind == networkingv1.PolicyTypeIngress
		p.LimitsEgress = p.LimitsEgress || kind == networkingv1.PolicyTypeEgress
	}
	if len(o.Spec.PolicyTypes) == 0 { // the default of networking/v1
		p.LimitsIngress, p.LimitsEgress = true, len(o.Spec.Egress) > 0
	}
	for _, rule := range o.Spec.Ingress {
		p.Ingress = append(p.Ingress, newPolicyRule(in, rule.From, rule.Ports))
	}
	for _, rule := range o.Spec.Egress {
		p.Egress = append(p.Egress, newPolicyRule(in, rule.To, rule.Ports))
	}
	return p
}

func newPolicyRule(in interner, peers []networkingv1.NetworkPolicyPeer, ports []networkingv1.NetworkPolicyPort) PolicyRule {
	var rule PolicyRule
	selector := func(o *metav1.LabelSelector) *Selector {
		if o == nil {
			return nil
		}
		s := newSelector(in, *o)
		return &s
	}
	for _, o := range peers {
		peer := PolicyPeer{Pods: selector(o.PodSelector), Namespaces: selector(o.NamespaceSelector)}
		if o.IPBlock != nil {
			peer.CIDR, peer.Except = in.text(o.IPBlock.CIDR), in.texts(o.IPBlock.Except)
		}
		rule.Peers = append(rule.Peers, peer)
	}
	for _, o := range ports {
		port := PolicyPort{Protocol: "TCP"} // the default of networking/v1
		if o.Protocol != nil {
			port.Protocol = in.text(string(*o.Protocol))
		}
		switch {
		case o.Port == nil:
		case o.Port.Type == intstr.String:
			port.Name = in.text(o.Port.StrVal)
		default:
			port.Port = o.Port.IntValue()
		}
		if o.EndPort != nil {
			port.End = int(*o.EndPort)
		}
		rule.Ports = append(rule.Ports, port)
	}
	return rule
}
