package path

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
		"its name cannot be resolved":         {not, Observation{Stage: StageResolve, Error: TimedOut}, Fail},
		"the DNS fails on its name":           {not, Observation{Stage: StageResolve, Error: ServFail}, Fail},
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
		if got := Judge(Check{Kind: TCP, Expect: test.expect}, test.seen); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
	for seen, want := range map[ErrorKind]Verdict{NXDomain: Pass, NoData: Pass, NoError: Fail, ServFail: Inconclusive, TimedOut: Inconclusive} {
		if got := Judge(Check{Kind: DNS, Expect: not}, Observation{Stage: StageResolve, Error: seen}); got != want {
			t.Errorf("a name that should not be, and %q: got %s, want %s", seen, got, want)
		}
	}
}

func TestWhatTheUserAskedForIsNeverSkipped(t *testing.T) {
	by, not := either(""), Expectation{Outcome: Blocked}
	by.Cause = &Cause{Code: OutsideCluster, ByDesign: true}
	silent, nobody := Observation{Stage: StageConnect, Error: Silence}, Observation{Stage: StageConnect, Error: TimedOut}
	for name, test := range map[string]struct {
		check       Check
		expect      Expectation
		seen        Observation
		asked, plan Verdict
	}{
		"neither would be wrong":              {Check{Kind: TCP}, either(""), nobody, Inconclusive, Skipped},
		"neither would be wrong, and reached": {Check{Kind: TCP}, either(""), Observation{}, Pass, Pass},
		"neither, and it is known why":        {Check{Kind: TCP}, by, nobody, Pass, Pass},
		"reached or not":                      {Check{Kind: TCP}, reached(""), nobody, Fail, Fail},
		"a packet that nobody answers":        {Check{Kind: UDP}, reached(""), silent, Inconclusive, Skipped},
		"a packet that is refused":            {Check{Kind: UDP}, reached(""), Observation{Stage: StageConnect, Error: Refused}, Fail, Fail},
		"a packet that is answered":           {Check{Kind: UDP}, reached(""), Observation{Stage: StageRequest}, Pass, Pass},
		"a packet that is to be blocked":      {Check{Kind: UDP}, not, silent, Inconclusive, Skipped},
		"a question that nobody answers":      {Check{Kind: UDP}, reached(""), nobody, Fail, Fail},
		"a question that is to be blocked":    {Check{Kind: UDP}, not, nobody, Pass, Pass},
	} {
		c := test.check
		c.Expect = test.expect
		if got := Judge(c, test.seen); got != test.plan {
			t.Errorf("%s, of a plan: got %s, want %s", name, got, test.plan)
		}
		c.Asked = true
		if got := Judge(c, test.seen); got != test.asked {
			t.Errorf("%s, asked for: got %s, want %s", name, got, test.asked)
		}
	}
}
