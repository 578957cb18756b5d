package kube

import (
	"cmp"
	"slices"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
)

// Slice is an EndpointSlice of a Service, as far as it tells more than the
// merged endpoints do: one without endpoints, without ports or of another
// maker leaves no trace in those.
type Slice struct {
	Name string
	// AddressType is IPv4, IPv6 or FQDN. kube-proxy uses no FQDN slice.
	AddressType string
	// Managed is set for a slice kept by the EndpointSlice controller or by the
	// one that mirrors Endpoints, going by the label
	// endpointslice.kubernetes.io/managed-by (KEP-752, KEP-2091). It is not for
	// those that people or other controllers write, nor for that of Service
	// kubernetes, which the API server writes.
	Managed bool
	// Ports apply to every endpoint of the slice; a slice may have none.
	Ports []SlicePort
	// Endpoints is how many endpoints the slice holds, usable or not.
	Endpoints int
	// Addresses are those of its endpoints, each once, in the order of
	// CompareAddresses.
	Addresses []string
}

// SlicePort is one port of an EndpointSlice.
type SlicePort struct {
	Name     string
	Protocol string
	Port     int // 0 when the slice gives none
}

// Stray is an EndpointSlice that leads nowhere: it has no label
// kubernetes.io/service-name, or no Service of that name exists in its
// namespace. For a moment every slice of a Service that was just deleted is
// one.
type Stray struct {
	Namespace, Name string
	Service         string   // what its label says; "" for no label
	Addresses       []string // of its endpoints, each once, in the order of CompareAddresses
}

// Key returns the slice's namespace and name.
func (s Stray) Key() Key { return Key{s.Namespace, s.Name} }

// slice is what podpath keeps of an EndpointSlice.
type slice struct {
	Slice
	namespace string
	service   string // label kubernetes.io/service-name
	endpoints []Endpoint
}

func (s *slice) Key() Key        { return Key{s.namespace, s.Name} }
func (s *slice) serviceKey() Key { return Key{s.namespace, s.service} }

// The makers of slices that follow a Service's selector, or its Endpoints.
const (
	sliceController     = "endpointslice-controller.k8s.io"
	mirroringController = "endpointslicemirroring-controller.k8s.io"
)

func newSlice(in interner, o *discoveryv1.EndpointSlice) *slice {
	s := &slice{namespace: in.text(o.Namespace), service: in.text(o.Labels[discoveryv1.LabelServiceName])}
	maker := o.Labels[discoveryv1.LabelManagedBy]
	s.Slice = Slice{
		Name:        Clean(o.Name),
		AddressType: in.text(string(o.AddressType)),
		Managed:     maker == sliceController || maker == mirroringController,
		Endpoints:   len(o.Endpoints),
	}
	for _, p := range o.Ports {
		s.Ports = append(s.Ports, newSlicePort(in, p))
	}
	ports := s.Ports
	if len(ports) == 0 {
		ports = []SlicePort{{}}
	}
	for _, e := range o.Endpoints {
		base := newEndpoint(in, s, &e)
		for _, address := range e.Addresses {
			base.Address = in.text(address)
			s.Addresses = append(s.Addresses, base.Address)
			for _, p := range ports {
				base.PortName, base.Protocol, base.Port = p.Name, p.Protocol, p.Port
				s.endpoints = append(s.endpoints, base)
			}
		}
	}
	slices.SortFunc(s.Addresses, CompareAddresses)
	s.Addresses = slices.Compact(s.Addresses)
	return s
}

func newSlicePort(in interner, o discoveryv1.EndpointPort) (p SlicePort) {
	if o.Port != nil {
		p.Port = int(*o.Port)
	}
	if o.Name != nil {
		p.Name = in.text(*o.Name)
	}
	if o.Protocol != nil {
		p.Protocol = in.text(string(*o.Protocol))
	}
	return p
}

// newEndpoint reads one endpoint of the slice, without its address and port.
func newEndpoint(in interner, s *slice, o *discoveryv1.Endpoint) Endpoint {
	e := Endpoint{
		Ready:       o.Conditions.Ready == nil || *o.Conditions.Ready,
		Terminating: o.Conditions.Terminating != nil && *o.Conditions.Terminating,
		Slice:       s.Name,
		Managed:     s.Managed,
	}
	e.Serving = e.Ready
	if o.Conditions.Serving != nil {
		e.Serving = *o.Conditions.Serving
	}
	if o.NodeName != nil {
		e.Node = in.text(*o.NodeName)
	}
	if o.Zone != nil {
		e.Zone = in.text(*o.Zone)
	}
	if o.Hostname != nil {
		e.Hostname = in.text(*o.Hostname)
	}
	if o.TargetRef != nil && o.TargetRef.Kind == "Pod" && cmp.Or(o.TargetRef.Namespace, s.namespace) == s.namespace {
		e.Pod = in.text(o.TargetRef.Name)
	}
	if o.Hints != nil {
		e.hintNodes = hints(in, o.Hints.ForNodes, func(n discoveryv1.ForNode) string { return n.Name })
		e.hintZones = hints(in, o.Hints.ForZones, func(z discoveryv1.ForZone) string { return z.Name })
	}
	return e
}

// hints joins names with commas, which names of Nodes and zones cannot hold.
func hints[H any](in interner, list []H, name func(H) string) string {
	names := make([]string, len(list))
	for i, h := range list {
		names[i] = name(h)
	}
	return in.text(strings.Join(names, ","))
}
