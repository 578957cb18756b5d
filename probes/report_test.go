package probes

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"podpath/probes/launch"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// smallRun is a run with one result of each kind.
func smallRun(t testing.TB) (*World, []Result) {
	t.Helper()
	w := storyWorld(t)
	checks := planFor(t, w, 0, "pod/web-1", "pod/web-2:80", "pod/web-3:80", "https://shop.example.com/", "dns:web", "svc/web")
	via := launch.Via{Rung: launch.Tools, Tool: "bash", Pod: "shop/web-1", Container: "redis", Command: []string{"bash", "-c", "…"}}
	seen := map[string]Observation{
		"pod/web-1 tcp pod/web-2:80": {Stage: StageConnect, Address: "10.244.1.6:80", Times: []StageTime{{StageConnect, 412 * time.Microsecond}}},
		"pod/web-1 tcp pod/web-3:80": {Stage: StageConnect, Error: Refused, Address: "10.244.2.5:80"},
		"pod/web-1 https https://shop.example.com/": {
			Stage: StageRequest, Address: "203.0.113.9:443", Status: 200, Body: "web-1", Detail: "HTTP/1.1 200 OK", Values: []string{"203.0.113.9"},
			Times:       []StageTime{{StageResolve, time.Millisecond}, {StageConnect, 2 * time.Millisecond}, {StageTLS, 1500 * time.Microsecond}},
			Certificate: &Certificate{Subject: "CN=shop", Issuer: "CN=ca", NotBefore: noon, NotAfter: noon.Add(time.Hour), Problem: "unknown authority"},
		},
		"pod/web-1 dns dns:web": {Stage: StageResolve, Address: "10.96.0.10:53", Values: []string{"10.96.0.7"}, Asked: []string{"web.shop.svc.cluster.local. 10.96.0.7"}},
	}
	spread := spreadOf(120, 0, 41, 39, -1)
	spread.How = "the socket tables of the endpoints"
	spread.judge(spreadRule{})
	var results []Result
	for _, c := range append(checks[:4], planFor(t, w, 120, "pod/web-1", "svc/web")[0]) {
		o := seen[c.ID]
		o.Via, o.Tries = via, 1
		if c.Kind == Spread {
			o.Spread = spread
		}
		results = append(results, Result{Check: c, Observation: o, Verdict: judge(c, o)})
	}
	blind := results[0]
	blind.Observation = Observation{Blind: errors.New("the stream\nwas \x1b[31mcut"), Tries: 3}
	blind.ID, blind.Verdict = "pod/web-1 tcp pod/web-2:80 again", Inconclusive
	results = append(results, blind)
	findCauses(w, results, evidence{})
	results[1].Others = []CauseCode{CrossNodeRoute}
	return w, results
}

func TestTheReportIsTheDocumentThatJSONSays(t *testing.T) {
	w, results := smallRun(t)
	got, err := json.MarshalIndent(NewReport(w, results, 1180*time.Millisecond+999), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	path := filepath.Join("testdata", "report.json")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant %s; if that is right, run the test with -update", got, path)
	}
	if bytes.Contains(got, []byte("null,\n      \"values\"")) || bytes.Contains(got, []byte(`\u001b`)) {
		t.Errorf("got null for a list, or control characters, in\n%s", got)
	}
}

func TestNoListOfTheReportIsNull(t *testing.T) {
	w, _ := smallRun(t)
	for name, results := range map[string][]Result{"no result": nil, "an empty result": {{}}, "an empty spread": {{Observation: Observation{Spread: &SpreadResult{}, Certificate: &Certificate{}}, Cause: &Cause{}}}} {
		var document any
		text, err := json.Marshal(NewReport(w, results, 0))
		if err == nil {
			err = json.Unmarshal(text, &document)
		}
		if err != nil {
			t.Fatal(err)
		}
		nulls := map[string]bool{}
		findNulls(document, "", nulls)
		delete(nulls, ".results.latencyMs")
		delete(nulls, ".results.cause")
		if len(nulls) > 0 {
			t.Errorf("%s: got null for %v", name, nulls)
		}
	}
}

func findNulls(v any, path string, found map[string]bool) {
	switch v := v.(type) {
	case nil:
		found[path] = true
	case []any:
		for _, e := range v {
			findNulls(e, path, found)
		}
	case map[string]any:
		for key, e := range v {
			findNulls(e, path+"."+key, found)
		}
	}
}

func TestVerdictsAreCounted(t *testing.T) {
	got := Summarize([]Result{{Verdict: Pass}, {Verdict: Fail}, {Verdict: Pass}, {Verdict: Inconclusive}, {Verdict: Skipped}})
	if want := (Summary{Pass: 2, Fail: 1, Inconclusive: 1, Skipped: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWhatThereIsToSayIsOneLine(t *testing.T) {
	for want, o := range map[string]Observation{
		"the stream; was cut": {Blind: errors.New("the stream\nwas cut"), Detail: "x"},
		"HTTP/1.1 200 OK":     {Detail: "HTTP/1.1 200 OK", Values: []string{"a"}},
		"a, b":                {Values: []string{"a", "b"}},
		"":                    {},
	} {
		if got := o.Says(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// The document is a promise: what is measured in the wrong unit breaks it.
func TestTimesAreMilliseconds(t *testing.T) {
	for took, want := range map[time.Duration]float64{0: 0, time.Microsecond: 0.001, 1500 * time.Microsecond: 1.5, 2 * time.Second: 2000} {
		if got := milliseconds(took); !reflect.DeepEqual(got, want) {
			t.Errorf("%v: got %v, want %v", took, got, want)
		}
	}
	if r := NewReport(&World{Snapshot: storyWorld(t).Snapshot}, nil, 1999*time.Microsecond); fmt.Sprint(r.DurationMs) != "1" {
		t.Errorf("got %d, want whole milliseconds", r.DurationMs)
	}
}
