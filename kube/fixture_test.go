package kube_test

import (
	"context"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"podpath/kube"
	"podpath/kube/demo/api"
)

// What tests and goldens look at has to be what a user sees.
func TestSnapshotFromYAMLIsWhatAStoreReadsFromAnAPIServer(t *testing.T) {
	text, err := os.ReadFile("../tui/golden/cluster.yaml")
	must(t, err)
	at := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	objects := api.NewStore(func() time.Time { return at })
	var manifests strings.Builder
	for _, document := range strings.Split(string(text), "\n---\n")[1:] { // the first one is a comment
		o, err := api.Decode([]byte(document))
		must(t, err)
		o, err = objects.Put(o)
		must(t, err)
		stored, err := yaml.Marshal(o)
		must(t, err)
		manifests.WriteString("---\n" + string(stored))
	}
	server, err := api.Serve(t.Context(), objects, nil, api.Options{})
	must(t, err)
	t.Cleanup(server.Close)
	for _, namespace := range []string{"", "default"} {
		want, err := kube.SnapshotFromYAML([]byte(manifests.String()), kube.Scope{Namespace: namespace}, at)
		must(t, err)
		got := read(t, server, kube.Options{Namespace: namespace, AllNamespaces: namespace == ""})
		for name, pair := range map[string][2]any{
			"Pods": {got.Pods, want.Pods}, "Nodes": {got.Nodes, want.Nodes}, "Services": {got.Services, want.Services}, "Namespaces": {got.Namespaces, want.Namespaces}, "scope": {got.Scope, want.Scope},
		} {
			if !reflect.DeepEqual(pair[0], pair[1]) {
				t.Errorf("%s in %q: got %+v, want %+v", name, namespace, pair[0], pair[1])
			}
		}
	}
}

// read returns what a store has once all is listed.
func read(t *testing.T, server *api.Server, o kube.Options) *kube.Snapshot {
	t.Helper()
	var err error
	o.Inline, err = server.Kubeconfig()
	must(t, err)
	config, err := kube.Load(o)
	must(t, err)
	client, err := kube.NewClient(config)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	store, ended := kube.NewStore(client, config.Scope), make(chan error, 1)
	go func() { ended <- store.Run(ctx) }()
	defer func() { cancel(); must(t, <-ended) }()
	snapshot, err := kube.Await(ctx, store.Next, store.Resources(), store.Resources())
	must(t, err)
	return snapshot
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWithStateLeavesTheSnapshotAsItIs(t *testing.T) {
	s, err := kube.SnapshotFromYAML([]byte("{kind: Pod, metadata: {namespace: shop, name: web}}"), kube.Scope{}, time.Time{})
	must(t, err)
	stale := kube.State{Phase: kube.Stale, Err: "gone"}
	if changed := s.WithState(kube.Pods, stale); changed.State(kube.Pods) != stale || s.State(kube.Pods).Phase != kube.Live || len(changed.Pods) != 1 {
		t.Errorf("got %v, and %v in the copy; want the copy alone stale", s.State(kube.Pods), changed.State(kube.Pods))
	}
}

func TestSnapshotFromYAMLNamesTheDocumentThatIsWrong(t *testing.T) {
	for name, manifest := range map[string]string{
		"a kind that no store follows": "kind: Secret",
		"a field that does not exist":  "{kind: Pod, spec: {contaners: []}}",
		"no YAML":                      "{kind: Pod",
	} {
		if _, err := kube.SnapshotFromYAML([]byte("kind: Node\n---\n"+manifest), kube.Scope{}, time.Time{}); err == nil || !strings.HasPrefix(err.Error(), "document 2: ") {
			t.Errorf("%s: got %v, want an error about document 2", name, err)
		}
	}
}
