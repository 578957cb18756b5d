package path

import (
	"slices"
	"strings"
)

// Verdict is what becomes of a check.
type Verdict string

// The verdicts. Inconclusive is neither: podpath could not look.
const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"
	Inconclusive Verdict = "inconclusive"
	Skipped      Verdict = "skipped"
)

// Judge compares what was seen with what was expected.
func Judge(c Check, o Observation) Verdict {
	reached := o.Error == NoError
	c.Expect = c.Expect.met(o)
	switch {
	case o.Blind != nil:
		return Inconclusive
	case o.Spread != nil:
		return o.Spread.Verdict
	case c.Expect.Outcome == Any && !reached && c.Expect.Cause == nil && c.Asked:
		return Inconclusive
	case c.Expect.Outcome == Any && !reached && c.Expect.Cause == nil:
		return Skipped // it says nothing
	case silent(o.Error) && c.Asked: // nobody answers by itself
		return Inconclusive
	case silent(o.Error):
		return Skipped
	case c.Expect.Outcome == Any:
		return Pass
	case c.Expect.Outcome == Blocked:
		return judgeBlocked(c, o)
	case reached && c.Expect.Values != nil:
		return passIf(sameValues(withoutDomain(c.Expect.Values), withoutDomain(o.Values)))
	default:
		return passIf(reached)
	}
}

// judgeBlocked tells what was blocked from what was never tried, and from what
// got through and failed later.
func judgeBlocked(c Check, o Observation) Verdict {
	switch {
	case c.Kind == Env:
		return passIf(o.Error == Missing)
	case c.Kind == DNS && (o.Error == NXDomain || o.Error == NoData):
		return Pass
	case o.Error == NoError:
		return Fail
	case o.Stage == StageResolve && c.Kind != DNS && o.Error != NXDomain && o.Error != NoData:
		return Fail // what is forbidden is the request, and not its name
	case c.Kind == DNS || o.Stage == StageResolve:
		return Inconclusive // there was no answer that would say so
	default:
		return passIf(o.Stage == StageConnect)
	}
}

func passIf(ok bool) Verdict {
	if ok {
		return Pass
	}
	return Fail
}

// withoutDomain cuts the names of Services behind .svc: the domain of the
// cluster is not known beforehand.
func withoutDomain(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		name, _, found := strings.Cut(v, ".svc.")
		if out[i] = name; found {
			out[i] += ".svc"
		}
	}
	return out
}

// sameValues compares sets.
func sameValues(want, got []string) bool {
	want, got = slices.Clone(want), slices.Clone(got)
	slices.Sort(want)
	slices.Sort(got)
	return slices.Equal(slices.Compact(want), slices.Compact(got))
}
