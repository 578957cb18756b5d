package probes

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"podpath/kube"
)

// PlanFor plans the checks from each source to each target. Count, when it is
// not 0, asks for the spread of that many connections over each Service.
func (w *World) PlanFor(sources []Source, targets []Target, count int) ([]Check, error) {
	p := &plan{World: w, seen: map[string]bool{}}
	for _, t := range targets {
		for _, s := range sources {
			if err := p.target(s, t, count); err != nil {
				return nil, err
			}
		}
	}
	return p.checks, nil
}

func (p *plan) target(s Source, t Target, count int) error {
	if count > 0 && t.Kind != ToService {
		return fmt.Errorf("%s: only the connections to a Service are spread: --count needs svc/NAME", t.Label)
	}
	switch t.Kind {
	case ToPod:
		return p.toPod(s, t)
	case ToService:
		return p.toService(s, t, count)
	case ToNode:
		return p.toNode(s, t)
	case ToIngress:
		return p.toIngress(s, t)
	case ToDNS:
		return p.toDNS(s, t)
	default:
		return p.toHost(s, t)
	}
}

func (p *plan) toPod(s Source, t Target) error {
	found, err := p.findPod(t.Name)
	if err != nil {
		return fmt.Errorf("%s: %w", t.Label, err)
	}
	pod := p.Pod(found.Pod)
	if pod.IP() == "" {
		return fmt.Errorf("%s: Pod %s has no address yet (%s)", t.Label, pod.Name, pod.Status)
	}
	if port, err := strconv.Atoi(t.Port); err == nil { // it need not be declared
		p.pod(s, pod, port)
		return nil
	}
	switch planned := p.podPorts(s, pod, t.Port); {
	case planned > 0:
		return nil
	case t.Port != "":
		return fmt.Errorf("%s: Pod %s declares no TCP port %q%s", t.Label, pod.Name, t.Port, kube.Among(names(tcpPorts(pod), kube.ContainerPort.String)))
	default:
		return fmt.Errorf("%s: Pod %s declares no TCP port: write one, as in pod/%s:80", t.Label, pod.Name, pod.Name)
	}
}

func (p *plan) toService(s Source, t Target, count int) error {
	svc := p.Service(p.key(t.Name))
	if svc == nil {
		return fmt.Errorf("%s: there is no Service %q%s", t.Label, p.key(t.Name), kube.Among(names(p.Services, func(s *kube.Service) string { return p.name(s.Key()) })))
	}
	if count > 0 {
		return p.spread(s, svc, t.Port, count)
	}
	if p.service(s, svc, t.Port) == 0 && t.Port != "" {
		return fmt.Errorf("%s: Service %s has no TCP port %q%s", t.Label, svc.Name, t.Port, kube.Among(names(svc.Ports, kube.ServicePort.String)))
	}
	return nil
}

func (p *plan) toNode(s Source, t Target) error {
	n := p.Node(t.Name)
	port, err := strconv.Atoi(t.Port)
	switch {
	case n == nil:
		return fmt.Errorf("%s: there is no Node %q%s", t.Label, t.Name, kube.Among(names(p.Nodes, func(n *kube.Node) string { return n.Name })))
	case err != nil || port < 1 || port > 65535:
		return fmt.Errorf("%s: %q is no port number", t.Label, t.Port)
	case n.InternalIP() == "":
		return fmt.Errorf("%s: Node %s has no internal address", t.Label, n.Name)
	}
	for _, svc := range p.Services {
		for _, sp := range svc.Ports {
			if sp.NodePort == port && sp.Protocol == "TCP" {
				p.add(Check{
					Group: Services, Source: s, Kind: TCP, Target: t.Label, Ask: Ask{Host: n.InternalIP(), Port: port},
					Expect: p.expectNodePort(s, svc, sp, n.Name),
					About:  About{Service: svc.Key(), Port: sp, Node: n.Name, Virtual: true, NodePort: true},
				})
				return nil
			}
		}
	}
	p.add(Check{
		Group: Paths, Source: s, Kind: TCP, Target: t.Label, Ask: Ask{Host: n.InternalIP(), Port: port},
		Expect: reached("you asked for it"), About: About{Node: n.Name},
	})
	return nil
}

func (p *plan) toDNS(s Source, t Target) error {
	about := p.aboutName(s, t.Name)
	if svc := p.serviceAt(t.Name); svc != nil { // for PTR
		about.Service = svc.Key()
	}
	p.add(Check{
		Group: Discovery, Source: s, Kind: DNS, Target: t.Label, Ask: Ask{DNS: &DNSAsk{Name: t.Name, Type: t.Type}},
		Expect: p.expectNamed(s, about, reached("you asked for it")), About: about,
	})
	return nil
}

// toHost plans HOST:PORT and URLs. Where the host is an address or a name of
// the cluster, the rule of what it belongs to is expected.
func (p *plan) toHost(s Source, t Target) error {
	port, err := strconv.Atoi(t.Port)
	if err != nil {
		return fmt.Errorf("%s: %q is no port number", t.Label, t.Port)
	}
	c := Check{Group: Paths, Source: s, Kind: TCP, Target: t.Label, Ask: Ask{Host: t.Name, Port: port}, About: p.aboutName(s, t.Name)}
	c.Expect = p.expectHost(s, t.Name, port, &c.About)
	if _, err := netip.ParseAddr(t.Name); err != nil {
		c.Expect = p.expectNamed(s, c.About, c.Expect)
	}
	if t.URL != nil {
		c.Kind = HTTP
		c.Ask.HTTP = &HTTPAsk{Host: t.URL.Host, Path: t.URL.RequestURI()}
		if t.URL.Scheme == "https" {
			c.Kind, c.Ask.HTTP.TLS = HTTPS, true
		}
	}
	p.add(c)
	return nil
}

// expectHost finds what an address or a name belongs to.
func (p *plan) expectHost(s Source, host string, port int, about *About) Expectation {
	if svc := p.serviceAt(host); svc != nil {
		about.Service = svc.Key()
	}
	if svc := p.Service(about.Service); svc != nil && svc.Kind != kube.Headless && svc.Kind != kube.ExternalName {
		for _, sp := range svc.Ports {
			if sp.Port == port && sp.Protocol == "TCP" {
				about.Port, about.Virtual = sp, true
				return p.expectVirtual(s, svc, sp)
			}
		}
	}
	if pod := p.podAt(host); pod != nil {
		about.Pod, about.Node = pod.Key(), pod.Node
		return p.expectPod(s, pod, port)
	}
	if from := p.Pod(s.Pod); from != nil {
		if _, err := netip.ParseAddr(host); err == nil {
			if why := p.denied(traffic{from: from, fromIP: from.IP(), toIP: host, port: port, protocol: "TCP"}); why != "" {
				return p.byPolicy(why, from.Namespace)
			}
		}
	}
	return reached("you asked for it")
}

func (p *plan) toIngress(s Source, t Target) error {
	key := p.key(t.Name)
	for _, i := range p.Ingresses {
		if i.Key() == key {
			p.ingress(s, i)
			return nil
		}
	}
	return errors.Join(append([]error{fmt.Errorf("%s: there is no Ingress %q%s", t.Label, key,
		kube.Among(names(p.Ingresses, func(i *kube.Ingress) string { return p.name(i.Key()) })))}, p.Unknown...)...)
}
