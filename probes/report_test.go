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
	"podpath/probes/path"
	"podpath/probes/path/manifest"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// smallRun is a run with one result of each kind.
func smallRun(t testing.TB) (*path.World, []path.Result) {
	t.Helper()
	w := storyWorld(t)
	checks := planFor(t, w, 0, "pod/web-1", "pod/web-2:80", "pod/web-3:80", "https://shop.example.com/", "dns:web", "svc/web")
	via := launch.Via{Rung: launch.Tools, Tool: "bash", Pod: "shop/web-1", Container: "redis", Command: []string{"bash", "-c", "…"}}
	seen := map[string]path.Observation{
		"pod/web-1 tcp pod/web-2:80": {Stage: path.StageConnect, Address: "10.244.1.6:80", Times: []path.StageTime{{Stage: path.StageConnect, Took: 412 * time.Microsecond}}},
		"pod/web-1 tcp pod/web-3:80": {Stage: path.StageConnect, Error: path.Refused, Address: "10.244.2.5:80"},
		"pod/web-1 https https://shop.example.com/": {
			Stage: path.StageRequest, Address: "203.0.113.9:443", Status: 200, Body: "web-1", Detail: "HTTP/1.1 200 OK", Values: []string{"203.0.113.9"},
			Times:       []path.StageTime{{Stage: path.StageResolve, Took: time.Millisecond}, {Stage: path.StageConnect, Took: 2 * time.Millisecond}, {Stage: path.StageTLS, Took: 1500 * time.Microsecond}},
			Certificate: &path.Certificate{Subject: "CN=shop", Issuer: "CN=ca", NotBefore: manifest.Noon, NotAfter: manifest.Noon.Add(time.Hour), Problem: "unknown authority"},
		},
		"pod/web-1 dns dns:web": {Stage: path.StageResolve, Address: "10.96.0.10:53", Values: []string{"10.96.0.7"}, Answers: []path.NameAnswer{{Name: "web.shop.svc.cluster.local.", Type: "A", Says: "10.96.0.7"}}},
	}
	spread := &path.SpreadResult{Connections: 120, How: "the socket tables of the endpoints", Shares: []path.Share{
		{Endpoint: "pod/web-1:80", Address: "10.244.1.5:80", Known: true, Count: 41},
		{Endpoint: "pod/web-2:80", Address: "10.244.1.6:80", Known: true, Count: 39},
		{Endpoint: "pod/web-3:80", Address: "10.244.2.5:80"},
	}}
	spread.Judge(false)
	var results []path.Result
	for _, c := range append(checks[:4], planFor(t, w, 120, "pod/web-1", "svc/web")[0]) {
		o := seen[c.ID]
		o.Via, o.Tries = via, 1
		if c.Kind == path.Spread {
			o.Spread, o.Stage, o.Address = spread, path.StageConnect, "10.96.0.7:8080"
		}
		results = append(results, path.Result{Check: c, Observation: o, Verdict: path.Judge(c, o)})
	}
	blind := results[0]
	blind.Observation = path.Observation{Blind: errors.New("the stream\nwas \x1b[31mcut"), Tries: 3}
	blind.ID, blind.Verdict = "pod/web-1 tcp pod/web-2:80 again", path.Inconclusive
	results = append(results, blind)
	path.Explain(w, results, path.Looks{})
	results[1].Others = []path.CauseCode{path.CrossNodeRoute}
	return w, results
}

func TestTheReportIsTheDocumentThatJSONSays(t *testing.T) {
	w, results := smallRun(t)
	got, err := json.MarshalIndent(NewReport(w, []path.Choice{{What: "Pods", Of: 24, All: 300}}, results, 1180*time.Millisecond+999), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	golden := filepath.Join("testdata", "report.json")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant %s; if that is right, run the test with -update", got, golden)
	}
	if bytes.Contains(got, []byte("null,\n      \"values\"")) || bytes.Contains(got, []byte(`\u001b`)) {
		t.Errorf("got null for a list, or control characters, in\n%s", got)
	}
}

func TestNoListOfTheReportIsNull(t *testing.T) {
	w, _ := smallRun(t)
	for name, results := range map[string][]path.Result{"no result": nil, "an empty result": {{}}, "an empty spread": {{Observation: path.Observation{Spread: &path.SpreadResult{}, Certificate: &path.Certificate{}}, Cause: &path.Cause{}}}} {
		var document any
		text, err := json.Marshal(NewReport(w, nil, results, 0))
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

func findNulls(v any, at string, found map[string]bool) {
	switch v := v.(type) {
	case nil:
		found[at] = true
	case []any:
		for _, e := range v {
			findNulls(e, at, found)
		}
	case map[string]any:
		for key, e := range v {
			findNulls(e, at+"."+key, found)
		}
	}
}

func TestVerdictsAreCounted(t *testing.T) {
	got := Summarize([]path.Result{{Verdict: path.Pass}, {Verdict: path.Fail}, {Verdict: path.Pass}, {Verdict: path.Inconclusive}, {Verdict: path.Skipped}})
	if want := (Summary{Pass: 2, Fail: 1, Inconclusive: 1, Skipped: 1}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWhatThereIsToSayIsOneLine(t *testing.T) {
	for want, o := range map[string]path.Observation{
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
	if r := NewReport(&path.World{Snapshot: storyWorld(t).Snapshot}, nil, nil, 1999*time.Microsecond); fmt.Sprint(r.DurationMs) != "1" {
		t.Errorf("got %d, want whole milliseconds", r.DurationMs)
	}
}
