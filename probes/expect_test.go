package probes

import (
	"slices"
	"strings"
	"testing"
	"time"

	"podpath/kube"
)

// expected checks an expectation: its outcome, words of its reason, and the
// code of its cause.
func expected(t *testing.T, name string, got Expectation, outcome Outcome, why string, cause CauseCode) {
	t.Helper()
	var code CauseCode
	if got.Cause != nil {
		code = got.Cause.Code
		if !got.Cause.ByDesign || got.Cause.Summary == "" || got.Cause.Next == "" {
			t.Errorf("%s: got cause %+v, want one by design, with a sentence and a next step", name, got.Cause)
		}
	}
	if got.Outcome != outcome || !strings.Contains(got.Why, why) || code != cause {
		t.Errorf("%s: got %s (%s) %s, want %s (%s) %s", name, got.Outcome, got.Why, code, outcome, why, cause)
	}
}

func TestWhatIsExpectedOfAPod(t *testing.T) {
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
		w := expectWorld(t, test.policies...)
		w.LocalNode = "raspi001"
		got := w.expectPod(source(t, w, test.from), w.Pod(key("shop/"+test.to)), 80)
		expected(t, name, got, test.outcome, test.why, test.cause)
	}
}

func expectWorld(t testing.TB, policies ...*kube.NetworkPolicy) *World {
	t.Helper()
	w := storyWorld(t,
		podSpec{name: "agent", node: "raspi003", ips: []string{"198.51.100.13"}, app: "agent", host: true}.yaml(),
		podSpec{name: "starting", node: "raspi003", ips: []string{"10.244.2.9"}, notReady: true}.yaml())
	w.Policies = policies
	return w
}

func TestPoliciesWithoutTheLabelsOfNamespacesProveNothing(t *testing.T) {
	w := expectWorld(t, ingress("web", from(kube.PolicyPeer{Namespaces: team("shop")})))
	w.NamespaceLabels = nil // they could not be read
	s := source(t, w, "pod/web-1")
	expected(t, "a Pod", w.expectPod(s, w.Pod(key("shop/web-3")), 80), Any, "labels of namespaces", "")
	svc := w.Service(key("shop/web"))
	expected(t, "a Service", w.expectVirtual(s, svc, svc.Ports[0]), Any, "labels of namespaces", "")
	w.Policies = []*kube.NetworkPolicy{ingress("web")}
	expected(t, "a policy without them", w.expectVirtual(s, svc, svc.Ports[0]), Blocked, "", PolicyDenies)
}

func TestOutsideOfTheClusterNothingIsExpectedOfItsAddresses(t *testing.T) {
	w := storyWorld(t)
	svc := w.Service(key("shop/web"))
	expected(t, "a Pod", w.expectPod(w.local(), w.Pod(key("shop/web-1")), 80), Any, "Pod addresses lead nowhere outside", OutsideCluster)
	expected(t, "a ClusterIP", w.expectVirtual(w.local(), svc, svc.Ports[0]), Any, "ClusterIPs lead nowhere outside", OutsideCluster)
	expected(t, "a NodePort", w.expectNodePort(w.local(), svc, svc.Ports[0], "raspi001"), Reached, "every Node", "")
}

func TestWhatIsExpectedOfAService(t *testing.T) {
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
		"all endpoints denied":                  {nil, []*kube.NetworkPolicy{egress("web")}, "pod/web-1", Blocked, "NetworkPolicy out", PolicyDenies},
		"one endpoint permitted":                {nil, []*kube.NetworkPolicy{egress("web", from(kube.PolicyPeer{CIDR: "10.244.2.0/24"}))}, "pod/web-1", Any, "other endpoints", ""},
		"denied by the target port":             {nil, []*kube.NetworkPolicy{ingress("web", onPort(kube.PolicyPort{Port: 8080}))}, "pod/web-1", Blocked, "", PolicyDenies},
		"permitted by the target port":          {nil, []*kube.NetworkPolicy{ingress("web", onPort(kube.PolicyPort{Port: 80}))}, "pod/web-1", Reached, "", ""},
		"denied for a Node":                     {nil, []*kube.NetworkPolicy{ingress("web")}, "node/raspi001", Any, "may be let through", ""},
	} {
		w := storyWorld(t)
		w.Policies = test.policies
		svc := *w.Service(key("shop/web"))
		if test.change != nil {
			test.change(&svc)
		}
		expected(t, name, w.expectVirtual(source(t, w, test.from), &svc, svc.Ports[0]), test.outcome, test.why, test.cause)
	}
}

func local(s *kube.Service) { s.LocalInternal, s.LocalExternal = true, true }

func TestWhatIsExpectedOfANodePort(t *testing.T) {
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
		"Local, and none there, from a Pod":       {local, nil, "pod/web-1", "raspi001", Any, ""},
		"Local, and none there, from that Node":   {local, nil, "node/raspi001", "raspi001", Any, ""},
		"Local, and none there, from another one": {local, nil, "node/raspi002", "raspi001", Blocked, ExternalLocal},
		"policies see whatever the Node makes":    {nil, []*kube.NetworkPolicy{ingress("web")}, "pod/web-1", "raspi001", Any, ""},
		"policies let it in":                      {nil, []*kube.NetworkPolicy{ingress("web", kube.PolicyRule{})}, "pod/web-1", "raspi001", Reached, ""},
	} {
		w := storyWorld(t)
		w.Policies = test.policies
		svc := *w.Service(key("shop/web"))
		if test.change != nil {
			test.change(&svc)
		}
		expected(t, name, w.expectNodePort(source(t, w, test.from), &svc, svc.Ports[0], test.node), test.outcome, "", test.cause)
	}
}

func TestEndpointsThatGetTraffic(t *testing.T) {
	endpoint := func(address, port, protocol string, ready, serving, terminating bool) kube.Endpoint {
		return kube.Endpoint{Address: address, Port: 80, PortName: port, Protocol: protocol, Ready: ready, Serving: serving, Terminating: terminating}
	}
	leaving := endpoint("leaving", "http", "TCP", false, true, true)
	gone := endpoint("gone", "http", "TCP", false, false, true)
	unready := endpoint("unready", "http", "TCP", false, false, false)
	ready := endpoint("ready", "http", "TCP", true, true, false)
	for name, test := range map[string]struct {
		endpoints []kube.Endpoint
		want      string
	}{
		"ready ones":                          {[]kube.Endpoint{ready, unready, leaving}, "ready"},
		"those that serve while they leave":   {[]kube.Endpoint{unready, leaving, gone}, "leaving"},
		"none":                                {[]kube.Endpoint{unready, gone}, ""},
		"those of another port do not count":  {[]kube.Endpoint{endpoint("x", "https", "TCP", true, true, false)}, ""},
		"those of another protocol":           {[]kube.Endpoint{endpoint("x", "http", "UDP", true, true, false)}, ""},
		"those without a port cannot be used": {[]kube.Endpoint{{Address: "x", PortName: "http", Protocol: "TCP", Ready: true}}, ""},
	} {
		got := endpointsOf(&kube.Service{Endpoints: test.endpoints}, kube.ServicePort{Name: "http", Protocol: "TCP"})
		if list := list(names(got, func(e kube.Endpoint) string { return e.Address })); list != test.want {
			t.Errorf("%s: got %s, want %s", name, list, test.want)
		}
	}
}

func TestWhatIsExpectedOfVariables(t *testing.T) {
	svc := &kube.Service{Namespace: "shop", Name: "web", Created: noon}
	for name, test := range map[string]struct {
		started time.Time
		links   bool
		outcome Outcome
		cause   CauseCode
	}{
		"the Service was there before":         {noon.Add(time.Minute), true, Reached, ""},
		"the container is older":               {noon.Add(-time.Second), true, Blocked, EnvPodOlder},
		"the same second":                      {noon.Add(700 * time.Millisecond), true, Any, ""},
		"while the container was being made":   {noon.Add(2 * time.Second), true, Any, ""},
		"enableServiceLinks is false":          {noon.Add(time.Minute), false, Blocked, EnvLinksOff},
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

func TestNamesAreOnlyExpectedWhereThePodAsksTheClustersDNS(t *testing.T) {
	for policy, test := range map[string]struct {
		host    bool
		outcome Outcome
	}{
		"ClusterFirst": {false, Reached}, "ClusterFirstWithHostNet": {true, Reached}, "Default": {false, Any}, "None": {false, Any},
	} {
		w := lookAt(t, "shop", podSpec{name: "a", node: "raspi001", ips: []string{"10.244.0.2"}, dns: policy, host: test.host}.yaml())
		expected(t, policy, w.expectName(source(t, w, "pod/a"), reached("")), test.outcome, "", "")
	}
	w := lookAt(t, "shop", podSpec{name: "a", node: "raspi001", ips: []string{"10.244.0.2"}, host: true}.yaml())
	expected(t, "ClusterFirst on the Node's network is Default", w.expectName(source(t, w, "pod/a"), reached("")), Any, "", "")
}

func TestNamesAreNotExpectedWhereAPolicyLimitsWhatThePodMayAsk(t *testing.T) {
	for name, test := range map[string]struct {
		policy  *kube.NetworkPolicy
		outcome Outcome
	}{
		"everything is denied":   {egress("web"), Any},
		"other ports are":        {egress("web", onPort(kube.PolicyPort{Port: 443})), Any},
		"DNS to anywhere is not": {egress("web", onPort(kube.PolicyPort{Protocol: "UDP", Port: 53})), Reached},
		"ingress is":             {ingress("web"), Reached},
	} {
		w := storyWorld(t)
		w.Policies = []*kube.NetworkPolicy{test.policy}
		expected(t, name, w.expectName(source(t, w, "pod/web-1"), reached("")), test.outcome, "", "")
	}
}

func TestAPodOnANodeThatIsNotReadyShouldBeReached(t *testing.T) {
	w := storyWorld(t)
	pod := *w.Pods[0]
	pod.IsReady = false
	for ready, want := range map[bool]Outcome{true: Any, false: Reached} {
		node := *w.Node(pod.Node)
		node.Ready = ready
		for i, n := range w.Nodes {
			if n.Name == node.Name {
				w.Nodes[i] = &node
			}
		}
		if got := w.expectPod(w.podSource(w.Pods[1]), &pod, 80); got.Outcome != want {
			t.Errorf("Node ready %t: got %s (%s), want %s", ready, got.Outcome, got.Why, want)
		}
	}
}
