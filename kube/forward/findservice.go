package forward

import (
	"fmt"
	"slices"
	"strconv"

	"podpath/kube"
)

func (d Destination) findService(s *kube.Snapshot) (View, error) {
	svc := s.Service(d.Key)
	switch {
	case svc == nil:
		var names []string
		for _, other := range s.Services {
			if other.Namespace == d.Namespace {
				names = append(names, "svc/"+other.Name)
			}
		}
		return View{}, fmt.Errorf("there is no Service %q in namespace %s%s", d.Name, d.Namespace, kube.Among(names))
	case svc.Kind == kube.ExternalName:
		return View{}, fmt.Errorf("the Service is of type ExternalName: it is another name for %s in the cluster's DNS and has no endpoints; connect to %s itself", svc.ExternalName, svc.ExternalName)
	}
	v, pick, err := d.servicePort(svc)
	if err != nil {
		return View{}, err
	}
	for _, e := range svc.Endpoints {
		if port, ok := pick(e); ok {
			t := Target{Address: e.Address, Port: port, Namespace: svc.Namespace, Pod: e.Pod, Node: e.Node}
			v.Endpoints = append(v.Endpoints, Endpoint{t, e.Ready, e.Serving, e.Terminating})
		}
	}
	family := ""
	if len(svc.ClusterIPs) > 0 {
		family = familyOf(svc.ClusterIPs[0])
	}
	v.Endpoints = unique(primary(v.Endpoints, family))
	v.Why = whyNone(svc, v.Endpoints)
	return v, nil
}

// servicePort finds the port of a Service, and which endpoints have it under
// which number. A headless Service does not translate numbers: its name stands
// for Pods, and whoever uses it reaches the port that he asks for.
func (d Destination) servicePort(svc *kube.Service) (View, func(kube.Endpoint) (int, bool), error) {
	number, _ := strconv.Atoi(d.Port)
	if svc.Kind == kube.Headless && number > 0 {
		v := View{Port: number, Protocol: "TCP"}
		if i := slices.IndexFunc(svc.Ports, func(p kube.ServicePort) bool { return p.Port == number }); i >= 0 {
			v.PortName, v.AppProtocol = svc.Ports[i].Name, svc.Ports[i].AppProtocol
		}
		if d.Protocol != "" {
			v.Protocol = d.Protocol
		} else if only := protocolOf(svc, number); only != "" {
			v.Protocol = only
		}
		return v, func(kube.Endpoint) (int, bool) { return number, true }, nil
	}
	p, err := d.choose(svc)
	if err != nil {
		return View{}, nil, err
	}
	return View{Port: p.Port, Protocol: p.Protocol, PortName: p.Name, AppProtocol: p.AppProtocol}, func(e kube.Endpoint) (int, bool) {
		return e.Port, e.PortName == p.Name && e.Protocol == p.Protocol && e.Port > 0
	}, nil
}

// choose finds the Service's port that the destination names; TCP where there
// is the same number for UDP as well.
func (d Destination) choose(svc *kube.Service) (kube.ServicePort, error) {
	var found []kube.ServicePort
	var names []string
	for _, p := range svc.Ports {
		names = append(names, portWord(p.Name, p.Port, p.Protocol))
		if (p.Name == d.Port && p.Name != "" || strconv.Itoa(p.Port) == d.Port) && (d.Protocol == "" || d.Protocol == p.Protocol) {
			found = append(found, p)
		}
	}
	if i := slices.IndexFunc(found, func(p kube.ServicePort) bool { return p.Protocol == "TCP" }); i >= 0 {
		return found[i], nil
	}
	switch {
	case len(found) == 0 && d.Port == "":
		return kube.ServicePort{}, fmt.Errorf("say which port%s", kube.Among(names))
	case len(found) == 0:
		return kube.ServicePort{}, fmt.Errorf("the Service has no port %q%s", d.Port, kube.Among(names))
	case found[0].Protocol != "UDP":
		return kube.ServicePort{}, fmt.Errorf("podpath forwards TCP and UDP, not %s", found[0].Protocol)
	}
	return found[0], nil
}

// protocolOf returns the protocol of a port of the Service, TCP before others,
// or "".
func protocolOf(svc *kube.Service, port int) (protocol string) {
	for _, p := range svc.Ports {
		if p.Port == port && protocol != "TCP" {
			protocol = p.Protocol
		}
	}
	return protocol
}

func portWord(name string, port int, protocol string) string {
	return kube.ContainerPort{Name: name, Port: port, Protocol: protocol}.String()
}

// unique keeps the first of endpoints with the same address and port: those
// of a headless Service come once for each of its ports.
func unique(endpoints []Endpoint) []Endpoint {
	seen := map[string]bool{}
	return slices.DeleteFunc(endpoints, func(e Endpoint) bool {
		key := e.Address + " " + strconv.Itoa(e.Port)
		again := seen[key]
		seen[key] = true
		return again
	})
}

// whyNone says why no endpoint of the Service is ready.
func whyNone(svc *kube.Service, endpoints []Endpoint) string {
	if slices.ContainsFunc(endpoints, func(e Endpoint) bool { return e.Ready && !e.Terminating }) {
		return ""
	}
	for _, f := range svc.Flags {
		if f.Code != kube.LoadBalancerPending {
			return f.Message
		}
	}
	return fmt.Sprintf("Service %s has no ready endpoint for this port.", svc.Name)
}
