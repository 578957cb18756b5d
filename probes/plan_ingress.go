package probes

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"podpath/kube"
)

// ingress asks for each host and path through the address of the controller,
// with the Host header and the server name that a browser would send.
func (p *plan) ingress(s Source, i *kube.Ingress) {
	rules := i.Rules
	if len(rules) == 0 && i.Default != nil {
		rules = []kube.IngressRule{{Backend: *i.Default}}
	}
	if len(i.Addresses) == 0 {
		p.add(Check{
			Group: Services, Source: s, Kind: Status, Target: "ingress/" + p.name(i.Key()),
			Expect: reached("an Ingress has the address of its controller"), About: About{Ingress: i.Key()},
		})
		return
	}
	for _, rule := range rules {
		for _, address := range i.Addresses {
			p.ingressPath(s, i, rule, address)
		}
	}
}

// regexps are the characters behind which a path is no longer what it says: some
// controllers take an ImplementationSpecific path for a regular expression.
const regexps = `()[]{}*+?^$|\\ `

func (p *plan) ingressPath(s Source, i *kube.Ingress, rule kube.IngressRule, address string) {
	host := rule.Host
	if host == "" {
		host = address
	}
	host = strings.Replace(host, "*", "podpath", 1) // any name below a wildcard
	secure := slices.ContainsFunc(i.TLS, func(t kube.IngressTLS) bool { return len(t.Hosts) == 0 || slices.Contains(t.Hosts, rule.Host) })
	path := rule.Path
	if i := strings.IndexAny(path, regexps); i >= 0 && rule.PathType == "ImplementationSpecific" {
		path = path[:i]
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	c := Check{
		Group: Services, Source: s, Kind: HTTP, Ask: Ask{Host: address, Port: 80, HTTP: &HTTPAsk{Host: host, Path: path, Strict: p.missing(i, rule.Backend) != ""}},
		Target: "http://" + host + path, Expect: reached("an Ingress sends this host and path to " + backend(rule.Backend)),
		About: About{Ingress: i.Key(), Service: kube.Key{Namespace: i.Namespace, Name: rule.Backend.Service}, Virtual: true},
	}
	if secure {
		c.Kind, c.Ask.Port, c.Ask.HTTP.TLS, c.Target = HTTPS, 443, true, "https://"+host+path
	}
	if len(i.Addresses) > 1 {
		c.Target += " at " + net.JoinHostPort(address, fmt.Sprint(c.Ask.Port))
	}
	p.add(c)
}

// missing says that the Service or the port that an Ingress sends to does not
// exist, or "".
func (w *World) missing(i *kube.Ingress, b kube.Backend) string {
	svc := w.Service(kube.Key{Namespace: i.Namespace, Name: b.Service})
	switch {
	case b.Service == "":
		return ""
	case svc == nil:
		return fmt.Sprintf("there is no Service %s in namespace %s", b.Service, i.Namespace)
	case !slices.ContainsFunc(svc.Ports, func(p kube.ServicePort) bool {
		return b.PortName != "" && p.Name == b.PortName || b.Port != 0 && p.Port == b.Port
	}):
		return fmt.Sprintf("%s has no such port; it has %s", backend(b), list(names(svc.Ports, kube.ServicePort.String)))
	}
	return ""
}

func backend(b kube.Backend) string {
	switch {
	case b.Service == "":
		return "a backend that is no Service"
	case b.PortName != "":
		return fmt.Sprintf("Service %s, port %s", b.Service, b.PortName)
	default:
		return fmt.Sprintf("Service %s, port %d", b.Service, b.Port)
	}
}
