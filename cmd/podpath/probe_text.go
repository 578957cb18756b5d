package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"podpath/kube"
	"podpath/probes"
	"podpath/tui/style"
)

// signs say a verdict in one cell.
var signs = map[probes.Verdict]string{probes.Pass: "✓", probes.Fail: "✗", probes.Inconclusive: "?", probes.Skipped: "–"}

var headings = map[probes.Group]string{
	probes.Paths: "PATHS", probes.Services: "SERVICES", probes.Spreading: "SPREAD", probes.Discovery: "DISCOVERY",
}

// writeText writes a report for people: a matrix where several sources went to
// several targets, lines otherwise, and then what is wrong, with its cause.
func writeText(w io.Writer, results []probes.Result, took time.Duration) error {
	t := &textReport{}
	for _, g := range probes.Groups {
		t.group(headings[g], slices.DeleteFunc(slices.Clone(results), func(r probes.Result) bool { return r.Group != g }))
	}
	t.causes(results)
	t.summary(results, took)
	_, err := io.WriteString(w, inLocale(t.String()))
	return err
}

type textReport struct{ strings.Builder }

func (t *textReport) line(format string, args ...any) {
	t.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

func (t *textReport) group(heading string, results []probes.Result) {
	if len(results) == 0 {
		return
	}
	var cells, single []probes.Result
	for _, r := range results {
		if r.Kind == probes.TCP {
			cells = append(cells, r)
		} else {
			single = append(single, r)
		}
	}
	if m := newMatrix(cells); len(m.sources) > 1 && len(m.targets) > 1 {
		m.write(t, heading)
	} else {
		single = results
		t.line("%s", heading)
	}
	t.lines(single)
	t.line("")
}

// lines writes a check a line, in columns.
func (t *textReport) lines(results []probes.Result) {
	from, to := 0, 0
	for _, r := range results {
		from, to = max(from, style.Width(r.Source.Label)), max(to, style.Width(r.Target))
	}
	for _, r := range results {
		t.line("%s %s → %s  %s", signs[r.Verdict], style.Fit(r.Source.Label, from), style.Fit(r.Target, to), timed(r))
		if r.Spread != nil {
			for _, p := range r.Spread.Parts() {
				t.line("    %s %s: %s", signs[p.Verdict], p.Name, p.Text)
			}
		}
	}
}

// outcome says what was seen, and where it is not what one would think, why.
func outcome(r probes.Result) string {
	says := r.Says()
	switch {
	case r.Blind != nil && r.Cause != nil: // below it says more
		return "could not look: " + string(r.Cause.Code)
	case r.Blind != nil:
		return "could not look: " + says
	case r.Spread != nil:
		return fmt.Sprintf("%d connections: %s", r.Spread.Connections, says)
	case r.Error != probes.NoError:
		says = strings.TrimSpace(string(r.Error) + " " + says)
		if r.Verdict == probes.Pass {
			says += ", as expected: " + r.Expect.Why
		}
	case r.Verdict == probes.Fail && r.Expect.Outcome == probes.Reached:
		says = fmt.Sprintf("got %s, want %s", says, strings.Join(r.Expect.Values, ", "))
	case r.Verdict == probes.Fail:
		says = "reached, though it should not be: " + r.Expect.Why
	}
	return says
}

// timed is the outcome with the time that it took.
func timed(r probes.Result) string {
	if took := r.Latency(); took > 0 && r.Blind == nil && r.Spread == nil {
		return fmt.Sprintf("%s ms  %s", latency(took), outcome(r))
	}
	return outcome(r)
}

// latency writes milliseconds with two digits that count.
func latency(d time.Duration) string {
	ms := float64(d.Microseconds()) / 1000
	if ms < 10 {
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprintf("%.0f", ms)
}

// matrix is results by source and target.
type matrix struct {
	sources, targets []string
	cells            map[[2]string]probes.Result
}

func newMatrix(results []probes.Result) matrix {
	m := matrix{cells: map[[2]string]probes.Result{}}
	for _, r := range results {
		if !slices.Contains(m.sources, r.Source.Label) {
			m.sources = append(m.sources, r.Source.Label)
		}
		if !slices.Contains(m.targets, r.Target) {
			m.targets = append(m.targets, r.Target)
		}
		m.cells[[2]string{r.Source.Label, r.Target}] = r
	}
	return m
}

// narrowFrom is how many targets leave no room for latencies.
const narrowFrom = 10

// write draws the matrix with numbers for its targets, which are named below:
// names of Pods are too long for columns.
func (m matrix) write(t *textReport, heading string) {
	width := style.Width(heading)
	for _, s := range m.sources {
		width = max(width, style.Width(s))
	}
	cell := 6
	if len(m.targets) >= narrowFrom {
		cell = 3
	}
	head := style.Fit(heading, width)
	for i := range m.targets {
		head += fmt.Sprintf("%*d", cell+1, i+1)
	}
	if cell > 3 {
		head += "   (ms)"
	}
	t.line("%s", head)
	for _, s := range m.sources {
		row := style.Fit(s, width)
		for _, target := range m.targets {
			text := ""
			if r, ok := m.cells[[2]string{s, target}]; ok {
				text = signs[r.Verdict]
				if took := r.Latency(); cell > 3 && r.Error == probes.NoError && took > 0 {
					text += latency(took)
				}
			}
			row += strings.Repeat(" ", max(1, cell+1-style.Width(text))) + text
		}
		t.line("%s", row)
	}
	for i, target := range m.targets {
		t.line("%4d  %s", i+1, target)
	}
}

// explained are results that have the same explanation.
type explained struct {
	cause *probes.Cause // nil for none
	of    []probes.Result
}

// explain groups results by what explains them: what is wrong first, then
// where podpath could not look, then what is by design.
func explain(results []probes.Result) []*explained {
	var groups []*explained
	known := map[string]*explained{}
	for _, r := range results {
		id := ""
		switch {
		case r.Cause == nil && r.Verdict != probes.Fail && r.Verdict != probes.Inconclusive:
			continue
		case r.Cause == nil:
			id = string(r.Verdict) + " " + r.Target
		case r.Verdict == probes.Inconclusive: // the same for many sources
			id = string(r.Cause.Code)
		default:
			id = string(r.Cause.Code) + r.Cause.Summary
		}
		if known[id] == nil {
			known[id] = &explained{cause: r.Cause}
			groups = append(groups, known[id])
		}
		known[id].of = append(known[id].of, r)
	}
	slices.SortStableFunc(groups, func(a, b *explained) int { return a.rank() - b.rank() })
	return groups
}

func (e *explained) rank() int {
	switch {
	case e.of[0].Verdict == probes.Fail && e.cause != nil:
		return 0
	case e.of[0].Verdict == probes.Fail:
		return 1
	case e.of[0].Verdict == probes.Inconclusive:
		return 2
	default:
		return 3
	}
}

// causes says what explains the results, each cause once.
func (t *textReport) causes(results []probes.Result) {
	groups := explain(results)
	if len(groups) == 0 {
		return
	}
	t.line("CAUSES")
	for _, g := range groups {
		t.cause(g)
	}
	t.line("")
}

func (t *textReport) cause(g *explained) {
	first := g.of[0]
	switch {
	case g.cause == nil && first.Verdict == probes.Inconclusive:
		t.line("%s %s", signs[first.Verdict], outcome(first))
	case g.cause == nil:
		t.line("%s unknown  %s; no cause that podpath knows fits", signs[first.Verdict], outcome(first))
	case g.cause.ByDesign:
		t.line("· %s  %s", g.cause.Code, g.cause.Summary)
	default:
		t.line("%s %s  %s", signs[first.Verdict], g.cause.Code, g.cause.Summary)
		for _, e := range g.cause.Evidence {
			t.line("    %s", e)
		}
	}
	seen := first.Source.Label + " → " + first.Target
	if len(g.of) > 1 {
		seen += fmt.Sprintf(" and %d more", len(g.of)-1)
	}
	t.line("    seen: %s", seen)
	if g.cause != nil && g.cause.Next != "" {
		t.line("    next: %s", g.cause.Next)
	}
}

func (t *textReport) summary(results []probes.Result, took time.Duration) {
	s := probes.Summarize(results)
	skipped := ""
	if s.Skipped > 0 {
		skipped = fmt.Sprintf(" %d skipped,", s.Skipped)
	}
	t.line("%s: %d pass, %d fail, %d inconclusive,%s in %.1f s", kube.Count(len(results), "check"), s.Pass, s.Fail, s.Inconclusive, skipped, took.Seconds())
}
