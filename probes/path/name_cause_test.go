package path

import (
	"strconv"
	"strings"
	"testing"

	"podpath/kube"
	"podpath/kube/demo/fixture"
	"podpath/probes/path/manifest"
)

func TestDNSIsDownOnlyWhenItAnswersNothing(t *testing.T) {
	seen := clusters{}
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
		w := seen.onMaster(t)
		named(t, name, w, simulate(w, w.Plan(Discovery), test.what, Looks{}), test.want)
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
	w := onMaster(t, manifest.Service("ext", `type: ExternalName, externalName: nowhere.example.com`, ""))
	results := carriedOut(w, planFor(t, w, "pod/web-1", "svc/ext"), func(c Check, o *Observation) {
		if onlyDNS(c, NXDomain, "/A") != NoError {
			o.failed(c, NXDomain)
			o.Answers = answers("nowhere.example.com. nxdomain")
		}
	})
	Explain(w, results, Looks{})
	named(t, "an ExternalName", w, results, ExternalNameUnknown)
	if r := results[0]; Judge(r.Check, Observation{Values: []string{"nowhere.example.com"}}) != Pass {
		t.Errorf("%s: got a fail, want the CNAME to pass", r.ID)
	}
}

// unresolved is the outcome of what is asked for when its name has no answer of
// use; other lookups of the same source are answered.
func unresolved(kind ErrorKind, came ...string) outcome {
	return func(c Check, o *Observation) {
		if c.Asked {
			o.failed(c, kind)
			o.Stage, o.Address, o.Answers = StageResolve, "10.96.0.10:53", answers(came...)
		}
	}
}

// mute is the outcome of all lookups when no answer comes.
func mute(kind ErrorKind) outcome {
	return func(c Check, o *Observation) {
		o.failed(c, kind)
		o.Stage, o.Address, o.Answers = StageResolve, "10.96.0.10:53", answers("web.shop.svc.cluster.local. "+string(kind))
	}
}

// clientWith is the client with another dnsPolicy.
func clientWith(t *testing.T, policy string, host bool) func(*World) {
	return func(w *World) {
		changedPod(t, w, "shop/client", func(p *kube.Pod) { p.DNSPolicy, p.HostNetwork = policy, host })
	}
}

func TestWhomASourceAsksForNames(t *testing.T) {
	unknown := unresolved(NXDomain, "web.shop.example.net. nxdomain", "web. nxdomain")
	symptoms(t, map[string]symptom{
		"a Pod of the Node's network":               {to: "web:8080", change: clientWith(t, "ClusterFirst", true), comes: unknown, want: HostNetworkDNS, says: "its dnsPolicy is ClusterFirst"},
		"the same without a dnsPolicy":              {to: "http://web.shop/", change: clientWith(t, "", true), comes: unknown, want: HostNetworkDNS, says: "its dnsPolicy is ClusterFirst"},
		"the same, for a lookup":                    {to: "dns:web.shop.svc", change: clientWith(t, "ClusterFirst", true), comes: unknown, want: HostNetworkDNS},
		"the same, for a Service that is not there": {to: "wep:80", change: clientWith(t, "ClusterFirst", true), comes: unresolved(NXDomain, "wep.shop.svc.cluster.local. nxdomain"), want: HostNetworkDNS},
		"a name of the world":                       {to: "www.example.com:80", change: clientWith(t, "ClusterFirst", true), comes: unknown, want: ""},
		"it asks the cluster's DNS there":           {to: "web:8080", change: clientWith(t, "ClusterFirstWithHostNet", true), comes: unknown, want: ""},
		"a Pod that asks the Node's DNS":            {to: "web:8080", change: clientWith(t, "Default", false), comes: unknown, want: OtherDNSPolicy, says: "dnsPolicy Default"},
		"a Pod that asks whom it says itself":       {to: "web:8080", change: clientWith(t, "None", true), comes: unknown, want: OtherDNSPolicy, says: "dnsPolicy None"},
		"its search list is another one":            {to: "web:8080", change: clientWith(t, "None", false), comes: unknown, want: OtherDNSPolicy, says: "the search list of its dnsConfig does not complete web to web.shop.svc.cluster.local"},
		"the whole name, asked elsewhere":           {to: "web:8080", change: clientWith(t, "None", false), comes: unresolved(NXDomain, "web.shop.svc.cluster.local. nxdomain"), want: OtherDNSPolicy, says: "does not ask the cluster's DNS"},
		"it names the cluster's DNS": {
			to: "web:8080", change: clientWith(t, "None", false), comes: unresolved(NXDomain, "web.shop.svc.cluster.local. nxdomain"), want: "",
			docs: []string{manifest.Service("dns", "clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10], "+oneWebPort, "")},
		},
		"it does, and there is none": {
			to: "wep:8080", change: clientWith(t, "None", false), comes: unresolved(NXDomain, "wep.shop.svc.cluster.local. nxdomain"), want: NoSuchService,
			docs: []string{manifest.Service("dns", "clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10], "+oneWebPort, "")},
		},
		"a Pod that asks the cluster's DNS":   {to: "web:8080", comes: unknown, want: ""},
		"its name is known, the port refuses": {to: "web:8080", change: clientWith(t, "Default", false), comes: failsAt(Refused, "web"), want: ServiceDataplane},
	})
}

func TestPoliciesThatForgetTheDNS(t *testing.T) {
	policies := func(p ...*kube.NetworkPolicy) func(*World) { return func(w *World) { w.Policies = p } }
	port := func(protocol string, n int) kube.PolicyRule {
		return onPort(kube.PolicyPort{Protocol: protocol, Port: n})
	}
	symptoms(t, map[string]symptom{
		"nothing may leave":            {to: "web:8080", change: policies(egress("client")), comes: mute(TimedOut), want: PolicyDeniesDNS, says: "NetworkPolicy out limits"},
		"the same, for a lookup":       {to: "dns:web", change: policies(egress("client")), comes: mute(TimedOut), want: PolicyDeniesDNS},
		"the same, when it is refused": {to: "web:8080", change: policies(egress("client")), comes: mute(Refused), want: PolicyDeniesDNS},
		"only other ports may":         {to: "web:8080", change: policies(egress("", port("TCP", 8080))), comes: mute(TimedOut), want: PolicyDeniesDNS},
		"port 53 may, of TCP alone":    {to: "web:8080", change: policies(egress("client", port("TCP", 53))), comes: mute(TimedOut), want: PolicyDeniesDNS},
		"port 53 may":                  {to: "web:8080", change: policies(egress("client", port("UDP", 53))), comes: mute(TimedOut), want: DNSDown},
		"everything to some may":       {to: "web:8080", change: policies(egress("client", from(kube.PolicyPeer{CIDR: "10.96.0.0/12"}))), comes: mute(TimedOut), want: DNSDown},
		"a policy of other Pods":       {to: "web:8080", change: policies(egress("web")), comes: mute(TimedOut), want: DNSDown},
		"what may come in":             {to: "web:8080", change: policies(ingress("client")), comes: mute(TimedOut), want: DNSDown},
		"the DNS has answered":         {to: "wep:80", change: policies(egress("client")), comes: unresolved(NXDomain, "wep.shop.svc.cluster.local. nxdomain"), want: NoSuchService},
		"and then failed":              {to: "wep:80", change: policies(egress("client")), comes: unresolved(TimedOut, "wep.shop.svc.cluster.local. nxdomain", "wep. timeout"), want: NoSuchService},
		"the Pod is in its Node's net": {to: "web:8080", change: func(w *World) {
			clientWith(t, "ClusterFirstWithHostNet", true)(w)
			w.Policies = []*kube.NetworkPolicy{egress("client")}
		}, comes: mute(TimedOut), want: DNSDown},
	})
}

func TestAnswersForIPv6ThatGetLost(t *testing.T) {
	symptoms(t, map[string]symptom{
		"A is answered, AAAA is not":    {to: "web:8080", comes: unresolved(TimedOut, "web.shop.svc.cluster.local. 10.96.0.7", "web.shop.svc.cluster.local. AAAA timeout"), want: DNSLosesAAAA, says: "answers to AAAA get lost"},
		"A does not exist, AAAA is not": {to: "web:8080", comes: unresolved(TimedOut, "web.shop.svc.cluster.local. nxdomain", "web.shop.svc.cluster.local. AAAA timeout"), want: DNSLosesAAAA},
		"neither is answered":           {to: "web:8080", comes: unresolvedEverywhere("web.shop.svc.cluster.local. timeout", "web.shop.svc.cluster.local. AAAA timeout"), want: DNSDown},
		"AAAA is answered":              {to: "web:8080", comes: unresolved(NXDomain, "web.shop.svc.cluster.local. nxdomain", "web.shop.svc.cluster.local. AAAA nxdomain"), want: ""},
	})
}

func unresolvedEverywhere(came ...string) outcome {
	return func(c Check, o *Observation) {
		mute(TimedOut)(c, o)
		o.Answers = answers(came...)
	}
}

func TestNamesOfAnotherDomain(t *testing.T) {
	here := func(domain string, came ...string) outcome {
		return func(c Check, o *Observation) {
			unresolved(NXDomain, came...)(c, o)
			o.Resolver = &Resolver{Search: []string{"shop.svc." + domain, "svc." + domain}}
		}
	}
	symptoms(t, map[string]symptom{
		"of another cluster":            {to: "http://web.shop.svc.prod.example/", comes: here("cluster.local", "web.shop.svc.prod.example. nxdomain"), want: OtherDomain, says: "web.shop.svc.cluster.local"},
		"this cluster is the other one": {to: "web.shop.svc.cluster.local:8080", comes: here("prod.example", "web.shop.svc.cluster.local. nxdomain"), want: OtherDomain, says: "web.shop.svc.prod.example"},
		"a lookup":                      {to: "dns:web.shop.svc.prod.example.", comes: here("cluster.local", "web.shop.svc.prod.example. nxdomain"), want: OtherDomain, says: "the name would be web.shop.svc.cluster.local."},
		"it is this cluster's domain":   {to: "web.shop.svc.prod.example:8080", comes: here("prod.example", "web.shop.svc.prod.example. nxdomain"), want: ""},
		"without a domain":              {to: "wep.shop.svc:8080", comes: here("cluster.local", "wep.shop.svc.cluster.local. nxdomain"), want: NoSuchService},
		"nobody says that it is not":    {to: "web.shop.svc.prod.example:8080", comes: here("cluster.local", "web.shop.svc.prod.example. servfail"), want: ""},
		"the word svc is missing":       {to: "web.shop.cluster.local:8080", comes: here("cluster.local", "web.shop.cluster.local. nxdomain"), want: OtherDomain, says: "goes on with .cluster.local, and names of Services here go on with .svc.cluster.local: the name would be web.shop.svc.cluster.local."},
		"the same, and no such Service": {to: "wep.shop.cluster.local:8080", comes: here("cluster.local", "wep.shop.cluster.local. nxdomain"), want: NoSuchName},
		"it ends with a dot":            {to: "web.:8080", comes: here("cluster.local", "web. nxdomain"), want: OtherDomain, says: "ends with a dot and so is complete"},
		"a whole name with its dot":     {to: "web.shop.svc.cluster.local.:8080", comes: here("cluster.local", "web.shop.svc.cluster.local. nxdomain"), want: ""},
		"a name of the world":           {to: "www.example.com.:80", comes: here("cluster.local", "www.example.com. nxdomain"), want: NoSuchName},
		"the DNS is down":               {to: "web.shop.svc.prod.example:8080", comes: mute(TimedOut), want: DNSDown},
	})
}

func TestMembersOfAServiceThatHaveNoName(t *testing.T) {
	db := []string{
		manifest.Service("db", `clusterIP: None, selector: {app: web}, `+oneWebPort, ""),
		manifest.Slice("db", "http", 80, named1("web-1", manifest.Endpoint("web-1", "10.244.1.5", "raspi002"))),
	}
	ready := []string{db[0], manifest.Slice("db", "http", 80, named1("web-2", manifest.Endpoint("web-2", "10.244.1.6", "raspi002")))}
	gone := func(name string) outcome { return unresolved(NXDomain, name+".shop.svc.cluster.local. nxdomain") }
	const to = "web-2.db:80"
	second := func(change func(*kube.Pod)) func(*World) {
		return func(w *World) { changedPod(t, w, "shop/web-2", change) }
	}
	symptoms(t, map[string]symptom{
		"it stands under another Service": {
			docs: db, to: to, comes: gone("web-2.db"), want: PodNameElsewhere, says: "its name is web-2.peers, and there is no Service peers",
			change: second(func(p *kube.Pod) { p.Hostname, p.Subdomain, p.Owner = "web-2", "peers", "StatefulSet/web" }),
		},
		"a lookup of it": {
			docs: db, to: "dns:web-2.db.shop.svc.cluster.local", comes: gone("web-2.db"), want: PodNameElsewhere,
			change: second(func(p *kube.Pod) { p.Hostname, p.Subdomain = "web-2", "peers" }),
		},
		"another one that there is": {
			docs: db, to: to, comes: gone("web-2.db"), want: PodNameElsewhere, says: "its name is web-2.web.",
			change: second(func(p *kube.Pod) { p.Hostname, p.Subdomain = "web-2", "web" }),
		},
		"it has no name at all": {docs: db, to: to, comes: gone("web-2.db"), want: PodNameMissing, says: "neither a hostname nor a subdomain"},
		"it has no subdomain": {
			docs: db, to: to, comes: gone("web-2.db"), want: PodNameMissing, says: "no subdomain",
			change: second(func(p *kube.Pod) { p.Hostname = "web-2" }),
		},
		"it has no hostname": {
			docs: db, to: to, comes: gone("web-2.db"), want: PodNameMissing, says: "no hostname",
			change: second(func(p *kube.Pod) { p.Subdomain = "db" }),
		},
		"it is not ready": {
			docs: db, to: to, comes: gone("web-2.db"), want: PodNameNotReady, says: "is not ready",
			change: second(func(p *kube.Pod) { p.Hostname, p.Subdomain, p.IsReady, p.Status = "web-2", "db", false, "Running" }),
		},
		"by its hostname": {
			docs: db, to: "second.db:80", comes: gone("second.db"), want: PodNameNotReady,
			change: second(func(p *kube.Pod) { p.Hostname, p.Subdomain, p.IsReady = "second", "db", false }),
		},
		"it is ready and has its name": {
			docs: ready, to: to, comes: gone("web-2.db"), want: "",
			change: second(func(p *kube.Pod) { p.Hostname, p.Subdomain = "web-2", "db" }),
		},
		"there is no such Pod":           {docs: db, to: "web-9.db:80", comes: gone("web-9.db"), want: NoSuchMember, says: "Service db has no member web-9; there is web-1"},
		"there is no such Service":       {docs: db, to: "web-2.dp:80", comes: gone("web-2.dp"), want: NoSuchService, says: "no Service dp"},
		"the DNS does not know":          {docs: db, to: to, comes: unresolved(ServFail, "web-2.db.shop.svc.cluster.local. servfail"), want: ""},
		"its name is known, and refuses": {docs: ready, to: to, comes: failsAt(Refused, to[:8]), want: NotListening},
		"it has another hostname": {
			docs: db, to: to, comes: gone("web-2.db"), want: PodNameElsewhere, says: "Pod web-2 has no name web-2 under Service db: its hostname is second; its name is second.db.",
			change: second(func(p *kube.Pod) { p.Hostname, p.Subdomain = "second", "db" }),
		},
		"the selector leaves it out": {
			docs: ready, to: "web-1.db:80", comes: gone("web-1.db"), want: NoSuchMember, says: "its selector app=web does not match Pod web-1, which has app=wep.",
			change: func(w *World) {
				changedPod(t, w, "shop/web-1", func(p *kube.Pod) {
					p.Hostname, p.Subdomain, p.Labels = "web-1", "db", kube.Labels{{Key: "app", Value: "wep"}}
				})
				changed(t, w, "shop/db", func(s *kube.Service) { s.Endpoints[0].Hostname = "web-2" })
			},
		},
		"the selector leaves all out": {
			docs: []string{manifest.Service("db", `clusterIP: None, selector: {app: wep}, `+oneWebPort, "")}, to: to, comes: gone("web-2.db"), want: SelectorMatchesNothing, says: "has app=web instead of wep",
			change: second(func(p *kube.Pod) { p.Hostname, p.Subdomain = "web-2", "db" }),
		},
		"the namespace stands first": {to: "shop.web:8080", comes: gone("shop.web"), want: NoSuchMember, says: "it comes behind the Service, as in web.shop."},
		"the Service stands first": {
			docs: db, to: "db.web-2:80", comes: gone("db.web-2"), want: NoSuchService, says: "There is no Service web-2 in namespace shop, but a Pod of that name, and its name is web-2.db.",
			change: second(func(p *kube.Pod) { p.Hostname, p.Subdomain = "web-2", "db" }),
		},
		"its own name alone": {
			docs: db, to: "web-2:80", comes: gone("web-2"), want: NoSuchService, says: "and its name is web-2.db.",
			change: second(func(p *kube.Pod) { p.Hostname, p.Subdomain = "web-2", "db" }),
		},
		"not ready, but published": {docs: db, to: to, comes: gone("web-2.db"), want: "", change: func(w *World) {
			second(func(p *kube.Pod) { p.Hostname, p.Subdomain, p.IsReady = "web-2", "db", false })(w)
			changed(t, w, "shop/db", func(s *kube.Service) { s.PublishNotReady = true })
		}},
	})
}

func TestExternalNamesThatAreAddresses(t *testing.T) {
	ext := func(name string) []string {
		return []string{manifest.Service("ext", `type: ExternalName, externalName: "`+name+`", ports: [{name: https, port: 443, protocol: TCP}]`, "")}
	}
	unknown := unresolved(NXDomain, "ext.shop.svc.cluster.local. nxdomain")
	symptoms(t, map[string]symptom{
		"an address":               {docs: ext("192.0.2.8"), to: "svc/ext", comes: unknown, want: ExternalNameAddress, says: "192.0.2.8, which is an address"},
		"with a port":              {docs: ext("192.0.2.8"), to: "ext:443", comes: unknown, want: ExternalNameAddress},
		"by a URL, of IPv6":        {docs: ext("fd00::8"), to: "https://ext.shop/", comes: unknown, want: ExternalNameAddress},
		"a name that nobody knows": {docs: ext("192.0.2.8.example"), to: "ext:443", comes: unknown, want: ExternalNameUnknown},
		"the DNS fails on it":      {docs: ext("www.example.com"), to: "ext:443", comes: unresolved(ServFail, "ext.shop.svc.cluster.local. servfail"), want: ExternalNameUnknown},
		"the DNS is down":          {docs: ext("www.example.com"), to: "ext:443", comes: mute(TimedOut), want: DNSDown},
		"it is known, and refuses": {docs: ext("www.example.com"), to: "ext:443", comes: failsAt(Refused, "ext"), want: ""},
	})
}

func TestExternalNamesThatStandForServices(t *testing.T) {
	to := func(name, of string) string {
		return manifest.Service(name, "type: ExternalName, externalName: "+of, "")
	}
	ext := func(of string, more ...string) []string { return append([]string{to("ext", of)}, more...) }
	const unknown = "stands for the name "
	unlisted := func(w *World) { w.Snapshot = fixture.WithState(w.Snapshot, kube.Namespaces, kube.State{}) }
	gone := unresolved(NoData, "ext.shop.svc.cluster.local. nodata")
	empty := manifest.Service("db", `clusterIP: None, selector: {app: wep}, `+oneWebPort, "")
	symptoms(t, map[string]symptom{
		"none is called that":          {docs: ext("wep.shop.svc.cluster.local"), to: "ext:80", comes: gone, want: ExternalNameUnknown, says: "there is no Service wep in namespace shop, but one called web."},
		"of no namespace":              {docs: ext("web.shpo.svc.cluster.local"), to: "http://ext/", comes: gone, want: ExternalNameUnknown, says: "there is no Service web in namespace shpo, but one in shop", change: func(w *World) { w.Absent = []string{"shpo"} }},
		"of a namespace not read":      {docs: ext("web.bank.svc.cluster.local"), to: "ext:80", comes: gone, want: ExternalNameUnknown, says: "which the cluster's DNS cannot resolve.", change: unlisted},
		"a short name":                 {docs: ext("web.shop"), to: "ext:80", comes: gone, want: ExternalNameUnknown, says: "no search list completes it, and the whole name would be web.shop.svc.cluster.local."},
		"shorter still":                {docs: ext("web"), to: "svc/ext", comes: gone, want: ExternalNameUnknown, says: "the whole name would be web.shop.svc.cluster.local."},
		"of another domain":            {docs: ext("web.shop.svc.prod.example"), to: "ext:80", comes: gone, want: ExternalNameUnknown, says: "this cluster's domain is cluster.local, and the name would be web.shop.svc.cluster.local."},
		"itself":                       {docs: ext("ext.shop.svc.cluster.local"), to: "ext:80", comes: gone, want: ExternalNameUnknown, says: "it leads in a circle, back to Service ext."},
		"each other":                   {docs: ext("back.shop.svc.cluster.local", to("back", "ext.shop.svc.cluster.local")), to: "ext:80", comes: gone, want: ExternalNameUnknown, says: "it leads in a circle"},
		"a member that is not there":   {docs: ext("web-9.db.shop.svc.cluster.local", empty), to: "ext:80", comes: gone, want: ExternalNameUnknown, says: "Service db has no member web-9 that is ready."},
		"a name of the world":          {docs: ext("www.example.com"), to: "ext:80", comes: gone, want: ExternalNameUnknown, says: unknown + "www.example.com, which the cluster's DNS cannot resolve."},
		"one without endpoints":        {docs: ext("db.shop.svc.cluster.local", empty), to: "ext:80", comes: gone, want: SelectorMatchesNothing, says: "app=wep"},
		"the same, looked up":          {docs: ext("db.shop.svc.cluster.local", empty), to: "dns:ext", comes: gone, want: SelectorMatchesNothing},
		"one that refuses":             {docs: ext("web.shop.svc.cluster.local"), to: "http://ext:8080/", comes: failsAt(Refused, "ext"), want: ServiceDataplane},
		"by way of another":            {docs: ext("back.shop.svc.cluster.local", to("back", "web.shop.svc.cluster.local")), to: "ext:8080", comes: failsAt(Refused, "ext"), want: ServiceDataplane},
		"one without that port":        {docs: ext("web.shop.svc.cluster.local"), to: "ext:80", comes: fails(TimedOut), want: NoSuchPort, says: "Service web has no TCP port 80"},
		"one whose Pods are elsewhere": {docs: ext("x.shop.svc.cluster.local", manifest.Service("x", clusterIP+"selector: {app: webb}, "+oneWebPort, "")), to: "http://ext/", comes: fails(Refused), want: SelectorMatchesNothing, says: "instead of webb"},
	})
}

func TestNamesWithoutAnAddressFailForTheReasonOfTheirService(t *testing.T) {
	db := func(selector string) string {
		return manifest.Service("db", "clusterIP: None, selector: {"+selector+"}, "+oneWebPort, "")
	}
	gone := unresolved(NXDomain, "db.shop.svc.cluster.local. nxdomain")
	api := manifest.Pod{Name: "api-1", Node: "raspi003", IPs: []string{"10.244.2.9"}, App: "api", NotReady: true}.YAML()
	unready := manifest.Slice("db", "http", 80, manifest.Endpoint("api-1", "10.244.2.9", "raspi003", "ready: false"))
	symptoms(t, map[string]symptom{
		"no Pod is selected":         {docs: []string{db("app: wep")}, to: "db:80", comes: gone, want: SelectorMatchesNothing, says: "instead of wep"},
		"the same, by a URL":         {docs: []string{db("app: wep")}, to: "http://db.shop/", comes: gone, want: SelectorMatchesNothing},
		"the same, looked up":        {docs: []string{db("app: wep")}, to: "dns:db", comes: gone, want: SelectorMatchesNothing},
		"the same, of another port":  {docs: []string{db("app: wep")}, to: "db:81", comes: gone, want: SelectorMatchesNothing},
		"no Pod is ready":            {docs: []string{db("app: api"), api, unready}, to: "db:80", comes: gone, want: NoReadyEndpoint, says: "The only endpoint is not ready"},
		"some are":                   {docs: []string{db("app: web"), manifest.WebSlice("db")}, to: "db:80", comes: gone, want: ""},
		"the DNS fails":              {docs: []string{db("app: wep")}, to: "db:80", comes: unresolved(ServFail, "db.shop.svc.cluster.local. servfail"), want: ""},
		"a record of no port":        {to: "dns:_htp._tcp.web", comes: unresolved(NXDomain, "_htp._tcp.web.shop.svc.cluster.local. nxdomain"), want: NoSuchPort, says: `Service web has no TCP port called htp; it has "http" of TCP (8080).`},
		"one of another protocol":    {to: "dns:_http._udp.web.shop", comes: unresolved(NXDomain, "_http._udp.web.shop.svc.cluster.local. nxdomain"), want: NoSuchPort, says: "no UDP port called http"},
		"a record that should exist": {to: "dns:_http._tcp.web", comes: unresolved(NXDomain, "_http._tcp.web.shop.svc.cluster.local. nxdomain"), want: ""},
	})
}

func TestHostsOfAnIngressThatNoDNSKnows(t *testing.T) {
	front := func(addresses ...string) func(*World) {
		return func(w *World) {
			w.Ingresses = []*kube.Ingress{{Namespace: "shop", Name: "front", Addresses: addresses, Rules: []kube.IngressRule{
				{Host: "shop.example.com", Path: "/", PathType: "Prefix", Backend: kube.Backend{Service: "gone", Port: 80}},
			}}}
		}
	}
	gone := func(host string) outcome { return unresolved(NXDomain, host+". nxdomain") }
	symptoms(t, map[string]symptom{
		"it is for the host":       {to: "http://shop.example.com/", change: front("203.0.113.9"), comes: gone("shop.example.com"), want: NoSuchName, says: "Ingress front is for it, and an Ingress makes no record: somebody has to make the name lead to 203.0.113.9."},
		"nobody serves it":         {to: "http://shop.example.com/", change: front(), comes: gone("shop.example.com"), want: NoSuchName, says: "which has given it no address yet."},
		"from a machine":           {from: "local", to: "https://shop.example.com/", change: front("203.0.113.9"), comes: gone("shop.example.com"), want: NoSuchName, says: "203.0.113.9"},
		"nearly the host":          {to: "http://shpo.example.com/", change: front("203.0.113.9"), comes: gone("shpo.example.com"), want: NoSuchName, says: "there is an Ingress for shop.example.com."},
		"another one":              {to: "http://www.example.com/", change: front("203.0.113.9"), comes: gone("www.example.com"), want: NoSuchName, says: "knows no name www.example.com, nor does anybody that it asks."},
		"nobody says so":           {to: "http://shop.example.com/", change: front("203.0.113.9"), comes: unresolved(ServFail, "shop.example.com. servfail"), want: ""},
		"it is known, and refuses": {to: "http://shop.example.com/", change: front("203.0.113.9"), comes: failsAt(Refused, "shop.example.com"), want: IngressBackendMissing},
	})
}

func TestAnExternalNameForAServiceIsAskedAtItsPorts(t *testing.T) {
	own := `, ports: [{name: http, port: 8080, protocol: TCP}]`
	for name, test := range map[string]struct{ spec, to, want string }{
		"its own":              {"externalName: web.shop.svc.cluster.local" + own, "svc/ext", "8080"},
		"those of the Service": {"externalName: web.shop.svc.cluster.local", "svc/ext", "8080"},
		"the one that is said": {"externalName: web.shop.svc.cluster.local" + own, "svc/ext:81", "81"},
		"by its name":          {"externalName: web.shop.svc.cluster.local" + own, "svc/ext:http", "8080"},
		"of the world":         {"externalName: www.example.com" + own, "svc/ext", ""},
	} {
		w := onMaster(t, clientPod, manifest.Service("ext", "type: ExternalName, "+test.spec, ""))
		got := ""
		for _, c := range planFor(t, w, "pod/client", test.to) {
			if c.Kind == TCP {
				got += strconv.Itoa(c.Ask.Port)
				if web := (kube.Key{Namespace: "shop", Name: "web"}); c.Path.Service != web {
					t.Errorf("%s: got a path to %s, want %s", name, c.Path.Service, web)
				}
			}
		}
		if got != test.want {
			t.Errorf("%s: got the ports %q, want %q", name, got, test.want)
		}
	}
}
