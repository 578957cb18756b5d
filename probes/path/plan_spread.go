package path

import (
	"cmp"
	"fmt"
	"strconv"

	"podpath/kube"
)

// spreads test who answers for each Service with several endpoints.
func (p *plan) spreads(pods []*kube.Pod) {
	for _, svc := range p.homeServices() {
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
		if k := len(p.Eligible(s, svc, sp)); k > 1 && p.reaches(s, svc, sp) {
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
		if len(p.Eligible(s, svc, sp)) == 0 || !p.reaches(s, svc, sp) {
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
	expect := Expectation{Outcome: Reached, Why: "connections are spread evenly over the endpoints", Hop: Translate}
	kept, by := p.hinted(s, svc, endpointsOf(svc, sp))
	switch {
	case svc.ClientIPAffinity:
		expect.Why = "sessionAffinity is ClientIP: one client gets one endpoint"
	case svc.LocalInternal:
		expect.Why = "internalTrafficPolicy is Local: connections are spread evenly over the endpoints on Node " + s.Node
	case by != "":
		expect.Why = fmt.Sprintf("the endpoints have hints, and %s are for %s: connections are spread evenly over those", of(len(kept), len(endpointsOf(svc, sp))), by)
		expect.Cause = &Cause{
			Code: TrafficHints, Hop: Translate, ByDesign: true, Next: slicesOf(svc),
			Summary: fmt.Sprintf("Only %s endpoints of Service %s take connections from %s: the others are for other places by their hints (trafficDistribution %s).", of(len(kept), len(endpointsOf(svc, sp))), svc.Name, by, cmp.Or(svc.TrafficDistribution, "or topology-mode")),
		}
	}
	p.add(Check{
		Group: Spreading, Source: s, Kind: Spread, Target: serviceLabel(p, svc, sp.Port), Ask: Ask{Host: svc.ClusterIPs[0], Port: sp.Port, Count: count},
		Expect: expect, Path: Path{Entry: AtClusterIP, Service: svc.Key(), Port: sp},
	})
}

// reaches reports whether a Service is expected to answer on its virtual
// address.
func (p *plan) reaches(s Source, svc *kube.Service, sp kube.ServicePort) bool {
	c := Check{Source: s, Kind: TCP, Ask: Ask{Host: svc.ClusterIPs[0], Port: sp.Port}, Path: Path{Entry: AtClusterIP, Service: svc.Key(), Port: sp}}
	return p.expect(c).Outcome == Reached
}

// Eligible are the endpoints that a source's connections to the first virtual
// address of a Service may come to.
func (w *World) Eligible(s Source, svc *kube.Service, sp kube.ServicePort) []kube.Endpoint {
	return w.eligible(s, svc, sp, svc.ClusterIPs[0])
}
