package path

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"podpath/kube"
)

// selectorTooBroad is a Service that selects Pods of another kind as well: some
// endpoints answer, and none of those of one kind does.
func (k kase) selectorTooBroad() *Cause {
	svc, port, ok := k.servicePort()
	if !ok || len(svc.Selector) == 0 || k.Kind != TCP && k.Kind != Spread && k.Kind != HTTP && k.Kind != HTTPS {
		return nil
	}
	good, bad := map[string][]*kube.Pod{}, map[string][]*kube.Pod{}
	var seen []Evidence
	for _, e := range endpointsOf(svc, port) {
		pod := k.Pod(kube.Key{Namespace: svc.Namespace, Name: e.Pod})
		r := k.dialed(e)
		if pod == nil || r == nil {
			continue
		}
		if connected(r) {
			good[makeOf(pod)] = append(good[makeOf(pod)], pod)
		} else if r.Error == Refused && !declares(pod, e.Port) { // who says that it listens there is meant
			bad[makeOf(pod)] = append(bad[makeOf(pod)], pod)
			seen = append(seen, Evidence{What: r.Address, Where: r.Source.Label, Seen: fmt.Sprintf("%s refuses", pod.Name)})
		}
	}
	for kind, pods := range bad {
		if len(good) == 0 || len(good[kind]) > 0 {
			continue
		}
		answers := firstOf(good)
		c := &Cause{
			Summary: fmt.Sprintf("The selector %s of Service %s matches Pods of another kind as well: %s does not listen on port %d, and is %s; %s, which answers, is %s.",
				svc.Selector, svc.Name, pods[0].Name, translated(svc, port), kind, answers.Name, makeOf(answers)),
			Evidence: append(seen, Evidence{What: "pod/" + pods[0].Name, Where: svc.Namespace, Seen: "labels " + pods[0].Labels.String()}, Evidence{What: "pod/" + answers.Name, Where: svc.Namespace, Seen: "labels " + answers.Labels.String()}),
			Next:     run("add a label to the selector that only the right ones have", "kubectl", "get", "pods", "-n", svc.Namespace, "-l", svc.Selector.String(), "--show-labels"),
		}
		if sockets, known := k.looks.Sockets[pods[0].Key()]; known {
			c.Evidence = append(c.Evidence, tableOf(pods[0], sockets))
		}
		return c
	}
	return nil
}

// declares reports whether a container of a Pod declares a TCP port.
func declares(pod *kube.Pod, port int) bool {
	return slices.ContainsFunc(pod.Ports(), func(c kube.ContainerPort) bool { return c.Port == port && c.Protocol == "TCP" })
}

// firstOf is the Pod with the first name, so that words do not change from run
// to run.
func firstOf(pods map[string][]*kube.Pod) *kube.Pod {
	var first *kube.Pod
	for _, list := range pods {
		for _, p := range list {
			if first == nil || p.Name < first.Name {
				first = p
			}
		}
	}
	return first
}

// makeOf says what a Pod was made from: what owns it, or its images.
func makeOf(p *kube.Pod) string {
	if owner, ok := strings.CutPrefix(p.Owner, "ReplicaSet/"); ok && p.Labels.Has(templateHash) {
		return "of Deployment/" + strings.TrimSuffix(owner, "-"+p.Labels.Get(templateHash)) // of whichever revision
	}
	if p.Owner != "" {
		return "of " + p.Owner
	}
	var images []string
	for _, c := range p.Containers {
		if c.Kind == kube.AppContainer {
			images = append(images, c.Image)
		}
	}
	slices.Sort(images)
	return "a Pod with " + list(slices.Compact(images))
}

// dialed is the result of an endpoint's own address, from the same source, or
// from any that reached it.
func (k kase) dialed(e kube.Endpoint) *Result {
	at := net.JoinHostPort(e.Address, strconv.Itoa(e.Port))
	var found *Result
	for _, r := range append(slices.Clone(k.all.at[at]), &k.Result) {
		if r.Address != at || r.Kind != TCP && r.Kind != HTTP && r.Kind != HTTPS {
			continue
		}
		if found == nil || r.Source.Label == k.Source.Label {
			found = r
		}
	}
	return found
}

// deadEndpoint is one endpoint among several that does not answer though it
// is ready.
func (k kase) deadEndpoint() *Cause {
	svc, port, ok := k.servicePort()
	if !ok || k.Kind != TCP && k.Kind != UDP && k.Kind != Spread || k.Error != NoError && k.Stage != StageConnect {
		return nil
	}
	siblings := k.siblings(svc, port)
	good := count(siblings, connected)
	dead := slices.DeleteFunc(siblings, func(r *Result) bool {
		return !failed(r) || connected(r) || k.Path.Virtual() && !k.failsLike(r)
	})
	if !k.Path.Virtual() {
		dead = append(dead, &k.Result)
	}
	if good == 0 || len(dead) == 0 {
		return nil
	}
	for _, d := range dead {
		n := k.Node(d.Path.Node)
		if k.answersOthers(d) || d.Path.Node != k.Source.Node && k.nodeFails(d) || n != nil && !n.Ready && lost(d.Error) {
			return nil // it lives, or its Node or the way there is at fault
		}
	}
	next := slicesOf(svc)
	if pod := dead[0].Path.Pod; pod.Name != "" {
		next = run("and look at its readiness probe", "kubectl", "describe", "pod", "-n", svc.Namespace, pod.Name)
	}
	c := &Cause{
		Summary: fmt.Sprintf("Endpoints of Service %s do not answer (%s that were dialed), though they are ready and get their share of the connections.", svc.Name, of(len(dead), len(dead)+good)),
		Next:    next,
	}
	for _, d := range dead {
		c.Evidence = append(c.Evidence, Evidence{What: fmt.Sprintf("%s at %s", d.Target, d.Address), Where: d.Source.Label, Seen: string(d.Error)})
	}
	c.Evidence = append(c.Evidence, Evidence{What: kube.Count(good, "other endpoint"), Where: k.Source.Label, Seen: "reached"})
	return c
}

// answersOthers reports whether an endpoint answers to any other source.
func (k kase) answersOthers(of *Result) bool {
	address := of.Address
	if pod := k.Pod(of.Path.Pod); pod != nil { // it may have been dialed as localhost
		address = net.JoinHostPort(pod.IP(), strconv.Itoa(of.Ask.Port))
	}
	return slices.ContainsFunc(k.all.at[address], func(r *Result) bool { return r.Kind == TCP && !r.Path.Virtual() && connected(r) })
}

// nodeFails reports whether everything else on the Node of a result fails from
// the same source, too.
func (k kase) nodeFails(of *Result) bool {
	there := k.others(k.all.from[k.Source.Label], func(r *Result) bool {
		return r.ID != of.ID && r.Kind == TCP && !r.Path.Virtual() && r.Path.Node == of.Path.Node && r.Source.Node != r.Path.Node
	})
	return len(there) > 0 && count(there, opened) == 0
}

// behind is what explains why endpoints behind an address fail: where the
// request came to none of them, any; where it was taken, those that fail in the
// same way, if others do not.
func (k kase) behind() *Cause {
	if !k.spoke() {
		return k.throughEndpoints(k.failsLike)
	}
	svc, port, ok := k.servicePort()
	if !ok || k.Path.Ingress.Name != "" {
		return nil
	}
	alike := func(r *Result) bool { return r.Stage == k.Stage && r.Error == k.Error && r.Status == k.Status }
	if siblings := k.siblings(svc, port); count(siblings, alike) == len(siblings) {
		return nil // what it says of itself is as true of each
	}
	return k.throughEndpoints(alike)
}

func anyResult(*Result) bool { return true }

// failsLike reports that a request through a Service fails as it would if it was
// led to an endpoint: one that refuses does not explain packets that get lost.
func (k kase) failsLike(endpoint *Result) bool {
	oneLost := lost(k.Error) != lost(endpoint.Error)
	return !oneLost || k.Error == NoError || k.Path.Ingress.Name != "" || k.Stage == StageResolve
}

// throughEndpoints takes over what explains why endpoints behind a virtual
// address fail, of those that are alike: it fails as often as it leads to one
// of them.
func (k kase) throughEndpoints(alike func(*Result) bool) *Cause {
	svc, port, ok := k.servicePort()
	if !ok || !k.Path.Virtual() && k.Path.Entry != AtHeadless && k.Kind != Spread {
		return nil
	}
	behind := k.siblings(svc, port)
	if k.Path.Entry == AtHeadless { // its name has led to one of them
		behind = slices.DeleteFunc(behind, func(r *Result) bool { return r.Address != k.Address })
	}
	failing := slices.DeleteFunc(slices.Clone(behind), func(r *Result) bool {
		return r.Error == NoError || r.Expect.Outcome == Blocked || !alike(r)
	})
	if len(failing) == 0 {
		return nil
	}
	sibling := kase{k.World, *failing[0], k.all, k.looks}
	sibling.Verdict = Fail // beside the request that failed it counts as one, whatever was expected
	found := sibling.causes(Findings())
	if len(found) == 0 {
		return nil
	}
	c := *found[0]
	c.Evidence = append([]Evidence{{What: of(len(failing), len(behind)) + " endpoints", Where: k.Source.Label, Seen: "fail when dialed"}}, c.Evidence...)
	return &c
}
