package path

import (
	"fmt"
	"net"
	"slices"
	"strconv"

	"podpath/kube"
)

// lost are the errors of packets that do not arrive.
func lost(e ErrorKind) bool { return e == TimedOut || e == Unreachable }

// mayBePolicy reports that a policy which podpath does not read, or may not list,
// may be why packets get lost.
func (w *World) mayBePolicy() bool { return len(w.Engines) > 0 || w.PoliciesUnknown }

// lostOnTheWay reports a request of which nobody knows whether it came.
func (k kase) lostOnTheWay() bool {
	return lost(k.Error) && (k.Stage == StageConnect || k.Stage == StageResolve || k.Stage == StageNone)
}

// passed are the Nodes that a request may have come to: of a lookup that got
// lost, those where a DNS server runs.
func (k kase) passed() []string {
	nodes := []string{k.Path.Node, k.Source.Node}
	if k.Stage == StageResolve && lost(k.Error) {
		at := Ask{Host: serverName(k.Address), Port: dnsPort}
		for _, e := range k.ends(k.Source, k.Resolve(k.Source, UDP, at), at) {
			nodes = append(nodes, e.Node)
		}
	}
	return nodes
}

// servers are the Pods of the DNS server that a lookup asked, and the way there.
func (w *World) servers(r Result) (Path, []kube.Endpoint) {
	at := Ask{Host: serverName(r.Address), Port: dnsPort}
	p := w.Resolve(r.Source, TCP, at)
	return p, w.ends(r.Source, p, at)
}

// wayToServer is why a lookup is lost that did not come to the DNS server: there
// is no way to one of its Pods, or kube-proxy leads to none.
func (k kase) wayToServer() *Cause {
	if k.Stage != StageResolve || !lost(k.Error) {
		return nil
	}
	where, ends := k.servers(k.Result)
	var away []*Result
	for _, e := range ends {
		if r := k.dialed(e); r != nil && r.Source.Label == k.Source.Label && lost(r.Error) && r.Stage == StageConnect {
			away = append(away, r)
		}
	}
	for _, r := range away {
		server := kase{k.World, *r, k.all, k.looks}
		server.Verdict = Fail
		if found := server.causes(Findings()); len(found) > 0 {
			c := *found[0]
			servers := Evidence{What: of(len(away), len(ends)) + " DNS servers", Where: k.Source.Label, Seen: "are not reached"}
			c.Evidence = append([]Evidence{k.seenAs("no answer to a lookup"), servers}, c.Evidence...)
			return &c
		}
	}
	if len(away) > 0 || len(ends) == 0 {
		return nil
	}
	k.Path, k.Stage, k.Kind, k.Target = where, StageConnect, TCP, k.Address
	c := k.kubeProxy()
	if c != nil {
		c.Code, c.Hop = KubeProxy, Translate
	}
	return c
}

func (k kase) nodeNotReady() *Cause {
	for _, name := range k.passed() {
		if n := k.Node(name); n != nil && !n.Ready && (k.lostOnTheWay() || k.Kind == Status) {
			return k.nodeCause(n)
		}
	}
	return nil
}

func (k kase) nodeCause(n *kube.Node) *Cause {
	c := &Cause{Summary: fmt.Sprintf("Node %s is not ready.", n.Name), Next: run("", "kubectl", "describe", "node", n.Name)}
	for _, f := range n.Flags {
		c.Evidence = append(c.Evidence, Evidence{What: "node/" + n.Name, Seen: f.Message})
	}
	return c
}

// nodeUnreachable is a Node that does not answer either, whatever its
// condition says: it may have gone a moment ago.
func (k kase) nodeUnreachable() *Cause {
	n := k.Node(k.Path.Node)
	if n == nil || !n.Ready || !k.lostOnTheWay() || k.Path.Virtual() || n.Name == k.Source.Node {
		return nil
	}
	if from := k.Pod(k.Source.Pod); from != nil && k.egressTo(from, kubeletPort, "TCP").Ruling == Denied {
		return nil // it may not ask
	}
	silence := k.silentKubelet(n)
	if silence == nil {
		return nil
	}
	return &Cause{
		Summary:  fmt.Sprintf("Node %s does not answer: packets to its Pods and to itself get lost, though its condition is still Ready.", n.Name),
		Evidence: []Evidence{k.seenAs(string(k.Error)), *silence},
		Next:     run("its cable, its power, its kubelet; the condition follows after some 40 s", "kubectl", "describe", "node", n.Name),
	}
}

// silentKubelet is what was seen of a kubelet that nobody got an answer of who
// asked it from another Node; nil where somebody did, or nobody asked.
func (k kase) silentKubelet(n *kube.Node) *Evidence {
	if n == nil {
		return nil
	}
	at := net.JoinHostPort(n.InternalIP(), strconv.Itoa(kubeletPort))
	asked := k.others(k.all.at[at], func(r *Result) bool { return r.Source.Node != n.Name })
	if len(asked) == 0 || count(asked, func(r *Result) bool { return !lost(r.Error) }) > 0 {
		return nil
	}
	return &Evidence{What: at, Where: asked[0].Source.Label, Seen: "the Node's kubelet: " + string(asked[0].Error)}
}

// kubeletPort is where the kubelet of every Node listens.
const kubeletPort = 10250

// nodeCutOff is a Node that packets of Pods do not pass: all paths between it
// and other Nodes fail, those within it work.
func (k kase) nodeCutOff() *Cause {
	if !k.lostOnTheWay() || len(k.Engines) > 0 || k.Source.Node == "" {
		return nil
	}
	cut := k.cutOff()
	if cut == "" || !slices.Contains(k.passed(), cut) {
		return nil
	}
	within := k.all.paths[way{cut, cut, ""}]
	c := &Cause{
		Summary:  fmt.Sprintf("Node %s does not pass on packets of Pods: all paths between it and other Nodes fail, those within it work.", cut),
		Evidence: []Evidence{{What: "paths within " + cut, Seen: of(within.good, within.all) + " work"}},
		Next:     run(fmt.Sprintf("is the network's Pod well on %s? There: sysctl net.ipv4.ip_forward, iptables -S FORWARD, ip route", cut), "kubectl", "get", "pods", "-n", "kube-system", "-o", "wide", "--field-selector", "spec.nodeName="+cut),
	}
	for _, n := range k.Nodes {
		for _, w := range []way{{n.Name, cut, ""}, {cut, n.Name, ""}} {
			if t := k.all.paths[w]; t.all > 0 && n.Name != cut {
				c.Evidence = append(c.Evidence, Evidence{What: fmt.Sprintf("paths from %s to %s", w.from, w.to), Seen: of(t.good, t.all) + " work"})
			}
		}
	}
	return c
}

// cutOff is the only Node of which all paths to and from at least two others
// fail, while some within it work; "" for none, or several.
func (k kase) cutOff() string {
	found := ""
	for _, n := range k.Nodes {
		others, good := 0, 0
		for _, m := range k.Nodes {
			to, back := k.all.paths[way{n.Name, m.Name, ""}], k.all.paths[way{m.Name, n.Name, ""}]
			if m != n && to.all+back.all > 0 {
				others, good = others+1, good+to.good+back.good
			}
		}
		if others < 2 || good > 0 || k.all.paths[way{n.Name, n.Name, ""}].good == 0 {
			continue
		}
		if found != "" {
			return ""
		}
		found = n.Name
	}
	return found
}

// bigPacketsLost is a request that opens from another Node and is not answered
// there, while the same one is within the Pod's own Node.
func (k kase) bigPacketsLost() *Cause {
	pod := k.targetPod()
	if pod == nil || !k.spoke() || k.Error != TimedOut || k.Source.Node == "" || k.Source.Node == pod.Node {
		return nil
	}
	if _, sockets, at, known := k.listening(); known && slices.ContainsFunc(k.here(sockets, at), func(l Listener) bool { return l.Queue > 0 }) {
		return nil // nobody took it
	}
	for _, r := range k.all.pod[pod.Key()] {
		if r.Source.Node != pod.Node || r.Kind != HTTP || !succeeded(r) || k.Ask.HTTP == nil || r.Ask.HTTP.Path != k.Ask.HTTP.Path {
			continue
		}
		return &Cause{
			Summary:  fmt.Sprintf("Connections from Node %s to Pod %s open, and big answers get lost: the same request is answered on the Pod's own Node. Between the Nodes the MTU is smaller than the Pods believe.", k.Source.Node, pod.Name),
			Evidence: []Evidence{k.seenAs("connected, no answer"), {What: r.Address, Where: r.Source.Label, Seen: "on the same Node: " + r.Detail}},
			Next:     run(fmt.Sprintf("compare the MTU of the Pods' network with that of the Nodes: ip link on %s and %s", k.Source.Node, pod.Node), "kubectl", "get", "pods", "-n", "kube-system", "-o", "wide"),
		}
	}
	return nil
}

// crossNode compares paths within a Node with those between the two Nodes.
func (k kase) crossNode() *Cause {
	from, to := k.Source.Node, k.Path.Node
	if !k.lostOnTheWay() || k.Path.Virtual() || from == "" || to == "" || from == to || !k.onPodNetwork(k.Path.Pod) || k.mayBePolicy() {
		return nil
	}
	pair, within := k.all.paths[way{from, to, k.Source.Kind}], k.all.paths[way{to, to, ""}]
	if own := k.all.paths[way{from, from, ""}]; own.all > 0 && own.good == 0 {
		return nil // it is not the way between the two
	}
	elsewhere := k.others(k.all.at[k.Address], func(r *Result) bool { return r.Source.Node != from && !r.Path.Virtual() })
	if pair.good > 0 || within.good < within.all || within.all == 0 && count(elsewhere, opened) == 0 {
		return nil
	}
	evidence := []Evidence{{What: fmt.Sprintf("paths from %s to %s", from, to), Seen: of(pair.good, pair.all) + " work"}}
	if within.all > 0 {
		evidence = append(evidence, Evidence{What: "paths within " + to, Seen: of(within.good, within.all) + " work"})
	}
	if len(elsewhere) > 0 {
		evidence = append(evidence, Evidence{What: k.Address, Seen: fmt.Sprintf("answers %s sources elsewhere", of(count(elsewhere, opened), len(elsewhere)))})
	}
	return &Cause{
		Summary:  fmt.Sprintf("Packets from Pods on Node %s to Pods on Node %s, or their answers, get lost: a route, the overlay or a FORWARD rule between the two is missing.", from, to),
		Evidence: evidence,
		Next:     run(fmt.Sprintf("is the network's Pod well on %s and %s? On both: ip route, sysctl net.ipv4.ip_forward", from, to), "kubectl", "get", "pods", "-n", "kube-system", "-o", "wide"),
	}
}

// podCutOff is a Pod that listens, and does not get what others on its own
// Node send either.
func (k kase) podCutOff() *Cause {
	pod, sockets, at, known := k.listening()
	if !known || k.Error != TimedOut || k.Stage != StageConnect || k.Path.Virtual() || k.mayBePolicy() || pod.HostNetwork {
		return nil
	}
	takes := slices.ContainsFunc(sockets, func(l Listener) bool {
		return l.Protocol == k.Kind.transport() && l.Queue == 0 && l.takes(at.Addr(), int(at.Port()))
	})
	asked := k.all.at[k.Address]
	near := slices.DeleteFunc(slices.Clone(asked), func(r *Result) bool {
		return r.Source.Node != pod.Node || r.Expect.Outcome != Reached
	})
	if !takes || len(near) == 0 || count(asked, opened) > 0 {
		return nil
	}
	return &Cause{
		Summary: fmt.Sprintf("Packets to Pod %s get lost on its own Node %s as well, though it listens on port %d: something in the Pod, or right before it, drops them.",
			pod.Name, pod.Node, at.Port()),
		Evidence: []Evidence{
			k.seenAs(string(k.Error)),
			{What: near[0].Address, Where: near[0].Source.Label, Seen: "on the same Node: " + string(near[0].Error)},
			tableOf(pod, sockets),
		},
		Next: run("does a sidecar or an init container of it change iptables, as those of a mesh do?",
			"kubectl", "describe", "pod", "-n", pod.Namespace, pod.Name),
	}
}

// policyNotEnforced is what gets through though a NetworkPolicy denies it.
func (k kase) policyNotEnforced() *Cause {
	if k.Expect.Outcome != Blocked || k.Expect.Cause == nil || k.Expect.Cause.Code != PolicyDenies || k.Error != NoError || len(k.Engines) > 0 {
		return nil
	}
	return &Cause{
		Summary:  "A NetworkPolicy denies this, but it gets through: the cluster's network (CNI) does not enforce policies.",
		Evidence: []Evidence{{What: k.Expect.Why}, k.seenAs("reached")},
		Next:     run("shows which network runs; flannel, for one, enforces none", "kubectl", "get", "pods", "-n", "kube-system"),
	}
}
