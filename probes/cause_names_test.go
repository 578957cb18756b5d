package probes

import (
	"strings"
	"testing"
	"time"

	"podpath/kube"
)

const oneWebPort = `ports: [{name: http, port: 80, targetPort: 80, protocol: TCP}]`

func TestCausesThatTheObjectsShow(t *testing.T) {
	const vipX = `clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9], `
	notReady := podSpec{name: "api-1", node: "raspi003", ips: []string{"10.244.2.9"}, app: "api", notReady: true}.yaml()
	unready := sliceYAML("x", "http", 80, endpointYAML("api-1", "10.244.2.9", "raspi003", "ready: false"))
	for name, test := range map[string]struct {
		manifests []string
		want      CauseCode
	}{
		"the selector matches nothing": {[]string{serviceYAML("x", vipX+"selector: {app: wep}, "+oneWebPort, "")}, SelectorMatchesNothing},
		"no endpoint is ready":         {[]string{serviceYAML("x", vipX+"selector: {app: api}, "+oneWebPort, ""), notReady, unready}, NoReadyEndpoint},
		"no manual slice":              {[]string{serviceYAML("x", vipX+oneWebPort, "")}, ManualSliceMissing},
		"a target port that no Pod names": {
			[]string{serviceYAML("x", vipX+"selector: {app: web}, ports: [{name: http, port: 80, targetPort: www, protocol: TCP}]", ""), strings.Replace(webSlice("x"), `ports: [{name: "http", port: 80, protocol: TCP}]`, "ports: []", 1)},
			TargetPortMissing,
		},
	} {
		w := onMaster(t, test.manifests...)
		refused := func(c Check) ErrorKind {
			if vip(c) {
				return Refused
			}
			return NoError
		}
		named(t, name, simulate(w, planFor(t, w, 0, "pod/web-1", "svc/x"), refused, evidence{}), test.want)
		named(t, name+", by its name", simulate(w, planFor(t, w, 0, "pod/web-1", "x:80"), func(Check) ErrorKind { return Refused }, evidence{}), test.want)
	}
	w := onMaster(t, serviceYAML("x", "type: LoadBalancer, "+vipX+"selector: {app: web}, "+oneWebPort, ""), webSlice("x"))
	named(t, "a load balancer is pending", simulate(w, w.Plan(Services), nil, evidence{}), LoadBalancerPending)
}

func TestFlagsOfAServiceExplainOnlyWhatTheyCanExplain(t *testing.T) {
	w := onMaster(t, serviceYAML("x", `clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9], selector: {app: web}, ports: [{name: http, port: 80, targetPort: 80, protocol: TCP}, {name: www, port: 81, targetPort: www, protocol: TCP}]`, ""), webSlice("x"))
	checks := planFor(t, w, 0, "pod/web-1", "svc/x:80")
	named(t, "the other port is the one without endpoints", simulate(w, checks, func(c Check) ErrorKind {
		if vip(c) {
			return TimedOut
		}
		return NoError
	}, evidence{}), ServiceDataplane)
	w = onMaster(t, serviceYAML("x", `clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9], selector: {app: wep}, `+oneWebPort, ""))
	named(t, "the name of a ClusterIP Service needs no endpoint", simulate(w, w.Plan(Discovery), func(c Check) ErrorKind {
		if c.Kind == DNS {
			return TimedOut
		}
		return NoError
	}, evidence{}), DNSDown)
	w = onMaster(t, serviceYAML("db", `clusterIP: None, selector: {app: wep}, `+oneWebPort, ""))
	named(t, "that of a headless one does", simulate(w, planFor(t, w, 0, "pod/web-1", "svc/db"), func(Check) ErrorKind { return NXDomain }, evidence{}), SelectorMatchesNothing)
}

func TestDNSIsDownOnlyWhenItAnswersNothing(t *testing.T) {
	for name, test := range map[string]struct {
		what fate
		want CauseCode
	}{
		"nothing answers":          {func(c Check) ErrorKind { return onlyDNS(c, TimedOut, "") }, DNSDown},
		"it is refused":            {func(c Check) ErrorKind { return onlyDNS(c, Refused, "") }, DNSDown},
		"one lookup is lost":       {func(c Check) ErrorKind { return onlyDNS(c, TimedOut, "PTR") }, ""},
		"it says that it failed":   {func(c Check) ErrorKind { return onlyDNS(c, ServFail, "") }, ""},
		"it knows none of them":    {func(c Check) ErrorKind { return onlyDNS(c, NXDomain, "") }, ""},
		"it answers, but late":     {func(c Check) ErrorKind { return onlyDNS(c, TimedOut, "/A") }, ""},
		"variables are missing":    {func(c Check) ErrorKind { return map[bool]ErrorKind{true: Missing}[c.Kind == Env] }, ""},
		"what it says is no DNS":   {func(c Check) ErrorKind { return onlyDNS(c, BadReply, "") }, ""},
		"there is no way to there": {func(c Check) ErrorKind { return onlyDNS(c, Unreachable, "") }, DNSDown},
	} {
		w := onMaster(t)
		named(t, name, simulate(w, w.Plan(Discovery), test.what, evidence{}), test.want)
	}
}

// onlyDNS is the fate of lookups with a word in their target.
func onlyDNS(c Check, kind ErrorKind, word string) ErrorKind {
	if c.Kind == DNS && strings.Contains(c.Target, word) {
		return kind
	}
	return NoError
}

func TestExternalNamesThatNobodyKnows(t *testing.T) {
	w := onMaster(t, serviceYAML("ext", `type: ExternalName, externalName: nowhere.example.com`, ""))
	results := simulate(w, planFor(t, w, 0, "pod/web-1", "svc/ext"), func(c Check) ErrorKind { return onlyDNS(c, NXDomain, "/A") }, evidence{})
	for i := range results {
		results[i].Asked = []string{"nowhere.example.com. nxdomain"}
	}
	findCauses(w, results, evidence{})
	named(t, "an ExternalName", results, ExternalNameUnknown)
	if r := results[0]; judge(r.Check, Observation{Values: []string{"nowhere.example.com"}}) != Pass {
		t.Errorf("%s: got a fail, want the CNAME to pass", r.ID)
	}
}

func TestCausesOfAnIngress(t *testing.T) {
	route := func(b kube.Backend) *kube.Ingress {
		return &kube.Ingress{Namespace: "shop", Name: "front", Addresses: []string{"203.0.113.9"}, Rules: []kube.IngressRule{{Host: "shop.example.com", Path: "/", Backend: b}}}
	}
	byDefault := &kube.Ingress{Namespace: "shop", Name: "front", Addresses: []string{"203.0.113.9"}, Default: &kube.Backend{Service: "api", Port: 80}}
	waiting := &kube.Ingress{Namespace: "shop", Name: "front"}
	for name, test := range map[string]struct {
		ingress *kube.Ingress
		want    CauseCode
	}{
		"no such Service":                {route(kube.Backend{Service: "api", Port: 80}), IngressBackendMissing},
		"no such Service, by default":    {byDefault, IngressBackendMissing},
		"no such port":                   {route(kube.Backend{Service: "web", Port: 80}), IngressBackendMissing},
		"no port of that name":           {route(kube.Backend{Service: "web", PortName: "www"}), IngressBackendMissing},
		"no address":                     {waiting, IngressNoAddress},
		"the backend says 503 by itself": {route(kube.Backend{Service: "web", Port: 8080}), ""},
		"a backend that is no Service":   {route(kube.Backend{}), ""},
		"a Service that matches nothing": {route(kube.Backend{Service: "empty", PortName: "http"}), SelectorMatchesNothing},
	} {
		w := onMaster(t, serviceYAML("empty", `clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9], selector: {app: wep}, `+oneWebPort, ""))
		w.Ingresses = []*kube.Ingress{test.ingress}
		named(t, name, simulate(w, planFor(t, w, 0, "local", "ingress/front"), func(Check) ErrorKind { return BadStatus }, evidence{}), test.want)
	}
}

func TestPoliciesThatAreNotEnforced(t *testing.T) {
	w := onMaster(t)
	w.Policies = []*kube.NetworkPolicy{ingress("web")}
	checks := planFor(t, w, 0, "pod/web-1", "pod/web-2:80", "svc/web")
	named(t, "it gets through", simulate(w, checks, func(c Check) ErrorKind {
		if c.Expect.Outcome == Blocked {
			return through
		}
		return NoError
	}, evidence{}), PolicyNotEnforced)
}

func TestWhatIsByDesignIsExplainedWhereItSurprises(t *testing.T) {
	old := podSpec{name: "old", node: "raspi001", ips: []string{"10.244.0.9"}, started: noon.Add(-time.Hour)}.yaml()
	mute := podSpec{name: "mute", node: "raspi001", ips: []string{"10.244.0.8"}, links: true}.yaml()
	headless := serviceYAML("db", `clusterIP: None, selector: {app: web}, ports: [{port: 5432, targetPort: 80, protocol: TCP}]`, "")
	half := sliceYAML("db", "", 80, endpointYAML("web-1", "10.244.1.5", "raspi002"), endpointYAML("web-2", "10.244.1.6", "raspi002", "ready: false"))
	np := serviceYAML("np", `type: NodePort, clusterIP: 10.96.0.11, clusterIPs: [10.96.0.11], selector: {app: web}, externalTrafficPolicy: Local, internalTrafficPolicy: Local, ports: [{name: http, port: 80, targetPort: 80, nodePort: 30080, protocol: TCP}]`, "")
	for name, test := range map[string]struct {
		from, to string
		id       string
		want     CauseCode
	}{
		"a policy":                   {"pod/web-1", "pod/web-2:80", "pod/web-1 tcp pod/web-2:80", PolicyDenies},
		"SRV without a name":         {"pod/old", "", "pod/old dns dns:_port-5432._tcp.db.shop.svc/SRV", SRVPortUnnamed},
		"a headless name":            {"pod/web-1", "svc/db", "pod/web-1 dns dns:db.shop.svc/A", HeadlessNotReady},
		"an older container":         {"pod/old", "", "pod/old env env:WEB_SERVICE_HOST", EnvPodOlder},
		"no variables wanted":        {"pod/mute", "", "pod/mute env env:WEB_SERVICE_HOST", EnvLinksOff},
		"internalTrafficPolicy":      {"pod/old", "svc/np", "pod/old tcp svc/np:80", InternalLocal},
		"externalTrafficPolicy":      {"local", "svc/np", "local tcp node/raspi001:30080", ExternalLocal},
		"outside of the cluster":     {"local", "svc/np", "local tcp svc/np:80", OutsideCluster},
		"what needs no explanation":  {"pod/web-1", "node/raspi001:22", "pod/web-1 tcp node/raspi001:22", ""},
		"outside, but there's a way": {"local", "svc/web", "local tcp svc/web:8080", ""},
	} {
		w := storyWorld(t, old, mute, headless, half, np, webSlice("np"))
		w.Policies = []*kube.NetworkPolicy{ingress("web", from(kube.PolicyPeer{CIDR: "198.51.100.0/24"}))}
		if !strings.HasPrefix(name, "a policy") {
			w.Policies = nil
		}
		p := &plan{World: w, seen: map[string]bool{}}
		if test.to == "" {
			s := source(t, w, test.from)
			for _, svc := range w.Services {
				p.discover(s, w.Pod(s.Pod), svc)
			}
		} else {
			p.checks = planFor(t, w, 0, test.from, test.to)
		}
		results := simulate(w, []Check{find(t, p.checks, test.id)}, func(c Check) ErrorKind {
			if c.Expect.Cause != nil && c.Expect.Cause.Code == OutsideCluster && test.want != "" {
				return TimedOut
			}
			return NoError
		}, evidence{})
		got := results[0]
		if got.Verdict != Pass || (got.Cause == nil) != (test.want == "") || got.Cause != nil && (got.Cause.Code != test.want || !got.Cause.ByDesign) {
			t.Errorf("%s: got %s, %+v, want a pass by design: %s", name, got.Verdict, got.Cause, test.want)
		}
	}
}
