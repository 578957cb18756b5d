package present_test

import (
	"fmt"
	"testing"

	"podpath/kube"
	"podpath/probes/path"
	"podpath/probes/present"
)

// BenchmarkExplain groups ten thousand results, a tenth of which failed for one
// of a hundred reasons.
func BenchmarkExplain(b *testing.B) {
	results := make([]path.Result, 10_000)
	for i := range results {
		results[i] = path.Result{Check: path.Check{ID: fmt.Sprint(i), Target: fmt.Sprintf("pod/p-%d:80", i)}, Verdict: path.Pass}
		if i%10 == 0 {
			results[i].Verdict = path.Fail
			results[i].Cause = &path.Cause{Code: path.WrongTargetPort, Summary: fmt.Sprintf("reason %d", i%1000/10)}
		}
	}
	w := &path.World{Snapshot: &kube.Snapshot{}}
	for b.Loop() {
		if got := len(present.Explain(w, results)); got != 100 {
			b.Fatalf("got %d groups, want 100", got)
		}
	}
}
