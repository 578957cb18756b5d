package path

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"podpath/kube"
)

// Trace is a path with what became of each of its hops.
type Trace struct {
	// Hops lead to the fork, or to the end where there is one only.
	Hops []Hop
	// Tails lead from the fork to each endpoint; none without a fork.
	Tails []Tail
}

// Trace walks a result's path: what the request passed was seen, what lies
// before the hop that broke works, and what lies behind it was not reached.
func (w *World) Trace(r Result) Trace {
	k := kase{World: w, Result: r}
	var t Trace
	if h, ok := k.nameHop(); ok {
		t.Hops = append(t.Hops, h)
	}
	if r.Kind == DNS || r.Kind == Env || r.Kind == Status {
		return Trace{Hops: k.judged(t.Hops)}
	}
	ends := k.ends(r.Source, r.Path, r.Ask)
	if r.Path.Entry == AtHeadless && r.Stage != StageResolve { // its name has led to one of them, at the port that was asked
		ends = slices.DeleteFunc(ends, func(e kube.Endpoint) bool { return e.Address != serverName(r.Address) })
		for i := range ends {
			ends[i].Port = r.Ask.Port
		}
	}
	if h, ok := k.translateHop(ends); ok {
		t.Hops = append(t.Hops, h)
	}
	if len(ends) < 2 {
		end := kube.Endpoint{Address: cmp.Or(serverName(r.Address), r.Ask.Host), Port: r.Ask.Port, Pod: r.Path.Pod.Name, Node: r.Path.Node}
		if len(ends) == 1 {
			end = ends[0]
		}
		if pod := k.Pod(k.Path.Pod); pod != nil && k.Path.Entry == AtHostPort {
			end.Address, end.Port = pod.IP(), k.inPod(k.Check)
		}
		t.Hops = k.judged(append(t.Hops, k.tail(end)...))
		return t
	}
	t.Hops = k.judged(t.Hops)
	for _, e := range ends {
		t.Tails = append(t.Tails, Tail{Endpoint: e, Hops: k.tailOf(e)})
	}
	return t
}

// nameHop is how the source finds the address.
func (k kase) nameHop() (Hop, bool) {
	m := k.Path.Name
	if m.Text == "" {
		return Hop{}, false
	}
	h := Hop{
		Kind: Name, By: "the source's resolver", From: m.Text, Pod: k.Source.Pod, Node: k.Source.Node,
		Rule: "a resolver tries the name with each domain of its search list, until one has an answer", Origin: "man 5 resolv.conf",
	}
	if m.OfCluster() {
		h.By = "cluster DNS"
		h.Rule, h.Origin = k.ruleOfName(k.Source, m, k.Asked).Why, "Kubernetes DNS-Based Service Discovery 1.1.0"
	}
	if k.Kind == DNS {
		h.To = list(k.Values)
	} else if k.Stage != StageResolve {
		h.To = serverName(k.Address)
	}
	if n := len(k.Answers); n > 0 && k.Resolver != nil {
		h.Says = fmt.Sprintf("try %d of %d", n, max(n, len(k.Resolver.Candidates(m.Text))))
	}
	var took time.Duration
	for _, t := range k.Times {
		if t.Stage == StageResolve {
			took += t.Took
		}
	}
	if took > 0 {
		h.Says = strings.TrimPrefix(fmt.Sprintf("%s, %.1f ms", h.Says, float64(took.Microseconds())/1000), ", ")
	}
	return h, true
}

// translateHop is what stands for the endpoints.
func (k kase) translateHop(ends []kube.Endpoint) (Hop, bool) {
	if pod := k.Pod(k.Path.Pod); pod != nil && k.Path.Entry == AtHostPort {
		return Hop{
			Kind: Translate, By: "the runtime on " + k.Path.Node, Node: k.Path.Node,
			From: cmp.Or(k.Address, k.Ask.Host), To: net.JoinHostPort(pod.IP(), strconv.Itoa(k.inPod(k.Check))),
			Rule: "a hostPort leads to the port of the container", Origin: "Pod API",
		}, true
	}
	svc := k.service(k.Path)
	if svc == nil && k.Path.Entry == AtIngress {
		return Hop{
			Kind: Translate, By: "the Ingress controller", From: cmp.Or(k.Address, k.Ask.Host), To: "nothing",
			Says: "there is no Service " + k.Path.Service.Name, Rule: k.ruleOfTranslation(k.Source, k.Path).Why, Origin: "Ingress API",
		}, k.Path.Service.Name != ""
	}
	if svc == nil || k.Path.Entry == NoEntry || k.Path.Entry == AtEndpoint || k.Path.Entry == AtExternalName {
		return Hop{}, false
	}
	from := k.Address
	if k.Stage == StageResolve {
		from = k.Ask.Host
	}
	h := Hop{
		Kind: Translate, By: "kube-proxy", Node: k.Source.Node, From: from, Rule: k.ruleOfTranslation(k.Source, k.Path).Why,
		Origin: "Service API; KEP-1669, KEP-2086, KEP-1880",
	}
	switch {
	case k.Path.Entry == AtHeadless:
		h.By, h.To, h.Says = "nobody", from, "headless: nothing is translated"
		return h, true
	case k.Path.Entry == AtIngress:
		h.By = "the Ingress controller"
	case k.Path.Entry.outer() && k.Path.Node != "":
		h.Node = k.Path.Node
	}
	if h.Node != "" && k.Path.Entry != AtIngress {
		h.By += " on " + h.Node
	}
	all := len(endpointsOf(svc, k.Path.Port))
	switch {
	case k.Path.Port.Port == 0 && svc.Kind != kube.ExternalName:
		h.To, h.Says = "nothing", fmt.Sprintf("Service %s has no such port", svc.Name)
	case len(ends) == 0 && len(svc.Endpoints) > 0:
		h.To, h.Says = "nothing", of(0, len(svc.Endpoints))+" take part"
	case len(ends) == 0:
		h.To, h.Says = "nothing", "there is no endpoint"
	case len(ends) == 1:
		h.To, h.Says = endpointLabel(ends[0]), of(1, all)
	default:
		h.To, h.Says = fmt.Sprintf("one of %d endpoints", len(ends)), of(len(ends), all)+" take part"
	}
	return h, true
}

// tail are the hops to an endpoint, of which nothing is known yet.
func (k kase) tail(e kube.Endpoint) []Hop {
	key := kube.Key{Namespace: k.Path.Service.Namespace, Name: e.Pod}
	if k.Path.Service.Name == "" {
		key = k.Path.Pod
	}
	pod := k.Pod(key)
	sender := k.sender()
	t := k.sent(sender, k.Kind)
	t.to, t.toIP, t.port = pod, e.Address, e.Port
	leave, enter, from := k.leave(t), k.enter(t), "outside"
	if k.Path.Entry == AtIngress { // which Pod is the controller is not known
		from = "the controller"
		leave = PolicyWalk{Ruling: Depends, Why: "the Ingress controller sends it on"}
		if enter.Ruling == Denied {
			enter.Ruling, enter.Why = Depends, enter.Why+", unless the Ingress controller is permitted"
		}
	}
	at := net.JoinHostPort(e.Address, strconv.Itoa(e.Port))
	hops := []Hop{
		{Kind: Leave, By: by("NetworkPolicy", leave.Names()), Node: sender.Node, Pod: sender.Pod, Rule: leave.Why, Says: leave.Why, Origin: "networking/v1", State: ruled(leave)},
		{Kind: Cross, By: k.networkPlugin(), From: sender.Node, To: e.Node, Rule: "every Pod reaches every other one without translation", Origin: "the Kubernetes network model"},
		{Kind: Enter, By: by("NetworkPolicy", enter.Names()), Node: e.Node, Pod: key, Rule: enter.Why, Says: enter.Why, Origin: "networking/v1", State: ruled(enter)},
		{Kind: Listen, By: container(pod, e.Port), Node: e.Node, Pod: key, To: at, Rule: "a program must listen on the address and port", Says: "port " + strconv.Itoa(e.Port)},
		{Kind: Speak, By: "the app", Node: e.Node, Pod: key, Rule: "it must answer in the protocol of the question"},
	}
	switch {
	case e.Node == "" && pod == nil:
		hops[1].To, hops[1].Says = at, "to an address outside of the cluster"
	case sender.Node == e.Node:
		hops[1].By, hops[1].Says = "the Node itself", "within "+e.Node
	default:
		hops[1].Says = fmt.Sprintf("%s → %s", cmp.Or(sender.Node, from), cmp.Or(e.Node, at))
	}
	return hops
}

// sender is who sends to the endpoints: the source, or behind an Ingress its
// controller, of which the Node may be known.
func (k kase) sender() Source {
	if k.Path.Entry != AtIngress {
		return k.Source
	}
	if n := k.addresses()[serverName(k.Address)].node; n != nil {
		return Source{Node: n.Name}
	}
	return Source{}
}

// ruled is the state of a hop by what policies say of it.
func ruled(p PolicyWalk) HopState {
	switch p.Ruling {
	case Denied:
		return ByDesign
	case Depends:
		return Unknown
	default:
		return Works
	}
}

func by(what string, names []string) string {
	if len(names) == 0 {
		return "nobody"
	}
	return what + " " + list(names)
}

// container is the one that declares a port, else the Pod.
func container(pod *kube.Pod, port int) string {
	if pod == nil {
		return "what is at the address"
	}
	for _, c := range pod.Containers {
		if slices.ContainsFunc(c.Ports, func(p kube.ContainerPort) bool { return p.Port == port }) {
			return "container " + c.Name
		}
	}
	return "pod/" + pod.Name
}

// plugins are how the DaemonSets of network plugins begin.
var plugins = []string{"kube-flannel", "calico-node", "cilium", "canal", "weave-net", "antrea-agent", "kindnet", "kube-router", "kube-ovn"}

// networkPlugin is what carries packets between the Nodes, by the Pods that
// podpath sees, which is a guess.
func (w *World) networkPlugin() string {
	for _, p := range w.Pods {
		for _, plugin := range plugins {
			if owner, ok := strings.CutPrefix(p.Owner, "DaemonSet/"); ok && strings.HasPrefix(owner, plugin) {
				return fmt.Sprintf("%s (its DaemonSet %s)", plugin, owner)
			}
		}
	}
	return "the network between the Nodes"
}

// broken is the hop where a failed result's cause lies, or where the request
// is known to have ended; "" where it is not known.
func (k kase) broken() HopKind {
	switch {
	case k.Verdict == Pass && k.Error == NoError, k.Blind != nil:
		return ""
	case k.Stage == StageResolve && k.Cause != nil && (k.Cause.Hop.order() > Translate.order() || lost(k.Error)):
		return Name // on the way to the DNS server
	case k.Cause != nil && k.Cause.Hop != "" && k.Cause.Hop != Look:
		return k.Cause.Hop
	case k.Stage == StageResolve:
		return Name
	case k.Stage == StageTLS || k.Stage == StageRequest:
		return Speak
	default:
		return ""
	}
}

// came is the last hop that the request itself is known to have passed.
func (k kase) came() HopKind {
	switch {
	case k.Blind != nil:
		return ""
	case k.Path.Ingress.Name != "" && k.Error != NoError && k.Stage != StageResolve:
		return Name // its controller has answered, and what lies behind that is not known
	case k.Error == NoError && (k.Stage == StageRequest || k.Stage == StageTLS):
		return Speak
	case k.Stage == StageRequest || k.Stage == StageTLS || k.Error == NoError && k.Stage == StageConnect:
		return Listen
	case k.Stage == StageConnect && k.Error == Refused && !k.Path.Virtual() && k.Path.Entry != AtHostPort:
		return Enter // somebody there has refused it
	case k.Stage == StageConnect, k.Stage == StageResolve && k.Error == NoError:
		return Name
	default:
		return ""
	}
}

// judged gives hops their states.
func (k kase) judged(hops []Hop) []Hop {
	broken, came := k.broken(), k.came()
	for i := range hops {
		h := &hops[i]
		passed := came != "" && h.Kind.order() <= came.order()
		switch {
		case h.Kind == broken && (k.Verdict == Pass || k.Cause != nil && k.Cause.ByDesign):
			h.State, h.Known = ByDesign, ByObjects
		case h.Kind == broken:
			h.State, h.Known = Broken, Seen
			k.sayBroken(h)
		case broken != "" && h.Kind.order() > broken.order() && !passed:
			h.State, h.Known, h.Says = NotReached, Assumed, ""
		case passed && k.Error == NoError && h.Kind == Speak && k.Stage == StageConnect:
			h.State, h.Known = Unknown, Assumed
		case passed:
			h.State, h.Known = Works, Seen
		case k.Blind == nil && broken != "" && (h.State == "" || h.State == Works):
			h.State, h.Known = Works, ByObjects
		default:
			h.State, h.Known = Unknown, Assumed
		}
		k.sayMore(h)
	}
	return hops
}

// sayMore words what depends on the state.
func (k kase) sayMore(h *Hop) {
	switch {
	case h.Kind == Speak && h.State == NotReached:
	case h.Kind == Speak && h.State == Unknown && k.Error == NoError && k.Blind == nil && k.Stage == StageConnect:
		h.Says = "opened; nothing was asked"
		if k.spokenAt(k.Path, k.Ask.Port) == Silent {
			h.Says += ", because the protocol is not known"
		}
	case h.Kind == Speak && h.State != Unknown:
		h.Says = cmp.Or(k.Detail, string(k.Error), "answered")
	case h.Kind == Listen && h.State == Works && h.Known == Seen:
		h.Says += " takes connections"
	}
}

func (k kase) sayBroken(h *Hop) {
	switch {
	case h.Kind == Name && len(k.Answers) > 0:
		h.Says = k.telling().String()
	case h.Kind == Listen || h.Kind == Cross:
		h.Says = strings.TrimSpace(h.Says + ": " + string(k.Error))
		if k.Cause != nil {
			for _, e := range k.Cause.Evidence {
				if e.Table && h.Kind == Listen {
					h.Says, h.Known = fmt.Sprintf("nothing takes it at port %s; %s", lastPort(h.To), e.Seen), LookedAt
				}
			}
		}
	case h.Kind == Translate && h.Says == "":
		h.Says = string(k.Error)
	}
}

// telling is the answer that says most of why a name has none: that of the name
// that was meant.
func (k kase) telling() NameAnswer {
	for _, a := range k.Answers {
		if m := k.Path.Name; m.OfCluster() && strings.Contains(a.Name, m.Service.Name+"."+m.Service.Namespace+".svc.") {
			return a
		}
	}
	return k.Answers[len(k.Answers)-1]
}

func lastPort(at string) string {
	_, port, err := net.SplitHostPort(at)
	if err != nil {
		return at
	}
	return port
}

// tailOf are the hops to one of several endpoints: with what became of it when
// it was dialed by itself, if it was.
func (k kase) tailOf(e kube.Endpoint) []Hop {
	hops := k.tail(e)
	at := endpointLabel(e)
	for _, r := range k.Beside {
		if r.Address == at {
			return besides(kase{World: k.World, Result: r}.judged(hops))
		}
	}
	broken := k.broken()
	stopped := broken != "" && broken.order() < Leave.order()
	for i := range hops {
		h := &hops[i]
		switch {
		case stopped:
			h.State, h.Known, h.Says = NotReached, Assumed, ""
		case k.took(at) && h.Kind.order() <= Listen.order():
			h.State, h.Known = Works, LookedAt
		case h.State == Works || h.State == ByDesign:
			h.Known, stopped = ByObjects, h.State == ByDesign
		default:
			h.State, h.Known = Unknown, Assumed
			if h.Kind == broken {
				h.Says = "at one of the endpoints: " + cmp.Or(k.Detail, string(k.Error))
			}
		}
	}
	return hops
}

// took reports that a spread has seen an endpoint take connections. Which one
// took a single request is not known.
func (k kase) took(at string) bool {
	return k.Spread != nil && slices.ContainsFunc(k.Spread.Shares, func(s Share) bool { return s.Address == at && s.Count > 0 })
}

// besides are hops that another request passed.
func besides(hops []Hop) []Hop {
	for i := range hops {
		if hops[i].Known == Seen {
			hops[i].Known = LookedAt
		}
	}
	return hops
}
