package path

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"podpath/kube"
	"podpath/probes/path/manifest"
)

// wanted compares lists of check IDs, in any order.
func wanted(t *testing.T, name string, checks []Check, want ...string) {
	t.Helper()
	got := names(checks, func(c Check) string { return c.ID })
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestPlanHasThePathsOfTheStory(t *testing.T) {
	w := storyWorld(t)
	w.LocalNode = "raspi001"
	checks := w.Plan(Paths)
	wanted(t, "a to d", checks,
		"pod/web-1 tcp localhost:80", "pod/web-2 tcp localhost:80", "pod/web-3 tcp localhost:80", // a
		"pod/web-1 tcp pod/web-2:80", "pod/web-2 tcp pod/web-1:80", // b
		"pod/web-1 tcp pod/web-3:80", "pod/web-2 tcp pod/web-3:80", "pod/web-3 tcp pod/web-1:80", "pod/web-3 tcp pod/web-2:80", // c
		"local tcp pod/web-1:80", "local tcp pod/web-2:80", "local tcp pod/web-3:80") // d
	if c := find(t, checks, "pod/web-1 tcp localhost:80"); c.Ask.Host != "127.0.0.1" || c.Ask.Port != 80 || c.Expect.Outcome != Reached {
		t.Errorf("got %+v", c)
	}
	c := find(t, checks, "pod/web-1 tcp pod/web-3:80")
	if c.Ask.Host != "10.244.2.5" || c.Path.Node != "raspi003" || c.Path.Pod != key("shop/web-3") || c.Source.Node != "raspi002" || c.Group != Paths {
		t.Errorf("got %+v", c)
	}
}

func TestPlanHasTheSpreadAndTheDiscoveryOfTheStory(t *testing.T) {
	w := storyWorld(t)
	checks := w.Plan(Spreading)
	wanted(t, "e", checks, "pod/web-1 spread svc/web:8080")
	if got, want := checks[0].Ask, (Ask{Host: "10.96.0.7", Port: 8080, Count: 120}); got.Host != want.Host || got.Port != want.Port || got.Count != want.Count {
		t.Errorf("got %+v, want %+v", got, want)
	}
	checks = w.Plan(Discovery)
	wanted(t, "g", checks,
		"pod/web-1 env env:WEB_SERVICE_HOST", "pod/web-1 dns dns:web/A", "pod/web-1 dns dns:web.shop.svc/A",
		"pod/web-1 dns dns:_http._tcp.web.shop.svc/SRV", "pod/web-1 dns dns:10.96.0.7/PTR")
	for id, want := range map[string]string{
		"pod/web-1 env env:WEB_SERVICE_HOST":            "WEB_SERVICE_HOST=10.96.0.7, WEB_SERVICE_PORT=8080",
		"pod/web-1 dns dns:web/A":                       "10.96.0.7",
		"pod/web-1 dns dns:_http._tcp.web.shop.svc/SRV": "8080 web.shop.svc",
		"pod/web-1 dns dns:10.96.0.7/PTR":               "web.shop.svc",
	} {
		if got := find(t, checks, id).Expect; list(got.Values) != want || got.Outcome != Reached {
			t.Errorf("%s: got %+v, want %s", id, got, want)
		}
	}
}

func TestNamesWithIPv6AloneAreLookedUpAsSuch(t *testing.T) {
	seen := clusters{}
	six := manifest.Slice("six", "http", 80, manifest.Endpoint("web-1", "fd00::5", "raspi002"), manifest.Endpoint("web-2", "fd00::6", "raspi002"))
	for name, test := range map[string]struct{ spec, id, values string }{
		"a ClusterIP":        {`clusterIP: "fd00::9", clusterIPs: ["fd00::9"], selector: {app: web}, ` + oneWebPort, "pod/web-1 dns dns:six.shop.svc/AAAA", "fd00::9"},
		"two ClusterIPs":     {`clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9, "fd00::9"], selector: {app: web}, ` + oneWebPort, "pod/web-1 dns dns:six/A", "10.96.0.9"},
		"a headless Service": {`clusterIP: None, selector: {app: web}, ` + oneWebPort, "pod/web-1 dns dns:six.shop.svc/AAAA", "fd00::5, fd00::6"},
	} {
		w := seen.storyWorld(t, manifest.Service("six", test.spec, ""), six)
		if got := find(t, w.Plan(Services, Discovery), test.id).Expect; list(got.Values) != test.values {
			t.Errorf("%s: got %+v, want %s", name, got, test.values)
		}
	}
}

func TestFromOutsideThePlanExpectsNothingOfTheClustersAddresses(t *testing.T) {
	w := storyWorld(t) // podpath runs on no Node: f
	for _, c := range w.Plan(Groups...) {
		if c.Source.Kind == FromLocal && (c.Expect.Outcome != Any || c.Expect.Cause == nil || c.Expect.Cause.Code != OutsideCluster) {
			t.Errorf("%s: got %+v", c.ID, c.Expect)
		}
	}
	checks, err := tryPlan(w, PlanOptions{Count: 300}, "local", "svc/web")
	if err != nil || len(checks) == 0 || slices.ContainsFunc(checks, func(c Check) bool { return c.Kind == Spread || c.Expect.Outcome == Reached }) {
		t.Errorf("a spread: got %+v, %v, want to see whether the address is reached", checks, err)
	}
}

func TestPlanChecksEachKindOfServiceByItsRule(t *testing.T) { // h
	seen := clusters{}
	const port, vip = "ports: [{name: http, port: 80, targetPort: 80, protocol: TCP%s}]", "clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9], selector: {app: web}, "
	plain := fmt.Sprintf(port, "")
	for name, test := range map[string]struct {
		manifest string
		want     []string // from pod/web-1
	}{
		"ClusterIP":    {manifest.Service("x", vip+plain, ""), []string{"tcp svc/x:80"}},
		"externalIPs":  {manifest.Service("x", vip+plain+", externalIPs: [203.0.113.7]", ""), []string{"tcp svc/x:80", "tcp svc/x:80@203.0.113.7"}},
		"two families": {manifest.Service("x", "clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9, \"fd00::9\"], selector: {app: web}, "+plain, ""), []string{"tcp svc/x:80", "tcp svc/x:80@fd00::9"}},
		"NodePort": {manifest.Service("x", "type: NodePort, "+vip+fmt.Sprintf(port, ", nodePort: 30080"), ""), []string{
			"tcp svc/x:80", "tcp node/raspi001:30080", "tcp node/raspi002:30080", "tcp node/raspi003:30080",
		}},
		"LoadBalancer": {manifest.Service("x", "type: LoadBalancer, "+vip+plain, "loadBalancer: {ingress: [{ip: 203.0.113.9}]}"), []string{"tcp svc/x:80", "tcp svc/x:80@203.0.113.9"}},
		"pending":      {manifest.Service("x", "type: LoadBalancer, "+vip+plain, ""), []string{"tcp svc/x:80", "local status svc/x:80@loadbalancer"}},
		"Headless":     {manifest.Service("x", "clusterIP: None, selector: {app: web}, "+plain, ""), []string{"dns dns:x.shop.svc/A"}},
		"ExternalName": {manifest.Service("x", "type: ExternalName, externalName: www.example.com", ""), []string{"dns dns:x.shop.svc/CNAME", "dns dns:www.example.com/A"}},
		"no selector": {manifest.Service("x", "clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9], "+plain, ""), []string{
			"tcp svc/x:80",
		}},
		"UDP":  {manifest.Service("x", vip+"ports: [{name: dns, port: 53, targetPort: 53, protocol: UDP}]", ""), []string{"udp svc/x:53"}},
		"SCTP": {manifest.Service("x", vip+"ports: [{name: sig, port: 2905, targetPort: 2905, protocol: SCTP}]", ""), nil},
	} {
		w := seen.storyWorld(t, test.manifest, manifest.WebSlice("x"))
		if name == "no selector" {
			w = storyWorld(t, test.manifest, manifest.SliceByHand("x", "http", 5432, manifest.Endpoint("", "192.0.2.8", "raspi001")))
			test.want = append(test.want, "tcp 192.0.2.8:5432")
		} else if name != "ExternalName" && name != "UDP" && name != "SCTP" {
			test.want = append(test.want, "tcp pod/web-1:80", "tcp pod/web-2:80", "tcp pod/web-3:80")
		}
		for i, id := range test.want {
			if !strings.HasPrefix(id, "local ") {
				test.want[i] = "pod/web-1 " + id
			}
		}
		wanted(t, name, planFor(t, w, "pod/web-1", "svc/x"), test.want...)
	}
}

func TestPlanAsksForEachPathOfAnIngress(t *testing.T) {
	w := storyWorld(t)
	web := kube.Backend{Service: "web", Port: 8080}
	w.Ingresses = []*kube.Ingress{
		{
			Namespace: "shop", Name: "shop", Addresses: []string{"203.0.113.9"}, TLS: []kube.IngressTLS{{Hosts: []string{"pay.example.com"}}},
			Rules: []kube.IngressRule{
				{Host: "shop.example.com", Path: "/cart", Backend: web},
				{Host: "pay.example.com", Backend: web},
				{Host: "*.example.com", Path: "/", Backend: web},
				{Path: "/any", Backend: web},
				{Host: "re.example.com", Path: "/api(/|$)(.*)", PathType: "ImplementationSpecific", Backend: web},
			},
		},
		{Namespace: "shop", Name: "fallback", Addresses: []string{"203.0.113.8", "203.0.113.9"}, Default: &web},
		{Namespace: "shop", Name: "waiting", Rules: []kube.IngressRule{{Path: "/", Backend: web}}},
	}
	wanted(t, "rules", planFor(t, w, "local", "ingress/shop"),
		"local http http://shop.example.com/cart", "local https https://pay.example.com/", "local http http://podpath.example.com/",
		"local http http://203.0.113.9/any", "local http http://re.example.com/api")
	wanted(t, "a default backend, two addresses", planFor(t, w, "local", "ingress/fallback"),
		"local http http://203.0.113.8/ at 203.0.113.8:80", "local http http://203.0.113.9/ at 203.0.113.9:80")
	wanted(t, "no address", planFor(t, w, "local", "ing/waiting"), "local status ingress/waiting")
	c := find(t, planFor(t, w, "pod/web-1", "ingress/shop"), "pod/web-1 https https://pay.example.com/")
	if got := c.Ask; got.Host != "203.0.113.9" || got.Port != 443 || *got.HTTP != (HTTPAsk{TLS: true, Host: "pay.example.com", Path: "/"}) {
		t.Errorf("got %+v %+v", got, got.HTTP)
	}
}

func TestIDsAreUniqueAndStable(t *testing.T) {
	w := storyWorld(t, manifest.Service("other", `clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9], selector: {app: web}, ports: [{name: http, port: 80, targetPort: 80, protocol: TCP}]`, ""), manifest.WebSlice("other"))
	first, second := w.Plan(Groups...), w.Plan(Groups...)
	if ids(first) != ids(second) {
		t.Error("got two plans of one World, want the same")
	}
	seen := map[string]bool{}
	for _, c := range first {
		if seen[c.ID] {
			t.Errorf("%s: it is there twice", c.ID)
		}
		seen[c.ID] = true
	}
	if len(seen) < 30 {
		t.Errorf("got %d checks, want the whole story", len(seen))
	}
}

// farm is a World of many Pods; owner names that of each.
func farm(t testing.TB, pods int, owner func(int) string) *World {
	t.Helper()
	w := lookAt(t, "shop", manifest.Nodes())
	for i := range pods {
		w.Pods = append(w.Pods, &kube.Pod{
			Namespace: "shop", Name: fmt.Sprintf("p-%04d", i), Node: fmt.Sprintf("raspi00%d", 1+i%3), Owner: owner(i), IsReady: true,
			IPs:        []string{fmt.Sprintf("10.%d.%d.%d", i%3, i/3/250, 2+i/3%250)},
			Containers: []kube.Container{{Name: "nginx", Kind: kube.AppContainer, State: "running", Ports: []kube.ContainerPort{{Name: "http", Port: 80, Protocol: "TCP"}}}},
		})
	}
	return w
}

func TestManyPodsAreRepresentedByAFew(t *testing.T) {
	for name, test := range map[string]struct {
		pods  int
		owner func(int) string
		want  int
	}{
		"few Pods stand for themselves":      {24, func(int) string { return "ReplicaSet/x-1" }, 24},
		"one of each owner and Node":         {200, func(i int) string { return fmt.Sprintf("ReplicaSet/x-%d", i%2) }, 6},
		"there are too many owners":          {200, func(i int) string { return fmt.Sprintf("ReplicaSet/x-%d", i) }, 24},
		"Pods that nobody owns count, too":   {200, func(int) string { return "" }, 24},
		"one of each Node for one DaemonSet": {25, func(int) string { return "DaemonSet/x" }, 3},
	} {
		w := farm(t, test.pods, test.owner)
		got := w.Representatives()
		nodes := map[string]bool{}
		for _, p := range got {
			nodes[p.Node] = true
		}
		if len(got) != test.want || len(nodes) != 3 {
			t.Errorf("%s: got %d on %d Nodes, want %d on 3", name, len(got), len(nodes), test.want)
		}
	}
}

func TestPodsThatDoNotRunAreLeftOut(t *testing.T) {
	w := storyWorld(t,
		manifest.Pod{Name: "done", Node: "raspi001", IPs: []string{"10.244.0.5"}, Old: true}.YAML(),
		manifest.Pod{Name: "pending"}.YAML(),
		manifest.Pod{Name: "agent", Node: "raspi003", IPs: []string{"198.51.100.13"}, Host: true, Ports: "{containerPort: 9100, protocol: TCP}, {containerPort: 53, protocol: UDP}"}.YAML())
	got := ids(w.Plan(Groups...))
	for _, never := range []string{"done", "pending", "pod/agent tcp", ":53"} {
		if strings.Contains(got, never) {
			t.Errorf("got %s in\n%s", never, got)
		}
	}
	if !strings.Contains(got, "pod/web-1 tcp pod/agent:9100") {
		t.Errorf("got\n%s\nwant Pods on the Nodes' network as targets", got)
	}
}
