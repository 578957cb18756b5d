package present_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"podpath/probes/path"
	"podpath/probes/present"
)

// came is a result of a check, with a cause or none.
func came(from, to string, v path.Verdict, c *path.Cause) path.Result {
	return path.Result{Check: path.Check{ID: from + " tcp " + to, Source: path.Source{Label: from}, Target: to, Kind: path.TCP}, Verdict: v, Cause: c}
}

func TestResultsAreGroupedByWhatExplainsThem(t *testing.T) {
	cause := func(code path.CauseCode, summary string) *path.Cause {
		return &path.Cause{Code: code, Summary: summary}
	}
	design := func(code path.CauseCode) *path.Cause { return &path.Cause{Code: code, ByDesign: true} }
	port, dead, tools := cause(path.WrongTargetPort, "web"), cause(path.DeadEndpoint, "db"), cause(path.NoTools, "No container of pod/a has a tool.")
	for name, test := range map[string]struct {
		results []path.Result
		want    []string
	}{
		"nothing":                    {nil, nil},
		"what passes needs no words": {[]path.Result{came("a", "b", path.Pass, nil), came("a", "c", path.Skipped, nil)}, nil},
		"the same cause once":        {[]path.Result{came("a", "b", path.Fail, port), came("a", "c", path.Fail, cause(path.WrongTargetPort, "web"))}, []string{"✗ wrong-target-port 2"}},
		"another sentence is another explanation": {
			[]path.Result{came("a", "b", path.Fail, port), came("a", "c", path.Fail, cause(path.WrongTargetPort, "api"))},
			[]string{"✗ wrong-target-port 1", "✗ wrong-target-port 1"},
		},
		"what explains most comes first": {
			[]path.Result{came("a", "b", path.Fail, dead), came("a", "c", path.Fail, port), came("a", "d", path.Fail, port)},
			[]string{"✗ wrong-target-port 2", "✗ dead-endpoint 1"},
		},
		"as they came where they explain as much": {
			[]path.Result{came("a", "b", path.Fail, dead), came("a", "c", path.Fail, port)},
			[]string{"✗ dead-endpoint 1", "✗ wrong-target-port 1"},
		},
		"without a cause one for each target": {
			[]path.Result{came("a", "b", path.Fail, nil), came("c", "b", path.Fail, nil), came("a", "d", path.Fail, nil)},
			[]string{"✗ unknown 2", "✗ unknown 1"},
		},
		"where podpath cannot look, one for all sources": {
			[]path.Result{came("a", "b", path.Inconclusive, tools), came("c", "b", path.Inconclusive, cause(path.NoTools, "No container of pod/c has a tool."))},
			[]string{"? no-tools 2"},
		},
		"wrong, unknown, not looked at, by design": {
			[]path.Result{
				came("a", "b", path.Pass, design(path.PolicyDenies)), came("a", "c", path.Inconclusive, tools), came("a", "d", path.Fail, nil), came("a", "e", path.Fail, nil),
				came("a", "f", path.Inconclusive, nil), came("a", "g", path.Fail, dead),
			},
			[]string{"✗ dead-endpoint 1", "✗ unknown 1", "✗ unknown 1", "? no-tools 1", "? inconclusive 1", "· policy-denies 1"},
		},
	} {
		var got []string
		for _, e := range present.Explain(storyWorld(t), test.results) {
			got = append(got, fmt.Sprintf("%s %s %d", e.Sign(), e.Code(), len(e.Of)))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestAnExplanationSaysWhatWhereAndWhatNext(t *testing.T) {
	refused := came("pod/web-1", "pod/web-2:80", path.Fail, nil)
	refused.Stage, refused.Error, refused.Path = path.StageConnect, path.Refused, path.Path{Pod: storyPod("web-2")}
	cut := came("pod/web-1", "svc/web", path.Inconclusive, nil)
	cut.Blind = errors.New("the stream was cut")
	explained := came("pod/web-1", "svc/web", path.Fail, &path.Cause{Code: path.NoReadyEndpoint, Summary: "None is ready.", Next: path.Next{Argv: []string{"kubectl", "get", "pods"}, Note: "shows why"}})
	for name, test := range map[string]struct {
		results               []path.Result
		sentence, where, next string
	}{
		"a cause":         {[]path.Result{explained, came("local", "svc/web", path.Fail, explained.Cause)}, "None is ready.", "pod/web-1 → svc/web and 1 more", "kubectl get pods  shows why"},
		"no cause":        {[]path.Result{refused}, "refused; no cause that podpath knows fits", "pod/web-1 → pod/web-2:80", "kubectl logs -n shop web-2 --all-containers  what does the app say?"},
		"it did not look": {[]path.Result{cut}, "could not look: the stream was cut", "pod/web-1 → svc/web", "podpath probe -n shop pod/web-1 svc/web  when the way to the source is free again"},
	} {
		got := present.Explain(storyWorld(t), test.results)[0]
		if got.Sentence() != test.sentence || got.Where() != test.where || got.Next.String() != test.next {
			t.Errorf("%s: got %q, %q, %q\nwant %q, %q, %q", name, got.Sentence(), got.Where(), got.Next, test.sentence, test.where, test.next)
		}
	}
}
