package path

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"podpath/kube"
)

// services are the ways to each Service, by the rule of its kind, and to each
// of its endpoints next to it.
func (p *plan) services(sources []Source) {
	for _, svc := range p.homeServices() {
		for _, s := range sources {
			p.serviceOf(s, svc, "")
		}
	}
	for _, i := range p.Ingresses {
		if p.atHome(i.Namespace) {
			p.ingress(p.local(), i)
		}
	}
}

// serviceOf plans a Service, or one of its ports. It returns how many ports
// there are.
func (p *plan) serviceOf(s Source, svc *kube.Service, port string) int {
	if svc.Kind == kube.ExternalName {
		return p.externalName(s, svc, port)
	}
	n := 0
	for _, sp := range svc.Ports {
		if sp.Protocol == "SCTP" || port != "" && port != sp.Name && port != strconv.Itoa(sp.Port) {
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

// kindOf is the kind of check for a port of a Service, and what is spoken there.
func kindOf(sp kube.ServicePort) (Kind, Protocol) {
	if sp.Protocol == "UDP" {
		return UDP, udpSpoken(sp.AppProtocol, sp.Name, sp.Port)
	}
	return TCP, Spoken(sp.AppProtocol, sp.Name, sp.Port)
}

func serviceLabel(p *plan, svc *kube.Service, port int) string {
	return fmt.Sprintf("svc/%s:%d", p.name(svc.Key()), port)
}

func (p *plan) virtual(s Source, svc *kube.Service, sp kube.ServicePort) {
	kind, says := kindOf(sp)
	for i, address := range svc.ClusterIPs {
		label := serviceLabel(p, svc, sp.Port)
		if i > 0 {
			label += "@" + address
		}
		a := Ask{Host: address, Port: sp.Port}
		if p.asked { // else its endpoints are asked
			a = p.speaking(a, says, dnsName(svc))
		}
		p.add(Check{
			Group: Services, Source: s, Target: label, Kind: kind, Ask: a,
			Path: Path{Entry: AtClusterIP, Service: svc.Key(), Port: sp},
		})
	}
}

// endpoints are dialed one by one, so that "the Service is broken" and "one
// Pod is broken" are different answers.
func (p *plan) endpoints(s Source, svc *kube.Service, sp kube.ServicePort) {
	all := sameFamily(svc, endpointsOf(svc, sp))
	if p.mostEndpoints > 0 {
		all = all[:min(len(all), p.mostEndpoints)]
	}
	kind, _ := kindOf(sp)
	for _, e := range all {
		p.endpoint(s, svc, sp, e, kind)
	}
}

// endpoint dials one endpoint by itself.
func (p *plan) endpoint(s Source, svc *kube.Service, sp kube.ServicePort, e kube.Endpoint, kind Kind) {
	_, says := kindOf(sp)
	c := Check{
		Group: Services, Source: s, Kind: kind, Target: endpointLabel(e), Ask: p.speaking(Ask{Host: e.Address, Port: e.Port}, says, dnsName(svc)),
		Path: Path{Entry: AtEndpoint, Service: svc.Key(), Port: sp, Node: e.Node},
	}
	if pod := p.podBehind(svc.Key(), e); pod != nil {
		c.Target, c.Path.Pod, c.Path.Node = p.podLabel(pod, e.Port), pod.Key(), pod.Node
	}
	p.add(c)
}

func (p *plan) nodePorts(s Source, svc *kube.Service, sp kube.ServicePort) {
	if sp.NodePort == 0 {
		return
	}
	for _, n := range p.Nodes {
		p.nodePort(s, svc, sp, n)
	}
}

func (p *plan) nodePort(s Source, svc *kube.Service, sp kube.ServicePort, n *kube.Node) {
	if n.InternalIP() == "" {
		return
	}
	kind, says := kindOf(sp)
	a := Ask{Host: n.InternalIP(), Port: sp.NodePort}
	if kind == UDP { // a packet that nobody answers would tell nothing
		a = p.speaking(a, says, "")
	}
	p.add(Check{
		Group: Services, Source: s, Kind: kind, Target: fmt.Sprintf("node/%s:%d", n.Name, sp.NodePort), Ask: a,
		Path: Path{Entry: AtNodePort, Service: svc.Key(), Port: sp, Node: n.Name},
	})
}

// external are the addresses of a load balancer, and externalIPs.
func (p *plan) external(s Source, svc *kube.Service, sp kube.ServicePort) {
	if svc.Kind == kube.LoadBalancer && len(svc.LoadBalancerAddresses) == 0 {
		p.add(Check{
			Group: Services, Source: p.local(), Target: serviceLabel(p, svc, sp.Port) + "@loadbalancer", Kind: Status,
			Path:   Path{Entry: AtLoadBalancer, Service: svc.Key(), Port: sp},
			Expect: reached("a LoadBalancer Service has an address"),
		})
	}
	kind, _ := kindOf(sp)
	for _, address := range svc.External() {
		entry := AtLoadBalancer
		if slices.Contains(svc.ExternalIPs, address) {
			entry = AtExternalIP
		}
		path := Path{Entry: entry, Service: svc.Key(), Port: sp}
		if _, err := netip.ParseAddr(address); err != nil {
			path.Name = p.Mean(s, address)
		}
		if n := p.addresses()[address].node; n != nil {
			path.Node = n.Name
		}
		p.add(Check{
			Group: Services, Source: s, Target: serviceLabel(p, svc, sp.Port) + "@" + address, Kind: kind,
			Ask: Ask{Host: address, Port: sp.Port}, Path: path,
		})
	}
}

// externalName looks up what the Service stands for, and connects where a port
// was named. It returns how many ports there are.
func (p *plan) externalName(s Source, svc *kube.Service, port string) int {
	if s.Kind == FromPod || p.asked { // its name is one of the cluster's DNS
		of := Path{Entry: AtExternalName, Service: svc.Key(), Name: Meaning{Text: dnsName(svc), Service: svc.Key()}}
		p.add(Check{
			Group: Services, Source: s, Kind: DNS, Target: "dns:" + dnsName(svc) + "/CNAME", Ask: Ask{DNS: &DNSAsk{Name: dnsName(svc), Type: "CNAME", Full: true}}, Path: of,
			Expect: p.resolved(s, of, Expectation{Outcome: Reached, Why: "the name of an ExternalName Service is another name for " + svc.ExternalName, Values: []string{strings.TrimSuffix(svc.ExternalName, ".")}}),
		})
		p.add(Check{
			Group: Services, Source: s, Kind: DNS, Target: "dns:" + svc.ExternalName + "/A", Ask: Ask{DNS: &DNSAsk{Name: strings.TrimSuffix(svc.ExternalName, ".") + ".", Type: "A"}}, Path: of,
			Expect: p.resolved(s, of, reached("what an ExternalName Service stands for should exist")),
		})
	}
	numbers := p.portsOfAlias(s, svc, port)
	for _, number := range numbers {
		a := Ask{Host: dnsName(svc), Port: number}
		path := p.Resolve(s, TCP, a)
		p.add(Check{Group: Services, Source: s, Kind: TCP, Target: serviceLabel(p, svc, number), Ask: p.speaking(a, p.spokenAt(path, number), svc.ExternalName), Path: path})
	}
	return len(numbers)
}

// portsOfAlias are the TCP ports of an ExternalName Service to connect to: the
// one that was named, or where it was asked for and stands for a Service of this
// cluster, its own, else those of that Service.
func (p *plan) portsOfAlias(s Source, svc *kube.Service, port string) []int {
	if number, err := strconv.Atoi(port); err == nil {
		return []int{number}
	}
	behind := p.behindAlias(s, svc)
	if port == "" && (behind == nil || !p.asked) {
		return nil
	}
	ports := svc.Ports
	if port == "" && len(ports) == 0 {
		ports = behind.Ports
	}
	var out []int
	for _, sp := range ports {
		if sp.Protocol != "UDP" && (port == "" || port == sp.Name) {
			out = append(out, sp.Port)
		}
	}
	return out
}

// dnsName is a Service's name up to the domain of the cluster, which the
// search list of a Pod completes.
func dnsName(svc *kube.Service) string { return svc.Name + "." + svc.Namespace + ".svc" }

func (p *plan) headless(s Source, svc *kube.Service) {
	kind := addressType(svc)
	of := Path{Entry: AtHeadless, Service: svc.Key(), Name: Meaning{Text: dnsName(svc), Service: svc.Key()}}
	p.add(Check{
		Group: Services, Source: s, Kind: DNS, Target: "dns:" + dnsName(svc) + "/" + kind, Ask: Ask{DNS: &DNSAsk{Name: dnsName(svc), Type: kind, Full: true}}, Path: of,
		Expect: p.resolved(s, of, expectHeadless(svc)),
	})
}

// resolved is the rule for records: that of names comes first.
func (p *plan) resolved(s Source, path Path, e Expectation) Expectation {
	if rule := p.ruleOfName(s, path.Name, p.asked); rule.Outcome != Reached {
		return rule.at(Name)
	}
	return e
}
