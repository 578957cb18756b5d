package path

import (
	"strings"
	"testing"
	"time"

	"podpath/kube"
	"podpath/probes/path/manifest"
)

func TestWhatIsByDesignIsExplainedWhereItSurprises(t *testing.T) {
	seen := clusters{}
	old := manifest.Pod{Name: "old", Node: "raspi001", IPs: []string{"10.244.0.9"}, Started: manifest.Noon.Add(-time.Hour)}.YAML()
	mute := manifest.Pod{Name: "mute", Node: "raspi001", IPs: []string{"10.244.0.8"}, Links: true}.YAML()
	headless := manifest.Service("db", `clusterIP: None, selector: {app: web}, ports: [{port: 5432, targetPort: 80, protocol: TCP}]`, "")
	half := manifest.Slice("db", "", 80, manifest.Endpoint("web-1", "10.244.1.5", "raspi002"), manifest.Endpoint("web-2", "10.244.1.6", "raspi002", "ready: false"))
	np := manifest.Service("np", `type: NodePort, clusterIP: 10.96.0.11, clusterIPs: [10.96.0.11], selector: {app: web}, externalTrafficPolicy: Local, internalTrafficPolicy: Local, ports: [{name: http, port: 80, targetPort: 80, nodePort: 30080, protocol: TCP}]`, "")
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
		w := seen.storyWorld(t, old, mute, headless, half, np, manifest.WebSlice("np"))
		w.Policies = []*kube.NetworkPolicy{ingress("web", from(kube.PolicyPeer{CIDR: "198.51.100.0/24"}))}
		if !strings.HasPrefix(name, "a policy") {
			w.Policies = nil
		}
		p := newPlan(w)
		if test.to == "" {
			s := source(t, w, test.from)
			for _, svc := range w.Services {
				p.discover(s, w.Pod(s.Pod), svc)
			}
		} else {
			p.checks = planFor(t, w, test.from, test.to)
		}
		results := simulate(w, []Check{find(t, p.checks, test.id)}, func(c Check) ErrorKind {
			if c.Expect.Cause != nil && c.Expect.Cause.Code == OutsideCluster && test.want != "" {
				return TimedOut
			}
			return NoError
		}, Looks{})
		got := results[0]
		if got.Verdict != Pass || (got.Cause == nil) != (test.want == "") || got.Cause != nil && (got.Cause.Code != test.want || !got.Cause.ByDesign) {
			t.Errorf("%s: got %s, %+v, want a pass by design: %s", name, got.Verdict, got.Cause, test.want)
		}
	}
}

// A machine need not know the names of Services. Where it knows one all the
// same, by its hosts file or another DNS, what follows counts.
func TestWhereANameIsKnownAllTheSameWhatFollowsCounts(t *testing.T) {
	seen := clusters{}
	for name, test := range map[string]struct {
		to      string
		outside bool
		comes   outcome
		verdict Verdict
		cause   CauseCode
	}{
		"nobody knows it":                {"web:8080", false, unresolved(NXDomain, "web. nxdomain"), Pass, OutsideDNS},
		"the DNS does not answer":        {"web:8080", false, unresolved(TimedOut), Pass, OutsideDNS},
		"it is known, and reached":       {"web:8080", false, nil, Pass, ""},
		"it is known, and refuses":       {"web:8080", false, failsAt(Refused, "web"), Fail, ServiceDataplane},
		"it is known, and answers badly": {"http://web:8080/", false, speaks(Observation{Stage: StageRequest, Error: BadStatus, Status: 500}), Fail, StatusNotAsExpected},
		"it is known, and no port":       {"web:80", false, fails(TimedOut), Fail, NoSuchPort},
		"a Node's own name refuses":      {"raspi002:22", false, fails(Refused), Fail, ""},
		"it is known outside":            {"web:8080", true, fails(TimedOut), Pass, OutsideCluster},
		"a lookup is answered":           {"dns:web", false, nil, Pass, ""},
	} {
		w := seen.onMaster(t)
		if test.outside {
			w.LocalNode = ""
		}
		r := diagnose(w, planFor(t, w, "local", test.to), test.comes, Looks{})[0]
		explained(t, name, w, r, test.cause, "")
		if r.Verdict != test.verdict {
			t.Errorf("%s: got %s (%s), want %s", name, r.Verdict, r.Expect.Why, test.verdict)
		}
	}
}

func TestWhatTheUserAsksForIsExpectedWhereThereIsNoRuleAgainstIt(t *testing.T) {
	w := expectWorld(t)
	w.LocalNode = "raspi001"
	for name, test := range map[string]struct {
		to      string
		outcome Outcome
		why     string
	}{
		"a Pod that is not ready":    {"pod/starting:80", Reached, "you asked for it; Pod starting is not ready"},
		"the same by its address":    {"10.244.2.9:80", Reached, "you asked for it"},
		"a Node's port":              {"node/raspi001:22", Reached, "you asked for it"},
		"an address of the world":    {"203.0.113.1:80", Reached, "you asked for it"},
		"a name of the world":        {"www.example.com:80", Reached, "you asked for it"},
		"a lookup of an address":     {"dns:192.0.2.1", Reached, "you asked for it"},
		"a lookup of a Pod backward": {"dns:10.244.1.5", Reached, "you asked for it"},
	} {
		c := planFor(t, w, "pod/web-1", test.to)[0]
		expected(t, name, c.Expect, test.outcome, test.why, "")
		if !c.Asked || Judge(c, Observation{Stage: StageConnect, Error: TimedOut}) != Fail {
			t.Errorf("%s: got a check %+v, want that it fails when it is not reached", name, c)
		}
	}
}
