package path

import (
	"fmt"
	"slices"
	"strings"

	"podpath/kube"
)

// discovery is how a Pod finds the Services of its namespace: by variables and
// by DNS. One Pod of each namespace looks.
func (p *plan) discovery(pods []*kube.Pod) {
	seen := map[string]bool{}
	for _, pod := range pods {
		if seen[pod.Namespace] || pod.HostNetwork {
			continue
		}
		seen[pod.Namespace] = true
		for _, svc := range p.Services {
			if svc.Namespace == pod.Namespace {
				p.discover(p.podSource(pod), pod, svc)
			}
		}
	}
}

func (p *plan) discover(s Source, pod *kube.Pod, svc *kube.Service) {
	if svc.Kind == kube.ExternalName {
		p.externalName(s, svc, "")
		return
	}
	p.env(s, pod, svc)
	p.lookups(s, svc)
	p.srv(s, svc)
	p.ptr(s, svc)
}

// env looks for the two variables of a Service that say where it is.
func (p *plan) env(s Source, pod *kube.Pod, svc *kube.Service) {
	if len(svc.ClusterIPs) == 0 || len(svc.Ports) == 0 {
		return
	}
	prefix := strings.ToUpper(strings.ReplaceAll(svc.Name, "-", "_")) + "_SERVICE_"
	values := []string{prefix + "HOST=" + svc.ClusterIPs[0], fmt.Sprintf("%sPORT=%d", prefix, svc.Ports[0].Port)}
	p.add(Check{
		Group: Discovery, Source: s, Kind: Env, Target: "env:" + prefix + "HOST", Ask: Ask{Env: []string{prefix + "HOST", prefix + "PORT"}},
		Expect: expectEnv(pod, svc, values), Path: Path{Service: svc.Key(), Pod: pod.Key()},
	})
}

// lookups looks the Service up by its short name and by the full one.
func (p *plan) lookups(s Source, svc *kube.Service) {
	kind := addressType(svc)
	expect := Expectation{Outcome: Reached, Why: "the name of a Service is its ClusterIP", Values: ofType(kind, svc.ClusterIPs)}
	if svc.Kind == kube.Headless {
		expect = expectHeadless(svc)
	}
	for _, name := range []string{svc.Name, dnsName(svc)} {
		of := p.Resolve(s, DNS, Ask{DNS: &DNSAsk{Name: name}})
		p.add(Check{
			Group: Discovery, Source: s, Kind: DNS, Target: "dns:" + name + "/" + kind, Ask: Ask{DNS: &DNSAsk{Name: name, Type: kind, Full: name != svc.Name}},
			Path: of, Expect: p.resolved(s, of, expect),
		})
	}
}

// srv looks each port up by its name. A port without a name has no SRV record
// of its own (the DNS specification for Kubernetes, 2.3.2).
func (p *plan) srv(s Source, svc *kube.Service) {
	for _, port := range svc.Ports {
		label := port.Name
		expect := Expectation{Outcome: Reached, Why: "each named port of a Service has an SRV record"}
		if svc.Kind != kube.Headless {
			expect.Values = []string{fmt.Sprintf("%d %s", port.Port, dnsName(svc))}
		} else if svc.Counts.Ready == 0 {
			expect = either("a headless Service without ready endpoints has no SRV records")
		}
		if port.Name == "" {
			label = fmt.Sprintf("port-%d", port.Port)
			expect = blocked(SRVPortUnnamed, fmt.Sprintf("port %d of Service %s has no name, and only named ports have SRV records", port.Port, svc.Name),
				run("and give the port a name", "kubectl", "edit", "service", "-n", svc.Namespace, svc.Name))
		}
		name := fmt.Sprintf("_%s._%s.%s", label, strings.ToLower(port.Protocol), dnsName(svc))
		of := Path{Service: svc.Key(), Port: port, Name: Meaning{Text: name, Service: svc.Key()}}
		p.add(Check{
			Group: Discovery, Source: s, Kind: DNS, Target: "dns:" + name + "/SRV", Ask: Ask{DNS: &DNSAsk{Name: name, Type: "SRV", Full: true}},
			Path: of, Expect: p.resolved(s, of, expect),
		})
	}
}

// ptr looks the ClusterIP up backwards.
func (p *plan) ptr(s Source, svc *kube.Service) {
	for _, address := range svc.ClusterIPs {
		of := Path{Service: svc.Key(), Name: Meaning{Text: address, Service: svc.Key()}}
		expect := Expectation{Outcome: Reached, Why: "a ClusterIP leads back to the name of its Service", Values: []string{dnsName(svc)}}
		p.add(Check{
			Group: Discovery, Source: s, Kind: DNS, Target: "dns:" + address + "/PTR", Ask: Ask{DNS: &DNSAsk{Name: address, Type: "PTR"}},
			Path: of, Expect: p.resolved(s, of, expect),
		})
	}
}

// addressType is the type of DNS record that the name of a Service has for
// sure: A, but for one that has addresses of IPv6 only.
func addressType(svc *kube.Service) string {
	addresses := slices.Concat(svc.ClusterIPs, names(svc.Endpoints, func(e kube.Endpoint) string { return e.Address }))
	if len(ofType("A", addresses)) == 0 && len(addresses) > 0 {
		return "AAAA"
	}
	return "A"
}

// ofType are the addresses that can stand in DNS records of a type.
func ofType(kind string, addresses []string) []string {
	var out []string
	for _, a := range addresses {
		if strings.Contains(a, ":") == (kind == "AAAA") {
			out = append(out, a)
		}
	}
	return out
}
