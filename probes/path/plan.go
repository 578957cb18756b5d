package path

import (
	"cmp"
	"fmt"
	"net"
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
	// asked is set for what the user asked for by name.
	asked   bool
	options PlanOptions
	// spoken are the addresses that are asked in their protocol already: in a run
	// over everything each is, once.
	spoken map[string]bool
}

// PlanOptions are what a user may say about how paths are checked.
type PlanOptions struct {
	// Count, when it is not 0, asks for the spread of that many connections over
	// each Service.
	Count int
	// ConnectOnly leaves it at connections that open.
	ConnectOnly bool
	// Status is the HTTP status that is expected; 0 for any that is no error.
	Status int
}

func newPlan(w *World) *plan {
	return &plan{World: w, seen: map[string]bool{}, spoken: map[string]bool{}}
}

// add completes a check: its path and what to expect follow from what is asked.
func (p *plan) add(c Check) {
	c.ID = strings.Join([]string{c.Source.Label, string(c.Kind), c.Target}, " ")
	if p.seen[c.ID] {
		return
	}
	p.seen[c.ID] = true
	c.Asked = p.asked
	if c.Path == (Path{}) && c.Kind != Env {
		c.Path = p.Resolve(c.Source, c.Kind, c.Ask)
	}
	if c.Expect.Outcome == "" {
		c.Expect = p.expect(c)
	}
	p.checks = append(p.checks, c)
}

// speaking completes a request with what to say once it is connected, where the
// protocol is known: of what the user asked for always, else once for each
// address.
func (p *plan) speaking(a Ask, says Protocol, host string) Ask {
	id := net.JoinHostPort(a.Host, strconv.Itoa(a.Port))
	if says == Silent || p.options.ConnectOnly || !p.asked && p.spoken[id] {
		return a
	}
	p.spoken[id] = true
	a.Speak = says
	if says != SpeakDNS {
		a.HTTP = &HTTPAsk{TLS: says == SpeakTLS, Host: host, Path: "/", Status: p.options.Status}
	}
	return a
}

// Plan is everything worth checking in what podpath looks at: of each of the
// groups, from a choice of Pods when there are many, and from the Node that
// podpath runs on.
func (w *World) Plan(groups ...Group) []Check {
	p := newPlan(w)
	p.mostEndpoints = maxEndpoints
	sources := w.Representatives()
	for _, g := range groups {
		switch g {
		case Paths:
			p.nodes()
			p.paths(sources)
		case Services:
			p.nodes()
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

// equippedFirst orders Pods by whether they are known to have tools; those on
// Nodes that are not ready come last.
func (w *World) equippedFirst(pods []*kube.Pod) []*kube.Pod {
	rank := func(p *kube.Pod) int {
		switch {
		case w.away(p):
			return 2
		case w.Equipped[p.Key()]:
			return 0
		default:
			return 1
		}
	}
	pods = slices.Clone(pods)
	slices.SortStableFunc(pods, func(a, b *kube.Pod) int { return rank(a) - rank(b) })
	return pods
}

// Representatives are the Pods that a plan looks from and at: all of them, or
// when there are many one for each owner and Node, since Pods that were made
// alike on the same Node have the same network.
func (w *World) Representatives() []*kube.Pod {
	all := w.runnable()
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
	for _, p := range w.equippedFirst(w.homePods()) {
		if len(out) < maxSources && !seen[p.Node] && Runs(p) && !p.HostNetwork && p.Key() != w.LocalPod && !w.away(p) {
			seen[p.Node] = true
			out = append(out, w.podSource(p))
		}
	}
	return append(out, w.local())
}

// nodes are those that are not ready, though Pods of what podpath looks at run
// there: nobody can look from them.
func (p *plan) nodes() {
	for _, n := range p.Nodes {
		if n.Ready || !slices.ContainsFunc(p.homePods(), func(pod *kube.Pod) bool { return pod.Node == n.Name && !pod.Finished }) {
			continue
		}
		p.add(Check{Group: Paths, Source: p.local(), Kind: Status, Target: "node/" + n.Name, Path: Path{Node: n.Name}, Expect: reached("a Node that Pods run on is ready")})
	}
}

// away reports a Pod on a Node that is known not to be ready.
func (w *World) away(p *kube.Pod) bool {
	n := w.Node(p.Node)
	return n != nil && !n.Ready
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
		p.add(Check{Group: Paths, Source: s, Target: "localhost:" + strconv.Itoa(port.Port), Kind: TCP, Ask: Ask{Host: "127.0.0.1", Port: port.Port}})
	}
}

// podPorts are the TCP ports that a Pod declares, or the one that is named. It
// returns how many there are.
func (p *plan) podPorts(s Source, to *kube.Pod, port string) int {
	n := 0
	for _, declared := range tcpPorts(to) {
		if port == "" || port == declared.Name || port == strconv.Itoa(declared.Port) {
			p.pod(s, to, declared.Port, Spoken("", declared.Name, declared.Port))
			n++
		}
	}
	return n
}

func (p *plan) pod(s Source, to *kube.Pod, port int, says Protocol) {
	a := Ask{Host: to.IP(), Port: port}
	p.add(Check{
		Group: Paths, Source: s, Target: p.podLabel(to, port), Kind: TCP, Ask: p.speaking(a, says, a.Host),
		Path: Path{Pod: to.Key(), Node: to.Node},
	})
}

func (p *plan) podLabel(to *kube.Pod, port int) string {
	return fmt.Sprintf("pod/%s:%d", p.name(to.Key()), port)
}

func tcpPorts(p *kube.Pod) []kube.ContainerPort {
	return slices.DeleteFunc(p.Ports(), func(c kube.ContainerPort) bool { return c.Protocol != "TCP" })
}
