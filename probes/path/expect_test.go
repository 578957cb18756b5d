package path

import (
	"slices"
	"strings"
	"testing"
	"time"

	"podpath/kube"
	"podpath/probes/path/manifest"
)

// expected checks an expectation: its outcome, words of its reason, and the
// code of its cause.
func expected(t *testing.T, name string, got Expectation, outcome Outcome, why string, cause CauseCode) {
	t.Helper()
	var code CauseCode
	if got.Cause != nil {
		code = got.Cause.Code
		if !got.Cause.ByDesign || got.Cause.Summary == "" || got.Cause.Next.String() == "" || got.Cause.Hop != got.Hop {
			t.Errorf("%s: got cause %+v, want one by design, with a sentence and a next step", name, got.Cause)
		}
	}
	if got.Outcome != outcome || !strings.Contains(got.Why, why) || code != cause {
		t.Errorf("%s: got %s (%s) %s, want %s (%s) %s", name, got.Outcome, got.Why, code, outcome, why, cause)
	}
}

// expectedFrom is what is expected of a request that nobody asked for by name.
func expectedFrom(w *World, s Source, address string, port int) Expectation {
	c := Check{Source: s, Kind: TCP, Ask: Ask{Host: address, Port: port}}
	c.Path = w.Resolve(s, TCP, c.Ask)
	return w.expect(c)
}

func TestWhatIsExpectedOfAPod(t *testing.T) {
	cluster := expectWorld(t)
	deny := []*kube.NetworkPolicy{ingress("web")}
	for name, test := range map[string]struct {
		policies []*kube.NetworkPolicy
		from, to string
		outcome  Outcome
		why      string
		cause    CauseCode
	}{
		"every Pod reaches every Pod":             {nil, "pod/web-1", "web-3", Reached, "every Pod", ""},
		"a policy denies it":                      {deny, "pod/web-1", "web-3", Blocked, "NetworkPolicy in", PolicyDenies},
		"a Pod reaches itself whatever policies":  {deny, "pod/web-1", "web-1", Reached, "itself", ""},
		"a Node reaches every Pod":                {nil, "node/raspi002", "web-3", Reached, "every Node", ""},
		"a Node and a policy":                     {deny, "node/raspi002", "web-3", Any, "may be let through", ""},
		"a Pod on a Node's network and a policy":  {deny, "pod/agent", "web-1", Any, "may be let through", ""},
		"a Pod that is not ready":                 {nil, "pod/web-1", "starting", Any, "not ready", ""},
		"podpath on a Node":                       {nil, "local", "web-3", Reached, "every Node", ""},
		"a Pod of the same Node's network":        {[]*kube.NetworkPolicy{egress("web")}, "pod/web-3", "agent", Reached, "", ""},
		"a Pod of another Node's network":         {[]*kube.NetworkPolicy{egress("web")}, "pod/web-1", "agent", Blocked, "its egress", PolicyDenies},
		"a Pod from a Node that a policy permits": {[]*kube.NetworkPolicy{ingress("web", from(kube.PolicyPeer{CIDR: "198.51.100.12/32"}))}, "node/raspi002", "web-3", Reached, "", ""},
	} {
		w := fresh(cluster)
		w.Policies = test.policies
		w.LocalNode = "raspi001"
		got := expectedFrom(w, source(t, w, test.from), w.Pod(key("shop/"+test.to)).IP(), 80)
		expected(t, name, got, test.outcome, test.why, test.cause)
	}
}

func expectWorld(t testing.TB, policies ...*kube.NetworkPolicy) *World {
	t.Helper()
	w := storyWorld(t,
		manifest.Pod{Name: "agent", Node: "raspi003", IPs: []string{"198.51.100.13"}, App: "agent", Host: true}.YAML(),
		manifest.Pod{Name: "starting", Node: "raspi003", IPs: []string{"10.244.2.9"}, NotReady: true}.YAML())
	w.Policies = policies
	return w
}

func TestPoliciesWithoutTheLabelsOfNamespacesProveNothing(t *testing.T) {
	w := expectWorld(t, ingress("web", from(kube.PolicyPeer{Namespaces: team("shop")})))
	w.NamespaceLabels = nil // they could not be read
	s := source(t, w, "pod/web-1")
	expected(t, "a Pod", expectedFrom(w, s, "10.244.2.5", 80), Any, "labels of namespaces", "")
	expected(t, "a Service", expectedFrom(w, s, "10.96.0.7", 8080), Any, "labels of namespaces", "")
	w.Policies = []*kube.NetworkPolicy{ingress("web")}
	expected(t, "a policy without them", expectedFrom(w, source(t, w, "pod/starting"), "10.96.0.7", 8080), Blocked, "", PolicyDenies)
}

func TestOutsideOfTheClusterNothingIsExpectedOfItsAddresses(t *testing.T) {
	w := storyWorld(t)
	expected(t, "a Pod", expectedFrom(w, w.local(), "10.244.1.5", 80), Any, "Pod addresses lead nowhere outside", OutsideCluster)
	expected(t, "a ClusterIP", expectedFrom(w, w.local(), "10.96.0.7", 8080), Any, "ClusterIPs lead nowhere outside", OutsideCluster)
	withNodePort(t, w, nil)
	expected(t, "a NodePort", expectedFrom(w, w.local(), "198.51.100.11", 30080), Reached, "every Node", "")
	w = storyWorld(t)
	w.States[kube.Nodes] = kube.State{}
	expected(t, "who may not list Nodes", expectedFrom(w, w.local(), "10.96.0.7", 8080), Any, "may not list Nodes", "")
}

// withNodePort gives the Service of the story a node port, and more.
func withNodePort(t testing.TB, w *World, change func(*kube.Service)) {
	t.Helper()
	changed(t, w, "shop/web", func(s *kube.Service) {
		s.Ports = slices.Clone(s.Ports)
		s.Ports[0].NodePort = 30080
		if change != nil {
			change(s)
		}
	})
}

func TestWhatIsExpectedOfAService(t *testing.T) {
	seen := clusters{}
	for name, test := range map[string]struct {
		change   func(*kube.Service)
		policies []*kube.NetworkPolicy
		from     string
		outcome  Outcome
		why      string
		cause    CauseCode
	}{
		"it answers":                            {nil, nil, "pod/web-1", Reached, "virtual address", ""},
		"internalTrafficPolicy Local, one here": {local, nil, "pod/web-1", Reached, "", ""},
		"internalTrafficPolicy Local, none":     {local, nil, "node/raspi001", Blocked, "no endpoint of web runs on Node raspi001", InternalLocal},
		"all endpoints denied":                  {nil, []*kube.NetworkPolicy{egress("")}, "pod/client", Blocked, "NetworkPolicy out", PolicyDenies},
		"all but the Pod itself denied":         {nil, []*kube.NetworkPolicy{egress("web")}, "pod/web-1", Any, "other endpoints", ""},
		"one endpoint permitted":                {nil, []*kube.NetworkPolicy{egress("web", from(kube.PolicyPeer{CIDR: "10.244.2.0/24"}))}, "pod/web-1", Any, "other endpoints", ""},
		"denied by the target port":             {nil, []*kube.NetworkPolicy{ingress("web", onPort(kube.PolicyPort{Port: 8080}))}, "pod/client", Blocked, "", PolicyDenies},
		"permitted by the target port":          {nil, []*kube.NetworkPolicy{ingress("web", onPort(kube.PolicyPort{Port: 80}))}, "pod/web-1", Reached, "", ""},
		"denied for a Node":                     {nil, []*kube.NetworkPolicy{ingress("web")}, "node/raspi001", Any, "may be let through", ""},
	} {
		w := seen.storyWorld(t, clientPod)
		w.Policies = test.policies
		if test.change != nil {
			changed(t, w, "shop/web", test.change)
		}
		expected(t, name, expectedFrom(w, source(t, w, test.from), "10.96.0.7", 8080), test.outcome, test.why, test.cause)
	}
}

func local(s *kube.Service) { s.LocalInternal, s.LocalExternal = true, true }

func TestWhatIsExpectedOfANodePort(t *testing.T) {
	seen := clusters{}
	for name, test := range map[string]struct {
		change     func(*kube.Service)
		policies   []*kube.NetworkPolicy
		from, node string
		outcome    Outcome
		cause      CauseCode
	}{
		"every Node answers":                      {nil, nil, "pod/web-1", "raspi001", Reached, ""},
		"Local, and an endpoint there":            {local, nil, "local", "raspi002", Reached, ""},
		"Local, and none there, from outside":     {local, nil, "local", "raspi001", Blocked, ExternalLocal},
		"Local, and none there, from a Pod":       {local, nil, "pod/web-1", "raspi001", Any, ExternalLocal},
		"Local, and none there, from that Node":   {local, nil, "node/raspi001", "raspi001", Any, ExternalLocal},
		"Local, and none there, from another one": {local, nil, "node/raspi002", "raspi001", Blocked, ExternalLocal},
		"Local, at the Pod's own Node":            {local, nil, "pod/web-1", "raspi002", Reached, ""},
		"Local, at a Node that leads Pods on":     {local, nil, "pod/web-1", "raspi003", Any, ExternalLocal},
		"Local, at such a Node from a Node":       {local, nil, "node/raspi002", "raspi003", Reached, ""},
		"policies see whatever the Node makes":    {nil, []*kube.NetworkPolicy{ingress("web")}, "pod/web-1", "raspi001", Any, ""},
		"policies let it in":                      {nil, []*kube.NetworkPolicy{ingress("web", kube.PolicyRule{})}, "pod/web-1", "raspi001", Reached, ""},
	} {
		w := seen.storyWorld(t)
		w.Policies = test.policies
		withNodePort(t, w, test.change)
		expected(t, name, expectedFrom(w, source(t, w, test.from), w.Node(test.node).InternalIP(), 30080), test.outcome, "", test.cause)
	}
}

func TestEndpointsThatGetTraffic(t *testing.T) {
	endpoint := func(address, port, protocol string, ready, serving, terminating bool) kube.Endpoint {
		return kube.Endpoint{Address: address, Port: 80, PortName: port, Protocol: protocol, Ready: ready, Serving: serving, Terminating: terminating}
	}
	leaving := endpoint("10.0.0.2", "http", "TCP", false, true, true)
	gone := endpoint("10.0.0.3", "http", "TCP", false, false, true)
	unready := endpoint("10.0.0.4", "http", "TCP", false, false, false)
	ready := endpoint("10.0.0.1", "http", "TCP", true, true, false)
	for name, test := range map[string]struct {
		endpoints []kube.Endpoint
		want      string
	}{
		"ready ones":                          {[]kube.Endpoint{ready, unready, leaving}, "10.0.0.1"},
		"those that serve while they leave":   {[]kube.Endpoint{unready, leaving, gone}, "10.0.0.2"},
		"none":                                {[]kube.Endpoint{unready, gone}, ""},
		"those of another port do not count":  {[]kube.Endpoint{endpoint("10.0.0.9", "https", "TCP", true, true, false)}, ""},
		"those of another protocol":           {[]kube.Endpoint{endpoint("10.0.0.9", "http", "UDP", true, true, false)}, ""},
		"those without a port cannot be used": {[]kube.Endpoint{{Address: "10.0.0.9", PortName: "http", Protocol: "TCP", Ready: true}}, ""},
		"those of names cannot be used":       {[]kube.Endpoint{endpoint("www.example.com", "http", "TCP", true, true, false)}, ""},
	} {
		got := endpointsOf(&kube.Service{Endpoints: test.endpoints}, kube.ServicePort{Name: "http", Protocol: "TCP"})
		if list := list(names(got, func(e kube.Endpoint) string { return e.Address })); list != test.want {
			t.Errorf("%s: got %s, want %s", name, list, test.want)
		}
	}
}

func TestWhatIsExpectedOfVariables(t *testing.T) {
	svc := &kube.Service{Namespace: "shop", Name: "web", Created: manifest.Noon}
	for name, test := range map[string]struct {
		started time.Time
		links   bool
		outcome Outcome
		cause   CauseCode
	}{
		"the Service was there before":         {manifest.Noon.Add(time.Minute), true, Reached, ""},
		"the container is older":               {manifest.Noon.Add(-time.Second), true, Blocked, EnvPodOlder},
		"the same second":                      {manifest.Noon.Add(700 * time.Millisecond), true, Any, ""},
		"while the container was being made":   {manifest.Noon.Add(2 * time.Second), true, Any, ""},
		"enableServiceLinks is false":          {manifest.Noon.Add(time.Minute), false, Blocked, EnvLinksOff},
		"the start of the container is hidden": {time.Time{}, true, Any, ""},
	} {
		got := expectEnv(&kube.Pod{Name: "a", Started: test.started, EnableServiceLinks: test.links}, svc, []string{"X=1"})
		expected(t, name, got, test.outcome, "", test.cause)
		if test.outcome == Reached && !slices.Equal(got.Values, []string{"X=1"}) {
			t.Errorf("%s: got values %q", name, got.Values)
		}
	}
}

func TestWhatIsExpectedOfAHeadlessName(t *testing.T) {
	ready := func(address string) kube.Endpoint { return kube.Endpoint{Address: address, Ready: true} }
	for name, test := range map[string]struct {
		endpoints []kube.Endpoint
		values    string
		outcome   Outcome
		cause     CauseCode
	}{
		"an address for each ready endpoint":   {[]kube.Endpoint{ready("10.0.0.2"), ready("10.0.0.1")}, "10.0.0.1, 10.0.0.2", Reached, ""},
		"once for two ports":                   {[]kube.Endpoint{ready("10.0.0.1"), ready("10.0.0.1")}, "10.0.0.1", Reached, ""},
		"IPv4 only, that is what is asked":     {[]kube.Endpoint{ready("10.0.0.1"), ready("fd00::1")}, "10.0.0.1", Reached, ""},
		"not ready ones are left out":          {[]kube.Endpoint{ready("10.0.0.1"), {Address: "10.0.0.2"}}, "10.0.0.1", Reached, HeadlessNotReady},
		"terminating ones surprise nobody":     {[]kube.Endpoint{ready("10.0.0.1"), {Address: "10.0.0.2", Terminating: true}}, "10.0.0.1", Reached, ""},
		"none is ready":                        {[]kube.Endpoint{{Address: "10.0.0.2"}}, "", Blocked, HeadlessNotReady},
		"no endpoint at all: the name is gone": {nil, "", Reached, ""},
	} {
		got := expectHeadless(&kube.Service{Name: "db", Kind: kube.Headless, Endpoints: test.endpoints})
		expected(t, name, got, test.outcome, "", test.cause)
		if list(got.Values) != test.values {
			t.Errorf("%s: got %q, want %s", name, got.Values, test.values)
		}
	}
}

func TestWhoAsksAnotherDNSIsExpectedToKnowNoNames(t *testing.T) {
	seen := clusters{}
	for name, test := range map[string]struct {
		policy  string
		host    bool
		asked   bool
		outcome Outcome
	}{
		"ClusterFirst":                       {"ClusterFirst", false, false, Reached},
		"ClusterFirstWithHostNet":            {"ClusterFirstWithHostNet", true, false, Reached},
		"Default":                            {"Default", false, false, Any},
		"None":                               {"None", false, false, Any},
		"ClusterFirst on the Node's network": {"ClusterFirst", true, false, Any},
		"the same, when it is asked for":     {"ClusterFirst", true, true, Reached},
		"Default, when it is asked for":      {"Default", false, true, Reached},
	} {
		w := seen.lookAt(t, "shop", manifest.Pod{Name: "a", Node: "raspi001", IPs: []string{"10.244.0.2"}, DNS: test.policy, Host: test.host}.YAML())
		s := source(t, w, "pod/a")
		expected(t, name, w.ruleOfName(s, w.Mean(s, "web"), test.asked).at(Name), test.outcome, "", "")
		expected(t, name+", a name of the world", w.ruleOfName(s, w.Mean(s, "www.example.com"), test.asked).at(Name), Reached, "asked for", "")
	}
}

// A policy that forgets port 53 is a fault of whoever wrote it, and no rule: the
// cause says so.
func TestNamesAreExpectedWhateverPoliciesSay(t *testing.T) {
	w := storyWorld(t)
	w.Policies = []*kube.NetworkPolicy{egress("web")}
	for _, c := range w.Plan(Discovery) {
		if c.Kind == DNS && c.Expect.Outcome != Reached {
			t.Errorf("%s: got %+v, want an answer", c.ID, c.Expect)
		}
	}
}

func TestAPodOnANodeThatIsNotReadyShouldBeReached(t *testing.T) {
	seen := clusters{}
	for ready, want := range map[bool]Outcome{true: Any, false: Reached} {
		w := seen.storyWorld(t)
		changedPod(t, w, "shop/web-1", func(p *kube.Pod) { p.IsReady = false })
		changedNode(t, w, "raspi002", func(n *kube.Node) { n.Ready = ready })
		if got := expectedFrom(w, source(t, w, "pod/web-2"), "10.244.1.5", 80); got.Outcome != want {
			t.Errorf("Node ready %t: got %s (%s), want %s", ready, got.Outcome, got.Why, want)
		}
	}
}
