package probes

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"podpath/kube"
)

// plan collects checks. What is asked for twice is checked once.
type plan struct {
	*World
	checks []Check
	seen   map[string]bool
}

func (p *plan) add(c Check) {
	c.ID = strings.Join([]string{c.Source.Label, string(c.Kind), c.Target}, " ")
	if !p.seen[c.ID] {
		p.seen[c.ID] = true
		p.checks = append(p.checks, c)
	}
}

// Plan is everything worth checking in what podpath looks at: of each of the
// groups, from a choice of Pods when there are many, and from the Node that
// podpath runs on.
func (w *World) Plan(groups ...Group) []Check {
	p := &plan{World: w, seen: map[string]bool{}}
	sources := w.representatives()
	for _, g := range groups {
		switch g {
		case Paths:
			p.paths(sources)
		case Services:
			p.services(w.viewpoints(sources))
		case Spreading:
			p.spreads(sources)
		case Discovery:
			p.discovery(sources)
		}
	}
	return p.checks
}

// maxSources is how many Pods a plan starts from, unless the user names them.
// Their pairs grow with the square: 24 make 576 paths.
const maxSources = 24

// representatives are the Pods that a plan looks from and at: all of them, or
// when there are many one for each owner and Node, since Pods that were made
// alike on the same Node have the same network.
func (w *World) representatives() []*kube.Pod {
	var all []*kube.Pod
	for _, p := range w.Pods {
		if probable(p) {
			all = append(all, p)
		}
	}
	if len(all) <= maxSources {
		return all
	}
	var chosen []*kube.Pod
	seen := map[[2]string]bool{}
	for _, p := range all {
		id := [2]string{p.Node, p.Namespace + "/" + cmp.Or(p.Owner, p.Name)}
		if seen[id] {
			continue
		}
		seen[id] = true
		chosen = append(chosen, p)
	}
	return chosen[:min(len(chosen), maxSources)]
}

// viewpoints are one Pod on each Node, and podpath itself: kube-proxy works
// for each Node on its own, so that one look from each is enough.
func (w *World) viewpoints(pods []*kube.Pod) []Source {
	var out []Source
	seen := map[string]bool{}
	for _, p := range pods {
		if !seen[p.Node] && !p.HostNetwork {
			seen[p.Node] = true
			out = append(out, w.podSource(p))
		}
	}
	return append(out, w.local())
}

// paths are the ways between Pods: over localhost, to each other, and from the
// Node that podpath runs on.
func (p *plan) paths(pods []*kube.Pod) {
	for _, pod := range pods {
		if !pod.HostNetwork {
			p.localhost(p.podSource(pod))
		}
	}
	for _, from := range pods {
		for _, to := range pods {
			if from != to && !from.HostNetwork {
				p.podPorts(p.podSource(from), to, "")
			}
		}
	}
	for _, to := range pods {
		p.podPorts(p.local(), to, "")
	}
}

// localhost is the way between the containers of one Pod.
func (p *plan) localhost(s Source) {
	pod := p.Pod(s.Pod)
	for _, port := range tcpPorts(pod) {
		expect := reached("the containers of a Pod share one network: localhost is the same for all")
		if !pod.IsReady {
			expect = either(fmt.Sprintf("Pod %s is not ready (%s)", pod.Name, pod.Status))
		}
		p.add(Check{
			Group: Paths, Source: s, Target: "localhost:" + strconv.Itoa(port.Port), Kind: TCP,
			Ask: Ask{Host: "127.0.0.1", Port: port.Port}, Expect: expect, About: About{Pod: pod.Key()},
		})
	}
}

// podPorts are the TCP ports that a Pod declares, or the one that is named. It
// returns how many there are.
func (p *plan) podPorts(s Source, to *kube.Pod, port string) int {
	n := 0
	for _, declared := range tcpPorts(to) {
		if port == "" || port == declared.Name || port == strconv.Itoa(declared.Port) {
			p.pod(s, to, declared.Port)
			n++
		}
	}
	return n
}

func (p *plan) pod(s Source, to *kube.Pod, port int) {
	p.add(Check{
		Group: Paths, Source: s, Target: fmt.Sprintf("pod/%s:%d", p.name(to.Key()), port), Kind: TCP,
		Ask:    Ask{Host: to.IP(), Port: port},
		Expect: p.expectPod(s, to, port), About: About{Pod: to.Key(), Node: to.Node},
	})
}

func tcpPorts(p *kube.Pod) []kube.ContainerPort {
	return slices.DeleteFunc(p.Ports(), func(c kube.ContainerPort) bool { return c.Protocol != "TCP" })
}

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
	for _, e := range endpointsOf(svc, sp) {
		c := Check{
			Group: Services, Source: s, Kind: TCP, Ask: Ask{Host: e.Address, Port: e.Port},
			Target: net.JoinHostPort(e.Address, strconv.Itoa(e.Port)),
			Expect: reached("an EndpointSlice says that this endpoint is ready"),
			About:  About{Service: svc.Key(), Port: sp, Node: e.Node, Endpoint: true},
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
			Ask: Ask{Host: address, Port: sp.Port}, Expect: reached("a Service answers on its external addresses"), About: about,
		})
	}
}

func (p *plan) externalName(s Source, svc *kube.Service) {
	if s.Kind != FromPod {
		return // its name is one of the cluster's DNS
	}
	about := About{Service: svc.Key()}
	p.add(Check{
		Group: Services, Source: s, Kind: DNS, Target: "dns:" + dnsName(svc) + "/CNAME", Ask: Ask{DNS: &DNSAsk{Name: dnsName(svc), Type: "CNAME"}},
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
	p.add(Check{
		Group: Services, Source: s, Kind: DNS, Target: "dns:" + dnsName(svc) + "/A", Ask: Ask{DNS: &DNSAsk{Name: dnsName(svc), Type: "A"}},
		Expect: p.expectName(s, expectHeadless(svc)), About: About{Service: svc.Key()},
	})
}
