package probes

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

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
		}
		if c.Expect.Outcome == Blocked {
			o.Error = TimedOut
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

func TestCausesInTheNetworkAreToldApart(t *testing.T) {
	deadPod := func(kind ErrorKind) fate {
		return func(c Check) ErrorKind {
			if to(c, "web-2") || vip(c) && c.Source.Node == "raspi003" || c.Kind == Spread {
				return kind
			}
			return NoError
		}
	}
	crossNode := func(c Check) ErrorKind {
		if c.Source.Node == "raspi002" && to(c, "web-3") || vip(c) && c.Source.Node == "raspi002" || c.Source.Node == "raspi003" && (to(c, "web-1") || to(c, "web-2")) {
			return TimedOut
		}
		return NoError
	}
	down := func(node string) fate {
		return func(c Check) ErrorKind {
			if c.Source.Node == node || c.About.Node == node || vip(c) && c.Source.Node == "raspi001" {
				return Unreachable
			}
			return NoError
		}
	}
	vipFrom := func(nodes ...string) fate {
		return func(c Check) ErrorKind {
			if vip(c) && strings.Contains(strings.Join(nodes, " "), c.Source.Node) {
				return TimedOut
			}
			return NoError
		}
	}
	everyPod := func(c Check) ErrorKind {
		if to(c, c.About.Pod.Name) || vip(c) {
			return Refused
		}
		return NoError
	}
	notLocalhost := func(c Check) ErrorKind {
		if c.Ask.Host == "127.0.0.1" {
			return NoError
		}
		return everyPod(c)
	}
	oneNotLocalhost := func(c Check) ErrorKind {
		if to(c, "web-2") && c.Ask.Host != "127.0.0.1" {
			return Refused
		}
		return NoError
	}
	for name, test := range map[string]struct {
		what     fate
		evidence evidence
		want     CauseCode
	}{
		"an endpoint refuses, nothing listens":         {deadPod(Refused), all("0.0.0.0:6379"), DeadEndpoint},
		"an endpoint refuses, listeners unknown":       {deadPod(Refused), evidence{}, DeadEndpoint},
		"an endpoint hangs":                            {deadPod(TimedOut), evidence{}, DeadEndpoint},
		"an endpoint hangs, proxies are well":          {deadPod(TimedOut), proxies(NoError, NoError, NoError), DeadEndpoint},
		"no way between two Nodes":                     {crossNode, evidence{}, CrossNodeRoute},
		"no way between two Nodes, proxies are well":   {crossNode, proxies(NoError, NoError, NoError), CrossNodeRoute},
		"kube-proxy on one Node":                       {vipFrom("raspi002"), evidence{}, KubeProxy},
		"kube-proxy on one Node, its check says so":    {vipFrom("raspi002"), proxies(NoError, Refused, NoError), KubeProxy},
		"kube-proxy on the master":                     {vipFrom("raspi001"), evidence{}, KubeProxy},
		"Services fail everywhere":                     {vipFrom("raspi001", "raspi002", "raspi003"), proxies(NoError, NoError, NoError), ServiceDataplane},
		"Services fail everywhere, without kube-proxy": {vipFrom("raspi001", "raspi002", "raspi003"), proxies(Refused, Refused, Refused), ServiceDataplane},
		"the app listens elsewhere":                    {everyPod, all("0.0.0.0:8080", "[::]:6379"), WrongTargetPort},
		"nothing listens at all":                       {everyPod, all(), WrongTargetPort},
		"every app is bound to localhost":              {notLocalhost, all("127.0.0.1:80"), LoopbackOnly},
		"one app is bound to localhost":                {oneNotLocalhost, all("127.0.0.1:80"), LoopbackOnly},
		"every Pod refuses, though it listens":         {everyPod, all("0.0.0.0:80"), ""},
		"every Pod refuses, listeners unknown":         {everyPod, evidence{}, ""},
	} {
		w := onMaster(t)
		named(t, name, simulate(w, w.Plan(Groups...), test.what, test.evidence), test.want)
	}
	w := onMaster(t)
	notReady := *w.Node("raspi003")
	notReady.Ready = false
	notReady.Flags = []kube.Flag{{Code: kube.NodeNotReadyFlag, Message: "it is silent"}}
	w.Nodes[2] = &notReady
	named(t, "a Node is down", simulate(w, w.Plan(Paths, Services), down("raspi003"), evidence{}), NodeNotReady)
	refuses := func(c Check) ErrorKind {
		if to(c, "web-3") {
			return Refused
		}
		return NoError
	}
	named(t, "on a Node that is not ready an app refuses", simulate(w, w.Plan(Paths, Services), refuses, evidence{}), DeadEndpoint)
}

func TestCausesAreFoundInSmallPlans(t *testing.T) {
	only := func(kind ErrorKind, pods string) fate {
		return func(c Check) ErrorKind {
			if c.About.Pod.Name != "" && strings.Contains(pods, c.About.Pod.Name) || vip(c) && pods == "" || c.Kind == Spread {
				return kind
			}
			return NoError
		}
	}
	for name, test := range map[string]struct {
		count    int
		target   string
		what     fate
		evidence evidence
		want     CauseCode
	}{
		"a Service, one endpoint dead":       {0, "svc/web", only(Refused, "web-2"), evidence{}, DeadEndpoint},
		"a spread, one endpoint dead":        {120, "svc/web", only(Refused, "web-2"), evidence{}, DeadEndpoint},
		"a Service, the way to one is lost":  {0, "svc/web", only(TimedOut, "web-2"), evidence{}, DeadEndpoint},
		"a Service, its proxy is dead":       {0, "svc/web", only(TimedOut, ""), proxies("", Refused), KubeProxy},
		"a Service, its proxy is well":       {0, "svc/web", only(TimedOut, ""), proxies("", NoError), ServiceDataplane},
		"a Pod alone refuses":                {0, "pod/web-2:81", only(Refused, "web-2"), all("0.0.0.0:80"), WrongTargetPort},
		"a Pod alone is not reached":         {0, "pod/web-3:80", only(TimedOut, "web-3"), evidence{}, ""},
		"a Pod alone is reached by the way":  {0, "pod/web-2:80", only(ResetByPeer, "web-2"), evidence{}, ""},
		"a Service, all endpoints are away":  {0, "svc/web", only(TimedOut, "web-1 web-2 web-3"), evidence{}, ""},
		"a Service, all listen on localhost": {0, "svc/web", only(Refused, "web-1 web-2 web-3"), all("[::1]:80"), LoopbackOnly},
	} {
		w := onMaster(t)
		named(t, name, simulate(w, planFor(t, w, test.count, "pod/web-1", test.target), test.what, test.evidence), test.want)
	}
}

func TestNearMissesAreNotNamedForServices(t *testing.T) {
	w := onMaster(t, serviceYAML("lb", `type: LoadBalancer, clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9], selector: {app: web}, ports: [{name: http, port: 80, targetPort: 80, nodePort: 30080, protocol: TCP}]`, "loadBalancer: {ingress: [{ip: 203.0.113.9}]}"), webSlice("lb"))
	named(t, "the load balancer alone fails", simulate(w, w.Plan(Services), func(c Check) ErrorKind {
		if c.Ask.Host == "203.0.113.9" {
			return TimedOut
		}
		return NoError
	}, proxies(Refused, Refused, Refused)), "")
	named(t, "a NodePort alone fails", simulate(w, w.Plan(Services), func(c Check) ErrorKind {
		if c.About.NodePort && c.About.Node == "raspi001" {
			return TimedOut
		}
		return NoError
	}, proxies(NoError, NoError, NoError)), "")
	single := lookAt(t, "shop", nodesYAML(), podSpec{name: "web-1", node: "raspi002", ips: []string{"10.244.1.5"}, app: "web"}.yaml(), podSpec{name: "web-2", node: "raspi002", ips: []string{"10.244.1.6"}}.yaml(),
		serviceYAML("web", `clusterIP: 10.96.0.7, clusterIPs: [10.96.0.7], selector: {app: web}, ports: [{name: http, port: 80, targetPort: 80, protocol: TCP}]`, ""),
		sliceYAML("web", "http", 80, endpointYAML("web-1", "10.244.1.5", "raspi002")))
	single.LocalNode = "raspi001"
	checks := append(planFor(t, single, 0, "pod/web-1", "svc/web"), append(planFor(t, single, 0, "pod/web-2", "svc/web"), planFor(t, single, 0, "local", "svc/web")...)...)
	named(t, "a Pod does not reach itself through its Service (hairpin)", simulate(single, checks, func(c Check) ErrorKind {
		if vip(c) && c.Source.Pod.Name == "web-1" {
			return TimedOut
		}
		return NoError
	}, evidence{}), "")
}

func TestManyFailuresAreExplainedInTime(t *testing.T) {
	w := farm(t, 100, func(i int) string { return fmt.Sprintf("ReplicaSet/x-%d", i) })
	var checks []Check
	for _, p := range w.Pods {
		for _, q := range w.Pods {
			checks = append(checks, Check{
				ID: p.Name + " " + q.Name, Source: w.podSource(p), Target: q.Name, Kind: TCP, Ask: Ask{Host: q.IP(), Port: 80},
				Expect: reached(""), About: About{Pod: q.Key(), Node: q.Node},
			})
		}
	}
	began := time.Now()
	simulate(w, checks, func(Check) ErrorKind { return TimedOut }, evidence{})
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v for %d failures, want little", took, len(checks))
	} else {
		t.Logf("%d failures in %v", len(checks), took)
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
