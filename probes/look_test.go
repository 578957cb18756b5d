package probes

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"podpath/kube"
	"podpath/kube/demo/fixture"
	"podpath/probes/path"
	"podpath/probes/path/manifest"
	"podpath/probes/wire"
)

// reader has what a snapshot lacks, or may not see it.
type reader struct {
	ingresses, policies, labels, exists error
	list                                []*kube.NetworkPolicy
	namespaces                          map[string]*kube.Snapshot
	abroad                              []*kube.Ingress // in other namespaces
}

func (r reader) Ingresses(_ context.Context, scope kube.Scope) ([]*kube.Ingress, error) {
	if scope.All() {
		return append([]*kube.Ingress{{Namespace: "shop", Name: "front"}}, r.abroad...), r.ingresses
	}
	return []*kube.Ingress{{Namespace: scope.Namespace, Name: "front"}}, r.ingresses
}

func (r reader) NetworkPolicies(context.Context, kube.Scope) ([]*kube.NetworkPolicy, error) {
	return r.list, r.policies
}

func (r reader) NamespaceLabels(context.Context) (map[string]kube.Labels, error) {
	return map[string]kube.Labels{"shop": nil}, r.labels
}

func (r reader) ServiceAt(context.Context, string) (kube.Key, bool, error) {
	return kube.Key{}, false, nil
}

func (r reader) ServiceNamed(_ context.Context, name string) (kube.Key, bool, error) {
	for _, s := range r.namespaces {
		for _, svc := range s.Services {
			if svc.Name == name {
				return svc.Key(), true, nil
			}
		}
	}
	return kube.Key{}, false, nil
}

func (r reader) PodAt(_ context.Context, address string) (kube.Key, bool, error) {
	return r.pod(func(p *kube.Pod) bool { return p.IP() == address })
}

func (r reader) PodSelected(_ context.Context, selector kube.Labels) (kube.Key, bool, error) {
	return r.pod(func(p *kube.Pod) bool { return selector.Select(p.Labels) })
}

func (r reader) pod(wanted func(*kube.Pod) bool) (kube.Key, bool, error) {
	for _, s := range r.namespaces {
		if i := slices.IndexFunc(s.Pods, wanted); i >= 0 {
			return s.Pods[i].Key(), true, nil
		}
	}
	return kube.Key{}, false, nil
}

func (r reader) NamespaceExists(_ context.Context, name string) (bool, error) {
	return r.namespaces[name] != nil, r.exists
}

func (r reader) ReadNamespace(_ context.Context, name string) (*kube.Snapshot, error) {
	if s := r.namespaces[name]; s != nil {
		return s, nil
	}
	return nil, errors.New("denied")
}

func (r reader) PolicyEngines(context.Context) ([]string, error) { return []string{"cilium.io"}, nil }

// shop is what podpath sees of the namespace of the story.
func shop(t *testing.T) *kube.Snapshot {
	t.Helper()
	return fixture.Snapshot(t, kube.Scope{Namespace: "shop"}, manifest.Noon, manifest.Story())
}

func TestLookTellsWhatItMayNotSee(t *testing.T) {
	denied, some := errors.New("denied"), []*kube.NetworkPolicy{{Name: "in"}}
	snapshot := shop(t)
	for name, test := range map[string]struct {
		reader          reader
		unknown, labels int
		policiesUnknown bool
	}{
		"all is seen":                      {reader{list: some}, 0, 1, false},
		"without policies labels are idle": {reader{labels: denied}, 0, 0, false},
		"no Ingresses":                     {reader{ingresses: denied, list: some}, 1, 1, false},
		"no policies":                      {reader{policies: denied}, 1, 0, true},
		"no labels":                        {reader{list: some, labels: denied}, 1, 1, false},
	} {
		w := Look(t.Context(), snapshot, test.reader, wire.Host{}, path.Intent{})
		if len(w.Unknown) != test.unknown || len(w.NamespaceLabels) != test.labels || w.PoliciesUnknown != test.policiesUnknown || w.Home != "shop" || !slices.Equal(w.Engines, []string{"cilium.io"}) {
			t.Errorf("%s: got %v, %v, policies unknown %t, home %q, engines %v", name, w.Unknown, w.NamespaceLabels, w.PoliciesUnknown, w.Home, w.Engines)
		}
	}
}

func TestLookReadsTheNamespacesOfTargetsAsWell(t *testing.T) {
	bank := fixture.Snapshot(t, kube.Scope{Namespace: "bank"}, manifest.Noon,
		`{apiVersion: v1, kind: Service, metadata: {namespace: bank, name: vault}, spec: {clusterIP: 10.96.0.8, ports: [{port: 80}]}}`)
	snapshot := shop(t)
	for name, test := range map[string]struct {
		reader  reader
		target  string
		want    bool // that the Service is known
		unknown int
	}{
		"an object of it":                    {reader{namespaces: map[string]*kube.Snapshot{"bank": bank}}, "svc/bank/vault", true, 0},
		"a name of it":                       {reader{namespaces: map[string]*kube.Snapshot{"bank": bank}}, "vault.bank:80", true, 0},
		"a URL of it":                        {reader{namespaces: map[string]*kube.Snapshot{"bank": bank}}, "http://vault.bank.svc.cluster.local/", true, 0},
		"a namespace that there is not":      {reader{}, "vault.bank:80", false, 0},
		"one that may not be read":           {reader{exists: errors.New("denied")}, "vault.bank:80", false, 1},
		"nothing of another namespace":       {reader{namespaces: map[string]*kube.Snapshot{"bank": bank}}, "svc/web", false, 0},
		"a host that only looks like one it": {reader{namespaces: map[string]*kube.Snapshot{"bank": bank}}, "http://www.example.com/", false, 0},
	} {
		w := Look(t.Context(), snapshot, test.reader, wire.Host{}, path.Intent{Sources: []string{"pod/web-1"}, Targets: []string{test.target}})
		vault, web := w.Service(kube.Key{Namespace: "bank", Name: "vault"}), w.Service(kube.Key{Namespace: "shop", Name: "web"})
		if (vault != nil) != test.want || web == nil || len(w.Unknown) != test.unknown || (w.Looked["bank"] != nil) != test.want {
			t.Errorf("%s: got Service %v, looked into %v, unknown %v", name, vault, w.Looked, w.Unknown)
		}
	}
}

func TestLookSearchesAllNamespacesForWhatTargetsLack(t *testing.T) {
	bank := fixture.Snapshot(t, kube.Scope{Namespace: "bank"}, manifest.Noon,
		`{apiVersion: v1, kind: Service, metadata: {namespace: bank, name: vault}, spec: {clusterIP: 10.96.0.8, ports: [{port: 80}]}}`,
		manifest.Pod{Namespace: "bank", Name: "api-1", Node: "raspi001", IPs: []string{"10.244.0.9"}, App: "api"}.YAML())
	shop := fixture.Snapshot(t, kube.Scope{Namespace: "shop"}, manifest.Noon, manifest.Story(),
		manifest.Service("x", "clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9], selector: {app: api}, ports: [{port: 80}]", ""),
		manifest.Service("alias", "type: ExternalName, externalName: vault.bank.svc.cluster.local", ""))
	for target, want := range map[string]struct {
		found  bool // what is in bank
		nobody string
	}{
		"vault:80": {found: true}, "http://vault/": {found: true}, "dns:vault": {found: true}, "vault.shop:80": {found: true}, "vault.shpo:80": {found: true},
		"svc/x": {found: true}, "x:80": {found: true}, "http://x.shop/": {found: true}, "10.96.0.9:80": {found: true},
		"10.244.0.9:80": {found: true}, "10.244.0.8:80": {nobody: "10.244.0.8"},
		"alias:80": {found: true}, "svc/alias": {found: true},
		"svc/web": {}, "web:8080": {}, "10.96.0.7:8080": {}, "pod/web-2:80": {}, "nobody:80": {},
	} {
		w := Look(t.Context(), shop, reader{namespaces: map[string]*kube.Snapshot{"bank": bank}}, wire.Host{}, path.Intent{Sources: []string{"pod/web-1"}, Targets: []string{target}})
		if got := strings.Join(w.Nobody, " "); (w.Looked["bank"] != nil) != want.found || got != want.nobody || len(w.Unknown) > 0 {
			t.Errorf("%s: got %d namespaces, nobody at %q, unknown %v, want %+v", target, len(w.Looked), got, w.Unknown, want)
		}
	}
}

func TestLookFindsTheIngressOfAHostInAnotherNamespace(t *testing.T) {
	abroad := []*kube.Ingress{{Namespace: "bank", Name: "front", Addresses: []string{"203.0.113.9"}, Rules: []kube.IngressRule{{Host: "bank.example.com", Backend: kube.Backend{Service: "vault", Port: 80}}}}}
	for target, want := range map[string]int{"http://bank.example.com/": 2, "http://web/": 1, "svc/web": 1, "bank.example.com:80": 1} {
		w := Look(t.Context(), shop(t), reader{abroad: abroad}, wire.Host{}, path.Intent{Sources: []string{"local"}, Targets: []string{target}})
		if got := len(w.Ingresses); got != want {
			t.Errorf("%s: got %d Ingresses, want %d", target, got, want)
		}
	}
}

func TestTheAddressesOfThisMachineAreThoseThatOthersSee(t *testing.T) {
	for _, a := range (wire.Host{}).Addresses() {
		if a.IsLoopback() || a.Is4In6() || a == (netip.Addr{}) {
			t.Errorf("got %s among the addresses of this machine", a)
		}
	}
}
