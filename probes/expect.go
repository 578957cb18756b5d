package probes

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"podpath/kube"
)

// reached expects an answer.
func reached(why string) Expectation { return Expectation{Outcome: Reached, Why: why} }

// either expects nothing.
func either(why string) Expectation { return Expectation{Outcome: Any, Why: why} }

// blocked expects no answer, for a reason that is by design.
func blocked(code CauseCode, why, next string) Expectation {
	return Expectation{Outcome: Blocked, Why: why, Cause: &Cause{Code: code, Summary: why, Next: next, ByDesign: true}}
}

// expectPod is the rule for a Pod's own address: every Pod reaches every other
// one without translation (the Kubernetes network model), unless a
// NetworkPolicy denies it.
func (w *World) expectPod(s Source, to *kube.Pod, port int) Expectation {
	if e, ok := w.expectOutside(s, "Pod addresses"); ok {
		return e
	}
	if n := w.Node(to.Node); n != nil && !n.Ready { // that is why the Pod is not ready either
		return reached("every Pod reaches every other one; Node " + n.Name + " is not ready")
	}
	if !to.IsReady {
		return either(fmt.Sprintf("Pod %s is not ready (%s)", to.Name, to.Status))
	}
	t := traffic{from: w.Pod(s.Pod), to: to, toIP: to.IP(), port: port, protocol: "TCP"}
	switch {
	case t.from == to:
		return reached("a Pod reaches itself")
	case t.from == nil || t.from.HostNetwork:
		return w.expectFromNode(s, t)
	}
	t.fromIP = t.from.IP()
	if why := w.denied(t); why != "" {
		return w.byPolicy(why, to.Namespace)
	}
	if w.PoliciesUnknown {
		return reached("every Pod reaches every ready Pod, unless a NetworkPolicy denies it; podpath may not list those")
	}
	return reached("every Pod reaches every ready Pod, and no NetworkPolicy denies it")
}

// expectFromNode is the rule for programs on a Node. What policies do to them
// depends on the CNI; most let a Node reach its own Pods.
func (w *World) expectFromNode(s Source, t traffic) Expectation {
	if n := w.Node(s.Node); n != nil {
		t.fromIP = n.InternalIP()
	}
	if why := w.denied(t); why != "" {
		return either(why + nodesMayPass)
	}
	return reached("every Node reaches every ready Pod")
}

const nodesMayPass = "; a Node may be let through all the same"

// byPolicy is the rule for what NetworkPolicies deny. Without the labels of
// namespaces it cannot be told whom they permit by them.
func (w *World) byPolicy(why, namespace string) Expectation {
	if w.NamespaceLabels == nil && slices.ContainsFunc(w.Policies, selectsNamespaces) {
		return either(why + ", as far as podpath can tell: it may not read the labels of namespaces")
	}
	return blocked(PolicyDenies, why, "kubectl describe networkpolicy -n "+namespace)
}

// expectOutside is the rule for podpath outside of the cluster.
func (w *World) expectOutside(s Source, what string) (Expectation, bool) {
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
			Next:    "podpath forward svc/NAME  leads in, and so do a NodePort, a LoadBalancer or an Ingress",
		},
	}, true
}

// expectVirtual is the rule for a Service's virtual address: it answers for
// one of the endpoints, wherever the client is in the cluster.
func (w *World) expectVirtual(s Source, svc *kube.Service, port kube.ServicePort) Expectation {
	if e, ok := w.expectOutside(s, "ClusterIPs"); ok {
		return e
	}
	to := endpointsOf(svc, port)
	if svc.LocalInternal && !onNode(to, s.Node) {
		return blocked(InternalLocal, fmt.Sprintf("internalTrafficPolicy is Local, and no endpoint of %s runs on Node %s", svc.Name, s.Node),
			fmt.Sprintf("kubectl get endpointslices -n %s -l kubernetes.io/service-name=%s", svc.Namespace, svc.Name))
	}
	why, all := w.deniedSome(s, svc.Namespace, to)
	switch from := w.Pod(s.Pod); {
	case why == "":
		return reached("a Service answers on its virtual address for one of its endpoints")
	case from == nil || from.HostNetwork:
		return either(why + nodesMayPass)
	case !all:
		return either(why + "; other endpoints of the Service are permitted")
	default:
		return w.byPolicy(why, svc.Namespace)
	}
}

// deniedSome says why a source may not reach some of the endpoints, or "", and
// whether it may reach none at all.
func (w *World) deniedSome(s Source, namespace string, to []kube.Endpoint) (why string, all bool) {
	t := traffic{from: w.Pod(s.Pod), protocol: "TCP"}
	if n := w.Node(s.Node); n != nil {
		t.fromIP = n.InternalIP()
	}
	if t.from != nil {
		t.fromIP = t.from.IP()
	}
	all = true
	for _, e := range to {
		t.to, t.toIP, t.port = w.Pod(kube.Key{Namespace: namespace, Name: e.Pod}), e.Address, e.Port
		denied := w.denied(t)
		why, all = cmp.Or(why, denied), all && denied != ""
	}
	return why, all
}

// expectNodePort is the rule for a port of a Node. With
// externalTrafficPolicy Local a Node answers only for its own endpoints;
// whether clients in the cluster count as external depends on kube-proxy.
func (w *World) expectNodePort(s Source, svc *kube.Service, port kube.ServicePort, node string) Expectation {
	to := endpointsOf(svc, port)
	denied, _ := w.deniedSome(s, svc.Namespace, to)
	switch {
	case denied != "":
		return either(denied + "; on the way through a Node it may look as if it came from there")
	case !svc.LocalExternal || onNode(to, node):
		return reached("a NodePort answers on every Node")
	case s.Kind == FromPod || s.Node == node:
		return either(fmt.Sprintf("externalTrafficPolicy is Local, and no endpoint of %s runs on Node %s; clients in the cluster may get through", svc.Name, node))
	default:
		return blocked(ExternalLocal, fmt.Sprintf("externalTrafficPolicy is Local, and no endpoint of %s runs on Node %s", svc.Name, node),
			fmt.Sprintf("kubectl get endpointslices -n %s -l kubernetes.io/service-name=%s", svc.Namespace, svc.Name))
	}
}

// expectExternal is the rule for the addresses of a load balancer, and for
// externalIPs.
func (w *World) expectExternal(s Source, svc *kube.Service, port kube.ServicePort) Expectation {
	if denied, _ := w.deniedSome(s, svc.Namespace, endpointsOf(svc, port)); denied != "" {
		return either(denied + "; on the way through a Node or a load balancer it may look as if it came from there")
	}
	return reached("a Service answers on its external addresses")
}

// endpointsOf are the endpoints that get the traffic of a Service's port:
// those that are ready, else those that serve while they terminate (KEP-1669).
func endpointsOf(svc *kube.Service, port kube.ServicePort) []kube.Endpoint {
	var ready, serving []kube.Endpoint
	for _, e := range svc.Endpoints {
		if e.PortName != port.Name || e.Protocol != port.Protocol || e.Port == 0 {
			continue
		}
		switch {
		case e.Ready:
			ready = append(ready, e)
		case e.Serving && e.Terminating:
			serving = append(serving, e)
		}
	}
	if len(ready) == 0 {
		return serving
	}
	return ready
}

func onNode(endpoints []kube.Endpoint, node string) bool {
	return slices.ContainsFunc(endpoints, func(e kube.Endpoint) bool { return e.Node == node })
}

// envTime is how long before its start a container's variables may be made up:
// it takes a Raspberry Pi that long to make a container.
const envTime = 2 * time.Second

// restarted reports whether the containers of a Pod may have started at
// different times.
func restarted(p *kube.Pod) bool {
	apps := 0
	for _, c := range p.Containers {
		if c.Kind == kube.AppContainer || c.Kind == kube.SidecarContainer {
			apps++
		}
	}
	return apps > 1
}

// expectEnv is the rule for the variables that a container finds a Service by:
// it has them when the Service was there before the container started.
func expectEnv(p *kube.Pod, svc *kube.Service, values []string) Expectation {
	describe := fmt.Sprintf("kubectl describe service -n %s %s", svc.Namespace, svc.Name)
	switch started := p.Started.Truncate(time.Second); {
	case p.Started.IsZero():
		return either("it is not known when the container started")
	case !p.EnableServiceLinks:
		return blocked(EnvLinksOff, fmt.Sprintf("Pod %s has enableServiceLinks: false, so it gets no variables for Services", p.Name), describe)
	case restarted(p) && svc.Created.After(p.Created) && svc.Created.Before(started):
		return either("the Service was made before one container of the Pod started, and after another one did")
	case svc.Created.After(started):
		return blocked(EnvPodOlder, fmt.Sprintf("Pod %s started before Service %s was made; a container gets the variables of those Services that are there when it starts", p.Name, svc.Name),
			"restart the Pod, or use the DNS name "+svc.Name)
	case started.Sub(svc.Created) <= envTime:
		return either("the Service was made when the container was about to start")
	}
	return Expectation{Outcome: Reached, Why: "a container gets the variables of the Services of its namespace that are there when it starts", Values: values}
}

// expectHeadless is the rule for the DNS name of a headless Service: an
// address for each ready endpoint, or for all with publishNotReadyAddresses.
func expectHeadless(svc *kube.Service) Expectation {
	var values []string
	missing, four := 0, addressType(svc) == "A"
	for _, e := range svc.Endpoints {
		if a, err := netip.ParseAddr(e.Address); err != nil || a.Is4() != four {
			continue
		}
		if e.Ready {
			values = append(values, e.Address)
		} else if !e.Terminating {
			missing++
		}
	}
	slices.Sort(values)
	values = slices.Compact(values)
	e := Expectation{Outcome: Reached, Why: "the name of a headless Service has an address for each ready endpoint", Values: values}
	if missing > 0 {
		why := fmt.Sprintf("%d not ready endpoints of %s are left out of its name: publishNotReadyAddresses is false", missing, svc.Name)
		e.Cause = &Cause{Code: HeadlessNotReady, Summary: why, ByDesign: true, Next: fmt.Sprintf("kubectl get pods -n %s -l %s", svc.Namespace, svc.Selector)}
		if len(values) == 0 {
			e.Outcome, e.Values, e.Why = Blocked, nil, why
		}
	}
	return e
}

func list(words []string) string { return strings.Join(words, ", ") }
