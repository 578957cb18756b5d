package probes

import (
	"strings"
	"testing"

	"podpath/kube"
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
	w := lookAt(t, "", nodesYAML(),
		podSpec{name: "db", node: "raspi001", ips: []string{"10.244.0.5"}, app: "db", ports: "{name: sql, containerPort: 5432, protocol: TCP}, {containerPort: 9090, protocol: TCP}"}.yaml(),
		podSpec{name: "web", node: "raspi002", ips: []string{"10.244.1.5"}, app: "web"}.yaml(),
		podSpec{name: "batch", node: "raspi002", ips: []string{"10.244.1.6"}, app: "batch"}.yaml(),
		podSpec{name: "agent", node: "raspi003", ips: []string{"198.51.100.13"}, app: "web", host: true}.yaml(),
		podSpec{namespace: "bank", name: "web", node: "raspi003", ips: []string{"10.244.2.5"}, app: "web"}.yaml(),
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
		w := policyWorld(t, test.policies...)
		from, to := w.Pod(key(test.from)), w.Pod(key(test.to))
		got := w.denied(traffic{from: from, to: to, fromIP: from.IP(), toIP: to.IP(), port: test.port, protocol: "TCP"})
		if (got == "") != (test.denied == "") || !strings.Contains(got, test.denied) {
			t.Errorf("%s: got %q, want %q", name, got, test.denied)
		}
	}
}

func team(name string) *kube.Selector {
	return &kube.Selector{Labels: kube.Labels{{Key: "team", Value: name}}}
}

func key(name string) kube.Key {
	namespace, name, _ := strings.Cut(name, "/")
	return kube.Key{Namespace: namespace, Name: name}
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
		got := w.denied(traffic{from: web, fromIP: web.IP(), toIP: "203.0.113.9", port: 443, protocol: "TCP"})
		if (got != "") != test.denied {
			t.Errorf("%s: got %q, want denied %t", name, got, test.denied)
		}
	}
}
