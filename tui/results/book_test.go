package results

import (
	"fmt"
	"testing"
	"time"

	"podpath/kube"
	"podpath/probes"
	"podpath/tui/style"
	"podpath/tui/table"
)

var (
	web  = kube.Key{Namespace: "shop", Name: "web-1"}
	db   = kube.Key{Namespace: "shop", Name: "db"}
	from = probes.Source{Kind: probes.FromPod, Pod: web, Label: "pod/web-1"}
)

func toService(id string, v probes.Verdict) probes.Result {
	return probes.Result{Check: probes.Check{ID: id, Source: from, About: probes.About{Service: db, Virtual: true}}, Verdict: v}
}

func ref(r kube.Resource, k kube.Key) kube.Ref { return kube.Ref{Resource: r, Key: k} }

func ids(entries []Entry) string {
	out := ""
	for _, e := range entries {
		out += e.ID + " "
	}
	return out
}

func TestResultsAreFoundAtBothEndsTheWorstFirst(t *testing.T) {
	var b Book
	if !b.Empty() || b.To(ref(kube.Pods, web)) == nil && len(b.From(ref(kube.Pods, web))) > 0 || b.Mark(ref(kube.Pods, web)) != (table.Cell{}) {
		t.Error("got something in an empty book")
	}
	b.Add(time.Unix(1, 0), toService("b pass", probes.Pass), toService("a pass", probes.Pass), toService("fail", probes.Fail), toService("blind", probes.Inconclusive))
	want := "fail blind a pass b pass "
	if got := ids(b.To(ref(kube.Services, db))); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := ids(b.From(ref(kube.Pods, web))); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	b.Add(time.Unix(2, 0), toService("fail", probes.Pass))
	if e, _ := b.Get("fail"); e.Verdict != probes.Pass || !e.At.Equal(time.Unix(2, 0)) || len(b.To(ref(kube.Services, db))) != 4 {
		t.Errorf("got %+v, want the newer result in place of the older", e)
	}
}

func TestMarks(t *testing.T) {
	for _, c := range []struct {
		verdicts []probes.Verdict
		want     table.Cell
	}{
		{[]probes.Verdict{probes.Pass, probes.Pass}, table.Cell{Text: "✓", Role: style.Good}},
		{[]probes.Verdict{probes.Pass, probes.Fail, probes.Fail}, table.Cell{Text: "✗ 2", Role: style.Bad}},
		{[]probes.Verdict{probes.Inconclusive, probes.Pass}, table.Cell{Text: "? 1", Role: style.Warn}},
		{[]probes.Verdict{probes.Skipped}, table.Cell{Text: "–", Role: style.Dim}},
	} {
		var b Book
		for i, v := range c.verdicts {
			b.Add(time.Time{}, toService(fmt.Sprint(i), v))
		}
		if got := b.Mark(ref(kube.Services, db)); got != c.want {
			t.Errorf("%q: got %+v, want %+v", c.verdicts, got, c.want)
		}
	}
}

func TestWhatACheckIsAbout(t *testing.T) {
	node := kube.Ref{Resource: kube.Nodes, Key: kube.Key{Name: "n"}}
	for name, c := range map[string]struct {
		check    probes.Check
		to, from []kube.Ref
	}{
		"a Pod":                   {probes.Check{Source: from, About: probes.About{Pod: web, Node: "n"}}, []kube.Ref{ref(kube.Pods, web)}, []kube.Ref{ref(kube.Pods, web)}},
		"an endpoint":             {probes.Check{Source: from, About: probes.About{Pod: web, Service: db, Node: "n"}}, []kube.Ref{ref(kube.Pods, web), ref(kube.Services, db)}, []kube.Ref{ref(kube.Pods, web)}},
		"a node port":             {probes.Check{Source: probes.Source{Kind: probes.FromNode, Node: "n"}, About: probes.About{Service: db, Node: "n", NodePort: true}}, []kube.Ref{ref(kube.Services, db), node}, []kube.Ref{node}},
		"a variable is no path":   {probes.Check{Source: from, Kind: probes.Env, About: probes.About{Pod: web, Service: db}}, []kube.Ref{ref(kube.Services, db)}, []kube.Ref{ref(kube.Pods, web)}},
		"podpath itself is local": {probes.Check{Source: probes.Source{Kind: probes.FromLocal, Node: "n"}}, nil, nil},
	} {
		if got := fmt.Sprint(targets(c.check), sources(c.check)); got != fmt.Sprint(c.to, c.from) {
			t.Errorf("%s: got %s, want %s", name, got, fmt.Sprint(c.to, c.from))
		}
	}
}

func TestTheOldestResultsAreForgotten(t *testing.T) {
	var b Book
	for i := range most + 1 {
		b.Add(time.Unix(int64(i), 0), toService(fmt.Sprint(i), probes.Pass))
	}
	_, first := b.Get("0")
	_, last := b.Get(fmt.Sprint(most))
	if n := len(b.To(ref(kube.Services, db))); first || !last || n != most*9/10 {
		t.Errorf("got %d results, the first one still there: %t, the last one: %t", n, first, last)
	}
}

func TestTalliesSayHowManyAndTheWorst(t *testing.T) {
	for _, c := range []struct {
		tally Tally
		want  string
	}{
		{Tally{Pass: 12}, "12/12"},
		{Tally{Pass: 11, Fail: 1}, "11/12 ✗"},
		{Tally{Pass: 11, Inconclusive: 1, Waiting: 1}, "11/13 ?"},
		{Tally{Pass: 3, Waiting: 9}, "3/12 …"},
		{Tally{Skipped: 2}, "0/2 –"},
	} {
		if got := c.tally.String(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestLatencies(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "", 40 * time.Microsecond: "0.04ms", 1234 * time.Microsecond: "1.2ms", 12 * time.Millisecond: "12ms", 999 * time.Millisecond: "999ms", 1500 * time.Millisecond: "1.5s", 90 * time.Second: "1min",
	} {
		if got := Latency(d); got != want || len(got) > 6 {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
}
