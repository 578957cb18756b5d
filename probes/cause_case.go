package probes

import (
	"fmt"
	"net"
	"slices"
	"strconv"

	"podpath/kube"
)

// kase is one result, seen among all others.
type kase struct {
	*World
	Result
	all      indexed
	evidence evidence
}

// indexed are the results by what causes look for. Those for which podpath
// could not look are left out: they are evidence of nothing.
type indexed struct {
	from  map[string][]*Result // by the label of the source
	to    map[string][]*Result // by the label of the target
	at    map[string][]*Result // by the address that was dialed or asked
	paths map[way]tally
}

// way is how a path to a Pod's own address goes.
type way struct {
	from, to string     // Nodes
	kind     SourceKind // "" for all of them
}

// tally counts paths that should work, and those that do.
type tally struct{ all, good int }

func index(w *World, results []Result) indexed {
	x := indexed{map[string][]*Result{}, map[string][]*Result{}, map[string][]*Result{}, map[way]tally{}}
	for i := range results {
		r := &results[i]
		if r.Blind != nil {
			continue
		}
		x.from[r.Source.Label] = append(x.from[r.Source.Label], r)
		x.to[r.Target] = append(x.to[r.Target], r)
		x.at[r.Address] = append(x.at[r.Address], r)
		if r.Kind == TCP && !r.About.Virtual && r.Expect.Outcome == Reached && w.onPodNetwork(r.About.Pod) {
			for _, kind := range []SourceKind{r.Source.Kind, ""} {
				p := x.paths[way{r.Source.Node, r.About.Node, kind}]
				p.all++
				if succeeded(r) {
					p.good++
				}
				x.paths[way{r.Source.Node, r.About.Node, kind}] = p
			}
		}
	}
	return x
}

// onPodNetwork reports a Pod with an address of its own: what goes to the
// address of a Node takes another way.
func (w *World) onPodNetwork(pod kube.Key) bool {
	p := w.Pod(pod)
	return p != nil && !p.HostNetwork
}

// again is the command that makes the check once more.
func (k kase) again() string {
	where := "-n " + k.Home
	if k.Home == "" {
		where = "-A"
	}
	return fmt.Sprintf("podpath probe %s %s %s", where, k.Source.Label, k.Target)
}

// others are those of the results that a filter keeps, without the case itself.
func (k kase) others(among []*Result, keep func(*Result) bool) []*Result {
	var out []*Result
	for _, r := range among {
		if r.ID != k.ID && keep(r) {
			out = append(out, r)
		}
	}
	return out
}

func succeeded(r *Result) bool { return r.Error == NoError }

// failed are results that are not as expected: what a policy denies is.
func failed(r *Result) bool { return r.Verdict == Fail && r.Error != NoError }

// count counts the results that a filter keeps.
func count(results []*Result, keep func(*Result) bool) int {
	n := 0
	for _, r := range results {
		if keep(r) {
			n++
		}
	}
	return n
}

// service finds the Service and the port that were checked: by their virtual
// address, or by one of their endpoints.
func (k kase) service() (*kube.Service, kube.ServicePort, bool) {
	if svc := k.Service(k.About.Service); svc != nil && k.About.Port.Port != 0 {
		return svc, k.About.Port, true
	}
	for _, svc := range k.Services {
		if svc.Namespace != k.About.Pod.Namespace {
			continue
		}
		for _, port := range svc.Ports {
			if slices.ContainsFunc(endpointsOf(svc, port), func(e kube.Endpoint) bool { return e.Pod == k.About.Pod.Name && e.Port == k.Ask.Port }) {
				return svc, port, true
			}
		}
	}
	return nil, kube.ServicePort{}, false
}

// siblings are the other endpoints of a Service's port that the same source
// dialed, for whichever reason it did.
func (k kase) siblings(svc *kube.Service, port kube.ServicePort) []*Result {
	dialed := map[string]bool{}
	for _, e := range endpointsOf(svc, port) {
		dialed[net.JoinHostPort(e.Address, strconv.Itoa(e.Port))] = true
	}
	return k.others(k.all.from[k.Source.Label], func(r *Result) bool {
		return r.Kind == TCP && !r.About.Virtual && dialed[r.Address] && (k.About.Virtual || r.About.Pod != k.About.Pod || r.About.Pod == (kube.Key{}))
	})
}
