package probes

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"podpath/kube"
	"podpath/probes/launch"
	"podpath/probes/path"
	"podpath/tui/results"
	"podpath/tui/style"
)

func check(id string) path.Check { return path.Check{ID: id, Target: id} }

func result(id string, v path.Verdict, c *path.Cause) path.Result {
	return path.Result{Check: check(id), Verdict: v, Cause: c}
}

func TestARunReplacesTheChecksAndARunAgainOnlyTheirResults(t *testing.T) {
	var b board
	at := time.Unix(1000, 0)
	b.begin(at, "first", nil)
	b.receive(at, News{Planned: true, Checks: []path.Check{check("a"), check("b")}})
	if got, want := b.tally(), (results.Tally{Waiting: 2}); got != want || b.phase != running {
		t.Errorf("got %+v %s, want %+v running", got, b.phase, want)
	}
	b.receive(at, News{Seen: []path.Result{result("a", path.Pass, nil), result("stranger", path.Fail, nil)}})
	b.receive(at.Add(time.Second), News{Final: []path.Result{result("a", path.Pass, nil), result("b", path.Fail, &path.Cause{Code: path.DeadEndpoint})}, Done: true})
	if got, want := b.tally(), (results.Tally{Pass: 1, Fail: 1}); got != want || b.phase != done {
		t.Errorf("got %+v %s, want %+v done", got, b.phase, want)
	}
	b.begin(at, "first", []string{"b"})
	b.receive(at, News{Planned: true, World: world(t, "default"), Checks: []path.Check{check("b")}})
	if got, want := b.tally(), (results.Tally{Pass: 1, Waiting: 1}); got != want || len(b.causes()) != 0 {
		t.Errorf("got %+v and causes %v, want %+v and none of b", got, b.causes(), want)
	}
	b.phase = cancelling
	b.receive(at, News{Final: []path.Result{result("b", path.Inconclusive, nil)}, Done: true})
	if got, want := b.tally(), (results.Tally{Pass: 1, Inconclusive: 1}); got != want || b.phase != cancelled {
		t.Errorf("got %+v %s, want %+v cancelled", got, b.phase, want)
	}
}

func TestARunThatHasNothingToCheckLeavesWhatWasThere(t *testing.T) {
	var b board
	at := time.Unix(1000, 0)
	b.begin(at, "nonsense", nil)
	if b.fail(); b.phase != idle {
		t.Errorf("got %q, want idle", b.phase)
	}
	b.begin(at, "first", nil)
	b.receive(at, News{Planned: true, Checks: []path.Check{check("a")}, Done: true})
	before := b.state
	b.begin(at.Add(time.Hour), "nonsense", nil)
	b.fail()
	if b.phase != before.phase || b.title != "first" || !b.ended.Equal(before.ended) || len(b.items) != 1 {
		t.Errorf("got %+v with %d checks, want %+v with one", b.state, len(b.items), before)
	}
}

func TestTheTabOfACancelledRunSaysHowFarItCame(t *testing.T) {
	p := New(style.NewTheme(true), kube.Scope{})
	at := time.Unix(1000, 0)
	p.Begin(at, "all", nil)
	p.Receive(at, News{Planned: true, Checks: []path.Check{check("a"), check("b")}, Seen: []path.Result{result("a", path.Pass, nil)}})
	p.Cancelling()
	p.Receive(at, News{Done: true})
	if got := p.Tab(); got != "1/2" {
		t.Errorf("got %q, want 1/2: not everything was reached", got)
	}
}

func TestCausesAreCountedAndFailuresComeFirst(t *testing.T) {
	var b board
	dead := &path.Cause{Code: path.DeadEndpoint, Summary: "x is dead"}
	tools := &path.Cause{Code: path.NoTools, Summary: "no tools"}
	proxy := &path.Cause{Code: path.KubeProxy, Summary: "kube-proxy"}
	design := &path.Cause{Code: path.PolicyDenies, ByDesign: true}
	list := []path.Result{
		result("a", path.Inconclusive, tools), result("b", path.Inconclusive, tools), result("c", path.Inconclusive, tools),
		result("d", path.Fail, dead), result("e", path.Fail, proxy), result("f", path.Fail, proxy), result("g", path.Pass, design), result("h", path.Fail, nil),
	}
	var checks []path.Check
	for _, r := range list {
		checks = append(checks, r.Check)
	}
	b.receive(time.Time{}, News{Planned: true, World: world(t, "default"), Checks: checks, Final: list})
	var got []string
	for _, e := range b.causes() {
		got = append(got, fmt.Sprintf("%s %d", e.Code(), len(e.Of)))
	}
	if want := []string{"kube-proxy 2", "dead-endpoint 1", "unknown 1", "no-tools 3"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatWasNotExplainedYetIsNoUnknownCause(t *testing.T) {
	var b board
	failed := result("a", path.Fail, nil)
	failed.Unexplained = true
	b.begin(time.Time{}, "all", nil)
	b.receive(time.Time{}, News{Planned: true, World: world(t, "default"), Checks: []path.Check{failed.Check}, Seen: []path.Result{failed}})
	if got := b.causes(); len(got) != 0 {
		t.Errorf("got %s while the run goes on, want nothing yet", got[0].Code())
	}
	failed.Unexplained = false
	b.receive(time.Time{}, News{Final: []path.Result{failed}, Done: true})
	if got := b.causes(); len(got) != 1 || got[0].Code() != "unknown" {
		t.Errorf("got %v at its end, want that no cause is known", got)
	}
}

func TestWhatLacksTools(t *testing.T) {
	for name, c := range map[string]struct {
		result path.Result
		want   bool
	}{
		"a cause says so":           {result("a", path.Inconclusive, &path.Cause{Code: path.NoTools}), true},
		"another cause":             {result("a", path.Inconclusive, &path.Cause{Code: path.ExecDenied}), false},
		"the ladder says so":        {path.Result{Observation: path.Observation{Blind: &launch.Failure{Code: launch.NoTools}}}, true},
		"the ladder says otherwise": {path.Result{Observation: path.Observation{Blind: &launch.Failure{Code: launch.ExecDenied}}}, false},
		"something else":            {path.Result{Observation: path.Observation{Blind: errors.New("cut")}}, false},
	} {
		if got := lacksTools(c.result); got != c.want {
			t.Errorf("%s: got %t, want %t", name, got, c.want)
		}
	}
}
