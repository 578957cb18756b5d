package path

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"podpath/kube"
	"podpath/probes/launch"
	"podpath/probes/path/manifest"
)

// said writes hops as name=works/seen, and the ways from a fork below each other.
func said(t Trace) string {
	line := func(hops []Hop) string {
		return strings.Join(names(hops, func(h Hop) string { return fmt.Sprintf("%s=%s/%s", h.Kind, h.State, h.Known) }), " ")
	}
	lines := []string{line(t.Hops)}
	for _, tail := range t.Tails {
		lines = append(lines, tail.Endpoint.Pod+": "+line(tail.Hops))
	}
	return strings.Join(lines, "\n")
}

// The parts of what said writes.
const (
	passedPolicies = "leave=works/by the objects cross=works/by the objects enter=works/by the objects"
	sawItAll       = "leave=works/seen cross=works/seen enter=works/seen listen=works/seen speak=works/seen"
	sawItOpen      = "leave=works/seen cross=works/seen enter=works/seen listen=works/seen speak=unknown/assumed"
	notCome        = "leave=not reached/assumed cross=not reached/assumed enter=not reached/assumed listen=not reached/assumed speak=not reached/assumed"
	notKnown       = "leave=unknown/assumed cross=unknown/assumed enter=unknown/assumed listen=unknown/assumed speak=unknown/assumed"
)

func TestTracesShowHowFarARequestCame(t *testing.T) {
	seen := clusters{}
	deny := func(policies ...*kube.NetworkPolicy) func(*World) { return func(w *World) { w.Policies = policies } }
	blind := func(_ Check, o *Observation) { *o = Observation{Blind: launch.ErrCut, Stage: StageResolve} }
	db := []string{manifest.Service("db", `clusterIP: None, selector: {app: web}, `+oneWebPort, ""), manifest.WebSlice("db")}
	for name, test := range map[string]struct {
		symptom
		connectOnly bool
		trace       string
	}{
		"it passes":                      {symptom{to: "pod/web-1:80"}, false, sawItAll},
		"it opens, and nothing is asked": {symptom{to: "pod/web-1:80"}, true, sawItOpen},
		"by its name":                    {symptom{docs: single, to: "http://x:8080/"}, false, "name=works/seen translate=works/seen " + sawItAll},
		"a name alone":                   {symptom{to: "dns:web"}, false, "name=works/seen"},
		"to the world":                   {symptom{to: "https://www.example.com/"}, false, "name=works/seen " + sawItAll},
		"a headless name leads to one":   {symptom{docs: db, to: "http://db/"}, false, "name=works/seen translate=works/seen " + sawItAll},

		"its name is not known": {
			symptom{to: "http://wep:80/", comes: unresolved(NXDomain, "wep.shop.svc.cluster.local. nxdomain"), want: NoSuchService},
			false,
			"name=broken/seen " + notCome,
		},
		"a name that means a Service is not answered": {
			symptom{docs: single, to: "http://x:8080/", comes: mute(TimedOut), want: DNSDown},
			false,
			"name=broken/seen translate=not reached/assumed " + notCome,
		},
		"a lookup alone fails": {symptom{to: "dns:wep", comes: unresolved(NXDomain, "wep.shop.svc.cluster.local. nxdomain"), want: NoSuchService}, false, "name=broken/seen"},
		"the Service has no such port": {
			symptom{docs: single, to: "http://x/", comes: fails(TimedOut), want: NoSuchPort},
			false,
			"name=works/seen translate=broken/seen " + notCome,
		},
		"it has no endpoint": {
			symptom{docs: []string{manifest.Service("x", clusterIP+"selector: {app: wep}, "+oneWebPort, "")}, to: "x:80", comes: fails(Refused), want: SelectorMatchesNothing},
			false,
			"name=works/seen translate=broken/seen " + notCome,
		},
		"a policy stops it, by design": {
			symptom{change: deny(ingress("web")), to: "pod/web-1:80", comes: fails(TimedOut), want: PolicyDenies},
			false,
			"leave=works/by the objects cross=works/by the objects enter=by design/by the objects listen=not reached/assumed speak=not reached/assumed",
		},
		"that of the source does": {
			symptom{change: deny(egress("client")), to: "10.244.1.5:80", comes: fails(TimedOut), want: PolicyDenies},
			false,
			"leave=by design/by the objects cross=not reached/assumed enter=not reached/assumed listen=not reached/assumed speak=not reached/assumed",
		},
		"a policy is not enforced": {
			symptom{change: deny(ingress("web")), to: "pod/web-1:80", comes: fate(func(Check) ErrorKind { return through }).meets, want: PolicyNotEnforced},
			false,
			"leave=works/seen cross=works/seen enter=broken/seen listen=works/seen speak=works/seen",
		},
		"its Node is away": {
			symptom{change: func(w *World) { notReady(t, w, "raspi002") }, to: "pod/web-1:80", comes: fails(TimedOut), want: NodeNotReady},
			false,
			"leave=works/by the objects cross=broken/seen enter=not reached/assumed listen=not reached/assumed speak=not reached/assumed",
		},
		"nothing listens, it was looked at": {
			symptom{to: "pod/web-1:80", comes: failsAt(Refused, "10.244.1.5"), looks: listens("web-1"), want: NothingListens},
			false,
			"leave=works/seen cross=works/seen enter=works/seen listen=broken/looked at speak=not reached/assumed",
		},
		"nothing listens, by a Service": {
			symptom{docs: single, to: "svc/x", comes: failsAt(Refused, "10.244.1.5", "10.96.0.9"), looks: listens("web-1"), want: NothingListens},
			false,
			"translate=works/by the objects " + passedPolicies + " listen=broken/looked at speak=not reached/assumed",
		},
		"it refuses, and nobody can look": {
			symptom{to: "pod/web-1:80", comes: failsAt(Refused, "10.244.1.5"), want: NotListening},
			false,
			"leave=works/seen cross=works/seen enter=works/seen listen=broken/seen speak=not reached/assumed",
		},
		"it gets lost, nobody knows where": {symptom{to: "pod/web-1:80", comes: failsAt(TimedOut, "10.244.1.5"), want: ""}, false, notKnown},
		"the app says that it is broken": {
			symptom{docs: single, to: "http://x:8080/", comes: speaks(Observation{Stage: StageRequest, Error: BadStatus, Status: 500}), want: StatusNotAsExpected},
			false,
			"name=works/seen translate=works/seen leave=works/seen cross=works/seen enter=works/seen listen=works/seen speak=broken/seen",
		},
		"podpath could not look":         {symptom{docs: single, to: "http://x:8080/", comes: blind}, false, "name=unknown/assumed translate=unknown/assumed " + notKnown},
		"a policy may deny it to a Node": {symptom{from: "node/raspi001", change: deny(ingress("web")), to: "pod/web-1:80", comes: failsAt(TimedOut, "10.244.1.5")}, false, notKnown},
		"kube-proxy does nothing": {
			symptom{docs: single, to: "svc/x", comes: failsAt(TimedOut, "10.96.0.9"), want: ServiceDataplane},
			false,
			"translate=broken/seen " + notCome,
		},
		"from outside, by design": {
			symptom{from: "local", docs: single, change: func(w *World) { w.LocalNode = "" }, to: "svc/x", comes: fails(TimedOut), want: OutsideCluster},
			false,
			"translate=by design/by the objects " + notCome,
		},
	} {
		w := seen.onMaster(t, append([]string{clientPod}, test.docs...)...)
		if test.change != nil {
			test.change(w)
		}
		from := test.from
		if from == "" {
			from = "pod/client"
		}
		r := diagnose(w, planWith(t, w, PlanOptions{ConnectOnly: test.connectOnly}, from, test.to), test.comes, test.looks)[0]
		explained(t, name, w, r, test.want, test.says)
		if got := said(w.Trace(r)); got != test.trace {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, test.trace)
		}
	}
}

func TestTracesForkWhereAnEndpointIsChosen(t *testing.T) {
	seen := clusters{}
	const (
		guessed = "leave=works/by the objects cross=unknown/assumed enter=works/by the objects listen=unknown/assumed speak=unknown/assumed"
		looked  = "leave=works/looked at cross=works/looked at enter=works/looked at listen=works/looked at speak=works/looked at"
	)
	three := func(lines ...string) string {
		return fmt.Sprintf("%s\nweb-1: %s\nweb-2: %s\nweb-3: %s", lines[0], lines[1], lines[2], lines[3])
	}
	for name, test := range map[string]struct {
		symptom
		trace string
	}{
		"it passes, and each was dialed as well": {symptom{to: "svc/web"}, three("translate=works/seen", looked, looked, looked)},
		"it passes, by its name":                 {symptom{to: "http://web:8080/"}, three("name=works/seen translate=works/seen", guessed, guessed, guessed)},
		"one of them is dead": {symptom{to: "svc/web", comes: failsAt(TimedOut, "10.244.1.6", "10.96.0.7"), want: DeadEndpoint}, three("translate=works/by the objects", looked,
			passedPolicies+" listen=broken/looked at speak=not reached/assumed", looked)},
		"its name is not known": {symptom{to: "http://web:8080/", comes: mute(TimedOut), want: DNSDown}, three("name=broken/seen translate=not reached/assumed", notCome, notCome, notCome)},
		"a policy permits one, and it gets lost": {symptom{
			change: func(w *World) {
				w.Policies = []*kube.NetworkPolicy{egress("client", from(kube.PolicyPeer{CIDR: "10.244.2.0/24"}))}
			}, to: "http://10.96.0.7:8080/", comes: failsAt(TimedOut, "10.96.0.7"), want: PolicyDeniesSome, says: "1 of 3 endpoints of Service web only",
		}, three("translate=works/by the objects",
			"leave=by design/by the objects cross=not reached/assumed enter=not reached/assumed listen=not reached/assumed speak=not reached/assumed",
			"leave=by design/by the objects cross=not reached/assumed enter=not reached/assumed listen=not reached/assumed speak=not reached/assumed",
			looked)},
	} {
		w := seen.onMaster(t, clientPod)
		if test.change != nil {
			test.change(w)
		}
		r := diagnose(w, planFor(t, w, "pod/client", test.to), test.comes, test.looks)[0]
		explained(t, name, w, r, test.want, test.says)
		if got := said(w.Trace(r)); got != test.trace {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, test.trace)
		}
	}
}

func TestHopsSayWhoMakesThemAndWhatWasSeen(t *testing.T) {
	w := onMaster(t, append([]string{clientPod, manifest.Pod{Namespace: "shop", Name: "kube-flannel-x", Node: "raspi002", IPs: []string{"198.51.100.12"}, Host: true, Owner: "DaemonSet/kube-flannel-ds"}.YAML()}, single...)...)
	r := diagnose(w, planFor(t, w, "pod/client", "http://x:8080/"), func(c Check, o *Observation) {
		if c.Asked {
			failsAt(Refused, "x")(c, o)
			o.Times = []StageTime{{StageResolve, 1500 * time.Microsecond}}
		} else {
			failsAt(Refused, "10.244.1.5")(c, o)
		}
	}, listens("web-1", "0.0.0.0:8081"))[0]
	hops := map[HopKind]Hop{}
	for _, h := range w.Trace(r).Hops {
		hops[h.Kind] = h
		if h.By == "" || h.Rule == "" {
			t.Errorf("%s: got %+v, want who makes it, and the rule", h.Kind, h)
		}
	}
	for kind, want := range map[HopKind]Hop{
		Name:      {By: "cluster DNS", From: "x", To: "10.96.0.9", Says: "1.5 ms"},
		Translate: {By: "kube-proxy on raspi003", From: "10.96.0.9:8080", To: "10.244.1.5:80", Says: "1 of 1", Node: "raspi003"},
		Leave:     {By: "nobody", Says: "no NetworkPolicy limits what client sends", Node: "raspi003"},
		Cross:     {By: "kube-flannel", From: "raspi003", To: "raspi002", Says: "raspi003 → raspi002"},
		Listen:    {By: "container nginx", To: "10.244.1.5:80", Says: "nothing takes it at port 80; it listens on 0.0.0.0:8081", Node: "raspi002"},
	} {
		got := hops[kind]
		if !strings.HasPrefix(got.By, want.By) || got.From != want.From || got.To != want.To || !strings.Contains(got.Says, want.Says) || want.Node != "" && got.Node != want.Node {
			t.Errorf("%s: got %+v, want %+v", kind, got, want)
		}
	}
}

func TestBehindAnIngressItsControllerSends(t *testing.T) {
	w := onMaster(t, append([]string{clientPod}, single...)...)
	w.Policies = []*kube.NetworkPolicy{ingress("web", from(kube.PolicyPeer{Pods: podsOf("ingress")}))}
	rule := func(path, service string) kube.IngressRule {
		return kube.IngressRule{Host: "shop.example.com", Path: path, PathType: "Exact", Backend: kube.Backend{Service: service, PortName: "http"}}
	}
	w.Ingresses = []*kube.Ingress{{Namespace: "shop", Name: "front", Addresses: []string{"198.51.100.13"}, Rules: []kube.IngressRule{rule("/x", "x"), rule("/gone", "gone")}}}
	results := diagnose(w, planFor(t, w, "local", "ingress/front"), func(c Check, o *Observation) {
		if c.Ask.HTTP != nil && c.Ask.HTTP.Path == "/gone" {
			o.Stage, o.Error, o.Status = StageRequest, BadStatus, 503
		}
	}, Looks{})
	states := func(r Result) string {
		var out []string
		for _, h := range w.Trace(r).Hops {
			out = append(out, fmt.Sprintf("%s %s: %s", h.Kind, h.State, h.Says))
		}
		return strings.Join(out, "\n")
	}
	for i, want := range [][]string{
		{"translate works: 1 of 1", "leave works: the Ingress controller sends it on", "cross works: raspi003 → raspi002", "unless the Ingress controller is permitted"},
		{"translate broken: there is no Service gone", "leave not reached: "},
	} {
		for _, words := range want {
			if got := states(results[i]); !strings.Contains(got, words) {
				t.Errorf("%s: got\n%s\nwant %q", results[i].ID, got, words)
			}
		}
	}
}

// Whatever comes of a request: nothing counts as seen that it has not passed,
// and at most one hop is where it ended.
func TestNothingAssumedIsShownAsSeen(t *testing.T) {
	w := onMaster(t, append([]string{clientPod}, single...)...)
	w.Policies = []*kube.NetworkPolicy{ingress("web", from(kube.PolicyPeer{Pods: podsOf("client")}))}
	checks := planFor(t, w, "pod/client", "svc/web", "svc/x", "http://x:8080/", "web:80", "dns:web", "pod/web-1:80", "www.example.com:443", "192.0.2.1:9")
	checks = append(checks, append(planFor(t, w, "local", "svc/web", "wep:80"), w.Plan(Groups...)...)...)
	kinds := []ErrorKind{NoError, Refused, TimedOut, Unreachable, ResetByPeer, NXDomain, ServFail, BadStatus, BadTLS, Closed, Silence}
	stages := []Stage{StageNone, StageResolve, StageConnect, StageTLS, StageRequest}
	rapid.Check(t, func(rt *rapid.T) {
		results := carriedOut(w, checks, func(c Check, o *Observation) {
			if c.Kind == Spread || c.Kind == Status || rapid.Bool().Draw(rt, "healthy") {
				return
			}
			o.Stage, o.Error = rapid.SampledFrom(stages).Draw(rt, "stage"), rapid.SampledFrom(kinds).Draw(rt, "error")
			if rapid.IntRange(0, 9).Draw(rt, "blind") == 0 {
				o.Blind = launch.ErrCut
			}
		})
		Explain(w, results, all(rapid.SampledFrom([]string{"0.0.0.0:80", "127.0.0.1:80", "[::]:8081"}).Draw(rt, "listener")))
		for _, r := range results {
			trace := w.Trace(r)
			wholeTrace(rt, r, trace.Hops, true)
			for _, tail := range trace.Tails {
				wholeTrace(rt, r, tail.Hops, false)
			}
		}
	})
}

// wholeTrace checks a line of hops; own is set where the request itself took it.
func wholeTrace(t *rapid.T, r Result, hops []Hop, own bool) {
	furthest := -1 // that the request came to for sure
	switch {
	case r.Blind != nil:
	case r.Error == NoError:
		furthest = Speak.order()
	case r.Stage == StageTLS || r.Stage == StageRequest:
		furthest = Listen.order()
	case r.Stage == StageConnect && r.Error == Refused && !r.Path.Virtual():
		furthest = Enter.order()
	case r.Stage == StageConnect:
		furthest = Name.order()
	}
	ended, last := 0, -1
	for _, h := range hops {
		if h.State == "" || h.Known == "" || h.Kind.order() <= last || strings.Contains(h.Says, "%!") {
			t.Errorf("%s: got %+v behind hop %d, want its state", r.ID, h, last)
		}
		last = h.Kind.order()
		if h.State == Works && h.Known == Seen && (!own || h.Kind.order() > furthest) {
			t.Errorf("%s (%s %s, %s): got %s as seen, and it came to %d only", r.ID, r.Stage, r.Error, r.Verdict, h.Kind, furthest)
		}
		if h.State == Broken || h.State == ByDesign {
			ended++
		}
		if own && r.Blind != nil && h.State != Unknown {
			t.Errorf("%s: got %s %s, and podpath could not look", r.ID, h.Kind, h.State)
		}
		if ended > 0 && h.State == Works && h.Known != Seen && h.Known != LookedAt {
			t.Errorf("%s: got %s behind where it ended", r.ID, h.Kind)
		}
	}
	if ended > 1 {
		t.Errorf("%s: got %d hops where it ended", r.ID, ended)
	}
}
