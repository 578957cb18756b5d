package kube

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// ServiceKind is how a Service is reached. It is the API's type, with
// Headless set apart: a Service without a cluster IP (clusterIP: None).
type ServiceKind string

// The kinds of Service.
const (
	ClusterIP    ServiceKind = "ClusterIP"
	Headless     ServiceKind = "Headless"
	NodePort     ServiceKind = "NodePort"
	LoadBalancer ServiceKind = "LoadBalancer"
	ExternalName ServiceKind = "ExternalName"
)

// Service is a Service joined with its endpoints and with what is wrong with
// it.
type Service struct {
	Namespace, Name, UID string
	Kind                 ServiceKind
	ClusterIPs           []string
	ExternalIPs          []string
	// LoadBalancerAddresses are the addresses or host names that a load
	// balancer controller has assigned.
	LoadBalancerAddresses []string
	// ExternalName is the DNS name that an ExternalName Service stands for.
	ExternalName string
	Ports        []ServicePort
	Selector     Labels
	Labels       Labels
	// ClientIPAffinity is set for sessionAffinity ClientIP.
	ClientIPAffinity bool
	// LocalExternal and LocalInternal are set where the traffic policy is
	// Local: only endpoints on the receiving Node are used.
	LocalExternal, LocalInternal bool
	// PublishNotReady makes endpoints count as ready for DNS and slices
	// whatever their Pods say.
	PublishNotReady bool
	// SourceRanges are the networks from which a LoadBalancer Service takes
	// connections at its load balancer (spec.loadBalancerSourceRanges); empty
	// for everybody.
	SourceRanges []string
	// TrafficDistribution is which endpoints are preferred, such as
	// PreferSameZone or PreferClose (spec.trafficDistribution, KEP-4444,
	// KEP-3015); empty for no preference.
	TrafficDistribution string
	// IPFamilies are IPv4, IPv6 or both, the primary one first (KEP-563). An
	// ExternalName Service has none.
	IPFamilies []string
	Created    time.Time

	Endpoints []Endpoint
	// Slices are all EndpointSlices of the Service in the order of their names,
	// also those that hold no usable endpoint. An ExternalName Service has none.
	Slices []Slice
	Counts EndpointCounts
	Flags  []Flag
}

// Key returns the Service's namespace and name.
func (s *Service) Key() Key { return Key{s.Namespace, s.Name} }

// ServicePort is one port of a Service.
type ServicePort struct {
	Name     string
	Protocol string
	Port     int
	// TargetPort is the port of the Pods: a number, or the name of a port
	// that their containers declare.
	TargetPort string
	NodePort   int // 0 when there is none
	// AppProtocol is what is spoken there, such as https, where somebody says so.
	AppProtocol string
}

// String writes the way of a connection: 8080→80/TCP, with the node port in
// front for Services that have one: 30080:8080→80/TCP.
func (p ServicePort) String() string {
	s := fmt.Sprintf("%d→%s/%s", p.Port, p.TargetPort, p.Protocol)
	if p.NodePort != 0 {
		s = fmt.Sprintf("%d:%s", p.NodePort, s)
	}
	return s
}

// named reports whether the target port is a name that each Pod resolves for
// itself.
func (p ServicePort) named() bool {
	_, err := strconv.Atoi(p.TargetPort)
	return err != nil
}

// External lists the addresses by which a Service is reached from outside the
// cluster, or the name that it stands for.
func (s *Service) External() []string {
	if s.Kind == ExternalName {
		return []string{s.ExternalName}
	}
	return slices.Concat(s.LoadBalancerAddresses, s.ExternalIPs)
}

func newService(in interner, o *corev1.Service) *Service {
	s := &Service{
		Namespace:        in.text(o.Namespace),
		Name:             Clean(o.Name),
		UID:              Clean(string(o.UID)),
		Kind:             ServiceKind(in.text(string(o.Spec.Type))),
		ExternalIPs:      in.texts(o.Spec.ExternalIPs),
		Selector:         newLabels(in, o.Spec.Selector),
		Labels:           newLabels(in, o.Labels),
		ClientIPAffinity: o.Spec.SessionAffinity == corev1.ServiceAffinityClientIP,
		LocalExternal:    o.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal,
		LocalInternal:    o.Spec.InternalTrafficPolicy != nil && *o.Spec.InternalTrafficPolicy == corev1.ServiceInternalTrafficPolicyLocal,
		PublishNotReady:  o.Spec.PublishNotReadyAddresses,
		SourceRanges:     in.texts(o.Spec.LoadBalancerSourceRanges),
		Created:          o.CreationTimestamp.Time,
	}
	if o.Spec.TrafficDistribution != nil {
		s.TrafficDistribution = in.text(*o.Spec.TrafficDistribution)
	}
	for _, family := range o.Spec.IPFamilies {
		s.IPFamilies = append(s.IPFamilies, in.text(string(family)))
	}
	switch {
	case s.Kind == ExternalName:
		s.ExternalName = Clean(o.Spec.ExternalName)
		s.Selector = nil // the control plane ignores it
	case o.Spec.ClusterIP == corev1.ClusterIPNone:
		s.Kind = Headless
	case s.Kind == "":
		s.Kind = ClusterIP
	}
	if s.Kind != Headless {
		s.ClusterIPs = in.texts(o.Spec.ClusterIPs)
		if len(s.ClusterIPs) == 0 && o.Spec.ClusterIP != "" {
			s.ClusterIPs = []string{Clean(o.Spec.ClusterIP)}
		}
	}
	for _, p := range o.Spec.Ports {
		target := p.TargetPort.String()
		if target == "" || target == "0" {
			target = strconv.Itoa(int(p.Port))
		}
		port := ServicePort{Name: in.text(p.Name), Protocol: in.text(string(p.Protocol)), Port: int(p.Port), TargetPort: in.text(target), NodePort: int(p.NodePort)}
		if p.AppProtocol != nil {
			port.AppProtocol = in.text(*p.AppProtocol)
		}
		s.Ports = append(s.Ports, port)
	}
	for _, i := range o.Status.LoadBalancer.Ingress {
		if address := cmp.Or(i.IP, i.Hostname); address != "" {
			s.LoadBalancerAddresses = append(s.LoadBalancerAddresses, Clean(address))
		}
	}
	return s
}
