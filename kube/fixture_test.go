package kube

import (
	"strings"
	"testing"
	"time"
)

const fixture = `
# a comment
---
{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: web-1, labels: {app: web}}}
---
{apiVersion: v1, kind: Pod, metadata: {namespace: bank, name: web-1}}
---
{apiVersion: v1, kind: Node, metadata: {name: raspi001}}
---
{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: web}, spec: {selector: {app: web}}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {namespace: shop, name: web-x, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.1]}]
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
`

func TestSnapshotFromYAMLIsWhatAStoreOfTheScopeSees(t *testing.T) {
	at := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	s, err := SnapshotFromYAML([]byte(fixture), Scope{Namespace: "shop"}, at)
	must(t, err)
	if got, want := names(s.Pods), "shop/web-1"; got != want {
		t.Errorf("got Pods %s, want %s", got, want)
	}
	if s.Node("raspi001") == nil || len(s.Namespaces) != 1 {
		t.Errorf("got Nodes %v and namespaces %v, want one of each", s.Nodes, s.Namespaces)
	}
	if svc := s.Service(Key{"shop", "web"}); svc.Counts.Ready != 1 || len(s.PodsOf(svc)) != 1 {
		t.Errorf("got Service %+v, want it joined with its endpoint and its Pod", svc)
	}
	stale := State{Phase: Stale, Since: at, Err: "gone"}
	if changed := s.WithState(Pods, stale); changed.State(Pods) != stale || s.State(Pods).Phase != Live || !s.At.Equal(at) {
		t.Errorf("got %v, and %v in the copy; want the copy alone stale", s.State(Pods), changed.State(Pods))
	}
}

func TestSnapshotFromYAMLNamesTheDocumentThatIsWrong(t *testing.T) {
	for name, manifest := range map[string]string{
		"a kind that no store follows": "kind: Secret",
		"a field that does not exist":  "{kind: Pod, spec: {contaners: []}}",
		"no YAML":                      "{kind: Pod",
	} {
		if _, err := SnapshotFromYAML([]byte("kind: Node\n---\n"+manifest), Scope{}, time.Time{}); err == nil || !strings.HasPrefix(err.Error(), "document 2: ") {
			t.Errorf("%s: got %v, want an error about document 2", name, err)
		}
	}
}
