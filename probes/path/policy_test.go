package path

import (
	"strings"
	"testing"

	"podpath/kube"
	"podpath/probes/path/manifest"
)

// selecting is a selector of app=NAME; of everything when there is no name.
func selecting(app string) kube.Selector {
	if app == "" {
		return kube.Selector{}
	}
	return kube.Selector{Labels: kube.Labels{{Key: "app", Value: app}}}
}

func podsOf(app string) *kube.Selector { s := selecting(app); return &s }

// policyWorld has Pods of three apps in two namespaces, and one in the network
// of a Node.
func policyWorld(t testing.TB, policies ...*kube.NetworkPolicy) *World {
	t.Helper()
	w := lookAt(t, "", manifest.Nodes(),
		manifest.Pod{Name: "db", Node: "raspi001", IPs: []string{"10.244.0.5"}, App: "db", Ports: "{name: sql, containerPort: 5432, protocol: TCP}, {containerPort: 9090, protocol: TCP}"}.YAML(),
		manifest.Pod{Name: "web", Node: "raspi002", IPs: []string{"10.244.1.5"}, App: "web"}.YAML(),
		manifest.Pod{Name: "batch", Node: "raspi002", IPs: []string{"10.244.1.6"}, App: "batch"}.YAML(),
		manifest.Pod{Name: "agent", Node: "raspi003", IPs: []string{"198.51.100.13"}, App: "web", Host: true}.YAML(),
		manifest.Pod{Namespace: "bank", Name: "web", Node: "raspi003", IPs: []string{"10.244.2.5"}, App: "web"}.YAML(),
	)
	w.NamespaceLabels = map[string]kube.Labels{"shop": {{Key: "team", Value: "shop"}}, "bank": {{Key: "team", Value: "bank"}}}
	w.Policies = policies
	return w
}

func ingress(app string, rules ...kube.PolicyRule) *kube.NetworkPolicy {
	return &kube.NetworkPolicy{Namespace: "shop", Name: "in", Pods: selecting(app), LimitsIngress: true, Ingress: rules}
}

func egress(app string, rules ...kube.PolicyRule) *kube.NetworkPolicy {
	return &kube.NetworkPolicy{Namespace: "shop", Name: "out", Pods: selecting(app), LimitsEgress: true, Egress: rules}
}

func from(peers ...kube.PolicyPeer) kube.PolicyRule { return kube.PolicyRule{Peers: peers} }

func onPort(p kube.PolicyPort) kube.PolicyRule {
	if p.Protocol == "" {
		p.Protocol = "TCP"
	}
	return kube.PolicyRule{Ports: []kube.PolicyPort{p}}
}

func TestNetworkPoliciesAreReadAsNetworkingV1SaysIt(t *testing.T) {
	cluster := policyWorld(t)
	const db, web, batch, agent, bank = "shop/db", "shop/web", "shop/batch", "shop/agent", "bank/web"
	for name, test := range map[string]struct {
		policies []*kube.NetworkPolicy
		from, to string
		port     int
		denied   string // words of why; "" when it is permitted
	}{
		"without policies everything is permitted":             {nil, web, db, 5432, ""},
		"a policy of other Pods does not count":                {[]*kube.NetworkPolicy{ingress("other")}, web, db, 5432, ""},
		"a policy of another namespace does not count":         {[]*kube.NetworkPolicy{ingress("")}, web, bank, 80, ""},
		"an empty podSelector selects all Pods":                {[]*kube.NetworkPolicy{ingress("")}, web, db, 5432, "NetworkPolicy in selects db, and no rule permits this in its ingress"},
		"ingress without rules denies all":                     {[]*kube.NetworkPolicy{ingress("db")}, web, db, 5432, "its ingress"},
		"an empty rule permits all":                            {[]*kube.NetworkPolicy{ingress("db", kube.PolicyRule{})}, bank, db, 5432, ""},
		"ingress says nothing about egress":                    {[]*kube.NetworkPolicy{ingress("web")}, web, db, 5432, ""},
		"egress of the source counts":                          {[]*kube.NetworkPolicy{egress("web")}, web, db, 5432, "NetworkPolicy out selects web, and no rule permits this in its egress"},
		"egress of the target does not":                        {[]*kube.NetworkPolicy{egress("db")}, web, db, 5432, ""},
		"both ends must permit":                                {[]*kube.NetworkPolicy{ingress("db", from(kube.PolicyPeer{Pods: podsOf("web")})), egress("web")}, web, db, 5432, "its egress"},
		"a Pod of the same namespace":                          {[]*kube.NetworkPolicy{ingress("db", from(kube.PolicyPeer{Pods: podsOf("web")}))}, web, db, 5432, ""},
		"another Pod of the same namespace":                    {[]*kube.NetworkPolicy{ingress("db", from(kube.PolicyPeer{Pods: podsOf("web")}))}, batch, db, 5432, "its ingress"},
		"a podSelector alone means the policy's namespace":     {[]*kube.NetworkPolicy{ingress("db", from(kube.PolicyPeer{Pods: podsOf("web")}))}, bank, db, 5432, "its ingress"},
		"both selectors in one peer: its Pod":                  {[]*kube.NetworkPolicy{ingress("db", from(kube.PolicyPeer{Pods: podsOf("web"), Namespaces: team("bank")}))}, bank, db, 5432, ""},
		"both selectors in one peer: not here":                 {[]*kube.NetworkPolicy{ingress("db", from(kube.PolicyPeer{Pods: podsOf("web"), Namespaces: team("bank")}))}, web, db, 5432, "its ingress"},
		"selectors in two peers: all of the namespace":         {[]*kube.NetworkPolicy{ingress("db", from(kube.PolicyPeer{Pods: podsOf("batch")}, kube.PolicyPeer{Namespaces: team("bank")}))}, bank, db, 5432, ""},
		"selectors in two peers: the Pod here":                 {[]*kube.NetworkPolicy{ingress("db", from(kube.PolicyPeer{Pods: podsOf("batch")}, kube.PolicyPeer{Namespaces: team("bank")}))}, batch, db, 5432, ""},
		"selectors in two peers: neither":                      {[]*kube.NetworkPolicy{ingress("db", from(kube.PolicyPeer{Pods: podsOf("batch")}, kube.PolicyPeer{Namespaces: team("bank")}))}, web, db, 5432, "its ingress"},
		"an empty namespaceSelector is every namespace":        {[]*kube.NetworkPolicy{ingress("db", from(kube.PolicyPeer{Namespaces: &kube.Selector{}}))}, bank, db, 5432, ""},
		"policies add up":                                      {[]*kube.NetworkPolicy{ingress("db"), ingress("", from(kube.PolicyPeer{Pods: podsOf("web")}))}, web, db, 5432, ""},
		"an ipBlock":                                           {[]*kube.NetworkPolicy{ingress("db", from(kube.PolicyPeer{CIDR: "10.244.1.0/24"}))}, web, db, 5432, ""},
		"an ipBlock of others":                                 {[]*kube.NetworkPolicy{ingress("db", from(kube.PolicyPeer{CIDR: "10.244.2.0/24"}))}, web, db, 5432, "its ingress"},
		"except":                                               {[]*kube.NetworkPolicy{ingress("db", from(kube.PolicyPeer{CIDR: "10.244.0.0/16", Except: []string{"10.244.1.5/32"}}))}, web, db, 5432, "its ingress"},
		"except of others":                                     {[]*kube.NetworkPolicy{ingress("db", from(kube.PolicyPeer{CIDR: "10.244.0.0/16", Except: []string{"10.244.1.5/32"}}))}, batch, db, 5432, ""},
		"an ipBlock that is none":                              {[]*kube.NetworkPolicy{ingress("db", from(kube.PolicyPeer{CIDR: "10.244.1.5"}))}, web, db, 5432, "its ingress"},
		"the port":                                             {[]*kube.NetworkPolicy{ingress("db", onPort(kube.PolicyPort{Port: 5432}))}, web, db, 5432, ""},
		"another port":                                         {[]*kube.NetworkPolicy{ingress("db", onPort(kube.PolicyPort{Port: 5432}))}, web, db, 9090, "its ingress"},
		"a port's name":                                        {[]*kube.NetworkPolicy{ingress("db", onPort(kube.PolicyPort{Name: "sql"}))}, web, db, 5432, ""},
		"another port's name":                                  {[]*kube.NetworkPolicy{ingress("db", onPort(kube.PolicyPort{Name: "sql"}))}, web, db, 9090, "its ingress"},
		"a port's name for egress is that of the target":       {[]*kube.NetworkPolicy{egress("web", onPort(kube.PolicyPort{Name: "sql"}))}, web, db, 5432, ""},
		"the last port of a range":                             {[]*kube.NetworkPolicy{ingress("db", onPort(kube.PolicyPort{Port: 5000, End: 5432}))}, web, db, 5432, ""},
		"behind a range":                                       {[]*kube.NetworkPolicy{ingress("db", onPort(kube.PolicyPort{Port: 5000, End: 5431}))}, web, db, 5432, "its ingress"},
		"before a range":                                       {[]*kube.NetworkPolicy{ingress("db", onPort(kube.PolicyPort{Port: 5433, End: 6000}))}, web, db, 5432, "its ingress"},
		"all ports of TCP":                                     {[]*kube.NetworkPolicy{ingress("db", onPort(kube.PolicyPort{}))}, web, db, 9090, ""},
		"all ports of UDP":                                     {[]*kube.NetworkPolicy{ingress("db", onPort(kube.PolicyPort{Protocol: "UDP"}))}, web, db, 9090, "its ingress"},
		"peers and ports of one rule belong together":          {[]*kube.NetworkPolicy{ingress("db", kube.PolicyRule{Peers: []kube.PolicyPeer{{Pods: podsOf("batch")}}, Ports: onPort(kube.PolicyPort{Port: 5432}).Ports}, from(kube.PolicyPeer{Pods: podsOf("other")}))}, web, db, 5432, "its ingress"},
		"hostNetwork Pods are not limited":                     {[]*kube.NetworkPolicy{ingress(""), egress("")}, agent, agent, 80, ""},
		"hostNetwork Pods match no podSelector":                {[]*kube.NetworkPolicy{ingress("db", from(kube.PolicyPeer{Pods: podsOf("web")}))}, agent, db, 5432, "its ingress"},
		"hostNetwork Pods match an ipBlock":                    {[]*kube.NetworkPolicy{ingress("db", from(kube.PolicyPeer{CIDR: "198.51.100.0/24"}))}, agent, db, 5432, ""},
		"an unknown namespace has no labels to be selected by": {[]*kube.NetworkPolicy{ingress("db", from(kube.PolicyPeer{Namespaces: team("nobody")}))}, bank, db, 5432, "its ingress"},
	} {
		w := fresh(cluster)
		w.Policies = test.policies
		from, to := w.Pod(key(test.from)), w.Pod(key(test.to))
		got := denied(w, traffic{from: from, to: to, fromIP: from.IP(), toIP: to.IP(), port: test.port, protocol: "TCP"})
		if (got == "") != (test.denied == "") || !strings.Contains(got, test.denied) {
			t.Errorf("%s: got %q, want %q", name, got, test.denied)
		}
	}
}

func team(name string) *kube.Selector {
	return &kube.Selector{Labels: kube.Labels{{Key: "team", Value: name}}}
}

// denied says why policies at either end do not permit traffic, or "".
func denied(w *World, t traffic) string {
	for _, p := range []PolicyWalk{w.leave(t), w.enter(t)} {
		if p.Ruling == Denied {
			return p.Why
		}
	}
	return ""
}

func TestNetworkPoliciesSeeAddressesOutsideOfTheCluster(t *testing.T) {
	for name, test := range map[string]struct {
		peer   kube.PolicyPeer
		denied bool
	}{
		"an ipBlock with the address":    {kube.PolicyPeer{CIDR: "203.0.113.0/24"}, false},
		"an ipBlock without the address": {kube.PolicyPeer{CIDR: "10.0.0.0/8"}, true},
		"Pods":                           {kube.PolicyPeer{Namespaces: &kube.Selector{}}, true},
	} {
		w := policyWorld(t, egress("web", from(test.peer)))
		web := w.Pod(key("shop/web"))
		got := denied(w, traffic{from: web, fromIP: web.IP(), toIP: "203.0.113.9", port: 443, protocol: "TCP"})
		if (got != "") != test.denied {
			t.Errorf("%s: got %q, want denied %t", name, got, test.denied)
		}
	}
}

func TestPoliciesThatAreNotEnforced(t *testing.T) {
	w := onMaster(t)
	w.Policies = []*kube.NetworkPolicy{ingress("web")}
	checks := planFor(t, w, "pod/web-1", "pod/web-2:80", "svc/web")
	named(t, "it gets through", w, simulate(w, checks, func(c Check) ErrorKind {
		if c.Expect.Outcome == Blocked {
			return through
		}
		return NoError
	}, Looks{}), PolicyNotEnforced)
}

func TestPoliciesSayByWhichRuleTheyRule(t *testing.T) {
	cluster := policyWorld(t)
	web := podsOf("web")
	named := func(name string, p *kube.NetworkPolicy) *kube.NetworkPolicy { p.Name = name; return p }
	for name, test := range map[string]struct {
		policies []*kube.NetworkPolicy
		change   func(*World)
		from, to string
		want     Ruling // at the target
		by       string
		rule     int
		limits   string
		why      string
	}{
		"no policy":                     {nil, nil, "shop/web", "shop/db", Permitted, "", 0, "", "no NetworkPolicy limits what"},
		"the second rule of the second": {[]*kube.NetworkPolicy{named("a", ingress("db")), named("b", ingress("db", from(kube.PolicyPeer{CIDR: "192.0.2.0/24"}), from(kube.PolicyPeer{Pods: web})))}, nil, "shop/web", "shop/db", Permitted, "b", 2, "a, b", "NetworkPolicy b permits it: ingress rule 2"},
		"the first of two that permit":  {[]*kube.NetworkPolicy{named("a", ingress("db", kube.PolicyRule{})), named("b", ingress("db", kube.PolicyRule{}))}, nil, "shop/web", "shop/db", Permitted, "a", 1, "a, b", "NetworkPolicy a permits it"},
		"two deny it":                   {[]*kube.NetworkPolicy{named("a", ingress("db")), named("b", ingress(""))}, nil, "shop/web", "shop/db", Denied, "", 0, "a, b", "NetworkPolicy a, b selects db"},
		"labels are not known":          {[]*kube.NetworkPolicy{ingress("db", from(kube.PolicyPeer{Namespaces: team("shop")}))}, func(w *World) { w.NamespaceLabels = nil }, "shop/web", "shop/db", Depends, "", 0, "in", "may not read the labels of namespaces"},
		"labels do not matter":          {[]*kube.NetworkPolicy{ingress("db", from(kube.PolicyPeer{Pods: podsOf("x")}))}, func(w *World) { w.NamespaceLabels = nil }, "shop/web", "shop/db", Denied, "", 0, "in", "no rule permits this"},
		"policies are not known":        {nil, func(w *World) { w.PoliciesUnknown = true }, "shop/web", "shop/db", Depends, "", 0, "", "may not list NetworkPolicies"},
		"one is known, and permits":     {[]*kube.NetworkPolicy{ingress("db", kube.PolicyRule{})}, func(w *World) { w.PoliciesUnknown = true }, "shop/web", "shop/db", Permitted, "in", 1, "in", "permits it"},
		"to itself":                     {[]*kube.NetworkPolicy{ingress("")}, nil, "shop/db", "shop/db", Permitted, "", 0, "", "always reaches itself"},
		"in the network of a Node":      {[]*kube.NetworkPolicy{ingress("")}, nil, "shop/web", "shop/agent", Permitted, "", 0, "", "do not apply to Pods in the network of a Node"},
		"from the Pod's own Node":       {[]*kube.NetworkPolicy{{Namespace: "bank", Name: "in", LimitsIngress: true}}, nil, "shop/agent", "bank/web", Permitted, "", 0, "", "never cut a Pod off from its own Node"},
		"from another Node":             {[]*kube.NetworkPolicy{ingress("")}, nil, "shop/agent", "shop/db", Denied, "", 0, "in", "no rule permits this"},
	} {
		w := fresh(cluster)
		w.Policies = test.policies
		if test.change != nil {
			test.change(w)
		}
		from, to := w.Pod(key(test.from)), w.Pod(key(test.to))
		got := w.enter(traffic{from: from, to: to, fromIP: from.IP(), toIP: to.IP(), port: 5432, protocol: "TCP"})
		by := ""
		if got.By != nil {
			by = got.By.Name
		}
		if got.Ruling != test.want || by != test.by || got.Rule != test.rule || list(got.Names()) != test.limits || !strings.Contains(got.Why, test.why) {
			t.Errorf("%s: got %s by %q rule %d of %v (%s), want %s by %q rule %d of %s (%s)", name, got.Ruling, by, got.Rule, got.Names(), got.Why, test.want, test.by, test.rule, test.limits, test.why)
		}
	}
}

func TestEgressIsJudgedForAPortWhoeverIsThere(t *testing.T) {
	cluster := policyWorld(t)
	udp := func(port int) kube.PolicyRule { return onPort(kube.PolicyPort{Protocol: "UDP", Port: port}) }
	for name, test := range map[string]struct {
		policies []*kube.NetworkPolicy
		pod      string
		want     Ruling
	}{
		"no policy":                       {nil, "shop/web", Permitted},
		"a policy of other Pods":          {[]*kube.NetworkPolicy{egress("db")}, "shop/web", Permitted},
		"a policy of what comes in":       {[]*kube.NetworkPolicy{ingress("web")}, "shop/web", Permitted},
		"nothing may leave":               {[]*kube.NetworkPolicy{egress("web")}, "shop/web", Denied},
		"another port may":                {[]*kube.NetworkPolicy{egress("web", udp(54))}, "shop/web", Denied},
		"the port of the other transport": {[]*kube.NetworkPolicy{egress("web", onPort(kube.PolicyPort{Port: 53}))}, "shop/web", Denied},
		"the port may, to some":           {[]*kube.NetworkPolicy{egress("web", kube.PolicyRule{Peers: []kube.PolicyPeer{{CIDR: "10.0.0.0/8"}}, Ports: udp(53).Ports})}, "shop/web", Depends},
		"all ports may, to some":          {[]*kube.NetworkPolicy{egress("web", from(kube.PolicyPeer{CIDR: "10.0.0.0/8"}))}, "shop/web", Depends},
		"one of two lets it":              {[]*kube.NetworkPolicy{egress(""), egress("web", udp(53))}, "shop/web", Depends},
		"one of two, the other way round": {[]*kube.NetworkPolicy{egress("web", udp(53)), egress("")}, "shop/web", Depends},
		"in the network of a Node":        {[]*kube.NetworkPolicy{egress("")}, "shop/agent", Permitted},
	} {
		w := fresh(cluster)
		w.Policies = test.policies
		if got := w.egressTo(w.Pod(key(test.pod)), 53, "UDP").Ruling; got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

func TestPoliciesNameTheRuleThatNearlyPermits(t *testing.T) {
	cluster := policyWorld(t)
	changed := lookAt(t, "", manifest.Nodes(), manifest.Pod{Name: "web", Node: "raspi002", IPs: []string{"10.244.1.5"}, App: "web"}.YAML(),
		manifest.Pod{Name: "db", Node: "raspi001", IPs: []string{"10.244.0.5"}, App: "db", Ports: "{name: sql, containerPort: 5432, protocol: TCP}"}.YAML(),
		manifest.Service("db", clusterIP+`selector: {app: db}, ports: [{port: 5000, targetPort: 5432, protocol: TCP}]`, ""),
		manifest.Slice("db", "", 5432, manifest.Endpoint("db", "10.244.0.5", "raspi001")))
	webAt := func(ports ...kube.PolicyPort) kube.PolicyRule {
		for i := range ports {
			ports[i].Protocol = "TCP"
		}
		return kube.PolicyRule{Peers: []kube.PolicyPeer{{Pods: podsOf("web")}}, Ports: ports}
	}
	for name, test := range map[string]struct {
		world    *World
		policy   *kube.NetworkPolicy
		from     string
		nearly   string // "" for no rule
		mustMiss string
	}{
		"no rule":               {cluster, ingress("db"), "shop/web", "", "; rule"},
		"another port":          {cluster, ingress("db", webAt(kube.PolicyPort{Port: 80}, kube.PolicyPort{Port: 8000, End: 8100})), "shop/web", "rule 1 of in permits TCP port 80, TCP ports 8000-8100, and this is TCP port 5432", ""},
		"another port's name":   {cluster, ingress("db", webAt(kube.PolicyPort{Name: "db"})), "shop/web", "rule 1 of in permits TCP port db, and", ""},
		"the Service's port":    {changed, ingress("db", webAt(kube.PolicyPort{Port: 5000})), "shop/web", "policies see the Pod's port, and not port 5000 of Service db", ""},
		"the Service's address": {changed, egress("web", from(kube.PolicyPeer{CIDR: "10.96.0.0/12"})), "shop/web", "of Service db lies: policies see the Pod's own address, 10.244.0.5", ""},
		"an address left out":   {cluster, ingress("db", from(kube.PolicyPeer{CIDR: "10.244.0.0/16", Except: []string{"10.244.1.0/24"}})), "shop/web", "rule 1 of in is for 10.244.0.0/16 except 10.244.1.0/24, where 10.244.1.5 lies", ""},
		"another label":         {cluster, ingress("db", from(kube.PolicyPeer{Pods: podsOf("api")})), "shop/web", "rule 1 of in is for Pods with app=api, and web has app=web", ""},
		"another namespace":     {cluster, ingress("db", from(kube.PolicyPeer{Pods: podsOf("web")})), "bank/web", "rule 1 of in is for Pods of namespace shop, and web is in bank", ""},
		"a namespace's label":   {cluster, ingress("db", from(kube.PolicyPeer{Namespaces: team("blue")})), "bank/web", "rule 1 of in is for namespaces with team=blue, and bank has team=bank", ""},
		"both":                  {cluster, ingress("db", from(kube.PolicyPeer{Pods: podsOf("api"), Namespaces: team("blue")})), "bank/web", "", "; rule"},
		"the network of a Node": {cluster, ingress("db", from(kube.PolicyPeer{Pods: podsOf("web")})), "shop/agent", "only an ipBlock matches", ""},
		"a rule for all, of another port": {
			cluster, ingress("db", onPort(kube.PolicyPort{Port: 53, Protocol: "UDP"}), from(kube.PolicyPeer{Pods: podsOf("api")})), "shop/web", "rule 2 of in is for Pods with app=api", "rule 1",
		},
		"the nearest of several": {cluster, ingress("db", from(kube.PolicyPeer{Pods: podsOf("api")}), webAt(kube.PolicyPort{Port: 80})), "shop/web", "rule 2 of in permits TCP port 80", "rule 1"},
		"an expression":          {cluster, ingress("db", from(kube.PolicyPeer{Pods: &kube.Selector{Expressions: []kube.Requirement{{Key: "tier", Operator: "In", Values: []string{"a", "b"}}}}})), "shop/web", "Pods with tier In (a,b)", ""},
	} {
		w := fresh(test.world)
		w.Policies = []*kube.NetworkPolicy{test.policy}
		from, to := w.Pod(key(test.from)), w.Pod(key("shop/db"))
		got := denied(w, traffic{from: from, to: to, fromIP: from.IP(), toIP: to.IP(), port: 5432, protocol: "TCP"})
		if got == "" || !strings.Contains(got, test.nearly) || test.mustMiss != "" && strings.Contains(got, test.mustMiss) {
			t.Errorf("%s: got %q, want %q and no %q", name, got, test.nearly, test.mustMiss)
		}
	}
}

func TestAServiceOfWhichPoliciesPermitSomeEndpoints(t *testing.T) {
	only := func(cidr string) func(*World) {
		return func(w *World) {
			w.Policies = []*kube.NetworkPolicy{egress("client", from(kube.PolicyPeer{CIDR: cidr}))}
		}
	}
	lostVIP := failsAt(TimedOut, "10.96.0.7", "web")
	symptoms(t, map[string]symptom{
		"it is led to one that is denied": {change: only("10.244.1.0/24"), to: "svc/web", comes: lostVIP, want: PolicyDeniesSome, says: "2 of 3 endpoints of Service web only"},
		"the same, by a URL":              {change: only("10.244.1.0/24"), to: "http://web:8080/", comes: lostVIP, want: PolicyDeniesSome},
		"it is led to one that answers":   {change: only("10.244.1.0/24"), to: "http://web:8080/", comes: nil, want: ""},
		"none is permitted":               {change: only("192.0.2.0/24"), to: "http://10.96.0.7:8080/", comes: lostVIP, want: PolicyDenies},
	})
}
