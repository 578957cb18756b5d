package path

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"podpath/kube"
)

// planWays plans the checks from each source to each target that the user asked
// for.
func (w *World) planWays(sources []Source, targets []Target, o PlanOptions) ([]Check, error) {
	p := newPlan(w)
	p.asked, p.options = true, o
	for _, t := range targets {
		for _, s := range sources {
			if err := p.target(s, t); err != nil {
				return nil, err
			}
		}
	}
	return p.checks, nil
}

func (p *plan) target(s Source, t Target) error {
	if p.options.Count > 0 && t.Kind != ToService {
		return fmt.Errorf("%s: only the connections to a Service are spread: --count needs svc/NAME", t.Label)
	}
	switch t.Kind {
	case ToPod:
		return p.toPod(s, t)
	case ToService:
		return p.toService(s, t)
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
		p.podPort(s, pod, port)
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

// podPort is a port by its number: over UDP where the Pod declares it for that
// alone.
func (p *plan) podPort(s Source, pod *kube.Pod, port int) {
	at := slices.DeleteFunc(pod.Ports(), func(c kube.ContainerPort) bool { return c.Port != port })
	name := ""
	for _, c := range at {
		if c.Protocol == "TCP" {
			name = c.Name
		}
	}
	if len(at) > 0 && !slices.ContainsFunc(at, func(c kube.ContainerPort) bool { return c.Protocol == "TCP" }) {
		a := Ask{Host: pod.IP(), Port: port}
		p.add(Check{Group: Paths, Source: s, Kind: UDP, Target: p.podLabel(pod, port), Ask: p.speaking(a, udpSpoken("", at[0].Name, port), a.Host), Path: Path{Pod: pod.Key(), Node: pod.Node}})
		return
	}
	p.pod(s, pod, port, Spoken("", name, port))
}

// udpSpoken is what is spoken at a port of UDP: podpath can ask a DNS server.
func udpSpoken(appProtocol, name string, port int) Protocol {
	if Spoken(appProtocol, name, port) == SpeakDNS {
		return SpeakDNS
	}
	return Silent
}

func (p *plan) toService(s Source, t Target) error {
	svc := p.Service(p.key(t.Name))
	if svc == nil {
		return fmt.Errorf("%s: there is no Service %q%s", t.Label, p.key(t.Name), p.called(p.key(t.Name)))
	}
	if p.options.Count > 0 {
		return p.spread(s, svc, t.Port, p.options.Count)
	}
	if p.serviceOf(s, svc, t.Port) == 0 && t.Port != "" {
		return fmt.Errorf("%s: Service %s has no port %q%s", t.Label, svc.Name, t.Port, kube.Among(names(svc.Ports, kube.ServicePort.String)))
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
	a := Ask{Host: n.InternalIP(), Port: port}
	path := p.Resolve(s, TCP, a)
	group := Paths
	if path.Service.Name != "" {
		group = Services
		a = p.speaking(a, Spoken(path.Port.AppProtocol, path.Port.Name, path.Port.Port), a.Host)
	}
	p.add(Check{Group: group, Source: s, Kind: TCP, Target: t.Label, Ask: a, Path: path})
	return nil
}

func (p *plan) toDNS(s Source, t Target) error {
	p.add(Check{Group: Discovery, Source: s, Kind: DNS, Target: t.Label, Ask: Ask{DNS: &DNSAsk{Name: t.Name, Type: t.Type}}})
	return nil
}

// toHost plans HOST:PORT and URLs: whatever the host is, what it belongs to
// decides.
func (p *plan) toHost(s Source, t Target) error {
	port, err := strconv.Atoi(t.Port)
	if err != nil {
		return fmt.Errorf("%s: %q is no port number", t.Label, t.Port)
	}
	c := Check{Group: Paths, Source: s, Kind: TCP, Target: t.Label, Ask: Ask{Host: t.Name, Port: port}}
	if t.Name == "localhost" { // of every machine, whatever its hosts file says
		c.Ask.Host = "127.0.0.1"
	}
	if t.URL != nil {
		c.Kind = HTTP
		c.Ask.HTTP = &HTTPAsk{Host: t.URL.Host, Path: cmp.Or(t.URL.RequestURI(), "/"), Written: true, Status: p.options.Status}
		if t.URL.Scheme == "https" {
			c.Kind, c.Ask.HTTP.TLS = HTTPS, true
		}
		p.add(c)
		return nil
	}
	c.Path = p.Resolve(s, TCP, c.Ask)
	if udp := p.Resolve(s, UDP, c.Ask); c.Path.Port.Port == 0 && udp.Port.Port != 0 && udp.Entry != AtNodePort {
		c.Kind, c.Path = UDP, udp
		c.Ask = p.speaking(c.Ask, udpSpoken(udp.Port.AppProtocol, udp.Port.Name, port), t.Name)
	} else {
		c.Ask = p.speaking(c.Ask, p.spokenAt(c.Path, port), t.Name)
	}
	p.add(c)
	return nil
}

// spokenAt is what is spoken at the end of a path.
func (w *World) spokenAt(path Path, port int) Protocol {
	if path.Port.Port != 0 {
		return Spoken(path.Port.AppProtocol, path.Port.Name, path.Port.Port)
	}
	if pod := w.Pod(path.Pod); pod != nil {
		for _, c := range pod.Ports() {
			if c.Port == port && c.Protocol == "TCP" {
				return Spoken("", c.Name, port)
			}
		}
	}
	return Spoken("", "", port)
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
