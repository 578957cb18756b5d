package path

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mathext"
)

// alpha is the chance that a test calls an even Service uneven.
const alpha = 0.001

// evenAlpha is the level of the χ² test. The distribution of χ² is an
// approximation for counts, and errs by a third with few of them: this level
// keeps the chance below alpha. For two endpoints it is at most 0.089 %
// (binomial, any number of connections from 80 on), for 3 to 10 it is 0.065 to
// 0.073 % (a million simulated Services each, as in spread_test.go).
const evenAlpha = 0.0007

// minExpected is how many connections to each endpoint the χ² test needs.
const minExpected = 40

// coverageSamples is how many connections are needed so that the chance to
// miss one of k equal endpoints by accident is at most alpha (union bound).
func coverageSamples(k int) int {
	if k < 2 {
		return 1
	}
	return int(math.Ceil(math.Log(float64(k)/alpha) / -math.Log1p(-1/float64(k))))
}

// SpreadSamples is how many connections over k endpoints a whole judgement
// takes: coverage and evenness.
func SpreadSamples(k int) int { return max(coverageSamples(k), minExpected*k) }

// pearson returns the χ² statistic of counts that should be equal, and the
// probability of one as large (Pearson 1900).
func pearson(counts []int) (chi2, p float64) {
	total := 0
	for _, n := range counts {
		total += n
	}
	expected := float64(total) / float64(len(counts))
	for _, n := range counts {
		chi2 += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	return chi2, mathext.GammaIncRegComp(float64(len(counts)-1)/2, chi2/2)
}

// Share is how many connections one endpoint took.
type Share struct {
	Endpoint string // pod/web-1:80
	Address  string // 10.244.1.5:80
	// Known is false when podpath could not see what this endpoint took.
	Known bool
	Count int
}

// SpreadResult is who answered many connections to a Service. Its parts are
// judged on their own; Verdict is the worst of them.
type SpreadResult struct {
	Verdict Verdict
	// Connections were opened, Errors of them failed.
	Connections, Errors int

	Shares []Share
	// Elsewhere are connections that none of the endpoints took, though all
	// of them could be seen.
	Elsewhere int
	// How is by what the endpoints were told apart.
	How string

	Failing, Unexpected, Coverage, Evenly Part

	ChiSquare, P float64
}

// Part is one of the questions that a spread answers.
type Part struct {
	Verdict Verdict
	Text    string
}

// Judge fills in the verdicts from the counts. Sticky is set for session
// affinity: one client gets one endpoint.
func (s *SpreadResult) Judge(sticky bool) {
	s.Failing = Part{passIf(s.Errors == 0), fmt.Sprintf("%d of %d connections failed", s.Errors, s.Connections)}
	opened, seen, unknown, missed := s.Connections-s.Errors, 0, 0, []string{}
	for _, e := range s.Shares {
		switch {
		case !e.Known:
			unknown++
		case e.Count == 0:
			missed = append(missed, e.Endpoint)
		}
		seen += e.Count
	}
	if unknown == 0 {
		s.Elsewhere = max(0, opened-seen)
	}
	s.Unexpected = Part{Pass, "only eligible endpoints answered"}
	switch {
	case unknown > 0:
		s.Unexpected = Part{Inconclusive, fmt.Sprintf("podpath cannot see what %d of the %d endpoints took", unknown, len(s.Shares))}
	case s.Elsewhere > 0:
		s.Unexpected = Part{Fail, fmt.Sprintf("%d connections were taken by none of the %d eligible endpoints", s.Elsewhere, len(s.Shares))}
	case seen > opened:
		s.Unexpected = Part{Inconclusive, fmt.Sprintf("the endpoints took %d connections, podpath opened %d: the source has other traffic", seen, opened)}
	}
	if sticky {
		s.judgeSticky(unknown, missed)
	} else {
		s.judgeCoverage(opened, unknown, missed)
		s.judgeEvenness(opened, unknown)
	}
	s.Verdict = Pass
	for _, p := range []Part{s.Failing, s.Unexpected, s.Coverage, s.Evenly} {
		if p.Verdict == Fail || p.Verdict == Inconclusive && s.Verdict == Pass {
			s.Verdict = p.Verdict
		}
	}
}

func (s *SpreadResult) judgeCoverage(opened, unknown int, missed []string) {
	need := coverageSamples(len(s.Shares))
	switch {
	case len(missed) == 0 && unknown == 0:
		s.Coverage = Part{Pass, fmt.Sprintf("each of the %d endpoints took some", len(s.Shares))}
	case len(missed) > 0 && opened >= need:
		s.Coverage = Part{Fail, fmt.Sprintf("%s took none (by accident with p ≤ %g)", strings.Join(missed, ", "), alpha)}
	case len(missed) > 0:
		s.Coverage = Part{Inconclusive, fmt.Sprintf("%s took none, but it takes %d connections to be sure", strings.Join(missed, ", "), need)}
	default:
		s.Coverage = Part{Inconclusive, "not all endpoints can be seen"}
	}
}

func (s *SpreadResult) judgeEvenness(opened, unknown int) {
	counts := make([]int, len(s.Shares))
	for i, e := range s.Shares {
		counts[i] = e.Count
	}
	switch {
	case unknown > 0 || s.Unexpected.Verdict != Pass:
		s.Evenly = Part{Inconclusive, "not all connections are accounted for"}
		return
	case len(counts) < 2:
		s.Evenly = Part{Skipped, "there is one endpoint only"}
		return
	case opened < SpreadSamples(len(counts)):
		s.Evenly = Part{Skipped, fmt.Sprintf("not judged: that takes %d connections that succeed", SpreadSamples(len(counts)))}
		return
	}
	s.ChiSquare, s.P = pearson(counts)
	says := "no evidence of imbalance"
	if s.P < evenAlpha {
		says = "uneven"
	}
	s.Evenly = Part{passIf(s.P >= evenAlpha), fmt.Sprintf("%s (χ² = %.1f, p = %.2g)", says, s.ChiSquare, s.P)}
}

// judgeSticky expects all connections at one endpoint.
func (s *SpreadResult) judgeSticky(unknown int, missed []string) {
	switch took := len(s.Shares) - unknown - len(missed); {
	case took > 1:
		s.Coverage = Part{Fail, fmt.Sprintf("%d endpoints took some, though sessionAffinity is ClientIP", took)}
	case unknown > 0:
		s.Coverage = Part{Inconclusive, "not all endpoints can be seen"}
	case took == 1:
		s.Coverage = Part{Pass, "one endpoint took all: sessionAffinity is ClientIP"}
	default:
		s.Coverage = Part{Inconclusive, "no endpoint took any"}
	}
	s.Evenly = Part{Skipped, "not judged: sessionAffinity is ClientIP"}
}

// String says the counts: pod/web-1:80 41, pod/web-2:80 39.
func (s *SpreadResult) String() string {
	parts := make([]string, 0, len(s.Shares))
	for _, e := range s.Shares {
		count := "?"
		if e.Known {
			count = fmt.Sprint(e.Count)
		}
		parts = append(parts, e.Endpoint+" "+count)
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// NamedPart is a part with its name.
type NamedPart struct {
	Name    string
	Verdict Verdict
	Text    string
}

// Parts lists the questions that a spread answers, with their verdicts.
func (s *SpreadResult) Parts() []NamedPart {
	return []NamedPart{
		{"errors", s.Failing.Verdict, s.Failing.Text},
		{"responders", s.Unexpected.Verdict, s.Unexpected.Text},
		{"coverage", s.Coverage.Verdict, s.Coverage.Text},
		{"evenness", s.Evenly.Verdict, s.Evenly.Text},
	}
}
