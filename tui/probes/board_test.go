package probes

import (
	"errors"
	"testing"
	"time"

	"podpath/kube"
	engine "podpath/probes"
	"podpath/probes/launch"
	"podpath/tui/results"
	"podpath/tui/style"
)

func check(id string) engine.Check { return engine.Check{ID: id, Target: id} }

func result(id string, v engine.Verdict, c *engine.Cause) engine.Result {
	return engine.Result{Check: check(id), Verdict: v, Cause: c}
}

func TestARunReplacesTheChecksAndARunAgainOnlyTheirResults(t *testing.T) {
	var b board
	at := time.Unix(1000, 0)
	b.begin(at, "first", nil)
	b.receive(at, News{Planned: true, Checks: []engine.Check{check("a"), check("b")}})
	if got, want := b.tally(), (results.Tally{Waiting: 2}); got != want || b.phase != running {
		t.Errorf("got %+v %s, want %+v running", got, b.phase, want)
	}
	b.receive(at, News{Seen: []engine.Result{result("a", engine.Pass, nil), result("stranger", engine.Fail, nil)}})
	b.receive(at.Add(time.Second), News{Final: []engine.Result{result("a", engine.Pass, nil), result("b", engine.Fail, &engine.Cause{Code: engine.DeadEndpoint})}, Done: true})
	if got, want := b.tally(), (results.Tally{Pass: 1, Fail: 1}); got != want || b.phase != done {
		t.Errorf("got %+v %s, want %+v done", got, b.phase, want)
	}
	b.begin(at, "first", []string{"b"})
	b.receive(at, News{Planned: true, Checks: []engine.Check{check("b")}})
	if got, want := b.tally(), (results.Tally{Pass: 1, Waiting: 1}); got != want || len(b.causes()) != 0 {
		t.Errorf("got %+v and causes %v, want %+v and none of b", got, b.causes(), want)
	}
	b.phase = cancelling
	b.receive(at, News{Final: []engine.Result{result("b", engine.Inconclusive, nil)}, Done: true})
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
	b.receive(at, News{Planned: true, Checks: []engine.Check{check("a")}, Done: true})
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
	p.Receive(at, News{Planned: true, Checks: []engine.Check{check("a"), check("b")}, Seen: []engine.Result{result("a", engine.Pass, nil)}})
	p.Cancelling()
	p.Receive(at, News{Done: true})
	if got := p.Tab(); got != "1/2" {
		t.Errorf("got %q, want 1/2: not everything was reached", got)
	}
}

func TestCausesAreCountedAndFailuresComeFirst(t *testing.T) {
	var b board
	dead := &engine.Cause{Code: engine.DeadEndpoint, Summary: "x is dead"}
	tools := &engine.Cause{Code: engine.NoTools, Summary: "no tools"}
	proxy := &engine.Cause{Code: engine.KubeProxy, Summary: "kube-proxy"}
	design := &engine.Cause{Code: engine.PolicyDenies, ByDesign: true}
	list := []engine.Result{
		result("a", engine.Inconclusive, tools), result("b", engine.Inconclusive, tools), result("c", engine.Inconclusive, tools),
		result("d", engine.Fail, dead), result("e", engine.Fail, proxy), result("f", engine.Fail, proxy), result("g", engine.Pass, design), result("h", engine.Fail, nil),
	}
	var checks []engine.Check
	for _, r := range list {
		checks = append(checks, r.Check)
	}
	b.receive(time.Time{}, News{Planned: true, Checks: checks, Final: list})
	var got []string
	for _, f := range b.causes() {
		got = append(got, string(f.Code))
	}
	want := []string{"kube-proxy", "dead-endpoint", "no-tools"}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] || b.causes()[2].times != 3 {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatLacksTools(t *testing.T) {
	for name, c := range map[string]struct {
		result engine.Result
		want   bool
	}{
		"a cause says so":           {result("a", engine.Inconclusive, &engine.Cause{Code: engine.NoTools}), true},
		"another cause":             {result("a", engine.Inconclusive, &engine.Cause{Code: engine.ExecDenied}), false},
		"the ladder says so":        {engine.Result{Observation: engine.Observation{Blind: &launch.Failure{Code: launch.NoTools}}}, true},
		"the ladder says otherwise": {engine.Result{Observation: engine.Observation{Blind: &launch.Failure{Code: launch.ExecDenied}}}, false},
		"something else":            {engine.Result{Observation: engine.Observation{Blind: errors.New("cut")}}, false},
	} {
		if got := lacksTools(c.result); got != c.want {
			t.Errorf("%s: got %t, want %t", name, got, c.want)
		}
	}
}
