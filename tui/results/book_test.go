package results

import (
	"fmt"
	"testing"
	"time"

	"podpath/kube"
	"podpath/probes/path"
	"podpath/tui/style"
	"podpath/tui/table"
)

var (
	web  = kube.Key{Namespace: "shop", Name: "web-1"}
	db   = kube.Key{Namespace: "shop", Name: "db"}
	from = path.Source{Kind: path.FromPod, Pod: web, Label: "pod/web-1"}
)

func toService(id string, v path.Verdict) path.Result {
	return path.Result{Check: path.Check{ID: id, Source: from, Path: path.Path{Service: db, Entry: path.AtClusterIP}}, Verdict: v}
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
	b.Add(time.Unix(1, 0), toService("b pass", path.Pass), toService("a pass", path.Pass), toService("fail", path.Fail), toService("blind", path.Inconclusive))
	want := "fail blind a pass b pass "
	if got := ids(b.To(ref(kube.Services, db))); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := ids(b.From(ref(kube.Pods, web))); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	b.Add(time.Unix(2, 0), toService("fail", path.Pass))
	if e, _ := b.Get("fail"); e.Verdict != path.Pass || !e.At.Equal(time.Unix(2, 0)) || len(b.To(ref(kube.Services, db))) != 4 {
		t.Errorf("got %+v, want the newer result in place of the older", e)
	}
}

func TestMarks(t *testing.T) {
	for _, c := range []struct {
		verdicts []path.Verdict
		want     table.Cell
	}{
		{[]path.Verdict{path.Pass, path.Pass}, table.Cell{Text: "✓", Role: style.Good}},
		{[]path.Verdict{path.Pass, path.Fail, path.Fail}, table.Cell{Text: "✗ 2", Role: style.Bad}},
		{[]path.Verdict{path.Inconclusive, path.Pass}, table.Cell{Text: "? 1", Role: style.Warn}},
		{[]path.Verdict{path.Skipped}, table.Cell{Text: "–", Role: style.Dim}},
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
		check    path.Check
		to, from []kube.Ref
	}{
		"a Pod":                   {path.Check{Source: from, Path: path.Path{Pod: web, Node: "n"}}, []kube.Ref{ref(kube.Pods, web)}, []kube.Ref{ref(kube.Pods, web)}},
		"an endpoint":             {path.Check{Source: from, Path: path.Path{Pod: web, Service: db, Node: "n"}}, []kube.Ref{ref(kube.Pods, web), ref(kube.Services, db)}, []kube.Ref{ref(kube.Pods, web)}},
		"a node port":             {path.Check{Source: path.Source{Kind: path.FromNode, Node: "n"}, Path: path.Path{Service: db, Node: "n", Entry: path.AtNodePort}}, []kube.Ref{ref(kube.Services, db), node}, []kube.Ref{node}},
		"a variable is no path":   {path.Check{Source: from, Kind: path.Env, Path: path.Path{Pod: web, Service: db}}, []kube.Ref{ref(kube.Services, db)}, []kube.Ref{ref(kube.Pods, web)}},
		"podpath itself is local": {path.Check{Source: path.Source{Kind: path.FromLocal, Node: "n"}}, nil, nil},
	} {
		if got := fmt.Sprint(targets(c.check), sources(c.check)); got != fmt.Sprint(c.to, c.from) {
			t.Errorf("%s: got %s, want %s", name, got, fmt.Sprint(c.to, c.from))
		}
	}
}

func TestTheOldestResultsAreForgotten(t *testing.T) {
	var b Book
	for i := range most + 1 {
		b.Add(time.Unix(int64(i), 0), toService(fmt.Sprint(i), path.Pass))
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
