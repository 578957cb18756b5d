package path

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"podpath/kube"
)

// Closer plans what tells the causes of failures apart and was not asked yet:
// each endpoint behind a Service beside it, a source on the target's own Node
// beside one elsewhere, another name beside the one that has no answer. It is
// asked once more with what came of that, until nothing is left.
func (w *World) Closer(results []Result) []Check {
	p := newPlan(w)
	for _, r := range results {
		p.seen[r.ID] = true
	}
	x := index(w, results)
	for _, r := range results {
		if !worthLooking(r) {
			continue
		}
		switch {
		case r.Stage == StageResolve:
			p.besideServer(r, kase{World: w, Result: r, all: x})
			p.otherName(r, kase{World: w, Result: r, all: x})
		case r.Path.Virtual() || r.Kind == Spread || r.Path.Entry == AtHeadless && r.Path.Pod.Name == "":
			p.besideService(r)
		case lost(r.Error) && r.Stage == StageConnect && r.Path.Pod.Name != "":
			p.fromTargetsNode(r, x)
		}
		if r.Error == TimedOut && r.Stage == StageRequest && r.Kind == HTTP && r.Path.Ingress.Name == "" {
			p.sameOnItsNode(r)
		}
	}
	return p.checks
}

// worthLooking reports a result that needs an explanation that it may not have
// by itself.
func worthLooking(r Result) bool {
	return r.Blind == nil && (r.Verdict == Fail || r.Verdict == Inconclusive && r.Asked) && r.Kind != Env && r.Kind != Status
}

// mostBeside is how many endpoints are dialed beside a Service that fails.
const mostBeside = 24

// besideService dials the endpoints behind a Service from the same source.
func (p *plan) besideService(r Result) {
	svc := p.service(r.Path)
	if svc == nil || r.Path.Port.Port == 0 {
		return
	}
	ends := missedFirst(sameFamily(svc, endpointsOf(svc, r.Path.Port)), r.Spread)
	for _, e := range ends[:min(len(ends), mostBeside)] {
		kind := TCP
		if r.Path.Port.Protocol == "UDP" {
			kind = UDP
		}
		p.endpoint(r.Source, svc, r.Path.Port, e, kind)
	}
}

// fromTargetsNode dials a Pod from its own Node: from another Pod there, or
// from itself. The Node is asked first, since nothing runs on one that is away.
func (p *plan) fromTargetsNode(r Result, x indexed) {
	target := p.Pod(r.Path.Pod)
	if target == nil || target.HostNetwork {
		return
	}
	at := net.JoinHostPort(target.IP(), strconv.Itoa(r.Ask.Port))
	if slices.ContainsFunc(x.at[at], func(o *Result) bool { return o.Source.Node == target.Node && o.ID != r.ID }) {
		return
	}
	if n := p.Node(target.Node); n != nil && n.InternalIP() != "" && r.Source.Node != n.Name {
		kubelet := net.JoinHostPort(n.InternalIP(), strconv.Itoa(kubeletPort))
		asked := x.at[kubelet]
		if len(asked) == 0 {
			p.add(Check{
				Group: Paths, Source: r.Source, Kind: TCP, Target: fmt.Sprintf("node/%s:%d", n.Name, kubeletPort), Ask: Ask{Host: n.InternalIP(), Port: kubeletPort},
				Path: Path{Node: n.Name},
			})
			return
		}
		if !slices.ContainsFunc(asked, func(r *Result) bool { return !lost(r.Error) }) {
			return
		}
	}
	if from := p.neighbour(target); from != nil && from.Key() != r.Source.Pod {
		p.pod(p.podSource(from), target, r.Ask.Port, Silent)
	}
}

// sameOnItsNode sends a request that is not answered from the Pod's own Node.
func (p *plan) sameOnItsNode(r Result) {
	target := kase{World: p.World, Result: r}.targetPod()
	if target == nil || target.Node == r.Source.Node || target.HostNetwork {
		return
	}
	ends := p.ends(r.Source, r.Path, r.Ask)
	port := r.Ask.Port
	if len(ends) == 1 {
		port = ends[0].Port
	}
	if from := p.neighbour(target); from != nil && from.Key() != r.Source.Pod {
		p.add(Check{
			Group: Paths, Source: p.podSource(from), Kind: HTTP, Target: "http://" + net.JoinHostPort(target.IP(), strconv.Itoa(port)) + r.Ask.HTTP.Path,
			Ask: Ask{Host: target.IP(), Port: port, HTTP: &HTTPAsk{Host: r.Ask.HTTP.Host, Path: r.Ask.HTTP.Path}}, Path: Path{Pod: target.Key(), Node: target.Node},
		})
	}
}

// neighbour is a Pod to look from at one on the same Node: one that knows
// nothing of it tells more than itself.
func (p *plan) neighbour(target *kube.Pod) *kube.Pod {
	var from *kube.Pod
	for _, pod := range p.equippedFirst(p.Pods) {
		better := from == nil || from == target || pod.Namespace == target.Namespace && from.Namespace != target.Namespace && pod != target
		if pod.Node == target.Node && Runs(pod) && !pod.HostNetwork && better {
			from = pod
		}
	}
	return from
}

// besideServer dials the Pods of a DNS server that a lookup was lost to.
func (p *plan) besideServer(r Result, k kase) {
	if !lost(r.Error) || k.policyDeniesDNS() != nil {
		return
	}
	where, ends := p.servers(r)
	for _, e := range ends[:min(len(ends), mostBeside)] {
		p.endpoint(r.Source, p.service(where), where.Port, e, TCP)
	}
}

// otherName looks another name up where one has no answer, and nothing else
// says why.
func (p *plan) otherName(r Result, k kase) {
	if !lost(r.Error) && r.Error != Refused || k.answered() {
		return
	}
	if k.hostNetworkDNS() != nil || k.dnsPolicy() != nil || k.policyDeniesDNS() != nil {
		return
	}
	if q := r.Ask.DNS; q != nil && q.Type == "AAAA" {
		p.add(Check{Group: Discovery, Source: r.Source, Kind: DNS, Target: "dns:" + q.Name + "/A", Ask: Ask{DNS: &DNSAsk{Name: q.Name, Type: "A", Full: q.Full}}})
		return
	}
	p.anyName(r.Source)
}

// anyName looks up a name that every cluster has.
func (p *plan) anyName(s Source) {
	p.add(Check{
		Group: Discovery, Source: s, Kind: DNS, Target: "dns:kubernetes.default.svc/A",
		Ask: Ask{DNS: &DNSAsk{Name: "kubernetes.default.svc", Type: "A", Full: true}}, Expect: reached("every cluster has this name"),
	})
}

// LookInto lists the Pods whose sockets tell where they listen, because
// something that goes there failed.
func (w *World) LookInto(results []Result) []kube.Key {
	var pods []kube.Key
	x := index(w, results)
	for _, r := range results {
		silent := silent(r.Error)
		if r.Blind != nil || r.Error == NoError || r.Verdict != Fail && !silent || r.Stage == StageResolve {
			continue
		}
		if r.Error != Refused && r.Error != TimedOut && !silent {
			continue
		}
		k := kase{World: w, Result: r, all: x}
		pod := k.targetPod()
		if pod != nil && !w.away(pod) && k.nodeUnreachable() == nil && !slices.Contains(pods, pod.Key()) {
			pods = append(pods, pod.Key())
		}
	}
	return pods
}

// LookAtProxies lists the Nodes whose kube-proxy has to be asked whether it is
// well, because a Service fails from there, with a source there.
func (w *World) LookAtProxies(results []Result) map[string]Source {
	nodes := map[string]Source{}
	for _, r := range results {
		n := w.Node(r.Source.Node)
		service := r.Path.Virtual() && r.Stage == StageConnect || r.Stage == StageResolve && lost(r.Error)
		if r.Verdict == Fail && r.Blind == nil && n != nil && service && n.InternalIP() != "" {
			if _, there := nodes[n.Name]; !there {
				nodes[n.Name] = r.Source
			}
		}
	}
	return nodes
}

// settle decides what only a look at the other side can: a packet of UDP that
// nobody answers has failed where nobody can have taken it, and a request that
// policies permit to some endpoints where it was led to another one.
func (k kase) settle() Verdict {
	if k.Asked && k.Verdict == Inconclusive && k.Blind == nil && k.policyDeniesSome() != nil {
		return Fail
	}
	if silent(k.Error) && k.Verdict != Fail {
		if _, _, _, nobody := k.refusing(); nobody {
			return Fail
		}
	}
	return k.Verdict
}

// endpointLabel writes ADDRESS:PORT, for an endpoint without a Pod.
func endpointLabel(e kube.Endpoint) string { return net.JoinHostPort(e.Address, strconv.Itoa(e.Port)) }

// crosses reports a request that goes from one Node to another one.
func (k kase) crosses() bool {
	to := k.Path.Node
	if pod := k.targetPod(); pod != nil {
		to = pod.Node
	}
	return k.Source.Node != "" && to != "" && k.Source.Node != to
}

// UnknownNext is what to do where no cause fits: it says what would make it known.
func (w *World) UnknownNext(r Result) Next {
	k := kase{World: w, Result: r}
	switch {
	case r.Blind != nil:
		return run("when the way to the source is free again", k.again()...)
	case r.Stage == StageResolve:
		return run("what does the DNS say in its log?", "kubectl", "logs", "-n", "kube-system", "-l", "k8s-app=kube-dns", "--tail", "20")
	case r.Error == NotSent:
		return run("brings a tool that can send UDP", k.again("--allow-ephemeral")...)
	case r.Kind == UDP:
		return k.logs("nobody answers a packet by itself: does the app say that one came?")
	case w.PoliciesUnknown && lost(r.Error):
		note := "prints the rules to ask for: a NetworkPolicy may deny it, and podpath may not list those"
		return run(note, "podpath", "rbac", "probe")
	case len(w.Engines) > 0:
		return advise(fmt.Sprintf("the cluster has policies of %s, which podpath does not read: look there whether one denies it", strings.Join(w.Engines, ", ")))
	case r.Stage == StageConnect && r.Path == (Path{Name: r.Path.Name}) && r.Source.Kind != FromLocal:
		return run("asks from podpath's own machine: is it the address, or the way out of the cluster?", "podpath", "probe", "-n", w.Home, "local", r.Target)
	case r.Stage == StageConnect && lost(r.Error) && k.crosses():
		return run("compares all paths between the Nodes", "podpath", "probe", "-n", w.Home, "--only", "paths")
	case k.targetPod() != nil:
		return k.logs("what does the app say?")
	default:
		return run("compares it with everything else", "podpath", "probe", "-n", w.Home)
	}
}
