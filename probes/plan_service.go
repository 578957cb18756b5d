package probes

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"podpath/kube"
)

// services are the ways to each Service, by the rule of its kind, and to each
// of its endpoints next to it.
func (p *plan) services(sources []Source) {
	for _, svc := range p.Services {
		for _, s := range sources {
			p.service(s, svc, "")
		}
	}
	for _, i := range p.Ingresses {
		p.ingress(p.local(), i)
	}
}

// service plans a Service, or one of its ports. It returns how many ports there
// are.
func (p *plan) service(s Source, svc *kube.Service, port string) int {
	if svc.Kind == kube.ExternalName {
		p.externalName(s, svc)
		return 0
	}
	n := 0
	for _, sp := range svc.Ports {
		if sp.Protocol != "TCP" || port != "" && port != sp.Name && port != strconv.Itoa(sp.Port) {
			continue
		}
		n++
		p.virtual(s, svc, sp)
		p.endpoints(s, svc, sp)
		p.nodePorts(s, svc, sp)
		p.external(s, svc, sp)
	}
	if svc.Kind == kube.Headless && s.Kind == FromPod {
		p.headless(s, svc)
	}
	return n
}

func serviceLabel(p *plan, svc *kube.Service, port int) string {
	return fmt.Sprintf("svc/%s:%d", p.name(svc.Key()), port)
}

func (p *plan) virtual(s Source, svc *kube.Service, sp kube.ServicePort) {
	for i, address := range svc.ClusterIPs {
		label := serviceLabel(p, svc, sp.Port)
		if i > 0 {
			label += "@" + address
		}
		p.add(Check{
			Group: Services, Source: s, Target: label, Kind: TCP, Ask: Ask{Host: address, Port: sp.Port},
			Expect: p.expectVirtual(s, svc, sp),
			About:  About{Service: svc.Key(), Port: sp, Virtual: true},
		})
	}
}

// endpoints are dialed one by one, so that "the Service is broken" and "one
// Pod is broken" are different answers.
func (p *plan) endpoints(s Source, svc *kube.Service, sp kube.ServicePort) {
	all := endpointsOf(svc, sp)
	if p.mostEndpoints > 0 {
		all = all[:min(len(all), p.mostEndpoints)]
	}
	for _, e := range all {
		c := Check{
			Group: Services, Source: s, Kind: TCP, Ask: Ask{Host: e.Address, Port: e.Port},
			Target: net.JoinHostPort(e.Address, strconv.Itoa(e.Port)),
			Expect: reached("an EndpointSlice says that this endpoint is ready"),
			About:  About{Service: svc.Key(), Port: sp, Node: e.Node},
		}
		if outside, ok := p.expectOutside(s, "Pod addresses"); ok {
			c.Expect = outside
		}
		if pod := p.Pod(kube.Key{Namespace: svc.Namespace, Name: e.Pod}); pod != nil {
			c.Target = fmt.Sprintf("pod/%s:%d", p.name(pod.Key()), e.Port)
			c.Expect, c.About.Pod = p.expectPod(s, pod, e.Port), pod.Key()
		}
		p.add(c)
	}
}

func (p *plan) nodePorts(s Source, svc *kube.Service, sp kube.ServicePort) {
	if sp.NodePort == 0 {
		return
	}
	for _, n := range p.Nodes {
		if n.InternalIP() == "" {
			continue
		}
		p.add(Check{
			Group: Services, Source: s, Kind: TCP, Target: fmt.Sprintf("node/%s:%d", n.Name, sp.NodePort),
			Ask: Ask{Host: n.InternalIP(), Port: sp.NodePort}, Expect: p.expectNodePort(s, svc, sp, n.Name),
			About: About{Service: svc.Key(), Port: sp, Node: n.Name, Virtual: true, NodePort: true},
		})
	}
}

// external are the addresses of a load balancer, and externalIPs.
func (p *plan) external(s Source, svc *kube.Service, sp kube.ServicePort) {
	about := About{Service: svc.Key(), Port: sp, Virtual: true}
	if svc.Kind == kube.LoadBalancer && len(svc.LoadBalancerAddresses) == 0 {
		p.add(Check{
			Group: Services, Source: p.local(), Target: serviceLabel(p, svc, sp.Port) + "@loadbalancer", Kind: Status,
			Expect: reached("a LoadBalancer Service has an address"), About: about,
		})
	}
	for _, address := range svc.External() {
		p.add(Check{
			Group: Services, Source: s, Target: serviceLabel(p, svc, sp.Port) + "@" + address, Kind: TCP,
			Ask: Ask{Host: address, Port: sp.Port}, Expect: p.expectExternal(s, svc, sp), About: about,
		})
	}
}

func (p *plan) externalName(s Source, svc *kube.Service) {
	if s.Kind != FromPod {
		return // its name is one of the cluster's DNS
	}
	about := About{Service: svc.Key()}
	p.add(Check{
		Group: Services, Source: s, Kind: DNS, Target: "dns:" + dnsName(svc) + "/CNAME", Ask: Ask{DNS: &DNSAsk{Name: dnsName(svc), Type: "CNAME", Full: true}},
		Expect: p.expectName(s, Expectation{Outcome: Reached, Why: "the name of an ExternalName Service is another name for " + svc.ExternalName, Values: []string{strings.TrimSuffix(svc.ExternalName, ".")}}),
		About:  about,
	})
	p.add(Check{
		Group: Services, Source: s, Kind: DNS, Target: "dns:" + svc.ExternalName + "/A", Ask: Ask{DNS: &DNSAsk{Name: strings.TrimSuffix(svc.ExternalName, ".") + ".", Type: "A"}},
		Expect: p.expectName(s, reached("what an ExternalName Service stands for should exist")), About: about,
	})
}

// dnsName is a Service's name up to the domain of the cluster, which the
// search list of a Pod completes.
func dnsName(svc *kube.Service) string { return svc.Name + "." + svc.Namespace + ".svc" }

func (p *plan) headless(s Source, svc *kube.Service) {
	kind := addressType(svc)
	p.add(Check{
		Group: Services, Source: s, Kind: DNS, Target: "dns:" + dnsName(svc) + "/" + kind, Ask: Ask{DNS: &DNSAsk{Name: dnsName(svc), Type: kind, Full: true}},
		Expect: p.expectName(s, expectHeadless(svc)), About: About{Service: svc.Key()},
	})
}
