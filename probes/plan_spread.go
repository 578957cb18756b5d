package probes

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"podpath/kube"
)

// spreads test who answers for each Service with several endpoints.
func (p *plan) spreads(pods []*kube.Pod) {
	for _, svc := range p.Services {
		for _, pod := range pods {
			if pod.Namespace == svc.Namespace && !pod.HostNetwork {
				p.spreadOf(p.podSource(pod), svc)
				break
			}
		}
	}
}

// spreadOf plans the first TCP port of a Service, if connections to it can be
// spread at all.
func (p *plan) spreadOf(s Source, svc *kube.Service) {
	for _, sp := range svc.Ports {
		if sp.Protocol != "TCP" || len(svc.ClusterIPs) == 0 {
			continue
		}
		if k := len(p.eligible(s, svc, sp)); k > 1 && p.expectVirtual(s, svc, sp).Outcome == Reached {
			p.addSpread(s, svc, sp, SpreadSamples(k))
		}
		return
	}
}

// spread plans what the user asked for.
func (p *plan) spread(s Source, svc *kube.Service, port string, count int) error {
	if len(svc.ClusterIPs) == 0 {
		return fmt.Errorf("svc/%s: a Service of kind %s has no virtual address over which connections could be spread", svc.Name, svc.Kind)
	}
	for _, sp := range svc.Ports {
		if sp.Protocol != "TCP" || port != "" && port != sp.Name && port != strconv.Itoa(sp.Port) {
			continue
		}
		if len(p.eligible(s, svc, sp)) == 0 || p.expectVirtual(s, svc, sp).Outcome != Reached {
			p.virtual(s, svc, sp) // it is not reached, and the cause says why
			return nil
		}
		p.addSpread(s, svc, sp, count)
		p.endpoints(s, svc, sp) // where the spread is wrong they tell why
		return nil
	}
	return fmt.Errorf("svc/%s has no TCP port %q%s", svc.Name, port, kube.Among(names(svc.Ports, kube.ServicePort.String)))
}

func (p *plan) addSpread(s Source, svc *kube.Service, sp kube.ServicePort, count int) {
	expect := Expectation{Outcome: Reached, Why: "connections are spread evenly over the endpoints"}
	switch {
	case svc.ClientIPAffinity:
		expect.Why = "sessionAffinity is ClientIP: one client gets one endpoint"
	case svc.LocalInternal:
		expect.Why = "internalTrafficPolicy is Local: connections are spread evenly over the endpoints on Node " + s.Node
	}
	p.add(Check{
		Group: Spreading, Source: s, Kind: Spread, Target: serviceLabel(p, svc, sp.Port), Ask: Ask{Host: svc.ClusterIPs[0], Port: sp.Port, Count: count},
		Expect: expect, About: About{Service: svc.Key(), Port: sp, Virtual: true},
	})
}

// eligible are the endpoints that a source's connections to the first virtual
// address may come to: those of its IP family, and with internalTrafficPolicy
// Local those on the source's own Node.
func (w *World) eligible(s Source, svc *kube.Service, sp kube.ServicePort) []kube.Endpoint {
	six := func(address string) bool { return strings.Contains(address, ":") }
	return slices.DeleteFunc(endpointsOf(svc, sp), func(e kube.Endpoint) bool {
		return six(e.Address) != six(svc.ClusterIPs[0]) || svc.LocalInternal && e.Node != s.Node
	})
}
