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

// Result is a check with what became of it.
type Result struct {
	Check
	Observation
	Verdict Verdict
	Cause   *Cause
	// Unexplained is set while a run goes on: its cause, if there is one, is looked for at the end.
	Unexplained bool
	// Others are the codes of further causes that the evidence supports less.
	Others []CauseCode
	// Beside are the endpoints of the Service that the same source dialed by
	// themselves, where that was worth it.
	Beside []Result
}

// Looks is what was looked at because something failed.
type Looks struct {
	// Sockets are where a Pod listens.
	Sockets map[kube.Key][]Listener
	// Proxies are the answers of kube-proxy's health check (port 10256), by
	// Node.
	Proxies map[string]Observation
	// Compared are requests that were made beside those that failed, to tell
	// what differs.
	Compared []Result
}

// kase is one result, seen among all others.
type kase struct {
	*World
	Result
	all   indexed
	looks Looks
}

// indexed are the results by what causes look for. Those for which podpath
// could not look, or from outside, are left out: they are evidence of nothing.
type indexed struct {
	from  map[string][]*Result // by the label of the source
	to    map[string][]*Result // by the label of the target
	at    map[string][]*Result // by the address that was dialed or asked
	pod   map[kube.Key][]*Result
	paths map[way]tally
}

// way is how a path to a Pod's own address goes.
type way struct {
	from, to string     // Nodes
	kind     SourceKind // "" for all of them
}

// tally counts paths that should work, and those that do.
type tally struct{ all, good int }

func index(w *World, lists ...[]Result) indexed {
	x := indexed{map[string][]*Result{}, map[string][]*Result{}, map[string][]*Result{}, map[kube.Key][]*Result{}, map[way]tally{}}
	for _, results := range lists {
		for i := range results {
			if r := &results[i]; r.Blind == nil && !fromOutside(r) {
				x.add(w, r)
			}
		}
	}
	return x
}

// fromOutside reports a request to an address of the cluster from a machine
// where that means nothing, or something else: whoever answers there.
func fromOutside(r *Result) bool {
	return r.Expect.Cause != nil && r.Expect.Cause.Code == OutsideCluster
}

func (x indexed) add(w *World, r *Result) {
	x.from[r.Source.Label] = append(x.from[r.Source.Label], r)
	x.to[r.Target] = append(x.to[r.Target], r)
	x.at[r.Address] = append(x.at[r.Address], r)
	x.pod[r.Path.Pod] = append(x.pod[r.Path.Pod], r)
	if r.Kind != TCP || r.Path.Virtual() || r.Expect.Outcome != Reached || !w.onPodNetwork(r.Path.Pod) || r.Source.Pod == r.Path.Pod {
		return // what a Pod sends to itself leaves it for no Node
	}
	for _, kind := range []SourceKind{r.Source.Kind, ""} {
		p := x.paths[way{r.Source.Node, r.Path.Node, kind}]
		p.all++
		if opened(r) {
			p.good++
		}
		x.paths[way{r.Source.Node, r.Path.Node, kind}] = p
	}
}

// onPodNetwork reports a Pod with an address of its own: what goes to the
// address of a Node takes another way.
func (w *World) onPodNetwork(pod kube.Key) bool {
	p := w.Pod(pod)
	return p != nil && !p.HostNetwork
}

// again is the command that makes the check once more, or where no target is
// written like it, those of its group.
func (k kase) again(flags ...string) []string {
	argv := []string{"podpath", "probe", "-n", k.Home}
	target, _, _ := strings.Cut(k.Target, " at ") // one of the addresses of an Ingress
	if strings.HasPrefix(target, "svc/") {
		target, _, _ = strings.Cut(target, "@") // one of those of a Service
	}
	if k.Kind == Env || k.Kind == Status {
		return append(append(argv, "--only", string(k.Group)), flags...)
	}
	return append(append(argv, k.Source.Label, target), flags...)
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

// opened reports that packets came there and back, whatever the app said then.
func opened(r *Result) bool {
	return r.Error == NoError || r.Stage == StageTLS || r.Stage == StageRequest || r.Error == Refused && r.Stage == StageConnect
}

// connected reports that something took the connection.
func connected(r *Result) bool {
	return r.Error == NoError || r.Stage == StageTLS || r.Stage == StageRequest
}

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

// servicePort finds the Service and the port that were checked: by their
// virtual address, or by one of their endpoints.
func (k kase) servicePort() (*kube.Service, kube.ServicePort, bool) {
	if svc := k.service(k.Path); svc != nil && k.Path.Port.Port != 0 {
		return svc, k.Path.Port, true
	}
	if k.Path.Pod.Name == "" {
		return nil, kube.ServicePort{}, false
	}
	for _, svc := range k.Services {
		if svc.Namespace != k.Path.Pod.Namespace {
			continue
		}
		for _, port := range svc.Ports {
			if slices.ContainsFunc(endpointsOf(svc, port), func(e kube.Endpoint) bool { return e.Pod == k.Path.Pod.Name && e.Port == k.Ask.Port }) {
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
		return (r.Kind == TCP || r.Kind == UDP) && !r.Path.Virtual() && dialed[r.Address] &&
			(k.Path.Virtual() || k.Kind == Spread || r.Path.Pod != k.Path.Pod || r.Path.Pod == (kube.Key{}))
	})
}

// podLogs is the command that shows what a Pod says, of the container before
// when it crashes.
func (w *World) podLogs(pod *kube.Pod, note string) Next {
	argv := []string{"kubectl", "logs", "-n", pod.Namespace, pod.Name}
	for _, r := range pod.Reasons {
		switch r.Code {
		case kube.Crashing:
			return run(note, append(argv, "-c", r.Container, "--previous")...)
		case kube.ContainerEnded: // what it said stands until it starts again
			return run(note, append(argv, "-c", r.Container)...)
		default:
		}
	}
	if len(pod.Containers) > 1 {
		argv = append(argv, "--all-containers")
	}
	return run(note, argv...)
}

// targetPod is the Pod at the end of a path: the one that was dialed, or the
// only one that the request can have come to.
func (k kase) targetPod() *kube.Pod {
	if pod := k.Pod(k.Path.Pod); pod != nil {
		return pod
	}
	if k.Path.Entry == AtHeadless && k.Stage != StageResolve { // its name has led to one of them
		return k.PodAt(serverName(k.Address))
	}
	ends := k.ends(k.Source, k.Path, k.Ask)
	if len(ends) != 1 {
		return nil
	}
	return k.podBehind(k.Path.Service, ends[0])
}

// label names what was asked for, for a sentence.
func (k kase) label() string {
	if svc := k.service(k.Path); svc != nil && k.Path.Virtual() {
		return "Service " + svc.Name
	}
	if pod := k.Pod(k.Path.Pod); pod != nil {
		return "Pod " + pod.Name
	}
	return cmp.Or(k.Address, k.Target)
}

// seenAs is what was seen of the request itself, as evidence.
func (k kase) seenAs(what string) Evidence {
	return Evidence{What: cmp.Or(k.Address, k.Target), Where: k.Source.Label, Seen: what}
}

func list(words []string) string { return strings.Join(words, ", ") }

// of writes 2 of 3.
func of(some, all int) string { return fmt.Sprintf("%d of %d", some, all) }
