package detail

import (
	"time"

	"podpath/kube"
	"podpath/probes/present"
	"podpath/tui/results"
	"podpath/tui/style"
	"podpath/tui/words"
)

// mostProbes is how many results each way a description lists.
const mostProbes = 12

// probes lists the last results of probes to an object and from it, the worst
// first.
func (t *text) probes(b *results.Book, ref kube.Ref, now time.Time) {
	if b == nil {
		return
	}
	to, from := b.To(ref), b.From(ref)
	t.results("Probes to it", to, now, func(e results.Entry) string {
		return "from " + e.Source.Label + " to " + present.Target(e.Check)
	})
	t.results("Probes from it", from, now, func(e results.Entry) string { return "to " + present.Target(e.Check) })
}

func (t *text) results(heading string, entries []results.Entry, now time.Time, path func(results.Entry) string) {
	if len(entries) == 0 {
		return
	}
	var tally results.Tally
	for _, e := range entries {
		tally.Count(e.Verdict)
	}
	t.Heading(heading + ": " + tally.String() + " as expected")
	for _, e := range entries[:min(len(entries), mostProbes)] {
		says := present.Short(e.Result)
		if e.Cause != nil && !e.Cause.ByDesign {
			says = string(e.Cause.Code)
		}
		t.Line(results.Role(e.Verdict), "%s", kube.Clean(present.Sign(e.Verdict)+" "+path(e)+"  "+says+"  "+words.Age(now, e.At)+" ago"))
	}
	if more := len(entries) - mostProbes; more > 0 {
		t.Line(style.Dim, "and %d more", more)
	}
}
