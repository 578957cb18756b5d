package probes

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"podpath/kube"
)

// deadEndpoint is one endpoint among several that does not answer though it
// is ready.
func (k kase) deadEndpoint() *Cause {
	svc, port, ok := k.service()
	if !ok || k.Kind != TCP && k.Kind != Spread {
		return nil
	}
	siblings := k.siblings(svc, port)
	good := count(siblings, succeeded)
	dead := slices.DeleteFunc(siblings, func(r *Result) bool { return !failed(r) })
	if !k.About.Virtual {
		dead = append(dead, &k.Result)
	}
	if good == 0 || len(dead) == 0 {
		return nil
	}
	for _, d := range dead {
		n := k.Node(d.About.Node)
		if k.answersOthers(d) || d.About.Node != k.Source.Node && k.nodeFails(d) || n != nil && !n.Ready && lost(d.Error) {
			return nil // it lives, or its Node or the way there is at fault
		}
	}
	next := fmt.Sprintf("kubectl describe pod -n %s %s  and look at its readiness probe", svc.Namespace, dead[0].About.Pod.Name)
	if dead[0].About.Pod == (kube.Key{}) {
		next = fmt.Sprintf("kubectl get endpointslices -n %s -l kubernetes.io/service-name=%s", svc.Namespace, svc.Name)
	}
	return &Cause{
		Code:    DeadEndpoint,
		Summary: fmt.Sprintf("Endpoints of Service %s do not answer (%d of the %d that were dialed), though they are ready and get their share of the connections.", svc.Name, len(dead), len(dead)+good),
		Evidence: append(names(dead, func(r *Result) string { return fmt.Sprintf("%s at %s: %s", r.Target, r.Address, r.Error) }),
			fmt.Sprintf("%d others answer from the same source", good)),
		Next: next,
	}
}

// answersOthers reports whether an endpoint answers to any other source.
func (k kase) answersOthers(of *Result) bool {
	address := of.Address
	if pod := k.Pod(of.About.Pod); pod != nil { // it may have been dialed as localhost
		address = net.JoinHostPort(pod.IP(), strconv.Itoa(of.Ask.Port))
	}
	return slices.ContainsFunc(k.all.at[address], func(r *Result) bool { return r.Kind == TCP && !r.About.Virtual && succeeded(r) })
}

// nodeFails reports whether everything else on the Node of a result fails from
// the same source, too.
func (k kase) nodeFails(of *Result) bool {
	there := k.others(k.all.from[k.Source.Label], func(r *Result) bool {
		return r.ID != of.ID && r.Kind == TCP && !r.About.Virtual && r.About.Node == of.About.Node && r.Source.Node != r.About.Node
	})
	return len(there) > 0 && count(there, succeeded) == 0
}

// throughEndpoints takes over what explains why endpoints behind a virtual
// address fail: it fails as often as it leads to one of them.
func (k kase) throughEndpoints() *Cause {
	svc, port, ok := k.service()
	if !ok || !k.About.Virtual || k.Kind != TCP && k.Kind != Spread {
		return nil
	}
	behind := k.siblings(svc, port)
	failing := slices.DeleteFunc(slices.Clone(behind), func(r *Result) bool { return !failed(r) })
	if len(failing) == 0 {
		return nil
	}
	sibling := kase{k.World, *failing[0], k.all, k.evidence}
	found := sibling.causes()
	if len(found) == 0 {
		return nil
	}
	c := *found[0]
	c.Evidence = append([]string{fmt.Sprintf("%d of %d endpoints fail when dialed from %s", len(failing), len(behind), k.Source.Label)}, c.Evidence...)
	return &c
}

// failsAlone reports a virtual address that fails on a Node though all
// endpoints answer there, and returns how many did. The addresses of Nodes and
// load balancers are not only a matter of what forwards Services.
func (k kase) failsAlone() (endpoints int, ok bool) {
	svc, port, ok := k.service()
	if !ok || !k.About.Virtual || k.Kind != TCP || k.Source.Node == "" || !slices.Contains(svc.ClusterIPs, k.Ask.Host) {
		return 0, false
	}
	beside := k.others(k.all.to[k.Target], func(r *Result) bool { return r.Kind == TCP && r.Source.Node == k.Source.Node })
	behind := k.siblings(svc, port)
	good := count(behind, succeeded)
	return good, good > 0 && good == len(behind) && good >= len(endpointsOf(svc, port)) && count(beside, succeeded) == 0
}

// kubeProxy is a virtual address that fails from one Node while the endpoints
// answer there.
func (k kase) kubeProxy() *Cause {
	endpoints, ok := k.failsAlone()
	if !ok {
		return nil
	}
	elsewhere := k.others(k.all.to[k.Target], func(r *Result) bool {
		return r.Kind == TCP && r.Source.Node != k.Source.Node && r.Source.Node != ""
	})
	works := count(elsewhere, succeeded)
	health, asked := k.evidence.proxies[k.Source.Node]
	if works == 0 && (len(elsewhere) > 0 || !asked || health.Error == NoError) {
		return nil
	}
	evidence := []string{
		fmt.Sprintf("%s fails from Node %s: %s", k.Target, k.Source.Node, k.Error),
		fmt.Sprintf("%d endpoints answer from there when dialed", endpoints),
		fmt.Sprintf("it works from %d of %d sources on other Nodes", works, len(elsewhere)),
	}
	if asked {
		evidence = append(evidence, fmt.Sprintf("kube-proxy's health check %s: %s", health.Address, orFine(health)))
	}
	return &Cause{
		Code: KubeProxy, Summary: fmt.Sprintf("kube-proxy on Node %s does not do its work: Services fail from there, Pods do not.", k.Source.Node),
		Evidence: evidence, Next: fmt.Sprintf("kubectl get pods -n kube-system -o wide --field-selector spec.nodeName=%s | grep proxy", k.Source.Node),
	}
}

func orFine(o Observation) string {
	if o.Error == NoError {
		return o.Detail
	}
	return strings.TrimSpace(string(o.Error) + " " + o.Detail)
}

func (k kase) dataplane() *Cause {
	endpoints, ok := k.failsAlone()
	if !ok {
		return nil
	}
	return &Cause{
		Code: ServiceDataplane, Summary: "The endpoints answer, the Service's virtual address does not: what forwards Services to Pods does not work.",
		Evidence: []string{fmt.Sprintf("%s: %s", k.Target, k.Error), fmt.Sprintf("%d endpoints answer when dialed", endpoints)},
		Next:     "kubectl get pods -n kube-system -o wide  and look for kube-proxy, or what stands in for it",
	}
}
