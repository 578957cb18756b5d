package probes

import (
	"errors"
	"testing"
)

func TestVerdicts(t *testing.T) {
	values := func(v ...string) Expectation { return Expectation{Outcome: Reached, Values: v} }
	not := Expectation{Outcome: Blocked}
	for name, test := range map[string]struct {
		expect Expectation
		seen   Observation
		want   Verdict
	}{
		"reached, as expected":                {reached(""), Observation{}, Pass},
		"not reached":                         {reached(""), Observation{Error: TimedOut}, Fail},
		"blocked, as expected":                {not, Observation{Stage: StageConnect, Error: Refused}, Pass},
		"it gets through, and fails then":     {not, Observation{Stage: StageRequest, Error: BadStatus}, Fail},
		"its name cannot be resolved":         {not, Observation{Stage: StageResolve, Error: TimedOut}, Inconclusive},
		"not blocked":                         {not, Observation{}, Fail},
		"neither would be wrong":              {either(""), Observation{Error: TimedOut}, Skipped},
		"neither would be wrong, and reached": {either(""), Observation{}, Pass},
		"podpath could not look":              {reached(""), Observation{Blind: errors.New("cut")}, Inconclusive},
		"could not look at what is blocked":   {not, Observation{Error: TimedOut, Blind: errors.New("cut")}, Inconclusive},
		"could not look, whatever comes":      {either(""), Observation{Blind: errors.New("cut")}, Inconclusive},
		"the values, in any order":            {values("a", "b"), Observation{Values: []string{"b", "a", "b"}}, Pass},
		"a value is missing":                  {values("a", "b"), Observation{Values: []string{"a"}}, Fail},
		"a value too many":                    {values("a"), Observation{Values: []string{"a", "b"}}, Fail},
		"the values, but an error":            {values("a"), Observation{Values: []string{"a"}, Error: ServFail}, Fail},
		"no value is expected":                {values(), Observation{Values: []string{"a"}}, Pass},
		"with the domain of the cluster":      {values("8080 web.shop.svc"), Observation{Values: []string{"8080 web.shop.svc.cluster.local"}}, Pass},
		"another Service":                     {values("web.shop.svc"), Observation{Values: []string{"web.bank.svc.cluster.local"}}, Fail},
		"an ExternalName within the cluster":  {values("web.bank.svc.cluster.local"), Observation{Values: []string{"web.bank.svc.cluster.local"}}, Pass},
		"a spread has a verdict of its own":   {reached(""), Observation{Spread: &SpreadResult{Verdict: Fail}}, Fail},
		"a spread that was cut has none":      {reached(""), Observation{Spread: &SpreadResult{Verdict: Pass}, Blind: errors.New("cut")}, Inconclusive},
		"a list of nothing is what is wanted": {Expectation{Outcome: Reached, Values: []string{}}, Observation{Values: []string{"a"}}, Fail},
	} {
		if got := judge(Check{Expect: test.expect}, test.seen); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
	for seen, want := range map[ErrorKind]Verdict{NXDomain: Pass, NoData: Pass, NoError: Fail, ServFail: Inconclusive, TimedOut: Inconclusive} {
		if got := judge(Check{Kind: DNS, Expect: not}, Observation{Stage: StageResolve, Error: seen}); got != want {
			t.Errorf("a name that should not be, and %q: got %s, want %s", seen, got, want)
		}
	}
}
