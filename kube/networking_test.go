package kube

import (
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

func TestIngressesAreRead(t *testing.T) {
	var list networkingv1.IngressList
	must(t, yaml.UnmarshalStrict([]byte(`
apiVersion: networking.k8s.io/v1
kind: IngressList
items:
- metadata: {namespace: shop, name: web}
  spec:
    ingressClassName: nginx
    defaultBackend: {service: {name: fallback, port: {number: 80}}}
    tls: [{hosts: [shop.example], secretName: cert}]
    rules:
    - host: shop.example
      http: {paths: [{path: /a, pathType: Prefix, backend: {service: {name: a, port: {name: http}}}}, {pathType: Exact, backend: {resource: {kind: Bucket, name: b}}}]}
    - host: "bare\x1b.example"
  status: {loadBalancer: {ingress: [{ip: 192.168.0.9}, {hostname: lb.example}]}}
- metadata: {namespace: shop, name: old, annotations: {kubernetes.io/ingress.class: traefik}}
`), &list))
	got, err := (&answering{answers: []any{list}}).client(t).Ingresses(t.Context(), Scope{"shop"})
	must(t, err)
	fallback := Backend{Service: "fallback", Port: 80}
	want := []*Ingress{
		{
			Namespace: "shop", Name: "web", Class: "nginx", Default: &fallback, Addresses: []string{"192.168.0.9", "lb.example"},
			TLS: []IngressTLS{{Hosts: []string{"shop.example"}, Secret: "cert"}},
			Rules: []IngressRule{
				{Host: "shop.example", Path: "/a", PathType: "Prefix", Backend: Backend{Service: "a", PortName: "http"}},
				{Host: "shop.example", PathType: "Exact"},
				{Host: "bare.example", Backend: fallback},
			},
		},
		{Namespace: "shop", Name: "old", Class: "traefik"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", *got[0], *want[0])
	}
}

func TestNetworkPoliciesAreRead(t *testing.T) {
	var list networkingv1.NetworkPolicyList
	must(t, yaml.UnmarshalStrict([]byte(`
apiVersion: networking.k8s.io/v1
kind: NetworkPolicyList
items:
- metadata: {namespace: shop, name: db}
  spec:
    podSelector: {matchLabels: {app: db}}
    policyTypes: [Ingress, Egress]
    ingress:
    - from:
      - {podSelector: {matchExpressions: [{key: app, operator: In, values: [web, job]}]}}
      - {namespaceSelector: {}, podSelector: {matchLabels: {role: probe}}}
      - {ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}
      ports: [{port: 5432}, {port: sql, protocol: TCP}, {port: 8000, endPort: 8100, protocol: UDP}]
- metadata: {namespace: shop, name: ingress-only-by-default}
  spec: {podSelector: {}}
- metadata: {namespace: shop, name: both-by-default}
  spec: {podSelector: {}, egress: [{}]}
`), &list))
	got, err := (&answering{answers: []any{list}}).client(t).NetworkPolicies(t.Context(), Scope{"shop"})
	must(t, err)
	want := []*NetworkPolicy{
		{
			Namespace: "shop", Name: "db", Pods: Selector{Labels: Labels{{"app", "db"}}}, LimitsIngress: true, LimitsEgress: true,
			Ingress: []PolicyRule{{
				Peers: []PolicyPeer{
					{Pods: &Selector{Expressions: []Requirement{{"app", "In", []string{"web", "job"}}}}},
					{Pods: &Selector{Labels: Labels{{"role", "probe"}}}, Namespaces: &Selector{}},
					{CIDR: "10.0.0.0/8", Except: []string{"10.1.0.0/16"}},
				},
				Ports: []PolicyPort{{Protocol: "TCP", Port: 5432}, {Protocol: "TCP", Name: "sql"}, {Protocol: "UDP", Port: 8000, End: 8100}},
			}},
		},
		{Namespace: "shop", Name: "ingress-only-by-default", LimitsIngress: true},
		{Namespace: "shop", Name: "both-by-default", LimitsIngress: true, LimitsEgress: true, Egress: []PolicyRule{{}}},
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("got  %+v\nwant %+v", *got[i], *want[i])
		}
	}
}

func TestSelectorsFollowTheAPI(t *testing.T) {
	web := Labels{{"app", "web"}, {"tier", "front"}}
	expression := func(key, operator string, values ...string) Selector {
		return Selector{Expressions: []Requirement{{key, operator, values}}}
	}
	for name, test := range map[string]struct {
		selector Selector
		want     bool
	}{
		"empty selects all":      {Selector{}, true},
		"all labels there":       {Selector{Labels: web}, true},
		"another value":          {Selector{Labels: Labels{{"app", "db"}}}, false},
		"In":                     {expression("app", "In", "db", "web"), true},
		"In, key missing":        {expression("zone", "In", ""), false},
		"NotIn":                  {expression("app", "NotIn", "web"), false},
		"NotIn, key missing":     {expression("zone", "NotIn", "a"), true},
		"Exists":                 {expression("tier", "Exists"), true},
		"Exists, key missing":    {expression("zone", "Exists"), false},
		"DoesNotExist":           {expression("app", "DoesNotExist"), false},
		"DoesNotExist, missing":  {expression("zone", "DoesNotExist"), true},
		"an unknown operator":    {expression("app", "Like", "web"), false},
		"labels and expressions": {Selector{Labels{{"app", "web"}}, []Requirement{{"tier", "In", []string{"back"}}}}, false},
	} {
		if got := test.selector.Matches(web); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

func TestNamespaceLabels(t *testing.T) {
	var list corev1.NamespaceList
	must(t, yaml.UnmarshalStrict([]byte(`
apiVersion: v1
kind: NamespaceList
items: [{metadata: {name: shop, labels: {team: "a\x1b"}}}, {metadata: {name: bare}}]
`), &list))
	got, err := (&answering{answers: []any{review(true), list}}).client(t).NamespaceLabels(t.Context())
	must(t, err)
	if want := map[string]Labels{"shop": {{"team", "a"}}, "bare": nil}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
