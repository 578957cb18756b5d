package path

import (
	"slices"
	"strings"
	"testing"

	"podpath/kube"
	"podpath/probes/path/manifest"
)

// targetsWorld has, next to the story, what targets are told apart by.
func targetsWorld(t testing.TB) *World {
	t.Helper()
	return storyWorld(t,
		manifest.Service("dns", `clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10], selector: {app: web}, ports: [{name: udp, port: 53, targetPort: 53, nodePort: 30053, protocol: UDP}, {name: tcp, port: 53, targetPort: 80, protocol: TCP}]`, ""),
		manifest.Slice("dns", "tcp", 80, manifest.Endpoint("web-3", "10.244.2.5", "raspi003")),
		manifest.Service("np", `type: NodePort, clusterIP: 10.96.0.11, clusterIPs: [10.96.0.11], selector: {app: web}, ports: [{name: http, port: 80, targetPort: 80, nodePort: 30080, protocol: TCP}]`, ""),
		manifest.WebSlice("np"),
		manifest.Service("db", `clusterIP: None, selector: {app: web}, ports: [{name: sql, port: 5432, targetPort: 80, protocol: TCP}]`, ""),
		manifest.Service("stats", `clusterIP: 10.96.0.12, clusterIPs: [10.96.0.12], selector: {app: web}, ports: [{name: stats, port: 8125, targetPort: 8125, protocol: UDP}]`, ""),
		manifest.Service("ext", `type: ExternalName, externalName: www.example.com`, ""),
		manifest.Pod{Name: "starting"}.YAML(),
		manifest.Pod{Name: "mute", Node: "raspi001", IPs: []string{"10.244.0.5"}, Ports: "{containerPort: 53, protocol: UDP}"}.YAML())
}

func TestTargetsArePlannedByWhatTheyAre(t *testing.T) {
	w := targetsWorld(t)
	dns := []string{"udp svc/dns:53", "udp node/raspi001:30053", "udp node/raspi002:30053", "udp node/raspi003:30053", "tcp svc/dns:53", "tcp pod/web-3:80"}
	for name, test := range map[string]struct {
		to   []string
		want []string // from pod/web-1
	}{
		"a Pod and a port":             {[]string{"pod/web-2:9999"}, []string{"tcp pod/web-2:9999"}},
		"a Pod and a port's name":      {[]string{"pod/web-2:http"}, []string{"tcp pod/web-2:80"}},
		"a Pod's ports":                {[]string{"pod/web-2"}, []string{"tcp pod/web-2:80"}},
		"a Service's port":             {[]string{"svc/dns:53"}, dns},
		"a Service's port's name":      {[]string{"svc/dns:tcp"}, []string{"tcp svc/dns:53", "tcp pod/web-3:80"}},
		"a Node's port":                {[]string{"node/raspi001:22"}, []string{"tcp node/raspi001:22"}},
		"a name":                       {[]string{"dns:web/SRV"}, []string{"dns dns:web/SRV"}},
		"a host":                       {[]string{"example.com:443"}, []string{"tcp example.com:443"}},
		"a URL":                        {[]string{"https://example.com/x?y=1"}, []string{"https https://example.com/x?y=1"}},
		"the same twice is asked once": {[]string{"pod/web-2:80", "pod/web-2", "pod/web-2:http", "pod/web-2"}, []string{"tcp pod/web-2:80"}},
		"a Service's UDP port":         {[]string{"svc/dns:udp"}, dns[:4]},
		"a Service twice":              {[]string{"svc/dns", "svc/dns:53", "svc/dns"}, dns},
		"a Service's Pods after a Pod": {[]string{"pod/web-3:80", "svc/dns"}, dns},
		"a Pod's UDP port":             {[]string{"pod/mute:53"}, []string{"udp pod/mute:53"}},
		"a host with a UDP port":       {[]string{"10.96.0.12:8125"}, []string{"udp 10.96.0.12:8125"}},
	} {
		want := names(test.want, func(id string) string { return "pod/web-1 " + id })
		wanted(t, name, planFor(t, w, "pod/web-1", test.to...), want...)
	}
}

func TestTargetsThatThereAreNotSayWhatThereIs(t *testing.T) {
	w, all := targetsWorld(t), lookAt(t, "", manifest.Story())
	ingresses := targetsWorld(t)
	ingresses.Ingresses = []*kube.Ingress{{Namespace: "shop", Name: "front"}}
	for name, test := range map[string]struct {
		w     *World
		to    string
		count int
		want  []string
	}{
		"a Pod":                        {w, "pod/web", 0, []string{`no Pod "web"`, "web-1, web-2, web-3"}},
		"a Pod's port":                 {w, "pod/web-1:https", 0, []string{`no TCP port "https"`, "http:80/TCP"}},
		"a Pod without ports":          {w, "pod/mute", 0, []string{"declares no TCP port", "pod/mute:80"}},
		"a Pod without an address":     {w, "pod/starting:80", 0, []string{"no address yet"}},
		"a Service":                    {w, "svc/api", 0, []string{`no Service "shop/api"`, "db, dns, ext, np, stats, web"}},
		"a Service without namespace":  {all, "svc/web", 0, []string{`no Service "web"`, "shop/web"}},
		"a Service's port":             {w, "svc/web:9", 0, []string{`no port "9"`, "8080→80/TCP"}},
		"a spread over a UDP port":     {w, "svc/dns:udp", 9, []string{`no TCP port "udp"`}},
		"a Node":                       {w, "node/raspi9:22", 0, []string{"raspi001, raspi002, raspi003"}},
		"an Ingress":                   {ingresses, "ingress/back", 0, []string{`no Ingress "shop/back"`, "front"}},
		"a spread over a Pod":          {w, "pod/web-1:80", 9, []string{"--count needs svc/NAME"}},
		"a spread over no address":     {w, "svc/db", 9, []string{"Headless", "no virtual address"}},
		"a spread over a port missing": {w, "svc/web:9", 9, []string{"no TCP port"}},
	} {
		from := "pod/web-1"
		if test.w == all {
			from = "pod/shop/web-1"
		}
		if checks, err := tryPlan(test.w, PlanOptions{Count: test.count}, from, test.to); !has(err, test.want...) {
			t.Errorf("%s: got %v, %v, want an error with %q", name, checks, err, test.want)
		}
	}
}

func TestAddressesOfElsewhereAreExpectedByPolicies(t *testing.T) {
	deny := egress("web", from(kube.PolicyPeer{CIDR: "10.0.0.0/8"}), from(kube.PolicyPeer{Pods: podsOf("web")}))
	for to, want := range map[string]Outcome{
		"203.0.113.1:80": Blocked, "10.1.2.3:80": Reached, "10.96.0.7:8080": Reached,
		"www.example.com:80": Reached, // its address is not known before it is asked for
	} {
		w := targetsWorld(t)
		w.Policies = []*kube.NetworkPolicy{deny}
		if got := planFor(t, w, "pod/web-1", to)[0].Expect; got.Outcome != want {
			t.Errorf("%s: got %+v, want %s", to, got, want)
		}
	}
}

func TestSpreadIsPlannedOnlyWhereConnectionsAreSpread(t *testing.T) {
	seen := clusters{}
	const vip = `clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9], selector: {app: web}, ports: [{name: http, port: 80, targetPort: 80, protocol: TCP}]`
	both := `clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9, "fd00::9"], selector: {app: web}, ports: [{name: http, port: 80, targetPort: 80, protocol: TCP}]`
	six := manifest.Slice("x", "http", 80, manifest.Endpoint("web-1", "fd00::5", "raspi002"), manifest.Endpoint("web-2", "fd00::6", "raspi002"), manifest.Endpoint("web-3", "fd00::7", "raspi003"))
	for name, test := range map[string]struct {
		manifests []string
		policy    *kube.NetworkPolicy
		count     int    // of the plan of everything; 0 when there is no spread
		why       string // of what the user asks for
	}{
		"three endpoints":           {[]string{manifest.Service("x", vip, ""), manifest.WebSlice("x")}, nil, 120, "evenly over the endpoints"},
		"one":                       {[]string{manifest.Service("x", vip, ""), manifest.Slice("x", "http", 80, manifest.Endpoint("web-1", "10.244.1.5", "raspi002"))}, nil, 0, "evenly"},
		"none":                      {[]string{manifest.Service("x", vip, "")}, nil, 0, ""},
		"two families are one":      {[]string{manifest.Service("x", both, ""), manifest.WebSlice("x"), six}, nil, 120, "evenly"},
		"sessionAffinity":           {[]string{manifest.Service("x", vip+", sessionAffinity: ClientIP", ""), manifest.WebSlice("x")}, nil, 120, "one client gets one endpoint"},
		"internalTrafficPolicy":     {[]string{manifest.Service("x", vip+", internalTrafficPolicy: Local", ""), manifest.WebSlice("x")}, nil, 80, "on Node raspi002"},
		"a policy denies them all":  {[]string{manifest.Service("x", vip, ""), manifest.WebSlice("x")}, ingress("web", from(kube.PolicyPeer{Pods: podsOf("x")})), 0, ""},
		"a policy denies them some": {[]string{manifest.Service("x", vip, ""), manifest.WebSlice("x")}, egress("web", from(kube.PolicyPeer{CIDR: "10.244.1.0/24"})), 0, ""},
	} {
		w := seen.storyWorld(t, test.manifests...)
		if test.policy != nil {
			w.Policies = []*kube.NetworkPolicy{test.policy}
		}
		planned := slices.DeleteFunc(w.Plan(Spreading), func(c Check) bool { return c.Target != "svc/x:80" })
		if got := len(planned); got > 1 || got == 1 && planned[0].Ask.Count != test.count || (got == 0) != (test.count == 0) {
			t.Errorf("%s: got %+v, want a count of %d", name, planned, test.count)
		}
		asked := planWith(t, w, PlanOptions{Count: 300}, "pod/web-1", "svc/x")
		i := slices.IndexFunc(asked, func(c Check) bool { return c.Kind == Spread })
		switch {
		case test.why == "" && (i >= 0 || !strings.Contains(ids(asked), "pod/web-1 tcp svc/x:80")):
			t.Errorf("%s: got %s, want to see whether the Service answers at all", name, ids(asked))
		case test.why != "" && (i < 0 || asked[i].Ask.Count != 300 || !strings.Contains(asked[i].Expect.Why, test.why)):
			t.Errorf("%s: got %+v, want a spread: %s", name, asked, test.why)
		}
	}
}
