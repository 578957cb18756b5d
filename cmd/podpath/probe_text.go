package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"podpath/kube"
	"podpath/probes"
	"podpath/probes/path"
	"podpath/probes/present"
	"podpath/tui/style"
)

// writeText writes a report for people: a matrix where several sources went to
// several targets, lines otherwise, and then what is wrong, with its cause.
func writeText(out io.Writer, w *path.World, choices []path.Choice, results []path.Result, took time.Duration) error {
	t := &textReport{}
	for _, g := range path.Groups {
		t.group(present.Heading(g), slices.DeleteFunc(slices.Clone(results), func(r path.Result) bool { return r.Group != g }))
	}
	t.causes(present.Explain(w, results))
	t.summary(results, took)
	for _, c := range choices {
		t.line("%s", c)
	}
	_, err := io.WriteString(out, inLocale(t.String()))
	return err
}

type textReport struct{ strings.Builder }

func (t *textReport) line(format string, args ...any) {
	t.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

func (t *textReport) group(heading string, results []path.Result) {
	if len(results) == 0 {
		return
	}
	var cells, single []path.Result
	for _, r := range results {
		if r.Kind == path.TCP {
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
func (t *textReport) lines(results []path.Result) {
	from, to := 0, 0
	for _, r := range results {
		from, to = max(from, style.Width(r.Source.Label)), max(to, style.Width(r.Target))
	}
	for _, r := range results {
		t.line("%s %s → %s  %s", present.Sign(r.Verdict), style.Fit(r.Source.Label, from), style.Fit(r.Target, to), present.Timed(r))
		if r.Spread != nil {
			for _, p := range r.Spread.Parts() {
				t.line("    %s %s: %s", present.Sign(p.Verdict), p.Name, p.Text)
			}
		}
	}
}

// matrix is results by source and target.
type matrix struct {
	sources, targets []string
	cells            map[[2]string]path.Result
}

func newMatrix(results []path.Result) matrix {
	m := matrix{cells: map[[2]string]path.Result{}}
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
				text = present.Sign(r.Verdict)
				if took := r.Latency(); cell > 3 && r.Error == path.NoError && took > 0 {
					text += present.Milliseconds(took)
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

// causes says what explains the results, each cause once.
func (t *textReport) causes(groups []*present.Explained) {
	if len(groups) == 0 {
		return
	}
	t.line("CAUSES")
	for _, e := range groups {
		t.line("%s %s  %s", e.Sign(), e.Code(), e.Sentence())
		if e.Cause != nil && !e.Cause.ByDesign {
			for _, seen := range e.Cause.Evidence {
				t.line("    %s", seen)
			}
		}
		t.line("    seen: %s", e.Where())
		if next := e.Next.String(); next != "" {
			t.line("    next: %s", next)
		}
	}
	t.line("")
}

func (t *textReport) summary(results []path.Result, took time.Duration) {
	s := probes.Summarize(results)
	skipped := ""
	if s.Skipped > 0 {
		skipped = fmt.Sprintf(" %d skipped,", s.Skipped)
	}
	t.line("%s: %d pass, %d fail, %d inconclusive,%s in %.1f s", kube.Count(len(results), "check"), s.Pass, s.Fail, s.Inconclusive, skipped, took.Seconds())
}
