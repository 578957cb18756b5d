// Package golden is for tests: the cluster that they look at, and screens and
// listings kept in files to compare with.
package golden

import (
	_ "embed"
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"podpath/kube"
	"podpath/kube/demo/fixture"
)

// Now is when the tests look at the cluster.
var Now = time.Date(2026, time.March, 14, 12, 0, 0, 0, time.UTC)

// Manifests are the objects of the test cluster.
//
//go:embed cluster.yaml
var Manifests string

var clusters = map[string]*kube.Snapshot{} // by namespace; they never change

var mu sync.Mutex // guards clusters

// Cluster returns the test cluster as a user of the namespace sees it; "" is
// for all namespaces.
func Cluster(t testing.TB, namespace string) *kube.Snapshot {
	t.Helper()
	mu.Lock()
	defer mu.Unlock()
	if clusters[namespace] == nil {
		clusters[namespace] = fixture.Snapshot(t, kube.Scope{Namespace: namespace}, Now, Manifests)
	}
	return clusters[namespace]
}

var update = flag.Bool("update", false, "rewrite the golden files")

// Check compares with testdata/NAME, or rewrites it when the test was started
// with -update.
func Check(t testing.TB, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs.\ngot:\n%s\nwant:\n%s\nIf that is right, run the test with -update.", path, got, want)
	}
}
