package path

import (
	"slices"
	"testing"

	"podpath/kube"
	"podpath/probes/launch"
	"podpath/probes/path/manifest"
)

// compared are the rounds of comparisons that a run makes.
func compared(w *World, checks []Check, comes outcome) [][]Check {
	known := carriedOut(w, checks, comes)
	var rounds [][]Check
	for {
		more := w.Closer(known)
		if len(more) == 0 || len(rounds) > 9 {
			return rounds
		}
		rounds, known = append(rounds, more), append(known, carriedOut(w, more, comes)...)
	}
}

func TestFailuresAreComparedWithWhatTellsTheirCausesApart(t *testing.T) {
	seen := clusters{}
	db := []string{manifest.Service("db", `clusterIP: None, selector: {app: web}, `+oneWebPort, ""), manifest.Slice("db", "http", 80, manifest.Endpoint("web-1", "10.244.1.5", "raspi002"))}
	stats := []string{
		manifest.Service("stats", clusterIP+`selector: {app: web}, ports: [{name: http, port: 8125, targetPort: 80, protocol: UDP}]`, ""),
		`{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {namespace: shop, name: stats-1, labels: {kubernetes.io/service-name: stats}}, addressType: IPv4, ports: [{name: http, port: 80, protocol: UDP}], endpoints: [{addresses: ["10.244.1.5"], targetRef: {kind: Pod, name: web-1}, nodeName: raspi002}]}`,
	}
	endpoints := []string{"pod/client tcp pod/web-1:80", "pod/client tcp pod/web-2:80", "pod/client tcp pod/web-3:80"}
	const kubelet, neighbour, anyName = "pod/client tcp node/raspi002:10250", "pod/web-2 tcp pod/web-1:80", "pod/client dns dns:kubernetes.default.svc/A"
	only := func(kind ErrorKind, host string) outcome { return failsAt(kind, host) }
	hangs := func(c Check, o *Observation) {
		if c.Kind == HTTP && c.Source.Node != "raspi002" {
			o.Stage, o.Error = StageRequest, TimedOut
		}
	}
	for name, test := range map[string]struct {
		symptom
		want [][]string
	}{
		"all passes":                            {symptom{to: "http://web:8080/"}, nil},
		"a Service fails":                       {symptom{to: "http://web:8080/", comes: only(Refused, "web")}, [][]string{endpoints}},
		"a Service by its address":              {symptom{to: "10.96.0.7:8080", comes: only(TimedOut, "10.96.0.7")}, [][]string{endpoints}},
		"a Service whose endpoints were dialed": {symptom{to: "svc/web", comes: only(TimedOut, "10.96.0.7")}, nil},
		"a Service with one endpoint lost":      {symptom{docs: single, to: "http://x:8080/", comes: failsAt(TimedOut, "x", "10.244.1.5")}, [][]string{endpoints[:1], {kubelet}, {neighbour}}},
		"a Service of UDP that refuses":         {symptom{docs: stats, to: "stats:8125", comes: only(Refused, "stats")}, [][]string{{"pod/client udp pod/web-1:80"}}},
		"a Service of UDP that says nothing":    {symptom{docs: stats, to: "stats:8125", comes: only(Silence, "stats")}, [][]string{{"pod/client udp pod/web-1:80"}}},
		"a headless Service":                    {symptom{docs: db, to: "db:80", comes: only(Refused, "db")}, [][]string{endpoints[:1]}},
		"a port that a Service does not have":   {symptom{to: "web:80", comes: fails(TimedOut)}, nil},
		"no Service":                            {symptom{to: "wep:80", comes: unresolved(NXDomain, "wep.shop.svc.cluster.local. nxdomain")}, nil},
		"a Pod is lost":                         {symptom{to: "pod/web-1:80", comes: only(TimedOut, "10.244.1.5")}, [][]string{{kubelet}, {neighbour}}},
		"a Pod is lost, and its Node as well":   {symptom{to: "pod/web-1:80", comes: failsAt(TimedOut, "10.244.1.5", "198.51.100.12")}, [][]string{{kubelet}}},
		"a Pod is lost on the same Node":        {symptom{from: "pod/web-3", to: "pod/client:80", comes: only(TimedOut, "10.244.2.20")}, nil},
		"a Pod is lost that runs alone there":   {symptom{from: "pod/web-3", docs: []string{manifest.Pod{Name: "alone", Node: "raspi001", IPs: []string{"10.244.0.9"}}.YAML()}, to: "pod/alone:80", comes: only(TimedOut, "10.244.0.9")}, [][]string{{"pod/web-3 tcp node/raspi001:10250"}, {"pod/alone tcp pod/alone:80"}}},
		"a Pod refuses":                         {symptom{to: "pod/web-1:80", comes: only(Refused, "10.244.1.5")}, nil},
		"a Pod answers, and not as it should":   {symptom{to: "pod/web-1:80", comes: speaks(Observation{Stage: StageRequest, Error: Closed})}, nil},
		"an app hangs":                          {symptom{docs: single, to: "http://x:8080/big", comes: hangs}, [][]string{{"pod/client tcp pod/web-1:80", "pod/web-2 http http://10.244.1.5:80/big"}}},
		"a name is lost":                        {symptom{to: "web:8080", comes: unresolved(TimedOut, "web.shop.svc.cluster.local. timeout")}, [][]string{{anyName}}},
		"a name that the DNS fails on":          {symptom{to: "dns:web", comes: unresolved(ServFail, "web.shop.svc.cluster.local. servfail")}, nil},
		"the DNS has answered something":        {symptom{to: "web:8080", comes: unresolved(TimedOut, "web.shop.svc.cluster.local. nxdomain", "web. timeout")}, nil},
		"a policy is why":                       {symptom{change: func(w *World) { w.Policies = []*kube.NetworkPolicy{egress("client")} }, to: "web:8080", comes: mute(TimedOut)}, nil},
		"the Pod asks another DNS":              {symptom{change: clientWith(t, "Default", false), to: "web:8080", comes: mute(TimedOut)}, nil},
		"a lookup for IPv6 is lost":             {symptom{to: "dns:web/AAAA", comes: unresolved(TimedOut, "web.shop.svc.cluster.local. AAAA timeout")}, [][]string{{"pod/client dns dns:web/A"}}},
		"it should not be reached, and is not":  {symptom{change: func(w *World) { w.Policies = []*kube.NetworkPolicy{egress("client")} }, to: "10.244.1.5:80", comes: only(TimedOut, "10.244.1.5")}, nil},
		"it should not be reached, and is":      {symptom{change: func(w *World) { w.Policies = []*kube.NetworkPolicy{egress("client")} }, to: "10.244.1.5:80", comes: fate(func(Check) ErrorKind { return through }).meets}, nil},
		"podpath could not look":                {symptom{to: "web:8080", comes: func(_ Check, o *Observation) { *o = Observation{Blind: launch.ErrCut} }}, nil},
		"who asked cannot be told what to expect": {symptom{change: func(w *World) {
			w.Policies = []*kube.NetworkPolicy{ingress("web", from(kube.PolicyPeer{Namespaces: team("x")}))}
			w.NamespaceLabels = nil
		}, to: "10.96.0.7:8080", comes: only(TimedOut, "10.96.0.7")}, [][]string{endpoints}},
		"the world": {symptom{to: "192.0.2.1:443", comes: only(TimedOut, "192.0.2.1")}, nil},
	} {
		w := seen.onMaster(t, append([]string{clientPod}, test.docs...)...)
		if test.change != nil {
			test.change(w)
		}
		from := test.from
		if from == "" {
			from = "pod/client"
		}
		got := compared(w, planFor(t, w, from, test.to), test.comes)
		if !slices.EqualFunc(got, test.want, func(round []Check, want []string) bool {
			return slices.Equal(names(round, func(c Check) string { return c.ID }), want)
		}) {
			t.Errorf("%s: got", name)
			for _, round := range got {
				t.Errorf("  %q", names(round, func(c Check) string { return c.ID }))
			}
			t.Errorf("want %q", test.want)
		}
	}
}

func TestNothingIsAskedTwiceAndAPlanThatPassesAsksNothingMore(t *testing.T) {
	w := onMaster(t, append([]string{clientPod}, single...)...)
	if got := compared(w, w.Plan(Groups...), nil); got != nil {
		t.Errorf("all passes: got %s, want nothing", ids(got[0]))
	}
	checks := w.Plan(Groups...)
	seen := map[string]bool{}
	for _, c := range checks {
		seen[c.ID] = true
	}
	for _, kind := range []ErrorKind{Refused, TimedOut} {
		rounds := compared(w, checks, func(c Check, o *Observation) {
			if c.Kind != Spread {
				o.failed(c, kind)
			}
		})
		if len(rounds) > 2 {
			t.Errorf("%s: got %d rounds, want an end", kind, len(rounds))
		}
		for _, round := range rounds {
			for _, c := range round {
				if seen[c.ID] || c.Asked {
					t.Errorf("%s: got %s again, or as if somebody had asked for it", kind, c.ID)
				}
			}
		}
	}
}

func TestPodsAreLookedIntoWhereSomethingThatGoesThereFailed(t *testing.T) {
	seen := clusters{}
	down := func(w *World) { notReady(t, w, "raspi002") }
	for name, test := range map[string]struct {
		symptom
		want string
	}{
		"it refuses":                       {symptom{to: "pod/web-1:80", comes: failsAt(Refused, "10.244.1.5")}, "web-1"},
		"it does not answer":               {symptom{to: "pod/web-1:80", comes: failsAt(TimedOut, "10.244.1.5")}, "web-1"},
		"it is the only one of a Service":  {symptom{docs: single, to: "http://x:8080/", comes: failsAt(Refused, "x")}, "web-1"},
		"a packet is not answered":         {symptom{to: "pod/web-1:80", comes: fails(Silence)}, "web-1"},
		"one of several of a Service":      {symptom{to: "http://web:8080/", comes: failsAt(Refused, "web")}, ""},
		"all of a Service":                 {symptom{to: "svc/web", comes: fails(Refused)}, "web-1, web-2, web-3"},
		"its app hangs":                    {symptom{to: "pod/web-1:80", comes: speaks(Observation{Stage: StageRequest, Error: TimedOut})}, "web-1"},
		"its app closes":                   {symptom{to: "pod/web-1:80", comes: speaks(Observation{Stage: StageRequest, Error: Closed})}, ""},
		"no packet comes there":            {symptom{to: "pod/web-1:80", comes: failsAt(Unreachable, "10.244.1.5")}, ""},
		"its Node is away":                 {symptom{change: down, to: "pod/web-1:80", comes: fails(TimedOut)}, ""},
		"it passes":                        {symptom{to: "pod/web-1:80"}, ""},
		"its name is not known":            {symptom{docs: single, to: "http://x:8080/", comes: mute(Refused)}, ""},
		"it should not be reached, and is": {symptom{change: func(w *World) { w.Policies = []*kube.NetworkPolicy{egress("client")} }, to: "10.244.1.5:80", comes: failsAt(TimedOut, "10.244.1.5")}, ""},
		"no Pod of the cluster":            {symptom{to: "192.0.2.1:80", comes: fails(Refused)}, ""},
	} {
		w := seen.onMaster(t, append([]string{clientPod}, test.docs...)...)
		if test.change != nil {
			test.change(w)
		}
		got := w.LookInto(carriedOut(w, planFor(t, w, "pod/client", test.to), test.comes))
		if pods := list(names(got, func(k kube.Key) string { return k.Name })); pods != test.want {
			t.Errorf("%s: got %q, want %q", name, pods, test.want)
		}
	}
}

func TestProxiesAreAskedWhereAServiceFails(t *testing.T) {
	w := onMaster(t, clientPod)
	checks := append(planFor(t, w, "pod/client", "svc/web"), planFor(t, w, "pod/web-1", "svc/web")...)
	for name, test := range map[string]struct {
		comes outcome
		want  []string
	}{
		"all passes":          {nil, nil},
		"it fails everywhere": {failsAt(TimedOut, "10.96.0.7"), []string{"raspi002 from pod/web-1", "raspi003 from pod/client"}},
		"an endpoint fails":   {failsAt(TimedOut, "10.244.1.5"), nil},
		"an app fails":        {speaks(Observation{Stage: StageRequest, Error: Closed}), nil},
	} {
		var got []string
		for node, from := range w.LookAtProxies(carriedOut(w, checks, test.comes)) {
			got = append(got, node+" from "+from.Label)
		}
		slices.Sort(got)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// Whatever is not explained has a next step that can be taken as it stands.
func TestWhatIsUnknownHasANextStep(t *testing.T) {
	w := onMaster(t, append([]string{clientPod, manifest.Service("lb", "type: LoadBalancer, clusterIP: 10.96.0.12, clusterIPs: [10.96.0.12], selector: {app: web}, "+oneWebPort, "loadBalancer: {ingress: [{ip: 203.0.113.9}]}"), manifest.WebSlice("lb")}, single...)...)
	web := kube.Backend{Service: "web", Port: 8080}
	w.Ingresses = []*kube.Ingress{{Namespace: "shop", Name: "front", Addresses: []string{"203.0.113.20", "203.0.113.21"}, Default: &web}, {Namespace: "shop", Name: "waiting"}}
	checks := append(w.Plan(Groups...), planFor(t, w, "pod/client", "svc/web", "svc/lb", "http://x:8080/", "www.example.com:80", "192.0.2.1:9", "node/raspi001:22", "dns:web", "ingress/front")...)
	for _, kind := range []ErrorKind{NoError, TimedOut, Refused, Silence, ServFail} {
		for _, engines := range [][]string{nil, {"cilium.io"}} {
			w.Engines = engines
			for _, c := range checks {
				o := expectedOf(w, c)
				if o.failed(c, kind); kind == NoError {
					o.Blind = launch.ErrCut
				}
				next := w.UnknownNext(Result{Check: c, Observation: o})
				if next.String() == "" || slices.Contains(next.Argv, "") {
					t.Errorf("%s %s: got %q, want a next step", c.ID, kind, next.Argv)
				}
				plannable(t, c.ID, w, next)
			}
		}
	}
}
