package path

import (
	"strings"
	"testing"

	"podpath/kube"
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
		"a Pod that asks the cluster's DNS":         {to: "web:8080", comes: unknown, want: ""},
		"its name is known, the port refuses":       {to: "web:8080", change: clientWith(t, "Default", false), comes: failsAt(Refused, "web"), want: ServiceDataplane},
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
		"the same, and no such Service": {to: "wep.shop.cluster.local:8080", comes: here("cluster.local", "wep.shop.cluster.local. nxdomain"), want: ""},
		"it ends with a dot":            {to: "web.:8080", comes: here("cluster.local", "web. nxdomain"), want: OtherDomain, says: "ends with a dot and so is complete"},
		"a whole name with its dot":     {to: "web.shop.svc.cluster.local.:8080", comes: here("cluster.local", "web.shop.svc.cluster.local. nxdomain"), want: ""},
		"a name of the world":           {to: "www.example.com.:80", comes: here("cluster.local", "www.example.com. nxdomain"), want: ""},
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
