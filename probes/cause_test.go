package probes

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"podpath/kube"
	"podpath/probes/launch"
)

// fate is what becomes of a check; "" is what a healthy cluster does.
type fate func(Check) ErrorKind

// simulate carries checks out without a network: what is expected happens,
// unless fate says otherwise.
func simulate(w *World, checks []Check, what fate, e evidence) []Result {
	results := make([]Result, 0, len(checks))
	for _, c := range checks {
		o := Observation{Stage: StageConnect, Values: c.Expect.Values, Address: net.JoinHostPort(c.Ask.Host, strconv.Itoa(c.Ask.Port))}
		switch c.Kind {
		case DNS:
			o.Stage, o.Address = StageResolve, "10.96.0.10:53"
		case Status:
			o = Observation{Stage: StageResolve, Error: Missing}
		case Spread:
			o.Spread = &SpreadResult{Verdict: Pass}
		default:
		}
		if c.Expect.Outcome == Blocked {
			o.Error = map[Kind]ErrorKind{Env: Missing, DNS: NXDomain, TCP: TimedOut, HTTP: TimedOut}[c.Kind]
		}
		if what != nil {
			switch kind := what(c); {
			case kind == through:
				o.Error = NoError
			case kind != NoError && c.Kind == Spread:
				o.Spread.Verdict = Fail
			case kind != NoError:
				o.Error, o.Values = kind, nil
			}
		}
		results = append(results, Result{Check: c, Observation: o, Verdict: judge(c, o)})
	}
	findCauses(w, results, e)
	return results
}

// through is the fate of what gets through though it should not.
const through ErrorKind = "through"

// named checks the causes of results: every failure has the code, and nothing
// else has one. An empty code is none.
func named(t *testing.T, what string, results []Result, want CauseCode) {
	t.Helper()
	failures := 0
	for _, r := range results {
		var got CauseCode
		if r.Cause != nil {
			got = r.Cause.Code
		}
		switch {
		case r.Verdict == Fail:
			failures++
			if got != want {
				t.Errorf("%s: %s (%s): got cause %q (others %v), want %q", what, r.ID, r.Error, got, r.Others, want)
			}
			if c := r.Cause; c != nil && (c.Summary == "" || len(c.Evidence) == 0 || c.Next == "" || c.ByDesign || strings.Contains(c.Summary+c.Next, "%!")) {
				t.Errorf("%s: %s: got %+v, want a sentence, evidence and a next step", what, r.ID, c)
			}
		case got != "":
			t.Errorf("%s: %s is %s: got cause %q, want none", what, r.ID, r.Verdict, got)
		}
	}
	if failures == 0 {
		t.Errorf("%s: nothing failed", what)
	}
}

// to reports checks that dial an address of a Pod directly, or ask its own
// localhost.
func to(c Check, pod string) bool {
	return c.Kind == TCP && !c.About.Virtual && c.About.Pod.Name == pod
}

// vip reports checks of the Service's virtual address.
func vip(c Check) bool { return c.About.Virtual && c.Kind == TCP }

func sockets(addresses ...string) []listener {
	var out []listener
	for _, a := range addresses {
		p := netip.MustParseAddrPort(a)
		out = append(out, listener{p.Addr(), int(p.Port())})
	}
	return out
}

// all gives each Pod of the story the same listeners.
func all(addresses ...string) evidence {
	e := evidence{listeners: map[kube.Key][]listener{}}
	for _, name := range []string{"web-1", "web-2", "web-3"} {
		e.listeners[key("shop/"+name)] = sockets(addresses...)
	}
	return e
}

// proxies are answers of kube-proxy's health check.
func proxies(answers ...ErrorKind) evidence {
	e := evidence{proxies: map[string]Observation{}}
	for i, kind := range answers {
		e.proxies[fmt.Sprintf("raspi00%d", i+1)] = Observation{Error: kind, Address: "x:10256"}
	}
	return e
}

func onMaster(t testing.TB, more ...string) *World {
	t.Helper()
	w := storyWorld(t, more...)
	w.LocalNode = "raspi001"
	return w
}

func TestAHealthyClusterHasNoCause(t *testing.T) {
	w := onMaster(t,
		serviceYAML("np", `type: NodePort, clusterIP: 10.96.0.11, clusterIPs: [10.96.0.11], selector: {app: web}, ports: [{name: http, port: 80, targetPort: 80, nodePort: 30080, protocol: TCP}]`, ""), webSlice("np"),
		serviceYAML("db", `clusterIP: None, selector: {app: web}, ports: [{name: sql, port: 5432, targetPort: 80, protocol: TCP}]`, ""), sliceYAML("db", "sql", 80, endpointYAML("web-1", "10.244.1.5", "raspi002")),
		serviceYAML("ext", `type: ExternalName, externalName: www.example.com`, ""))
	for _, r := range simulate(w, w.Plan(Groups...), nil, evidence{}) {
		if r.Verdict != Pass || r.Cause != nil {
			t.Errorf("%s: got %s, %+v, want nothing but passes", r.ID, r.Verdict, r.Cause)
		}
	}
}

func TestBlindnessHasACauseWherePodpathKnowsIt(t *testing.T) {
	w := onMaster(t)
	pod, node := source(t, w, "pod/web-1"), source(t, w, "node/raspi002")
	because := func(code launch.Code, why string) error {
		return &launch.Failure{Code: code, Source: "pod/web-1", Refusals: []launch.Refusal{{Rung: launch.Tools, Why: why}}}
	}
	away := &kube.ExecError{Failure: kube.KubeletAway, Message: "error dialing backend"}
	for name, test := range map[string]struct {
		from  Source
		blind error
		want  CauseCode
	}{
		"exec is denied":            {pod, because(launch.ExecDenied, "you may not"), ExecDenied},
		"no tools in a Pod":         {pod, because(launch.NoTools, "no shell"), NoTools},
		"no tools on a Node":        {node, because(launch.NoTools, "no Pod"), NoTools},
		"the kubelet is away":       {pod, because(launch.ExecFailed, away.Error()), KubeletAway},
		"exec failed for no reason": {pod, because(launch.ExecFailed, "EOF"), ""},
		"the stream was cut":        {pod, launch.ErrCut, ""},
		"another error":             {pod, errors.New("x"), ""},
	} {
		r := []Result{{Check: Check{ID: "x", Kind: TCP, Source: test.from}, Observation: Observation{Blind: test.blind}, Verdict: Inconclusive}}
		findCauses(w, r, evidence{})
		var got CauseCode
		if r[0].Cause != nil {
			got = r[0].Cause.Code
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestOnlyACommandIsOne(t *testing.T) {
	for next, want := range map[string]string{
		"kubectl describe pod web":                             "kubectl describe pod web",
		"podpath probe -n shop pod/a pod/b:80  looks again":    "podpath probe -n shop pod/a pod/b:80",
		"kubectl edit service -n shop web  and set targetPort": "kubectl edit service -n shop web",
		"allow a Pod of podpath's own":                         "",
		"":                                                     "",
	} {
		if got := (&Cause{Next: next}).Command(); got != want {
			t.Errorf("%q: got %q, want %q", next, got, want)
		}
	}
}
