package probes

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"podpath/kube"
	"podpath/probes/wire"
)

func TestPodpathFindsTheNodeThatItRunsOn(t *testing.T) {
	w := storyWorld(t, podSpec{name: "odd", node: "raspi003", ips: []string{"172.16.0.9"}}.yaml())
	for name, test := range map[string]struct {
		addresses []string
		want      string
	}{
		"a Node's address":               {[]string{"172.17.0.1", "198.51.100.12"}, "raspi002"},
		"a Node's before one of its Pod": {[]string{"10.244.2.1", "198.51.100.11"}, "raspi001"},
		"in a Pod":                       {[]string{"10.244.2.77"}, "raspi003"},
		"in a Pod outside of the range":  {[]string{"172.16.0.9"}, "raspi003"},
		"outside":                        {[]string{"192.0.2.1", "fd00::1"}, ""},
		"without an address":             {nil, ""},
	} {
		var addresses []netip.Addr
		for _, a := range test.addresses {
			addresses = append(addresses, netip.MustParseAddr(a))
		}
		if got := nodeOf(w.Snapshot, addresses, true); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	for _, a := range (wire.Host{}).Addresses() {
		if a.IsLoopback() || a.Is4In6() {
			t.Errorf("got %s among the addresses of this machine", a)
		}
	}
}

// reader has what a snapshot lacks, or may not see it.
type reader struct {
	ingresses, policies, labels error
	list                        []*kube.NetworkPolicy
}

func (r reader) Ingresses(context.Context, kube.Scope) ([]*kube.Ingress, error) {
	return []*kube.Ingress{{Name: "front"}}, r.ingresses
}

func (r reader) NetworkPolicies(context.Context, kube.Scope) ([]*kube.NetworkPolicy, error) {
	return r.list, r.policies
}

func (r reader) NamespaceLabels(context.Context) (map[string]kube.Labels, error) {
	return map[string]kube.Labels{"shop": nil}, r.labels
}

func TestLookTellsWhatItMayNotSee(t *testing.T) {
	denied, some := errors.New("denied"), []*kube.NetworkPolicy{{Name: "in"}}
	for name, test := range map[string]struct {
		reader  reader
		unknown int
		labels  int
	}{
		"all is seen":                      {reader{list: some}, 0, 1},
		"without policies labels are idle": {reader{labels: denied}, 0, 0},
		"no Ingresses":                     {reader{ingresses: denied, list: some}, 1, 1},
		"no policies":                      {reader{policies: denied}, 1, 0},
		"no labels":                        {reader{list: some, labels: denied}, 1, 1},
	} {
		w := Look(t.Context(), storyWorld(t).Snapshot, test.reader, wire.Host{})
		if len(w.Unknown) != test.unknown || len(w.NamespaceLabels) != test.labels || w.Home != "shop" {
			t.Errorf("%s: got %v, %v, home %q", name, w.Unknown, w.NamespaceLabels, w.Home)
		}
	}
}

func TestPodpathsOwnPodIsNoSourceOfAPlan(t *testing.T) {
	w := storyWorld(t)
	own := w.Pods[0]
	w.LocalPod = podOf(w.Snapshot, []netip.Addr{netip.MustParseAddr(own.IP())})
	if w.LocalPod != own.Key() {
		t.Fatalf("got %s, want %s", w.LocalPod, own.Key())
	}
	for _, c := range w.Plan(Groups...) {
		if c.Source.Pod == own.Key() {
			t.Errorf("got %s, want local in its place", c.ID)
		}
	}
	if got := podOf(w.Snapshot, []netip.Addr{netip.MustParseAddr("192.0.2.1")}); got.Name != "" {
		t.Errorf("elsewhere: got %s, want none", got)
	}
}

func TestPlansStartFromPodsThatHaveToolsWhereOneWillDo(t *testing.T) {
	w := storyWorld(t)
	w.Equipped = map[kube.Key]bool{{Namespace: w.Home, Name: "web-3"}: true}
	for _, c := range w.Plan(Spreading, Discovery) {
		if c.Source.Label != "pod/web-3" {
			t.Errorf("got %s, want it from pod/web-3", c.ID)
		}
	}
}
