package path

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"podpath/kube"
)

// usable reports whether kube-proxy can send to an endpoint at all: it takes
// addresses and leaves names out (FQDN slices).
func usable(e kube.Endpoint) bool {
	_, err := netip.ParseAddr(e.Address)
	return err == nil && e.Port != 0
}

// endpointsOf are the endpoints that get the traffic of a Service's port: those
// of slices that have the port by its name and protocol, and that are ready,
// else those that serve while they terminate (KEP-1669).
func endpointsOf(svc *kube.Service, port kube.ServicePort) []kube.Endpoint {
	var ready, serving []kube.Endpoint
	for _, e := range svc.Endpoints {
		if e.PortName != port.Name || e.Protocol != port.Protocol || !usable(e) {
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

// eligible are the endpoints that a source's connections to a ClusterIP may
// come to: those of its IP family, with internalTrafficPolicy Local those on
// the source's own Node, and else those that hints set aside for it.
func (w *World) eligible(s Source, svc *kube.Service, sp kube.ServicePort, address string) []kube.Endpoint {
	six := strings.Contains(address, ":")
	all := slices.DeleteFunc(endpointsOf(svc, sp), func(e kube.Endpoint) bool {
		return strings.Contains(e.Address, ":") != six || svc.LocalInternal && e.Node != s.Node
	})
	hinted, _ := w.hinted(s, svc, all)
	return hinted
}

// hinted are the endpoints that hints leave for a source, and by what. Those
// for its Node count when every endpoint has such a hint and one names it; else
// the same with its zone (KEP-3015, KEP-2433).
func (w *World) hinted(s Source, svc *kube.Service, all []kube.Endpoint) (kept []kube.Endpoint, by string) {
	if svc.LocalInternal || s.Node == "" {
		return all, ""
	}
	zone := ""
	if n := w.Node(s.Node); n != nil {
		zone = n.Zone
	}
	for _, hint := range []struct {
		of    func(kube.Endpoint) []string
		place string
		says  string
	}{{kube.Endpoint.ForNodes, s.Node, "Node " + s.Node}, {kube.Endpoint.ForZones, zone, "zone " + zone}} {
		if hint.place == "" || slices.ContainsFunc(all, func(e kube.Endpoint) bool { return len(hint.of(e)) == 0 }) {
			continue
		}
		kept := slices.DeleteFunc(slices.Clone(all), func(e kube.Endpoint) bool { return !slices.Contains(hint.of(e), hint.place) })
		if len(kept) > 0 {
			if len(kept) == len(all) {
				return all, ""
			}
			return kept, hint.says
		}
	}
	return all, ""
}

// sameFamily are the endpoints of the IP families of a Service's addresses: to
// others kube-proxy leads nobody.
func sameFamily(svc *kube.Service, all []kube.Endpoint) []kube.Endpoint {
	if len(svc.ClusterIPs) == 0 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(e kube.Endpoint) bool {
		return !slices.ContainsFunc(svc.ClusterIPs, func(ip string) bool { return strings.Contains(ip, ":") == strings.Contains(e.Address, ":") })
	})
}

func onNode(endpoints []kube.Endpoint, node string) bool {
	return slices.ContainsFunc(endpoints, func(e kube.Endpoint) bool { return e.Node == node })
}

// flagged finds the flag of a Service without an endpoint for the port, which
// says so by the objects alone.
func (k kase) flagged(code kube.FlagCode) (*kube.Service, kube.Flag, bool) {
	svc := k.notTranslated()
	if svc == nil || k.Kind != Status && k.hasEnds(svc) {
		return nil, kube.Flag{}, false
	}
	i := slices.IndexFunc(svc.Flags, func(f kube.Flag) bool { return f.Code == code })
	if i < 0 {
		return nil, kube.Flag{}, false
	}
	return svc, svc.Flags[i], true
}

// hasEnds reports that a Service has endpoints for the port; for a lookup, that
// its name has addresses.
func (k kase) hasEnds(svc *kube.Service) bool {
	if k.Kind == DNS || k.Stage == StageResolve {
		return len(expectHeadless(svc).Values) > 0
	}
	return len(endpointsOf(svc, k.Path.Port)) > 0
}

func (k kase) selectorMatchesNothing() *Cause {
	svc, flag, ok := k.flagged(kube.SelectorMatchesNoPod)
	if !ok {
		return nil
	}
	return &Cause{
		Summary:  strings.TrimSpace(flag.Message + " " + k.nearSelector(svc)),
		Evidence: append(k.failedHere(), Evidence{What: "svc/" + svc.Name, Where: svc.Namespace, Seen: "selector " + svc.Selector.String()}),
		Next:     run("", "kubectl", "get", "pods", "-n", svc.Namespace, "--show-labels"),
	}
}

// nearSelector names the Pods that a selector nearly matches: all labels but
// one, or the same in another namespace.
func (k kase) nearSelector(svc *kube.Service) string {
	for _, p := range k.PodsOf(svc) {
		if p.Finished {
			return fmt.Sprintf("Pod %s has these labels, and has finished: %s.", p.Name, p.Status)
		}
	}
	for _, p := range k.Pods {
		if p.Namespace != svc.Namespace && !p.Finished && svc.Selector.Select(p.Labels) {
			return fmt.Sprintf("Pod %s of namespace %s has these labels, and a Service selects Pods of its own namespace only.", p.Name, p.Namespace)
		}
	}
	nearest, differs := k.nearestPod(svc)
	switch {
	case nearest == nil:
		return ""
	case nearest.Labels.Has(differs.Key):
		return fmt.Sprintf("Pod %s has %s=%s instead of %s.", nearest.Name, differs.Key, nearest.Labels.Get(differs.Key), differs.Value)
	default:
		return fmt.Sprintf("Pod %s lacks %s=%s; it has %s.", nearest.Name, differs.Key, differs.Value, nearest.Labels)
	}
}

// nearestPod is the Pod that lacks one label of a selector only, and that
// label. One with nearly the same value is nearer than one with the value under
// another key, and that nearer than one that has the other labels.
func (k kase) nearestPod(svc *kube.Service) (nearest *kube.Pod, differs kube.Label) {
	const nobody = 3
	best := nobody
	for _, p := range k.Pods {
		if p.Namespace != svc.Namespace || p.Finished {
			continue
		}
		off := slices.DeleteFunc(slices.Clone(svc.Selector), func(l kube.Label) bool { return p.Labels.Has(l.Key) && p.Labels.Get(l.Key) == l.Value })
		if len(off) != 1 {
			continue
		}
		far := nobody
		switch _, alike := distance(p.Labels.Get(off[0].Key), off[0].Value); {
		case alike:
			far = 0
		case similarKey(p.Labels, off[0]):
			far = 1
		case len(svc.Selector) > 1:
			far = 2
		}
		if far < best {
			best, nearest, differs = far, p, off[0]
		}
	}
	return nearest, differs
}

// similarKey reports a label with the same value under another key.
func similarKey(labels kube.Labels, want kube.Label) bool {
	return slices.ContainsFunc(labels, func(l kube.Label) bool { return l.Value == want.Value })
}

// nodeOfAllNotReady is a Service whose Pods are not ready because their Nodes
// are not.
func (k kase) nodeOfAllNotReady() *Cause {
	svc, _, ok := k.flagged(kube.NoReadyEndpoint)
	if !ok {
		return nil
	}
	var lost *kube.Node
	for _, e := range svc.Endpoints {
		if lost = k.Node(e.Node); lost == nil || lost.Ready {
			return nil
		}
	}
	if lost == nil {
		return nil
	}
	c := k.nodeCause(lost)
	c.Summary = fmt.Sprintf("Node %s is not ready, and so is no endpoint of Service %s: they run there.", lost.Name, svc.Name)
	return c
}

func (k kase) noReadyEndpoint() *Cause {
	svc, flag, ok := k.flagged(kube.NoReadyEndpoint)
	if !ok {
		return nil
	}
	c := &Cause{Summary: flag.Message, Evidence: k.failedHere(), Next: run("", "kubectl", "describe", "pods", "-n", svc.Namespace, "-l", svc.Selector.String())}
	if len(svc.Selector) == 0 {
		c.Next = slicesOf(svc)
	}
	var ended *kube.Pod
	for _, p := range k.PodsOf(svc) {
		if len(p.Reasons) > 0 && len(c.Evidence) == 1 { // the first one, by what the kubelet says
			c.Summary += fmt.Sprintf(" Pod %s: %s.", p.Name, p.Reasons[0].Message)
		}
		for _, r := range p.Reasons {
			c.Evidence = append(c.Evidence, Evidence{What: "pod/" + p.Name, Where: p.Namespace, Seen: r.Message})
			if ended == nil && (r.Code == kube.Crashing || r.Code == kube.ContainerEnded) {
				ended = p
			}
		}
	}
	if ended != nil {
		c.Next = k.podLogs(ended, "")
	}
	return c
}

// whyNotReady says the first reason of a Pod.
func (w *World) whyNotReady(p *kube.Pod) string {
	if len(p.Reasons) == 0 {
		return ""
	}
	return p.Reasons[0].Message
}

func (k kase) targetPortMissing() *Cause {
	svc, flag, ok := k.flagged(kube.TargetPortMissing)
	if !ok {
		return nil
	}
	c := &Cause{Summary: flag.Message, Evidence: k.failedHere(), Next: describe(svc)}
	for _, p := range k.PodsOf(svc) {
		c.Summary += nearPort(p, k.Path.Port)
		c.Evidence = append(c.Evidence, Evidence{What: "pod/" + p.Name, Where: p.Namespace, Seen: "declares " + declared(p)})
		break
	}
	return c
}

func declared(p *kube.Pod) string {
	if len(p.Ports()) == 0 {
		return "no port"
	}
	return list(names(p.Ports(), kube.ContainerPort.String))
}

// nearPort says which port of a Pod a target port was meant to be: one called
// nearly so, or the only one of the protocol.
func nearPort(pod *kube.Pod, sp kube.ServicePort) string {
	if sp.Port == 0 {
		return ""
	}
	var of []kube.ContainerPort
	for _, c := range pod.Ports() {
		if c.Name == sp.TargetPort && c.Protocol != sp.Protocol {
			return fmt.Sprintf(" Pod %s declares it for %s.", pod.Name, c.Protocol)
		}
		if c.Protocol == sp.Protocol {
			of = append(of, c)
		}
	}
	near := closest(sp.TargetPort, names(of, func(c kube.ContainerPort) string { return c.Name }))
	for _, c := range of {
		if c.Name == near && near != "" || len(of) == 1 {
			return fmt.Sprintf(" Pod %s declares %s.", pod.Name, c)
		}
	}
	return ""
}
