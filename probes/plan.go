package probes

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"podpath/kube"
)

// plan collects checks. What is asked for twice is checked once.
type plan struct {
	*World
	checks []Check
	seen   map[string]bool
	// mostEndpoints is how many endpoints of a Service each source dials at most; 0
	// is all.
	mostEndpoints int
}

func (p *plan) add(c Check) {
	c.ID = strings.Join([]string{c.Source.Label, string(c.Kind), c.Target}, " ")
	if !p.seen[c.ID] {
		p.seen[c.ID] = true
		p.checks = append(p.checks, c)
	}
}

// Plan is everything worth checking in what podpath looks at: of each of the
// groups, from a choice of Pods when there are many, and from the Node that
// podpath runs on.
func (w *World) Plan(groups ...Group) []Check {
	p := &plan{World: w, seen: map[string]bool{}, mostEndpoints: maxEndpoints}
	sources := w.Representatives()
	for _, g := range groups {
		switch g {
		case Paths:
			p.paths(sources)
		case Services:
			p.services(w.viewpoints())
		case Spreading:
			p.spreads(w.equippedFirst(sources))
		case Discovery:
			p.discovery(w.equippedFirst(sources))
		}
	}
	return p.checks
}

// maxSources is how many Pods a plan starts from, unless the user names them.
// Their pairs grow with the square: 24 make 576 paths.
const maxSources = 24

// maxEndpoints is how many endpoints of one Service a plan looks at from each
// Node, unless the user names the Service.
const maxEndpoints = 24

// equippedFirst orders Pods by whether they are known to have tools.
func (w *World) equippedFirst(pods []*kube.Pod) []*kube.Pod {
	rank := func(p *kube.Pod) int {
		if w.Equipped[p.Key()] {
			return 0
		}
		return 1
	}
	pods = slices.Clone(pods)
	slices.SortStableFunc(pods, func(a, b *kube.Pod) int { return rank(a) - rank(b) })
	return pods
}

// Representatives are the Pods that a plan looks from and at: all of them, or
// when there are many one for each owner and Node, since Pods that were made
// alike on the same Node have the same network.
func (w *World) Representatives() []*kube.Pod {
	var all []*kube.Pod
	for _, p := range w.Pods {
		if probable(p) && p.Key() != w.LocalPod {
			all = append(all, p)
		}
	}
	if len(all) <= maxSources {
		return all
	}
	var chosen []*kube.Pod
	seen := map[[2]string]bool{}
	for _, p := range all {
		id := [2]string{p.Node, p.Namespace + "/" + cmp.Or(p.Owner, p.Name)}
		if seen[id] {
			continue
		}
		seen[id] = true
		chosen = append(chosen, p)
	}
	return chosen[:min(len(chosen), maxSources)]
}

// viewpoints are one Pod on each of up to maxSources Nodes, and podpath itself:
// kube-proxy works for each Node on its own, so that one look from each is
// enough.
func (w *World) viewpoints() []Source {
	var out []Source
	seen := map[string]bool{}
	for _, p := range w.equippedFirst(w.Pods) {
		if len(out) < maxSources && !seen[p.Node] && probable(p) && !p.HostNetwork && p.Key() != w.LocalPod {
			seen[p.Node] = true
			out = append(out, w.podSource(p))
		}
	}
	return append(out, w.local())
}

// paths are the ways between Pods: over localhost, to each other, and from the
// Node that podpath runs on.
func (p *plan) paths(pods []*kube.Pod) {
	for _, pod := range pods {
		if !pod.HostNetwork {
			p.localhost(p.podSource(pod))
		}
	}
	for _, from := range pods {
		for _, to := range pods {
			if from != to && !from.HostNetwork {
				p.podPorts(p.podSource(from), to, "")
			}
		}
	}
	for _, to := range pods {
		p.podPorts(p.local(), to, "")
	}
}

// localhost is the way between the containers of one Pod.
func (p *plan) localhost(s Source) {
	pod := p.Pod(s.Pod)
	for _, port := range tcpPorts(pod) {
		expect := reached("the containers of a Pod share one network: localhost is the same for all")
		if !pod.IsReady {
			expect = either(fmt.Sprintf("Pod %s is not ready (%s)", pod.Name, pod.Status))
		}
		p.add(Check{
			Group: Paths, Source: s, Target: "localhost:" + strconv.Itoa(port.Port), Kind: TCP,
			Ask: Ask{Host: "127.0.0.1", Port: port.Port}, Expect: expect, About: About{Pod: pod.Key()},
		})
	}
}

// podPorts are the TCP ports that a Pod declares, or the one that is named. It
// returns how many there are.
func (p *plan) podPorts(s Source, to *kube.Pod, port string) int {
	n := 0
	for _, declared := range tcpPorts(to) {
		if port == "" || port == declared.Name || port == strconv.Itoa(declared.Port) {
			p.pod(s, to, declared.Port)
			n++
		}
	}
	return n
}

func (p *plan) pod(s Source, to *kube.Pod, port int) {
	p.add(Check{
		Group: Paths, Source: s, Target: fmt.Sprintf("pod/%s:%d", p.name(to.Key()), port), Kind: TCP,
		Ask:    Ask{Host: to.IP(), Port: port},
		Expect: p.expectPod(s, to, port), About: About{Pod: to.Key(), Node: to.Node},
	})
}

func tcpPorts(p *kube.Pod) []kube.ContainerPort {
	return slices.DeleteFunc(p.Ports(), func(c kube.ContainerPort) bool { return c.Protocol != "TCP" })
}
