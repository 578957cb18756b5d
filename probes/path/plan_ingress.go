package path

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
			Expect: reached("an Ingress has the address of its controller"), Path: Path{Entry: AtIngress, Ingress: i.Key()},
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
	ask := &HTTPAsk{Host: host, Path: path, Written: p.missing(i, rule.Backend) != "", Status: p.options.Status}
	c := Check{
		Group: Services, Source: s, Kind: HTTP, Ask: Ask{Host: address, Port: 80, HTTP: ask}, Target: "http://" + host + path,
		Path: p.behindIngress(Path{}, i, rule.Backend), Expect: reached("an Ingress sends this host and path to " + backend(rule.Backend)),
	}
	if secure {
		c.Kind, c.Ask.Port, c.Ask.HTTP.TLS, c.Target = HTTPS, 443, true, "https://"+host+path
	}
	if len(i.Addresses) > 1 {
		c.Target += " at " + net.JoinHostPort(address, fmt.Sprint(c.Ask.Port))
	}
	p.add(c)
}
