package path

import (
	"net/netip"
	"testing"

	"podpath/kube"
	"podpath/probes/path/manifest"
)

// kindsWorld has a Service of each kind, and each other thing that an address
// can be of.
func kindsWorld(t testing.TB) *World {
	t.Helper()
	vip := func(address string) string { return "clusterIP: " + address + ", clusterIPs: [" + address + "], " }
	const http80 = `ports: [{name: http, port: 80, targetPort: 80, protocol: TCP}]`
	w := lookAt(t, "", manifest.Story(), clientPod, namespace("shop"), namespace("bank"),
		manifest.Service("db", `clusterIP: None, selector: {app: web}, ports: [{name: sql, port: 5432, targetPort: 80, protocol: TCP}]`, ""),
		manifest.Slice("db", "sql", 80, named1("db-0", manifest.Endpoint("web-1", "10.244.1.5", "raspi002")), manifest.Endpoint("web-2", "10.244.1.6", "raspi002")),
		manifest.Service("np", "type: NodePort, "+vip("10.96.0.11")+`selector: {app: web}, ports: [{name: http, port: 80, targetPort: 80, nodePort: 30080, protocol: TCP}]`, ""), manifest.WebSlice("np"),
		manifest.Service("lb", "type: LoadBalancer, "+vip("10.96.0.12")+"externalIPs: [203.0.113.7], selector: {app: web}, "+http80, "loadBalancer: {ingress: [{ip: 203.0.113.9}, {hostname: lb.example.net}]}"), manifest.WebSlice("lb"),
		manifest.Service("atnode", "type: LoadBalancer, "+vip("10.96.0.13")+`selector: {app: web}, ports: [{name: http, port: 8000, targetPort: 80, protocol: TCP}]`, "loadBalancer: {ingress: [{ip: 198.51.100.12}]}"), manifest.WebSlice("atnode"),
		manifest.Service("ext", `type: ExternalName, externalName: www.example.com, ports: [{name: https, port: 443, protocol: TCP}]`, ""),
		manifest.Service("manual", vip("10.96.0.14")+http80, ""), manifest.SliceByHand("manual", "http", 80, manifest.Endpoint("", "192.0.2.8", "raspi001")),
		manifest.Service("stats", vip("10.96.0.15")+`selector: {app: web}, ports: [{name: stats, port: 8125, targetPort: 8125, protocol: UDP}]`, ""),
		manifest.Service("six", `clusterIP: "fd00::9", clusterIPs: ["fd00::9"], selector: {app: web}, `+http80, ""),
		manifest.Pod{Name: "hosted", Node: "raspi001", IPs: []string{"10.244.0.30"}, Ports: "{containerPort: 80, hostPort: 9000, protocol: TCP}"}.YAML(),
		manifest.Pod{Name: "agent", Node: "raspi003", IPs: []string{"198.51.100.13"}, Host: true, Ports: "{containerPort: 9100, protocol: TCP}"}.YAML(),
		manifest.Pod{Namespace: "bank", Name: "ledger", Node: "raspi001", IPs: []string{"10.244.0.40"}}.YAML())
	w.Home, w.LocalNode = "shop", "raspi001"
	web := kube.Backend{Service: "web", PortName: "http"}
	w.Ingresses = []*kube.Ingress{{Namespace: "shop", Name: "front", Addresses: []string{"203.0.113.20"}, Default: &kube.Backend{Service: "np", Port: 80}, Rules: []kube.IngressRule{
		{Host: "shop.example.com", Path: "/", PathType: "Prefix", Backend: web},
		{Host: "shop.example.com", Path: "/np", PathType: "Prefix", Backend: kube.Backend{Service: "np", Port: 80}},
		{Host: "*.example.org", Path: "/", PathType: "Prefix", Backend: web},
	}}}
	return w
}

// named1 gives an endpoint a name of its own.
func named1(host, endpoint string) string {
	return "{hostname: " + host + ", " + endpoint[1:]
}

// pathTo is where the request goes that somebody asks for: the endpoints that are dialed
// beside a Service are left out, and so is what its name is.
func pathTo(t *testing.T, w *World, from, word string) Path {
	t.Helper()
	for _, c := range planFor(t, w, from, word) {
		if c.Kind != DNS && c.Path.Entry != AtEndpoint {
			c.Path.Name = Meaning{}
			return c.Path
		}
	}
	t.Fatalf("%s: nothing connects", word)
	return Path{}
}

func TestASpellingDoesNotChangeWhereARequestGoes(t *testing.T) {
	w := kindsWorld(t)
	at := func(entry Entry, service string) Path {
		p := Path{Entry: entry, Service: key("shop/" + service)}
		if svc := w.Service(p.Service); svc != nil && len(svc.Ports) > 0 {
			p.Port = svc.Ports[0]
		}
		return p
	}
	on := func(p Path, node string) Path { p.Node = node; return p }
	withoutPort := func(p Path) Path { p.Port = kube.ServicePort{}; return p }
	through := func(service string) Path { p := at(AtIngress, service); p.Ingress = key("shop/front"); return p }
	pod := func(name, node string) Path { return Path{Pod: key("shop/" + name), Node: node} }
	member := func(p Path, name, node string) Path { p.Pod, p.Node = key("shop/"+name), node; return p }
	for name, test := range map[string]struct {
		from      string
		spellings []string
		want      Path
	}{
		"a ClusterIP Service": {"pod/client", []string{
			"svc/web:8080", "svc/shop/web:http", "web:8080", "web.shop:8080", "web.shop.svc:8080", "web.shop.svc.cluster.local:8080", "web.shop.svc.cluster.local.:8080",
			"WEB.Shop:8080", "10.96.0.7:8080", "http://web:8080/", "http://web.shop.svc.cluster.local:8080/x?y", "https://10.96.0.7:8080/",
		}, at(AtClusterIP, "web")},
		"the same from another namespace": {"pod/bank/ledger", []string{"svc/web:8080", "web.shop:8080", "web.shop.svc:8080", "http://web.shop:8080/", "10.96.0.7:8080"}, at(AtClusterIP, "web")},
		"the same from podpath itself":    {"local", []string{"svc/web:8080", "web:8080", "web.shop:8080", "10.96.0.7:8080"}, at(AtClusterIP, "web")},
		"a port that it does not have":    {"pod/client", []string{"web:80", "web.shop:80", "http://web/", "http://10.96.0.7/", "10.96.0.7:80"}, withoutPort(at(AtClusterIP, "web"))},
		"a headless Service":              {"pod/client", []string{"db:5432", "db.shop:5432", "db.shop.svc:5432", "db.shop.svc.cluster.local:5432", "http://db.shop:5432/"}, at(AtHeadless, "db")},
		"one of its members":              {"pod/client", []string{"db-0.db:5432", "db-0.db.shop:5432", "db-0.db.shop.svc:5432", "db-0.db.shop.svc.cluster.local:5432", "http://db-0.db.shop:5432/"}, member(at(AtHeadless, "db"), "web-1", "raspi002")},
		"one without a name":              {"pod/client", []string{"10-244-1-6.db:5432", "10-244-1-6.db.shop.svc.cluster.local:5432"}, member(at(AtHeadless, "db"), "web-2", "raspi002")},
		"a NodePort Service inside":       {"pod/client", []string{"svc/np:80", "np:80", "http://np.shop/", "10.96.0.11:80"}, at(AtClusterIP, "np")},
		"its node port":                   {"pod/client", []string{"node/raspi002:30080", "198.51.100.12:30080", "http://198.51.100.12:30080/"}, on(at(AtNodePort, "np"), "raspi002")},
		"a LoadBalancer inside":           {"pod/client", []string{"svc/lb:80", "lb:80", "http://lb.shop.svc/", "10.96.0.12:80"}, at(AtClusterIP, "lb")},
		"its load balancer":               {"pod/client", []string{"203.0.113.9:80", "http://203.0.113.9/", "lb.example.net:80", "http://lb.example.net/"}, at(AtLoadBalancer, "lb")},
		"its external IP":                 {"local", []string{"203.0.113.7:80", "http://203.0.113.7/"}, at(AtExternalIP, "lb")},
		"a load balancer on a Node":       {"pod/client", []string{"198.51.100.12:8000", "http://198.51.100.12:8000/", "node/raspi002:8000"}, on(at(AtLoadBalancer, "atnode"), "raspi002")},
		"an ExternalName Service":         {"pod/client", []string{"svc/ext:443", "svc/ext:https", "ext:443", "ext.shop.svc:443", "https://ext/", "https://ext.shop.svc.cluster.local/"}, at(AtExternalName, "ext")},
		"a Service without selector":      {"pod/client", []string{"svc/manual:80", "manual:80", "http://manual.shop/", "10.96.0.14:80"}, at(AtClusterIP, "manual")},
		"a Service of UDP":                {"pod/client", []string{"svc/stats:8125", "stats:8125", "stats.shop.svc.cluster.local:8125", "10.96.0.15:8125"}, at(AtClusterIP, "stats")},
		"a Service of IPv6":               {"pod/client", []string{"svc/six:80", "six:80", "[fd00::9]:80", "[FD00:0:0::9]:80", "http://[fd00::9]/"}, at(AtClusterIP, "six")},
		"no Service":                      {"pod/client", []string{"wep:80", "wep.shop:80", "http://wep.shop.svc/", "http://wep/"}, Path{Entry: AtServiceNotFound, Service: key("shop/wep")}},
		"an Ingress":                      {"local", []string{"http://shop.example.com/", "http://shop.example.com/cart?x", "http://shop.example.com:80/npx", "https://shop.example.com/"}, through("web")},
		"another path of it":              {"local", []string{"http://shop.example.com/np", "http://shop.example.com/np/x?y"}, through("np")},
		"a wildcard of it":                {"pod/client", []string{"http://any.example.org/", "https://other.example.org/np"}, through("web")},
		"what no rule of it takes":        {"pod/client", []string{"http://203.0.113.20/", "https://203.0.113.20/x"}, through("np")},
		"a Pod":                           {"pod/client", []string{"pod/web-1:80", "pod/shop/web-1:http", "10.244.1.5:80", "http://10.244.1.5/"}, pod("web-1", "raspi002")},
		"a host port":                     {"pod/client", []string{"node/raspi001:9000", "198.51.100.11:9000", "http://198.51.100.11:9000/"}, member(Path{Entry: AtHostPort}, "hosted", "raspi001")},
		"a host port of another Node":     {"pod/client", []string{"node/raspi002:9000", "198.51.100.12:9000"}, Path{Node: "raspi002"}},
		"a Pod in a Node's network":       {"pod/client", []string{"pod/agent:9100", "node/raspi003:9100", "198.51.100.13:9100"}, pod("agent", "raspi003")},
		"a Node":                          {"pod/client", []string{"node/raspi001:22", "198.51.100.11:22"}, Path{Node: "raspi001"}},
		"localhost of a Pod":              {"pod/web-1", []string{"localhost:80", "127.0.0.1:80", "[::1]:80", "http://127.0.0.1/"}, pod("web-1", "raspi002")},
		"localhost of a Node":             {"local", []string{"localhost:10256", "127.0.0.1:10256"}, Path{Node: "raspi001"}},
		"the world":                       {"pod/client", []string{"192.0.2.1:443", "www.example.com:443", "https://www.example.com/", "https://192.0.2.1/"}, Path{}},
	} {
		for _, word := range test.spellings {
			if got := pathTo(t, w, test.from, word); got != test.want {
				t.Errorf("%s: %s from %s: got\n%+v\nwant\n%+v", name, word, test.from, got, test.want)
			}
		}
	}
}

// Every Service's own checks go where somebody gets who types their address.
func TestPlannedAddressesLeadWhereTypedOnesDo(t *testing.T) {
	w := kindsWorld(t)
	for _, c := range w.Plan(Paths, Services) {
		if _, err := netip.ParseAddr(c.Ask.Host); err != nil || c.Path.Entry == AtEndpoint || c.Path.Entry == AtIngress {
			continue // what is dialed beside a Service is told from it on purpose
		}
		if got := w.Resolve(c.Source, c.Kind, c.Ask); got != c.Path {
			t.Errorf("%s: got\n%+v\nby its address\n%+v", c.ID, c.Path, got)
		}
	}
}

func TestLookupsLeadToNames(t *testing.T) {
	w := kindsWorld(t)
	for word, want := range map[string]string{
		"dns:web": "shop/web", "dns:web.shop.svc/AAAA": "shop/web", "dns:_http._tcp.web.shop.svc/SRV": "shop/web", "dns:10.96.0.7": "shop/web", "dns:fd00::9": "shop/six",
		"dns:db-0.db": "shop/db", "dns:www.example.com": "/", "dns:192.0.2.1": "/", "dns:10.244.1.5": "/", "dns:203.0.113.9": "/",
	} {
		got := planFor(t, w, "pod/client", word)[0]
		if meant := got.Path.Name.Service.Namespace + "/" + got.Path.Name.Service.Name; meant != want || got.Path.Name.Text == "" || got.Expect.Hop != Name {
			t.Errorf("%s: got %+v, which means %s, expecting %+v, want %s", word, got.Path, meant, got.Expect, want)
		}
	}
}

func TestEndsAreTheEndpointsThatARequestMayComeTo(t *testing.T) {
	w := kindsWorld(t)
	local := func(name string) {
		changed(t, w, "shop/"+name, func(s *kube.Service) { s.LocalExternal = true })
	}
	local("np")
	local("atnode")
	const web1, web2, web3 = "10.244.1.5:80", "10.244.1.6:80", "10.244.2.5:80"
	outside := kindsWorld(t)
	outside.LocalNode, outside.Services = "", w.Services
	for name, test := range map[string]struct {
		w        *World
		from, to string
		want     []string
	}{
		"a ClusterIP":                          {w, "pod/client", "web:8080", []string{web1, web2, web3}},
		"a headless name":                      {w, "pod/client", "db:5432", []string{web1, web2}},
		"a port that there is not":             {w, "pod/client", "web:80", nil},
		"a node port of a Local one, inside":   {w, "pod/client", "node/raspi002:30080", []string{web1, web2, web3}},
		"a node port, from that Node":          {w, "node/raspi002", "node/raspi002:30080", []string{web1, web2, web3}},
		"a node port, from another Node":       {w, "node/raspi001", "node/raspi002:30080", []string{web1, web2}},
		"a node port, from outside":            {outside, "local", "node/raspi002:30080", []string{web1, web2}},
		"a node port without any, outside":     {outside, "local", "node/raspi001:30080", nil},
		"a load balancer on a Node, outside":   {outside, "local", "198.51.100.12:8000", []string{web1, web2}},
		"a load balancer on a Node, from one":  {w, "node/raspi001", "198.51.100.12:8000", []string{web1, web2, web3}},
		"a load balancer elsewhere":            {outside, "local", "203.0.113.9:80", []string{web1, web2, web3}},
		"an Ingress":                           {outside, "local", "http://shop.example.com/", []string{web1, web2, web3}},
		"a Pod":                                {w, "pod/client", "10.244.1.5:80", nil},
		"what nobody has":                      {w, "pod/client", "wep:80", nil},
		"another family than the endpoints'":   {w, "pod/client", "six:80", nil},
		"the endpoints of a hand-written list": {w, "pod/client", "manual:80", []string{"192.0.2.8:80"}},
	} {
		c := planFor(t, test.w, test.from, test.to)[0]
		if got := names(test.w.ends(c.Source, c.Path, c.Ask), endpointLabel); list(got) != list(test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

func TestRulesOfAnIngressAreReadAsNetworkingV1SaysIt(t *testing.T) {
	rule := func(host, path, kind, service string) kube.IngressRule {
		return kube.IngressRule{Host: host, Path: path, PathType: kind, Backend: kube.Backend{Service: service}}
	}
	i := &kube.Ingress{Rules: []kube.IngressRule{
		rule("a.example.com", "/", "Prefix", "root"),
		rule("a.example.com", "/foo/", "Prefix", "foo"),
		rule("a.example.com", "/foo/bar", "Prefix", "bar"),
		rule("a.example.com", "/foo/bar", "Exact", "exact"),
		rule("*.example.com", "/", "Prefix", "wild"),
		rule("", "/any", "Prefix", "any"),
		rule("b.example.com", "/imp", "ImplementationSpecific", "imp"),
	}}
	for request, want := range map[[2]string]string{
		{"a.example.com", "/"}: "root", {"a.example.com", "/x"}: "root", {"A.Example.com", "/x"}: "root",
		{"a.example.com", "/foo"}: "foo", {"a.example.com", "/foo/x"}: "foo", {"a.example.com", "/foobar"}: "root",
		{"a.example.com", "/foo/bar"}: "exact", {"a.example.com", "/foo/bar/x"}: "bar", {"a.example.com", "/foo/barx"}: "foo",
		{"b.example.com", "/"}: "wild", {"c.b.example.com", "/"}: "", {"example.com", "/"}: "", {".example.com", "/"}: "",
		{"b.example.com", "/imports"}: "imp", {"c.example.net", "/any/x"}: "any", {"c.example.net", "/anyx"}: "",
	} {
		got, ok := ruleFor(i, request[0], request[1])
		if got.Backend.Service != want || ok != (want != "") {
			t.Errorf("%s%s: got %q, %t, want %q", request[0], request[1], got.Backend.Service, ok, want)
		}
	}
	i.Default = &kube.Backend{Service: "rest"}
	if got, ok := ruleFor(i, "nowhere", "/"); !ok || got.Backend.Service != "rest" {
		t.Errorf("a default: got %+v, %t", got, ok)
	}
}
