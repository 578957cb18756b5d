package path

import (
	"fmt"
	"slices"
	"strings"

	"podpath/kube"
)

// ruleOfTranslation is what becomes of the address of a path.
func (w *World) ruleOfTranslation(s Source, p Path) Expectation {
	svc := w.service(p)
	switch {
	case p.Entry == AtEndpoint:
		return reached("an EndpointSlice says that this endpoint is ready")
	case svc == nil:
		return reached("you asked for it")
	case p.Entry == AtClusterIP:
		return w.ruleOfClusterIP(s, svc, p.Port)
	case p.Entry.outer():
		return w.ruleOfOuter(s, svc, p)
	case p.Entry == AtIngress:
		return reached("an Ingress passes on what comes to its controller")
	case p.Entry == AtHeadless:
		return reached("the name of a headless Service is the addresses of its endpoints: nothing is translated, and clients use the endpoints' own port")
	default:
		return reached("you asked for it")
	}
}

// ruleOfClusterIP is the rule for a Service's virtual address: it answers for
// one of the endpoints, wherever the client is in the cluster.
func (w *World) ruleOfClusterIP(s Source, svc *kube.Service, port kube.ServicePort) Expectation {
	if e, ok := w.outside(s, "ClusterIPs"); ok {
		return e
	}
	if svc.LocalInternal && port.Port != 0 && len(endpointsOf(svc, port)) > 0 && !onNode(endpointsOf(svc, port), s.Node) {
		return blocked(InternalLocal, fmt.Sprintf("internalTrafficPolicy is Local, and no endpoint of %s runs on Node %s", svc.Name, s.Node), slicesOf(svc))
	}
	return reached("a Service answers on its virtual address for one of its endpoints")
}

// ruleOfOuter is the rule for addresses that are for clients outside. With
// externalTrafficPolicy Local a Node answers only for its own endpoints;
// clients in the cluster that go to an external or load balancer address are
// led on as for the ClusterIP (KEP-1880 and the Service API).
func (w *World) ruleOfOuter(s Source, svc *kube.Service, p Path) Expectation {
	ends := endpointsOf(svc, p.Port)
	inside := w.inside(s, p)
	if len(svc.SourceRanges) > 0 && p.Entry == AtLoadBalancer {
		if e, ok := w.ruleOfSourceRanges(s, svc, inside); ok {
			return e
		}
	}
	says := map[Entry]string{AtNodePort: "a NodePort answers on every Node", AtExternalIP: "a Service answers on its external addresses", AtLoadBalancer: "a Service answers on its external addresses"}[p.Entry]
	switch {
	case !svc.LocalExternal || len(ends) == 0 || p.Node == "":
		return reached(says)
	case w.passesBy(s, p, ends):
		return externalLocal(svc, fmt.Sprintf("externalTrafficPolicy is Local: Node %s may lead what a Pod sends to an endpoint on another Node, whose answer goes past it", p.Node))
	case onNode(ends, p.Node):
		return reached(says)
	}
	lacks := fmt.Sprintf("externalTrafficPolicy is Local, and no endpoint of %s runs on Node %s", svc.Name, p.Node)
	if inside {
		return externalLocal(svc, lacks)
	}
	return blocked(ExternalLocal, lacks, slicesOf(svc))
}

// externalLocal is an address with externalTrafficPolicy Local at which clients
// in the cluster may get through, or not.
func externalLocal(svc *kube.Service, why string) Expectation {
	e := either(why + "; clients in the cluster may get through")
	e.Cause = &Cause{Code: ExternalLocal, Summary: why + ".", ByDesign: true, Next: slicesOf(svc)}
	return e
}

// passesBy reports a Pod that asks at the port of another Node, which does not
// lead to that Node's endpoints alone: with externalTrafficPolicy Local,
// kube-proxy leads Pods to every endpoint and keeps their address (its chain
// KUBE-EXT), unless their own Node has put its address in the place of theirs.
func (w *World) passesBy(s Source, p Path, ends []kube.Endpoint) bool {
	return p.Entry == AtNodePort && s.Node != p.Node && w.onPodNetwork(w.asker(s)) && onNode(ends, p.Node) &&
		slices.ContainsFunc(ends, func(e kube.Endpoint) bool { return e.Node != p.Node })
}

// inside reports whether what a source sends to an address for clients outside
// may be led on as for the ClusterIP: kube-proxy of the source's own Node does
// that with external addresses, but it does not know other Nodes' ports.
func (w *World) inside(s Source, p Path) bool {
	if p.Entry == AtNodePort && w.asker(s).Name == "" {
		return s.Node == p.Node
	}
	return s.Kind == FromPod || s.Node != ""
}

// ruleOfSourceRanges is the rule for loadBalancerSourceRanges: whoever comes
// from elsewhere is dropped. podpath knows the address of a source in the
// cluster, and its own.
func (w *World) ruleOfSourceRanges(s Source, svc *kube.Service, inside bool) (Expectation, bool) {
	var from []string
	if pod := w.Pod(s.Pod); pod != nil {
		from = pod.IPs
	} else if n := w.Node(s.Node); n != nil {
		from = n.InternalIPs
	} else {
		for _, a := range w.Here {
			from = append(from, a.String())
		}
	}
	in := slices.ContainsFunc(from, func(a string) bool {
		return slices.ContainsFunc(svc.SourceRanges, func(cidr string) bool { return within(cidr, a) })
	})
	limits := fmt.Sprintf("loadBalancerSourceRanges of %s permits %s only", svc.Name, list(svc.SourceRanges))
	switch {
	case in:
		return Expectation{}, false
	case inside:
		e := either(limits + "; clients in the cluster may get through")
		e.Cause = &Cause{Code: SourceRanges, Summary: limits + ", and " + s.Label + " is not there.", ByDesign: true, Next: describe(svc)}
		return e, true
	default:
		return blocked(SourceRanges, limits+", and podpath is not there", describe(svc)), true
	}
}

// outside is the rule for podpath outside of the cluster.
func (w *World) outside(s Source, what string) (Expectation, bool) {
	if s.Kind != FromLocal || s.Node != "" {
		return Expectation{}, false
	}
	if !w.State(kube.Nodes).Listed {
		return either("podpath may not list Nodes, so that it cannot tell whether it runs on one"), true
	}
	return Expectation{
		Outcome: Any,
		Why:     what + " lead nowhere outside of the cluster, unless somebody made a route",
		Cause: &Cause{
			Code: OutsideCluster, ByDesign: true,
			Summary: "podpath runs on no Node of the cluster: " + what + " are not reached from here, and that is right.",
			Next:    advise("podpath forward svc/NAME leads in, and so do a NodePort, a LoadBalancer or an Ingress"),
		},
	}, true
}

func describe(svc *kube.Service) Next {
	return run("", "kubectl", "describe", "service", "-n", svc.Namespace, svc.Name)
}

func slicesOf(svc *kube.Service) Next {
	return run("", "kubectl", "get", "endpointslices", "-n", svc.Namespace, "-l", "kubernetes.io/service-name="+svc.Name)
}

// notTranslated reports a request that failed at the address of a Service, and
// which one. The name of a headless one is its endpoints: it does not exist
// without them.
func (k kase) notTranslated() *kube.Service {
	svc := k.service(k.Path)
	switch {
	case svc == nil || k.Error == NoError:
		return nil
	case k.Kind == DNS || k.Stage == StageResolve && k.Kind != Status:
		if svc.Kind != kube.Headless || k.Error != NXDomain && k.Error != NoData && !k.unknownName(k.wholeName()) {
			return nil
		}
		return svc
	case !k.Path.Virtual() && k.Path.Entry != AtHeadless:
		return nil
	}
	return svc
}

// failedHere is what was seen of the request itself.
func (k kase) failedHere() []Evidence {
	seen := strings.TrimSpace(string(k.Error) + " " + k.Detail)
	return []Evidence{{What: k.Target, Where: k.Source.Label, Seen: seen}}
}

// externalNowhere is an external IP that no Node has: kube-proxy knows it, but
// nothing leads packets to a Node. Of a load balancer's address its controller
// takes care, unless the network says that nobody has it.
func (k kase) externalNowhere() *Cause {
	svc := k.service(k.Path)
	nobody := k.Path.Entry == AtExternalIP || k.Path.Entry == AtLoadBalancer && k.Error == Unreachable
	if svc == nil || !nobody || k.Path.Node != "" || k.Source.Node != "" || k.Source.Kind != FromLocal ||
		!k.lostOnTheWay() || !k.State(kube.Nodes).Listed {
		return nil
	}
	return &Cause{
		Summary:  fmt.Sprintf("No Node has the address %s of Service %s: something has to lead it to the Nodes, such as MetalLB, a load balancer or a route.", k.Ask.Host, svc.Name),
		Evidence: append(k.failedHere(), Evidence{What: "svc/" + svc.Name, Where: svc.Namespace, Seen: "external addresses " + list(svc.External())}),
		Next:     describe(svc),
	}
}

func (k kase) loadBalancerPending() *Cause {
	if k.Kind != Status || k.service(k.Path) == nil {
		return nil
	}
	svc, flag, ok := k.flagged(kube.LoadBalancerPending)
	if !ok {
		return nil
	}
	return &Cause{Summary: flag.Message, Evidence: k.failedHere(), Next: describe(svc)}
}
