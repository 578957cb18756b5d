package present_test

import (
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"podpath/kube"
	"podpath/probes/path"
	"podpath/probes/present"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func storyPod(name string) kube.Key { return kube.Key{Namespace: "shop", Name: name} }

func TestLatencies(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "", 40 * time.Microsecond: "0.04ms", 1234 * time.Microsecond: "1.2ms", 12 * time.Millisecond: "12ms", 999 * time.Millisecond: "999ms", 1500 * time.Millisecond: "1.5s", 90 * time.Second: "1min",
	} {
		if got := present.Latency(d); got != want || len(got) > 6 {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
}

func TestSignsAreOneCellAndOneOfEach(t *testing.T) {
	seen := map[string]string{}
	for _, v := range []path.Verdict{path.Pass, path.Fail, path.Inconclusive, path.Skipped, ""} {
		if got := present.Sign(v); seen[got] != "" || len([]rune(got)) != 1 {
			t.Errorf("%q: got %q, which is that of %q", v, got, seen[got])
		} else {
			seen[got] = string(v)
		}
	}
	hops := map[string]path.HopState{}
	for _, s := range []path.HopState{path.Works, path.Broken, path.ByDesign, path.NotReached, path.Unknown} {
		if got := present.HopSign(s); hops[got] != "" || len([]rune(got)) != 1 {
			t.Errorf("%q: got %q, which is that of %q", s, got, hops[got])
		} else {
			hops[got] = s
		}
	}
}

func TestWhatWasSeenIsSaidInOneLine(t *testing.T) {
	const millisecond = 1200 * time.Microsecond
	took := []path.StageTime{{Stage: path.StageConnect, Took: millisecond}}
	wants := func(values ...string) path.Expectation {
		return path.Expectation{Outcome: path.Reached, Values: values, Why: "the objects say so"}
	}
	blocked := path.Expectation{Outcome: path.Blocked, Why: "a policy denies it"}
	for name, test := range map[string]struct {
		kind   path.Kind
		expect path.Expectation
		seen   path.Observation
		cause  *path.Cause
		// short is for a cell, timed for a line.
		short, timed string
	}{
		"a connection that opens": {path.TCP, wants(), path.Observation{Stage: path.StageConnect, Times: took}, nil, "1.2ms", "1.2 ms  opened"},
		"a page":                  {path.TCP, wants(), path.Observation{Stage: path.StageRequest, Times: took, Detail: "HTTP/1.1 200 OK"}, nil, "1.2ms", "1.2 ms  HTTP/1.1 200 OK"},
		"no clock there":          {path.TCP, wants(), path.Observation{Stage: path.StageConnect}, nil, "", "opened"},
		"refused":                 {path.TCP, wants(), path.Observation{Stage: path.StageConnect, Error: path.Refused}, nil, "refused", "refused"},
		"refused behind a name":   {path.HTTP, wants(), path.Observation{Stage: path.StageConnect, Error: path.Refused, Values: []string{"10.96.0.7"}, Address: "10.96.0.7:80"}, nil, "refused", "refused at 10.96.0.7:80"},
		"no such name":            {path.DNS, wants("10.96.0.7"), path.Observation{Stage: path.StageResolve, Error: path.NXDomain}, nil, "nxdomain", "nxdomain"},
		"another record":          {path.DNS, wants("10.96.0.7"), path.Observation{Stage: path.StageResolve, Values: []string{"10.0.0.9"}}, nil, "", "got 10.0.0.9, want 10.96.0.7"},
		"blocked, and so it should be": {
			path.TCP, blocked, path.Observation{Stage: path.StageConnect, Error: path.TimedOut}, nil, "timeout", "timeout, as expected: a policy denies it",
		},
		"by design, in the words of its cause": {
			path.TCP, blocked,
			path.Observation{Stage: path.StageConnect, Error: path.TimedOut},
			&path.Cause{Code: path.PolicyDenies, Summary: "Policy in denies it.", ByDesign: true},
			"timeout", "timeout, as expected: Policy in denies it.",
		},
		"reached, though it should not be": {path.TCP, blocked, path.Observation{Stage: path.StageConnect}, nil, "", "reached, though it should not be: a policy denies it"},
		"podpath could not look":           {path.TCP, wants(), path.Observation{Blind: errors.New("the stream\nwas cut"), Times: took}, nil, "could not look", "could not look: the stream; was cut"},
		"and there is a cause": {
			path.TCP, wants(), path.Observation{Blind: errors.New("no way in")}, &path.Cause{Code: path.NoTools}, "could not look", "could not look: no-tools",
		},
		"a spread": {
			path.Spread, wants(),
			path.Observation{Stage: path.StageConnect, Detail: "pod/a:80 40", Times: took, Spread: &path.SpreadResult{Verdict: path.Pass, Connections: 40}},
			nil,
			"1.2ms", "40 connections: pod/a:80 40",
		},
	} {
		r := path.Result{Check: path.Check{Kind: test.kind, Expect: test.expect, Asked: true}, Observation: test.seen, Cause: test.cause}
		r.Verdict = path.Judge(r.Check, r.Observation)
		if got := present.Short(r); got != test.short {
			t.Errorf("%s: got %q in a cell, want %q", name, got, test.short)
		}
		if got := present.Timed(r); got != test.timed {
			t.Errorf("%s: got %q in a line, want %q", name, got, test.timed)
		}
	}
}

func TestTheSpreadOfAServiceIsAnotherThingThanTheService(t *testing.T) {
	for want, c := range map[string]path.Check{
		"svc/web:80":    {Kind: path.TCP, Target: "svc/web:80"},
		"spread/web:80": {Kind: path.Spread, Target: "svc/web:80"},
	} {
		if got := present.Target(c); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestTheWorstVerdictRanksFirst(t *testing.T) {
	order := []path.Verdict{path.Fail, path.Inconclusive, "", path.Pass, path.Skipped}
	for i := range order[1:] {
		if present.Rank(order[i]) >= present.Rank(order[i+1]) {
			t.Errorf("got %q not before %q", order[i], order[i+1])
		}
	}
}
