package path

import (
	"net/netip"
	"slices"
	"strings"

	"podpath/kube"
)

// Resolve finds where a request goes by the objects, whichever way it was
// spelled: a name and the address that it stands for lead to the same path.
func (w *World) Resolve(s Source, kind Kind, a Ask) Path {
	protocol, host := kind.transport(), a.Host
	if a.DNS != nil {
		host = a.DNS.Name
	}
	var p Path
	if address, err := netip.ParseAddr(host); err != nil {
		p = w.named(s, host, a.Port, protocol)
	} else {
		p = w.addressed(s, address.String(), a.Port, protocol)
	}
	if a.DNS != nil && p.Name.Text == "" { // looked up backwards: nobody goes there
		p = Path{Service: p.Service, Name: Meaning{Text: host, Service: p.Service}}
	}
	if a.HTTP != nil && p.Ingress.Name == "" && (kind == HTTP || kind == HTTPS) {
		p = w.throughIngress(p, a)
	}
	return p
}

// named finds what a name leads to.
func (w *World) named(s Source, host string, port int, protocol string) Path {
	p := Path{Name: w.Mean(s, host)}
	svc := w.Service(p.Name.Service)
	if !p.Name.OfCluster() {
		if at := w.addressed(s, host, port, protocol); at.Service.Name != "" { // a load balancer may have a name
			at.Name = p.Name
			return at
		}
		return p
	}
	if svc != nil && svc.Kind == kube.ExternalName {
		if behind := w.behindAlias(s, svc); behind != nil {
			return w.atService(p, behind, port, protocol)
		}
	}
	p.Service = p.Name.Service
	if svc == nil {
		p.Entry = AtServiceNotFound
		return p
	}
	return w.atService(p, svc, port, protocol)
}

// atService takes a path on to a Service that its name has led to.
func (w *World) atService(p Path, svc *kube.Service, port int, protocol string) Path {
	p.Service = svc.Key()
	p.Port, _ = portOf(svc, port, protocol)
	switch {
	case svc.Kind == kube.ExternalName:
		p.Entry = AtExternalName
	case svc.Kind == kube.Headless || p.Name.Host != "":
		p.Entry = AtHeadless
		if e := w.member(p.Service, p.Name.Host); e != nil {
			p.Pod, p.Node = kube.Key{Namespace: svc.Namespace, Name: e.Pod}, e.Node
		}
	default:
		p.Entry = AtClusterIP
	}
	return p
}

// addressed finds what an address belongs to: a Service, a Pod, a Node.
func (w *World) addressed(s Source, address string, port int, protocol string) Path {
	at := w.addresses()[address]
	for _, svc := range at.services {
		entry := AtClusterIP
		switch {
		case slices.Contains(svc.LoadBalancerAddresses, address):
			entry = AtLoadBalancer
		case slices.Contains(svc.ExternalIPs, address):
			entry = AtExternalIP
		}
		sp, ok := portOf(svc, port, protocol)
		if !ok && entry != AtClusterIP && (port == 0 || len(at.services) > 1 || at.node != nil || at.pod != nil) {
			continue // the address may be of several
		}
		p := Path{Entry: entry, Service: svc.Key(), Port: sp}
		if at.node != nil && entry != AtClusterIP {
			p.Node = at.node.Name
		}
		return p
	}
	switch a, err := netip.ParseAddr(address); {
	case at.pod != nil:
		return Path{Pod: at.pod.Key(), Node: at.pod.Node}
	case err == nil && a.IsLoopback():
		return Path{Pod: s.Pod, Node: s.Node}
	case at.node != nil:
		return w.atNode(at.node, port, protocol)
	default:
		return Path{}
	}
}

// podBehind is the Pod of an endpoint: the one that its slice names, or that has
// its address, be it in another namespace; nil for none.
func (w *World) podBehind(service kube.Key, e kube.Endpoint) *kube.Pod {
	if pod := w.Pod(kube.Key{Namespace: service.Namespace, Name: e.Pod}); pod != nil || e.Pod != "" {
		return pod
	}
	return w.PodAt(e.Address)
}

// owner is what has an address.
type owner struct {
	services []*kube.Service
	pod      *kube.Pod // with an address of its own
	node     *kube.Node
}

// addresses finds the owners of addresses. It is made when it is first needed.
func (w *World) addresses() map[string]owner {
	w.once.Do(func() {
		w.owners = map[string]owner{}
		note := func(addresses []string, add func(*owner)) {
			for _, a := range addresses {
				o := w.owners[a]
				add(&o)
				w.owners[a] = o
			}
		}
		for _, svc := range w.Services {
			for _, list := range [][]string{svc.ClusterIPs, svc.LoadBalancerAddresses, svc.ExternalIPs} {
				note(list, func(o *owner) { o.services = append(o.services, svc) })
			}
		}
		for _, p := range w.Pods {
			if !p.HostNetwork && !p.Finished {
				note(p.IPs, func(o *owner) { o.pod = p })
			}
		}
		for _, n := range w.Nodes {
			for _, list := range [][]string{n.InternalIPs, n.ExternalIPs} {
				note(list, func(o *owner) { o.node = n })
			}
		}
	})
	return w.owners
}

// atNode finds what a port of a Node leads to: a node port of a Service, a
// hostPort of a Pod, or what runs on the Node itself.
func (w *World) atNode(n *kube.Node, port int, protocol string) Path {
	for _, svc := range w.Services {
		for _, sp := range svc.Ports {
			if sp.NodePort == port && sp.Protocol == protocol {
				return Path{Entry: AtNodePort, Service: svc.Key(), Port: sp, Node: n.Name}
			}
		}
	}
	for _, pod := range w.Pods {
		if pod.Node != n.Name || pod.Finished {
			continue
		}
		for _, c := range pod.Ports() {
			switch {
			case c.Protocol != protocol:
			case pod.HostNetwork && c.Port == port:
				return Path{Pod: pod.Key(), Node: n.Name}
			case !pod.HostNetwork && c.HostPort == port:
				return Path{Entry: AtHostPort, Pod: pod.Key(), Node: n.Name}
			}
		}
	}
	return Path{Node: n.Name}
}

// portOf is the port of a Service with a number.
func portOf(svc *kube.Service, port int, protocol string) (kube.ServicePort, bool) {
	for _, sp := range svc.Ports {
		if sp.Port == port && sp.Protocol == protocol {
			return sp, true
		}
	}
	return kube.ServicePort{}, false
}

// throughIngress takes a request further, behind the controller of an Ingress:
// one whose address it goes to, or whose host it asks for.
func (w *World) throughIngress(p Path, a Ask) Path {
	host := serverName(a.HTTP.Host)
	path, _, _ := strings.Cut(a.HTTP.Path, "?")
	for _, i := range w.Ingresses {
		rule, ok := ruleFor(i, host, path)
		mine := slices.Contains(i.Addresses, a.Host) || p.Service.Name == "" && p.Pod.Name == "" && p.Node == "" && rule.Host != "" && fits(rule.Host, host)
		if ok && mine {
			return w.behindIngress(p, i, rule.Backend)
		}
	}
	return p
}

// behindIngress is the path to what an Ingress passes requests on to.
func (w *World) behindIngress(p Path, i *kube.Ingress, b kube.Backend) Path {
	p.Entry, p.Ingress, p.Pod, p.Node = AtIngress, i.Key(), kube.Key{}, ""
	p.Service, p.Port = kube.Key{}, kube.ServicePort{}
	if b.Service == "" {
		return p
	}
	p.Service = kube.Key{Namespace: i.Namespace, Name: b.Service}
	if svc := w.Service(p.Service); svc != nil {
		p.Port, _ = backendPort(svc, b)
	}
	return p
}

func backendPort(svc *kube.Service, b kube.Backend) (kube.ServicePort, bool) {
	for _, sp := range svc.Ports {
		if b.PortName != "" && sp.Name == b.PortName || b.Port != 0 && sp.Port == b.Port {
			return sp, true
		}
	}
	return kube.ServicePort{}, false
}

// ruleFor is the rule of an Ingress that takes a host and path: an exact host
// before a wildcard and none, the longest path first (networking/v1).
func ruleFor(i *kube.Ingress, host, path string) (best kube.IngressRule, found bool) {
	for _, r := range i.Rules {
		if !fits(r.Host, host) || !leads(r, path) {
			continue
		}
		longer := len(r.Path) > len(best.Path) || len(r.Path) == len(best.Path) && r.PathType == "Exact"
		if !found || exactness(r.Host) > exactness(best.Host) || exactness(r.Host) == exactness(best.Host) && longer {
			best, found = r, true
		}
	}
	if !found && i.Default != nil {
		return kube.IngressRule{Backend: *i.Default}, true
	}
	return best, found
}

// exactness orders the hosts of rules that fit the same host.
func exactness(host string) int {
	switch {
	case host == "":
		return 0
	case strings.HasPrefix(host, "*."):
		return 1
	default:
		return 2
	}
}

// fits reports whether a host of a rule is for a host: itself, or for a
// wildcard one with one label more.
func fits(rule, host string) bool {
	if suffix, ok := strings.CutPrefix(rule, "*."); ok {
		first, rest, _ := strings.Cut(host, ".")
		return first != "" && strings.EqualFold(rest, suffix)
	}
	return rule == "" || strings.EqualFold(rule, host)
}

// leads reports whether the path of a rule takes a path: by elements for
// Prefix. What is ImplementationSpecific is taken for a prefix.
func leads(r kube.IngressRule, path string) bool {
	switch r.PathType {
	case "Exact":
		return path == r.Path
	case "Prefix":
		prefix := strings.TrimSuffix(r.Path, "/")
		return path == prefix || strings.HasPrefix(path, prefix+"/")
	default:
		return strings.HasPrefix(path, r.Path)
	}
}

// ends are the endpoints that a request may come to: behind a virtual address
// those that kube-proxy chooses from, behind a headless name all that are ready.
func (w *World) ends(s Source, p Path, a Ask) []kube.Endpoint {
	svc := w.service(p)
	if svc == nil || p.Port.Port == 0 {
		return nil
	}
	switch p.Entry {
	case AtClusterIP:
		host := a.Host
		if _, err := netip.ParseAddr(host); err != nil && len(svc.ClusterIPs) > 0 {
			host = svc.ClusterIPs[0]
		}
		return w.eligible(s, svc, p.Port, host)
	case AtNodePort, AtExternalIP, AtLoadBalancer:
		local := svc.LocalExternal && p.Node != "" && !w.inside(s, p)
		return slices.DeleteFunc(endpointsOf(svc, p.Port), func(e kube.Endpoint) bool { return local && e.Node != p.Node })
	case AtEndpoint, NoEntry, AtHostPort, AtExternalName, AtServiceNotFound:
		return nil
	case AtHeadless, AtIngress:
	}
	return endpointsOf(svc, p.Port)
}

// serverName is the host of HOST:PORT.
func serverName(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.Contains(host[:i], ":") {
		return host[:i]
	}
	return strings.Trim(host, "[]")
}
