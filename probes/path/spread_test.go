package path

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestSamplesThatAJudgementTakes(t *testing.T) {
	for k, want := range map[int][2]int{1: {1, 40}, 2: {11, 80}, 3: {20, 120}, 10: {88, 400}, 100: {1146, 4000}} { // coverage, all
		if got := [2]int{coverageSamples(k), SpreadSamples(k)}; got != want {
			t.Errorf("%d endpoints: got %v, want %v", k, got, want)
		}
	}
	for k := 2; k < 2000; k++ { // the chance to miss one of them is at most alpha
		missed := 1.0
		for range coverageSamples(k) {
			missed *= 1 - 1/float64(k)
		}
		if missed*float64(k) > alpha {
			t.Fatalf("%d endpoints: one is missed with p = %g", k, missed*float64(k))
		}
	}
}

func TestPearsonAgreesWithTables(t *testing.T) {
	for name, test := range map[string]struct {
		counts  []int
		chi2, p float64
	}{
		"even":              {[]int{40, 40, 40}, 0, 1},
		"a die thrown":      {[]int{5, 8, 9, 8, 10, 20}, 13.4, 0.01991}, // a textbook's, df 5
		"df 1, p = 0.05":    {[]int{500 - 31, 500 + 31}, 3.844, 0.0499},
		"one took them all": {[]int{120, 0, 0}, 240, 0},
	} {
		chi2, p := pearson(test.counts)
		if diff := chi2 - test.chi2; diff > 0.001 || diff < -0.001 || p-test.p > 0.0001 || p-test.p < -0.0001 {
			t.Errorf("%s: got %.4f, %.5f, want %.4f, %.5f", name, chi2, p, test.chi2, test.p)
		}
	}
}

// spreadOf is a result with these counts; -1 is one that cannot be seen.
func spreadOf(connections, errors int, counts ...int) *SpreadResult {
	s := &SpreadResult{Connections: connections, Errors: errors}
	for i, n := range counts {
		s.Shares = append(s.Shares, Share{Endpoint: fmt.Sprintf("pod/web-%d:80", i+1), Known: n >= 0, Count: max(n, 0)})
	}
	return s
}

func TestSpreadsAreJudgedInParts(t *testing.T) {
	const p, f, i, s = Pass, Fail, Inconclusive, Skipped
	for name, test := range map[string]struct {
		spread *SpreadResult
		sticky bool
		want   [5]Verdict // errors, responders, coverage, evenness, and all
		text   string
	}{
		"even":                             {spreadOf(120, 0, 41, 39, 40), false, [5]Verdict{p, p, p, p, p}, "no evidence of imbalance"},
		"uneven":                           {spreadOf(120, 0, 80, 20, 20), false, [5]Verdict{p, p, p, f, f}, "uneven"},
		"too few to say":                   {spreadOf(60, 0, 40, 10, 10), false, [5]Verdict{p, p, p, s, p}, "that takes 120 connections"},
		"one took none":                    {spreadOf(120, 0, 60, 60, 0), false, [5]Verdict{p, p, f, f, f}, "pod/web-3:80 took none"},
		"one took none of few":             {spreadOf(10, 0, 5, 5, 0), false, [5]Verdict{p, p, i, s, i}, "it takes 20 connections"},
		"some failed":                      {spreadOf(120, 40, 40, 40, 0), false, [5]Verdict{f, p, f, s, f}, "40 of 120 connections failed"},
		"all failed":                       {spreadOf(120, 120, 0, 0, 0), false, [5]Verdict{f, p, i, s, f}, "120 of 120"},
		"somebody else answered":           {spreadOf(120, 0, 30, 30, 30), false, [5]Verdict{p, f, p, i, f}, "30 connections were taken by none"},
		"other traffic":                    {spreadOf(120, 0, 40, 40, 90), false, [5]Verdict{p, i, p, i, i}, "other traffic"},
		"one cannot be seen":               {spreadOf(120, 0, 40, 40, -1), false, [5]Verdict{p, i, i, i, i}, "cannot see"},
		"one took none, one is not seen":   {spreadOf(120, 0, 60, 0, -1), false, [5]Verdict{p, i, f, i, f}, "pod/web-2:80 took none"},
		"one endpoint":                     {spreadOf(40, 0, 40), false, [5]Verdict{p, p, p, s, p}, "one endpoint only"},
		"sticky":                           {spreadOf(120, 0, 0, 120, 0), true, [5]Verdict{p, p, p, s, p}, "one endpoint took all"},
		"sticky, but to two":               {spreadOf(120, 0, 0, 60, 60), true, [5]Verdict{p, p, f, s, f}, "2 endpoints took some"},
		"sticky, one is not seen":          {spreadOf(120, 0, 0, 0, -1), true, [5]Verdict{p, i, i, s, i}, "not all endpoints"},
		"sticky, and all failed":           {spreadOf(9, 9, 0, 0), true, [5]Verdict{f, p, i, s, f}, "9 of 9"},
		"sticky, and somebody else":        {spreadOf(9, 0, 0, 0), true, [5]Verdict{p, f, i, s, f}, "taken by none"},
		"none was opened, as it was cut":   {spreadOf(0, 0, 0, 0), false, [5]Verdict{p, p, i, s, i}, ""},
		"sticky, and two, and one unknown": {spreadOf(120, 0, 60, 60, -1), true, [5]Verdict{p, i, f, s, f}, "2 endpoints took some"},
	} {
		test.spread.Judge(test.sticky)
		got, text := [5]Verdict{4: test.spread.Verdict}, ""
		for i, part := range test.spread.Parts() {
			got[i], text = part.Verdict, text+part.Text+"; "
		}
		if got != test.want || !strings.Contains(text, test.text) {
			t.Errorf("%s: got %v (%s), want %v (%s)", name, got, text, test.want, test.text)
		}
	}
}

func TestSpreadsSayWhoTookHowMany(t *testing.T) {
	if got, want := spreadOf(9, 0, 4, -1, 5).String(), "pod/web-1:80 4, pod/web-2:80 ?, pod/web-3:80 5"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// deal gives n connections to k endpoints by chance, of which the first gets
// none when it is left out.
func deal(r *rand.Rand, counts []int, n int, leaveOut bool) {
	clear(counts)
	for range n {
		if leaveOut {
			counts[1+r.IntN(len(counts)-1)]++
		} else {
			counts[r.IntN(len(counts))]++
		}
	}
}

// With two endpoints the chance of a false alarm can be computed: the binomial
// distribution says how likely each pair of counts is.
func TestFalseAlarmsOfTwoEndpointsAreRare(t *testing.T) {
	for n := SpreadSamples(2); n <= 400; n++ {
		chance, each := 0.0, math.Exp2(-float64(n)) // of this many at the first endpoint
		for first := range n + 1 {
			if _, p := pearson([]int{first, n - first}); p < evenAlpha {
				chance += each
			}
			each *= float64(n-first) / float64(first+1)
		}
		if chance > alpha {
			t.Errorf("%d connections: got a false alarm with p = %.6f, want at most %g", n, chance, alpha)
		}
	}
}

// With more of them even Services are dealt by chance, and those that are
// called uneven are counted. What a million of each gave stands at evenAlpha.
func TestFalseAlarmsAreRare(t *testing.T) {
	const trials = 20_000
	for _, k := range []int{3, 5, 10} {
		r := rand.New(rand.NewPCG(7, uint64(k)))
		counts, alarms, n := make([]int, k), 0.0, SpreadSamples(k)
		for range trials {
			deal(r, counts, n, false)
			if _, p := pearson(counts); p < evenAlpha || slices.Min(counts) == 0 {
				alarms++
			}
		}
		if limit := trials*alpha + 3*math.Sqrt(trials*alpha); alarms > limit {
			t.Errorf("%d endpoints, %d connections: got %g false alarms in %d, want at most %g", k, n, alarms, trials, limit)
		}
		t.Logf("%d endpoints, %d connections: %.3f %% false alarms", k, n, 100*alarms/trials)
	}
}

func TestAnEndpointThatIsNeverSelectedIsFound(t *testing.T) {
	const trials = 1_000
	for k := 2; k <= 10; k++ {
		r := rand.New(rand.NewPCG(11, uint64(k)))
		counts, found := make([]int, k), 0
		for range trials {
			deal(r, counts, SpreadSamples(k), true)
			s := spreadOf(SpreadSamples(k), 0, counts...)
			if s.Judge(false); s.Verdict == Fail && s.Coverage.Verdict == Fail && strings.Contains(s.Coverage.Text, "web-1:80 took none") {
				found++
			}
		}
		if found < trials*999/1000 {
			t.Errorf("%d endpoints: found in %d of %d", k, found, trials)
		}
	}
}
