package forward

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// noon is when tests begin.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

func grown(id string, active int, latency time.Duration) candidate {
	return candidate{id: id, active: active, latency: latency, age: time.Hour}
}

func TestEWMAPicksTheCheapest(t *testing.T) {
	for name, c := range map[string]struct {
		candidates []candidate
		want       int
	}{
		"the one with fewer connections":       {[]candidate{grown("a", 3, 0), grown("b", 2, 0)}, 1},
		"not a slow one, even without any":     {[]candidate{grown("a", 2, 0), grown("b", 0, 3*time.Second)}, 0},
		"a slow one when the others are laden": {[]candidate{grown("a", 9, 0), grown("b", 0, 500*time.Millisecond)}, 1},
		"noise does not count":                 {[]candidate{grown("a", 1, time.Millisecond), grown("b", 0, 150*time.Millisecond)}, 1},
		"a new one is spared":                  {[]candidate{grown("a", 2, 0), {id: "b", age: time.Second}}, 0},
		"but not for long":                     {[]candidate{grown("a", 2, 0), {id: "b", age: 5 * time.Second}}, 1},
	} {
		if got := EWMA.pick(c.candidates, "", 0, rand.IntN); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

func TestPoliciesSpread(t *testing.T) {
	candidates := []candidate{grown("a", 0, 0), grown("b", 0, 0), grown("c", 0, 0)}
	draw := rand.New(rand.NewPCG(1, 2)).IntN
	const all = 30_000
	for _, policy := range Policies {
		counts := make([]int, len(candidates))
		for i := range uint64(all) {
			counts[policy.pick(candidates, fmt.Sprintf("10.0.%d.%d", i/250, i%250), i, draw)]++
		}
		for i, n := range counts {
			if want := all / len(candidates); n < want*9/10 || n > want*11/10 {
				t.Errorf("%s: candidate %d got %d of %d, want about %d", policy, i, n, all, want)
			}
		}
	}
}

func TestStickyStays(t *testing.T) {
	candidates := []candidate{grown("a", 0, 0), grown("b", 0, 0), grown("c", 0, 0)}
	for i := range 100 {
		client := fmt.Sprintf("10.0.0.%d", i)
		chosen := candidates[Sticky.pick(candidates, client, 0, rand.IntN)].id
		if again := candidates[Sticky.pick(candidates, client, 7, rand.IntN)].id; again != chosen {
			t.Errorf("%s: got %s after %s", client, again, chosen)
		}
		fewer := candidates[:2] // c has gone
		if now := fewer[Sticky.pick(fewer, client, 0, rand.IntN)].id; chosen != "c" && now != chosen {
			t.Errorf("%s: got %s after %s though that is still there", client, now, chosen)
		}
	}
}

func TestParsePolicyNamesThemAll(t *testing.T) {
	for _, p := range Policies {
		if got, err := ParsePolicy(string(p)); got != p || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, p)
		}
	}
	if _, err := ParsePolicy("fair"); err == nil || err.Error() != `there is no policy "fair": use one of ewma, round-robin, random, sticky` {
		t.Errorf("got %v", err)
	}
}

func TestLatencyRisesAtOnceAndFades(t *testing.T) {
	var l latency
	l.seen(10*time.Millisecond, noon)
	l.seen(time.Second, noon.Add(time.Second))
	if got := l.at(noon.Add(time.Second)); got != time.Second {
		t.Errorf("got %v at the peak, want 1s", got)
	}
	l.seen(10*time.Millisecond, noon.Add(2*time.Second))
	if got := l.at(noon.Add(2 * time.Second)); got < 800*time.Millisecond {
		t.Errorf("got %v a second later, want it to count still", got)
	}
	if got := l.at(noon.Add(time.Minute)); got > 10*time.Millisecond {
		t.Errorf("got %v a minute later, want it forgotten", got)
	}
}

func TestFitness(t *testing.T) {
	var f fitness
	at := noon
	fail := func() time.Duration { return f.failed(at, true) }
	if got := fail(); got != 0 {
		t.Errorf("got an ejection of %v after one failure, want none", got)
	}
	f.succeeded()
	fail()
	for _, want := range []time.Duration{5, 10, 15} {
		if got := fail(); got != want*time.Second {
			t.Errorf("got an ejection of %v, want %v", got, want*time.Second)
		}
		if f.readmitted(at.Add(want*time.Second - 1)) {
			t.Error("readmitted before the time")
		}
		at = at.Add(want * time.Second)
		if !f.readmitted(at) || f.readmitted(at) {
			t.Error("not readmitted once, when the time was over")
		}
	}
	for range 20 {
		if got := fail(); got > time.Minute {
			t.Errorf("got %v, want at most a minute", got)
		}
		at = at.Add(time.Minute)
		f.readmitted(at)
	}
	at = at.Add(2 * time.Minute)
	if got := fail(); got != 5*time.Second {
		t.Errorf("got %v long after the last ejection, want to begin anew", got)
	}
	last := fitness{failures: 5}
	if got := last.failed(at, false); got != 0 || last.ejected {
		t.Error("ejected though that was not permitted")
	}
}
