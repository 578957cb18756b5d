package path

import (
	"fmt"
	"slices"

	"podpath/kube"
)

// hairpin is a Pod that reaches its own Service only where another endpoint
// answers: its Node does not lead its packets back to it.
func (k kase) hairpin() *Cause {
	svc, port, ok := k.servicePort()
	pod := k.Pod(k.Source.Pod)
	if !ok || pod == nil || pod.HostNetwork || !k.Path.Virtual() || k.Path.Ingress.Name != "" || !lost(k.Error) || k.Stage != StageConnect {
		return nil
	}
	ends := k.ends(k.Source, k.Path, k.Ask)
	if len(ends) == 0 || slices.ContainsFunc(ends, func(e kube.Endpoint) bool { return e.Pod != pod.Name }) {
		return nil
	}
	direct := k.others(k.all.from[k.Source.Label], func(r *Result) bool { // at the address to which the Service leads
		return r.Address == endpointLabel(ends[0]) && !r.Path.Virtual() && r.Path.Pod == pod.Key() && connected(r)
	})
	if len(direct) == 0 {
		return nil
	}
	if health, asked := k.looks.Proxies[pod.Node]; asked && health.Error != NoError {
		return nil // kube-proxy there may be why
	}
	elsewhere := k.others(k.all.to[k.Target], func(r *Result) bool { return r.Source.Label != k.Source.Label && r.Source.Pod.Name != "" })
	if len(elsewhere) > 0 && count(elsewhere, connected) == 0 {
		return nil // nobody reaches it
	}
	c := &Cause{
		Summary: fmt.Sprintf("Pod %s does not reach itself through its own Service %s: the bridge of Node %s does not send packets back where they came from (hairpin mode).", pod.Name, svc.Name, pod.Node),
		Evidence: []Evidence{
			k.seenAs(string(k.Error)),
			{What: direct[0].Address, Where: k.Source.Label, Seen: "the same Pod answers when dialed"},
		},
		Next: run("on "+pod.Node+": hairpinMode of the bridge in /etc/cni/net.d, or hairpin-mode promiscuous-bridge of the kubelet", "kubectl", "get", "pods", "-n", "kube-system", "-o", "wide", "--field-selector", "spec.nodeName="+pod.Node),
	}
	if len(elsewhere) > 0 {
		c.Evidence = append(c.Evidence, Evidence{What: fmt.Sprintf("svc/%s:%d", svc.Name, port.Port), Seen: fmt.Sprintf("works from %s other Pods", of(count(elsewhere, connected), len(elsewhere)))})
	}
	return c
}

// failsAlone reports a virtual address that fails on a Node though all
// endpoints answer there, and returns how many did. The addresses of Nodes and
// load balancers are not only a matter of what forwards Services.
func (k kase) failsAlone() (endpoints int, ok bool) {
	svc, port, ok := k.servicePort()
	if !ok || k.Path.Entry != AtClusterIP || k.Kind == Spread || k.Stage != StageConnect || k.Source.Node == "" || k.Error == NoError {
		return 0, false
	}
	beside := k.others(k.all.to[k.Target], func(r *Result) bool { return r.Kind == k.Kind && r.Source.Node == k.Source.Node })
	behind := k.siblings(svc, port)
	came := connected
	if lost(k.Error) { // one that refuses has got it
		came = opened
	}
	good := count(behind, came)
	anywhere := 0 // endpoints that are lost to others: something nearer is at fault
	for _, e := range endpointsOf(svc, port) {
		if !e.Managed && k.PodAt(e.Address) == nil && k.addresses()[e.Address].node == nil {
			return 0, false // whose address that is podpath does not know: it may be one that cannot be led to
		}
		anywhere += count(k.all.at[endpointLabel(e)], func(r *Result) bool { return lost(r.Error) && r.Expect.Outcome == Reached })
	}
	return good, good > 0 && good == len(behind) && good >= len(endpointsOf(svc, port)) && count(beside, connected) == 0 && anywhere == 0
}

// kubeProxy is a virtual address that fails from one Node while the endpoints
// answer there.
func (k kase) kubeProxy() *Cause {
	endpoints, ok := k.failsAlone()
	if !ok {
		return nil
	}
	elsewhere := k.others(k.all.to[k.Target], func(r *Result) bool {
		return r.Kind == k.Kind && r.Source.Node != k.Source.Node && r.Source.Node != ""
	})
	works := count(elsewhere, connected)
	health, asked := k.looks.Proxies[k.Source.Node]
	if works == 0 && (len(elsewhere) > 0 || !asked || health.Error == NoError) {
		return nil
	}
	evidence := []Evidence{
		{What: k.Target, Where: k.Source.Label, Seen: string(k.Error)},
		{What: of(endpoints, endpoints) + " endpoints", Where: k.Source.Label, Seen: "answer when dialed"},
	}
	if len(elsewhere) > 0 {
		seen := fmt.Sprintf("works from %s sources on other Nodes", of(works, len(elsewhere)))
		evidence = append(evidence, Evidence{What: k.Target, Seen: seen})
	}
	if asked {
		evidence = append(evidence, Evidence{What: "kube-proxy's health check " + health.Address, Seen: orFine(health)})
	}
	return &Cause{
		Summary:  fmt.Sprintf("kube-proxy on Node %s does not do its work: Services fail from there, Pods do not.", k.Source.Node),
		Evidence: evidence,
		Next:     run("is kube-proxy well there?", "kubectl", "get", "pods", "-n", "kube-system", "-o", "wide", "--field-selector", "spec.nodeName="+k.Source.Node),
	}
}

func orFine(o Observation) string {
	if o.Error == NoError {
		return o.Detail
	}
	if o.Detail == "" {
		return string(o.Error)
	}
	return string(o.Error) + " " + o.Detail
}

func (k kase) dataplane() *Cause {
	endpoints, ok := k.failsAlone()
	if !ok {
		return nil
	}
	return &Cause{
		Summary: "The endpoints answer, the Service's virtual address does not: what forwards Services to Pods does not work.",
		Evidence: []Evidence{
			{What: k.Target, Where: k.Source.Label, Seen: string(k.Error)},
			{What: of(endpoints, endpoints) + " endpoints", Where: k.Source.Label, Seen: "answer when dialed"},
		},
		Next: run("and look for kube-proxy, or what stands in for it", "kubectl", "get", "pods", "-n", "kube-system", "-o", "wide"),
	}
}
