package forward

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"podpath/kube"
)

// Endpoint is a target and what the cluster says about it.
type Endpoint struct {
	Target
	// Ready, Serving and Terminating are its conditions, as EndpointSlices
	// have them.
	Ready, Serving, Terminating bool
}

// eligible reports whether an endpoint is of the first choice, or of the
// second that counts where there is no first (KEP-1669).
func (e Endpoint) eligible() (first, second bool) {
	return e.Ready && !e.Terminating, e.Serving && e.Terminating
}

// state says the conditions in one word.
func (e Endpoint) state() string {
	switch {
	case e.Terminating:
		return "terminating"
	case e.Ready:
		return "ready"
	default:
		return "not ready"
	}
}

// View is a destination at one moment.
type View struct {
	Endpoints []Endpoint
	// Port is the number by which the destination is known, which a local
	// listener has unless told otherwise. Protocol is TCP or UDP.
	Port     int
	Protocol string
	// PortName and AppProtocol are what the Service, or the Pod, says of the
	// port; "" where it says nothing.
	PortName, AppProtocol string
	// Why says why no endpoint is ready; "" where one is.
	Why string
	// Exists reports whether the Pod behind a target is still there. Where it
	// is not, open connections to it are dead.
	Exists func(Target) bool
}

// Find looks a destination up. It fails when there is no such object or no
// such port, and for Services that have no endpoints by nature.
func (d Destination) Find(s *kube.Snapshot) (View, error) {
	find := d.findPods
	if d.Kind == ToService {
		find = d.findService
	}
	v, err := find(s)
	if err != nil {
		return View{}, fmt.Errorf("%s: %w", d.Label, err)
	}
	for i, e := range v.Endpoints {
		p := s.Pod(kube.Key{Namespace: e.Namespace, Name: e.Pod})
		if p != nil && !p.Deleted.IsZero() && slices.Contains(p.IPs, e.Address) {
			v.Endpoints[i].Terminating = true // its EndpointSlice says so a moment later
		}
	}
	v.Exists = func(t Target) bool { return podExists(s, t) }
	return v, nil
}

func podExists(s *kube.Snapshot, t Target) bool {
	if state := s.State(kube.Pods); t.Pod == "" || !state.Listed || state.Phase != kube.Live {
		return true // nobody said otherwise
	}
	p := s.Pod(kube.Key{Namespace: t.Namespace, Name: t.Pod})
	return p != nil && !p.Finished && slices.Contains(p.IPs, t.Address)
}

// Ports lists the ports of a destination that has none yet: those of the
// Service, or those that the Pods declare.
func (d Destination) Ports(s *kube.Snapshot) []Destination {
	var out []Destination
	add := func(port int, protocol string) {
		word := strconv.Itoa(port)
		if protocol == "UDP" {
			word += "/udp"
		}
		with, err := d.WithPort(word)
		if err == nil && protocol != "SCTP" && !slices.Contains(out, with) {
			out = append(out, with)
		}
	}
	if d.Kind == ToService {
		if svc := s.Service(d.Key); svc != nil {
			for _, p := range svc.Ports {
				add(p.Port, p.Protocol)
			}
		}
		return out
	}
	for _, p := range d.pods(s) {
		for _, port := range p.Ports() {
			add(port.Port, port.Protocol)
		}
	}
	return out
}

// primary keeps the endpoints of one IP family, the first of the list: a Pod
// with two addresses is one backend.
func primary(endpoints []Endpoint, family string) []Endpoint {
	first := ""
	for _, e := range endpoints {
		switch f := familyOf(e.Address); {
		case f == "":
		case f == family:
			first = f
		case first == "":
			first = f
		}
	}
	return slices.DeleteFunc(endpoints, func(e Endpoint) bool { return familyOf(e.Address) != first })
}

// familyOf returns IPv4, IPv6, or "" for what is no address.
func familyOf(address string) string {
	a, err := netip.ParseAddr(address)
	switch {
	case err != nil:
		return ""
	case a.Is4():
		return "IPv4"
	default:
		return "IPv6"
	}
}
