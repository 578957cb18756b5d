package probes

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"podpath/kube"
	"podpath/kube/demo/fixture"
	"podpath/probes/path"
	"podpath/probes/path/manifest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// storyWorld is the World of the story, seen from its namespace.
func storyWorld(t testing.TB) *path.World {
	t.Helper()
	snapshot := fixture.Snapshot(t, kube.Scope{Namespace: "shop"}, manifest.Noon, manifest.Story())
	return &path.World{Snapshot: snapshot, Home: "shop", NamespaceLabels: map[string]kube.Labels{}}
}

// planFor plans what somebody asks for, from a word to words: with a count the
// spread of so many connections.
func planFor(t testing.TB, w *path.World, count int, from string, to ...string) []path.Check {
	t.Helper()
	checks, err := w.PlanFor(path.Intent{Sources: []string{from}, Targets: to, Options: path.PlanOptions{Count: count}})
	if err != nil {
		t.Fatal(err)
	}
	return checks
}

// has reports whether an error says all of the words.
func has(err error, words ...string) bool {
	for _, word := range words {
		if err == nil || !strings.Contains(err.Error(), word) {
			return false
		}
	}
	return err != nil
}

// list writes words with commas.
func list(words []string) string { return strings.Join(words, ", ") }

// podResolvConf is the resolver of a Pod of namespace shop.
const podResolvConf = "search shop.svc.cluster.local svc.cluster.local cluster.local lan\nnameserver 10.96.0.10\noptions ndots:5\n"
