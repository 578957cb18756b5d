package probes

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"podpath/kube"
	"podpath/kube/demo/fixture"
	"podpath/probes/launch"
	"podpath/probes/path"
	"podpath/probes/path/manifest"
	"podpath/probes/wire"
)

// launcher makes links with a function, and counts them.
type launcher struct {
	counter
	make func(label string, time int) launch.Link
}

func (l *launcher) Pod(_ context.Context, _ *kube.Snapshot, pod kube.Key, _ string) (launch.Link, error) {
	return l.open("pod/"+pod.Name, func(time int) launch.Link { return l.make(pod.Name, time) })
}

func (l *launcher) Node(_ context.Context, _ *kube.Snapshot, name string) (launch.Link, error) {
	return l.open("node/"+name, func(time int) launch.Link { return l.make(name, time) })
}

func (l *launcher) Local(context.Context) (launch.Link, error) {
	return l.open("local", func(time int) launch.Link { return l.make("", time) })
}

// scripted answers TCP by the port: even ones are reached, odd ones refuse.
// After cutAfter answers its stream is cut.
type scripted struct {
	cutAfter int64 // 0 for never
	answers  *atomic.Int64
	told     *atomic.Int64 // answers of all links together
}

func (s scripted) Via() launch.Via { return launch.Via{Rung: launch.Tools, Tool: "bash"} }
func (s scripted) Close() error    { return nil }
func (s scripted) Ask(ctx context.Context, r wire.Request) (wire.Answer, error) {
	if err := ctx.Err(); err != nil {
		return wire.Answer{}, context.Cause(ctx)
	}
	if s.cutAfter > 0 && s.answers.Add(1) > s.cutAfter {
		return wire.Answer{}, launch.ErrCut
	}
	s.told.Add(1)
	switch {
	case r.Op != wire.TCP:
		return wire.Answer{Result: wire.Failed, Data: []byte("not here")}, nil
	case r.Port%2 == 1:
		return wire.Answer{Result: wire.Refused}, nil
	default:
		return wire.Answer{Result: wire.OK, Connected: true, Connect: time.Microsecond}, nil
	}
}

// truth is the verdict that scripted gives.
func truth(c path.Check) path.Verdict {
	if c.Ask.Port%2 == 1 {
		return path.Fail
	}
	return path.Pass
}

// matrix plans from each Pod of the story to many ports.
func matrix(w *path.World, targets int) []path.Check {
	var checks []path.Check
	for _, p := range w.Pods {
		for port := 1; port <= targets; port++ {
			checks = append(checks, path.Check{
				ID: fmt.Sprintf("%s %d", p.Name, port), Source: w.PodSource(p.Key()), Kind: path.TCP, Target: fmt.Sprint(port),
				Ask: path.Ask{Host: "10.9.9.9", Port: port}, Expect: path.Expectation{Outcome: path.Reached},
			})
		}
	}
	return checks
}

// farm is a World of many Pods.
func farm(t testing.TB, pods int) *path.World {
	t.Helper()
	var documents []string
	for i := range pods {
		documents = append(documents, manifest.Pod{Name: fmt.Sprintf("p-%04d", i), Node: fmt.Sprintf("raspi00%d", 1+i%3), IPs: []string{fmt.Sprintf("10.244.%d.%d", i%3, 2+i)}}.YAML())
	}
	return &path.World{Snapshot: fixture.Snapshot(t, kube.Scope{Namespace: "shop"}, manifest.Noon, append(documents, manifest.Nodes())...), Home: "shop"}
}

func TestAWholeRowCostsOneExec(t *testing.T) {
	w := farm(t, 24)
	told := &atomic.Int64{}
	l := &launcher{make: func(string, int) launch.Link { return scripted{told: told} }}
	checks := matrix(w, 1000)
	now, most, seen := atomic.Int64{}, int64(0), 0
	results := Run(t.Context(), w, checks, l, Options{Parallel: 4}, func(r path.Result) {
		most = max(most, now.Add(1))
		seen++
		now.Add(-1)
		if r.Cause != nil {
			t.Error("got a cause before all results are there")
		}
	})
	for i, r := range results {
		if r.ID != checks[i].ID || r.Verdict != truth(r.Check) || r.Tries != 1 || r.Via.Tool != "bash" {
			t.Fatalf("result %d: got %s %s, want %s %s", i, r.ID, r.Verdict, checks[i].ID, truth(checks[i]))
		}
	}
	for label, n := range l.opened {
		if n != 1 {
			t.Errorf("%s: got %d execs, want one", label, n)
		}
	}
	if len(l.opened) != 24 || l.most > 4 || l.now != 0 || seen != len(checks) || most != 1 {
		t.Errorf("got %d sources, %d links at once, %d left, %d seen, %d at once", len(l.opened), l.most, l.now, seen, most)
	}
}

func TestWhatIsLostWithAStreamIsAskedAgain(t *testing.T) {
	for name, test := range map[string]struct {
		cut                  func(pod string, time int) int64
		conclusive, attempts int // of each row of 1,000
	}{
		"every stream at its 20th answer": {func(string, int) int64 { return 19 }, 3 * 19, 3},
		"the first stream of each":        {func(_ string, time int) int64 { return map[bool]int64{true: 500}[time == 1] }, 1000, 2},
		"the streams of one Pod at once":  {func(pod string, _ int) int64 { return map[bool]int64{true: 1}[pod == "web-2"] }, 1000, 1},
	} {
		w := storyWorld(t)
		told := &atomic.Int64{}
		l := &launcher{make: func(pod string, time int) launch.Link {
			return scripted{cutAfter: test.cut(pod, time), answers: &atomic.Int64{}, told: told}
		}}
		conclusive := map[string]int{}
		for _, r := range Run(t.Context(), w, matrix(w, 1000), l, Options{}, nil) {
			switch {
			case r.Verdict == path.Inconclusive && errors.Is(r.Blind, launch.ErrCut):
			case r.Verdict != truth(r.Check):
				t.Fatalf("%s: %s: got %s, want %s or inconclusive", name, r.ID, r.Verdict, truth(r.Check))
			default:
				conclusive[r.Source.Label]++
			}
		}
		for _, pod := range []string{"pod/web-1", "pod/web-3"} {
			if conclusive[pod] != test.conclusive || l.opened[pod] != test.attempts {
				t.Errorf("%s: %s: got %d results with %d execs, want %d with %d", name, pod, conclusive[pod], l.opened[pod], test.conclusive, test.attempts)
			}
		}
		if total := conclusive["pod/web-1"] + conclusive["pod/web-2"] + conclusive["pod/web-3"]; int64(total) > told.Load() || l.now != 0 {
			t.Errorf("%s: got %d results of %d answers, %d links left", name, total, told.Load(), l.now)
		}
	}
}

// lossy loses the first packet of each port, and all of odd ones.
type lossy struct {
	scripted
	asked *sync.Map // ports
}

func (l lossy) Ask(ctx context.Context, r wire.Request) (wire.Answer, error) {
	if _, before := l.asked.LoadOrStore(r.Port, true); r.Op == wire.TCP && (!before || r.Port%2 == 1) {
		return wire.Answer{Result: wire.Timeout}, nil
	}
	return l.scripted.Ask(ctx, r)
}

func TestWhatIsLostIsAskedOnceMoreBeforeItIsTold(t *testing.T) {
	w := storyWorld(t)
	l := &launcher{make: func(string, int) launch.Link {
		return lossy{scripted{told: &atomic.Int64{}}, &sync.Map{}}
	}}
	checks := matrix(w, 100)
	told := map[string]path.Result{}
	for i, r := range Run(t.Context(), w, checks, l, Options{}, func(r path.Result) {
		if _, twice := told[r.ID]; twice {
			t.Errorf("%s is told twice", r.ID)
		}
		told[r.ID] = r
	}) {
		lost := truth(r.Check) == path.Fail
		if r.ID != checks[i].ID || r.Verdict != truth(r.Check) || r.Tries != 2 || lost != (r.Error == path.TimedOut) || lost == (r.Detail == "the first try timed out") {
			t.Errorf("%s: got %s, %q after %d tries, %q", r.ID, r.Verdict, r.Error, r.Tries, r.Detail)
		}
		if told[r.ID].Verdict != r.Verdict {
			t.Errorf("%s: %s was told, and it is %s", r.ID, told[r.ID].Verdict, r.Verdict)
		}
	}
}

func TestSourcesThatCannotBeOpened(t *testing.T) {
	failure := func(code launch.Code) error { return &launch.Failure{Code: code, Source: "pod/web-1"} }
	for name, test := range map[string]struct {
		err   error
		tries int
	}{
		"exec is denied":      {failure(launch.ExecDenied), 1},
		"there are no tools":  {failure(launch.NoTools), 1},
		"exec failed":         {failure(launch.ExecFailed), 3},
		"a stream was cut":    {launch.ErrCut, 3},
		"you may not":         {&kube.AccessError{}, 1},
		"exec broke":          {&kube.ExecError{Failure: kube.Broken}, 3},
		"it does not run":     {&kube.ExecError{Failure: kube.NotRunning}, 1},
		"the tool cannot":     {errTool{text: "x"}, 1},
		"a wrapped cut":       {fmt.Errorf("after 3 connections: %w", launch.ErrCut), 3},
		"the kubelet is away": {&kube.ExecError{Failure: kube.KubeletAway}, 3},
	} {
		w := storyWorld(t)
		l := &launcher{counter: counter{fail: func(string, int) error { return test.err }}}
		checks := append(planFor(t, w, 0, "pod/web-1", "pod/web-2:80"), planFor(t, w, 9, "pod/web-1", "svc/web")[0])
		for _, r := range Run(t.Context(), w, checks, l, Options{}, nil) {
			if r.Verdict != path.Inconclusive || r.Blind == nil {
				t.Errorf("%s: %s: got %s, %v, want inconclusive", name, r.ID, r.Verdict, r.Blind)
			}
			if r.Kind == path.TCP && r.Tries != test.tries {
				t.Errorf("%s: got %d tries, want %d", name, r.Tries, test.tries)
			}
		}
		// The spread asks on its own, but a failure that stays is remembered.
		if got := l.opened["pod/web-1"]; got < test.tries || got > 2*test.tries || test.tries == 1 && got != 1 {
			t.Errorf("%s: got %d execs, want %d", name, got, test.tries)
		}
	}
}

// stuck never answers.
type stuck struct{ scripted }

func (stuck) Ask(ctx context.Context, _ wire.Request) (wire.Answer, error) {
	<-ctx.Done()
	return wire.Answer{}, context.Cause(ctx)
}

func TestARunThatIsCalledOffEndsAtOnce(t *testing.T) {
	w := storyWorld(t)
	l := &launcher{make: func(pod string, _ int) launch.Link {
		if pod == "web-1" {
			return scripted{told: &atomic.Int64{}}
		}
		return stuck{}
	}}
	ctx, cancel := context.WithCancelCause(t.Context())
	began := time.Now()
	checks := append(matrix(w, 40), planFor(t, w, 9, "pod/web-2", "svc/web")[0])
	seen := 0
	results := Run(ctx, w, checks, l, Options{Parallel: 2}, func(path.Result) {
		if seen++; seen == 40 {
			cancel(errors.New("ctrl-c"))
		}
	})
	for _, r := range results {
		if r.ID == "" || r.Source.Pod.Name != "web-1" && (r.Verdict != path.Inconclusive || !has(r.Blind, "ctrl-c")) {
			t.Errorf("%q: got %s, %v, want inconclusive: ctrl-c", r.ID, r.Verdict, r.Blind)
		}
	}
	if took := time.Since(began); took > 2*time.Second || l.now != 0 || seen != len(checks) {
		t.Errorf("took %v, %d links left, %d of %d seen", took, l.now, seen, len(checks))
	}
}
