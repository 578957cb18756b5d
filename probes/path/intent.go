package path

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"podpath/kube"
)

// Intent is what somebody wants to know. The command, the panes and whatever
// else asks have the same planner for it.
type Intent struct {
	// Everything asks for all that is worth checking of these groups.
	Everything []Group
	// Sources and Targets ask for the way from each to each, as a user writes
	// them. EachNode starts in one Pod on each Node instead of Sources.
	Sources, Targets []string
	EachNode         bool
	// About asks for what starts at an object and leads to it. It looks from
	// where that needs, and from nowhere else.
	About kube.Ref
	// Options are for what Targets ask for.
	Options PlanOptions
}

// Empty reports an intent that asks for nothing.
func (i Intent) Empty() bool {
	return len(i.Everything) == 0 && len(i.Targets) == 0 && i.About == (kube.Ref{})
}

// PlanFor plans the checks of an intent. Its error is for the user.
func (w *World) PlanFor(i Intent) ([]Check, error) {
	switch {
	case len(i.Everything) > 0:
		return w.Plan(i.Everything...), nil
	case i.About != (kube.Ref{}):
		return w.planAbout(i.About)
	}
	var from []Source
	words := i.Sources
	if i.EachNode {
		if words = w.onePerNode(); len(words) == 0 {
			return nil, errNoSource
		}
	}
	for _, word := range words {
		found, err := w.FindSources(word)
		if err != nil {
			return nil, err
		}
		from = append(from, found...)
	}
	to := make([]Target, len(i.Targets))
	for n, word := range i.Targets {
		var err error
		if to[n], err = ParseTarget(word); err != nil {
			return nil, err
		}
	}
	return w.planWays(from, to, i.Options)
}

var errNoSource = errors.New("no Pod runs here that podpath could start from: choose another namespace, or all of them")

// onePerNode names one Pod on each Node, ready ones first.
func (w *World) onePerNode() []string {
	var sources []string
	seen := map[string]bool{}
	for _, ready := range []bool{true, false} {
		for _, p := range w.homePods() {
			if Runs(p) && p.IsReady == ready && !p.HostNetwork && !seen[p.Node] {
				seen[p.Node] = true
				sources = append(sources, w.podSource(p).Label)
			}
		}
	}
	return sources
}

// planAbout plans what is about one object.
func (w *World) planAbout(ref kube.Ref) ([]Check, error) {
	p := newPlan(w)
	p.mostEndpoints = maxEndpoints
	switch ref.Resource {
	case kube.Pods:
		pod := w.Pod(ref.Key)
		if pod == nil || !Runs(pod) {
			return nil, fmt.Errorf("pod/%s does not run: there is nothing to probe", w.name(ref.Key))
		}
		p.aboutPod(pod)
	case kube.Services:
		svc := w.Service(ref.Key)
		if svc == nil {
			return nil, fmt.Errorf("there is no Service %q any more", w.name(ref.Key))
		}
		p.aboutService(svc)
	case kube.Nodes:
		if w.Node(ref.Name) == nil {
			return nil, fmt.Errorf("there is no Node %q any more", ref.Name)
		}
		p.aboutNode(ref.Name)
	default:
		return nil, fmt.Errorf("podpath cannot probe %s", ref.Resource)
	}
	return p.checks, nil
}

// aboutPod looks from the Pod to what it needs, and at it from podpath itself:
// no other Pod is entered.
func (p *plan) aboutPod(pod *kube.Pod) {
	s := p.podSource(pod)
	if !pod.HostNetwork {
		p.localhost(s)
	}
	discovered := false
	for _, svc := range p.Services {
		if svc.Namespace != pod.Namespace {
			continue
		}
		p.serviceOf(s, svc, "")
		if !pod.HostNetwork {
			p.discover(s, pod, svc)
			discovered = true
		}
	}
	if !discovered && !pod.HostNetwork {
		p.anyName(s)
	}
	p.podPorts(p.local(), pod, "")
}

// aboutService looks at the Service from one Pod on each Node, and who answers
// from one of them.
func (p *plan) aboutService(svc *kube.Service) {
	sources := p.viewpoints()
	for _, s := range sources {
		p.serviceOf(s, svc, "")
	}
	for _, i := range p.Ingresses {
		if i.Namespace == svc.Namespace && slices.ContainsFunc(i.Rules, func(r kube.IngressRule) bool { return r.Backend.Service == svc.Name }) {
			p.ingress(p.local(), i)
		}
	}
	for _, s := range sources {
		if pod := p.Pod(s.Pod); pod != nil && pod.Namespace == svc.Namespace {
			p.spreadOf(s, svc)
			p.discover(s, pod, svc)
			return
		}
	}
}

// aboutNode looks between a Pod on the Node and one on each other Node, and at
// its node ports.
func (p *plan) aboutNode(name string) {
	sources := p.viewpoints()
	at := slices.IndexFunc(sources, func(s Source) bool { return s.Node == name }) // a Pod, or else podpath itself
	for i, s := range sources {
		if at >= 0 && i != at {
			if other := p.Pod(s.Pod); other != nil {
				p.podPorts(sources[at], other, "")
			}
			if here := p.Pod(sources[at].Pod); here != nil {
				p.podPorts(s, here, "")
			}
		}
		for _, svc := range p.homeServices() {
			for _, sp := range svc.Ports {
				if sp.NodePort != 0 && sp.Protocol == "TCP" {
					p.nodePort(s, svc, sp, p.Node(name))
				}
			}
		}
	}
	if at >= 0 {
		for _, svc := range p.homeServices() {
			p.serviceOf(sources[at], svc, "")
		}
	}
}

// Elsewhere is a namespace besides the one that is looked at.
type Elsewhere struct {
	Namespace string
	// Guessed is set where it may as well be the end of a host's name, as in
	// www.example.com.
	Guessed bool
}

// Namespaces are those that targets lie in, besides the one that is looked at:
// what they belong to has to be read as well.
func (i Intent) Namespaces(w *World) []Elsewhere {
	if w.Scope.All() {
		return nil
	}
	var out []Elsewhere
	add := func(namespace string, guessed bool) {
		known := func(e Elsewhere) bool { return e.Namespace == namespace }
		if namespace != "" && namespace != w.Scope.Namespace && w.Looked[namespace] == nil && !slices.Contains(w.Absent, namespace) && !slices.ContainsFunc(out, known) {
			out = append(out, Elsewhere{namespace, guessed})
		}
	}
	for _, word := range i.Sources {
		if parts := strings.Split(word, "/"); len(parts) > 2 && w.Pod(kube.Key{Namespace: w.Home, Name: parts[1]}) == nil {
			add(parts[1], false)
		}
	}
	for _, word := range i.Targets {
		t, err := ParseTarget(word)
		if err != nil {
			continue
		}
		switch t.Kind {
		case ToPod, ToService, ToIngress:
			key := kube.Key{Namespace: w.Home, Name: t.Name}
			if namespace, name, ok := strings.Cut(t.Name, "/"); ok {
				add(namespace, false)
				key = kube.Key{Namespace: namespace, Name: name}
			}
			if t.Kind == ToService {
				add(namespaceOfAlias(w, key))
			}
		case ToHost, ToURL, ToDNS:
			add(namespaceIn(w, t.Name))
			add(namespaceOfAlias(w, w.Mean(Source{}, t.Name).Service))
			for _, ingress := range w.Ingresses {
				if t.Kind == ToURL && slices.ContainsFunc(ingress.Rules, func(r kube.IngressRule) bool { return r.Host != "" && fits(r.Host, t.Name) }) {
					add(ingress.Namespace, false)
				}
			}
		case ToNode:
		}
	}
	return out
}

// namespaceOfAlias is the namespace in what an ExternalName Service stands for,
// as far as the Services in between are known.
func namespaceOfAlias(w *World, key kube.Key) (namespace string, guessed bool) {
	for range mostAliases {
		svc := w.Service(key)
		if svc == nil || svc.Kind != kube.ExternalName {
			break
		}
		namespace, _ = namespaceIn(w, svc.ExternalName)
		key = w.aliasOf(Source{}, svc).Service
	}
	return namespace, true
}

// mostStrangers is how many addresses are looked for in other namespaces.
const mostStrangers = 8

// Strangers are addresses that podpath does not know, and that may be those of
// Services of other namespaces: targets, and endpoints that somebody wrote.
func (i Intent) Strangers(w *World) []string {
	var out []string
	owners := (&World{Snapshot: w.Snapshot}).addresses() // what is read next adds to them
	add := func(address string) {
		a, err := netip.ParseAddr(address)
		o := owners[address]
		if err == nil && !a.IsLoopback() && len(o.services) == 0 && o.pod == nil && o.node == nil && !slices.Contains(out, address) && len(out) < mostStrangers {
			out = append(out, address)
		}
	}
	if w.Scope.All() {
		return nil
	}
	for _, word := range i.Targets {
		if t, err := ParseTarget(word); err == nil && (t.Kind == ToHost || t.Kind == ToURL || t.Kind == ToDNS) {
			add(t.Name)
		}
	}
	for _, svc := range w.Services {
		for _, e := range svc.Endpoints {
			if !e.Managed && svc.Key() != (kube.Key{Namespace: "default", Name: "kubernetes"}) {
				add(e.Address)
			}
		}
	}
	return out
}

// HasHosts reports targets that are URLs of hosts outside of the cluster's DNS,
// as those of an Ingress are.
func (i Intent) HasHosts(w *World) bool {
	return slices.ContainsFunc(i.Targets, func(word string) bool {
		t, err := ParseTarget(word)
		return err == nil && t.Kind == ToURL && strings.Contains(t.Name, ".") && !w.Mean(Source{}, t.Name).OfCluster()
	})
}

// namespaceIn is the namespace that a name may be of: NAME.NAMESPACE, with
// .svc behind it or HOST. before it; and whether that is a guess.
func namespaceIn(w *World, name string) (namespace string, guessed bool) {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	if i := slices.Index(labels, "svc"); i >= 2 {
		return labels[i-1], false
	}
	if m := w.Mean(Source{}, name); m.OfCluster() && m.Service.Namespace == w.Home && w.Service(m.Service) != nil {
		return "", false // HOST.SERVICE of this namespace
	}
	switch len(labels) {
	case 2:
		return labels[1], false
	case 3:
		return labels[2], true
	default:
		return "", false
	}
}
