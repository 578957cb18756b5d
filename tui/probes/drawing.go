package probes

import (
	"strings"

	"podpath/kube"
	"podpath/probes/path"
	"podpath/probes/present"
	"podpath/tui/page"
	"podpath/tui/results"
	"podpath/tui/style"
)

// drawing draws the path of a check, with the hops that are open.
func (e *Evidence) drawing(it *item) []page.Line {
	w := e.pane.board.world
	if w == nil {
		return nil
	}
	r := it.result
	r.Check = it.Check
	r.Verdict = it.verdict
	trace := w.Trace(r)
	var lines []page.Line
	e.from, e.to = 0, -1
	drawn := present.Trace(w, r, max(1, e.width))
	for i, l := range drawn {
		at := spotOnPath{l.Tail, l.Hop}
		ends := i+1 == len(drawn) || spotOnPath{drawn[i+1].Tail, drawn[i+1].Hop} != at
		role, here := results.HopRole(l.State), l.Hop >= 0 && at == e.hop
		if here {
			role = style.Cursor
		}
		if here && e.to < e.from {
			e.from = len(lines)
		}
		lines = append(lines, page.Line{Text: l.Text, Role: role})
		if l.Hop >= 0 && e.open[at] && ends {
			lines = append(lines, hopLines(hopAt(trace, at))...)
		}
		if here {
			e.to = len(lines) - 1
		}
	}
	return append(lines, page.Line{})
}

// hopAt is a hop of a trace.
func hopAt(t path.Trace, at spotOnPath) path.Hop {
	if at.tail < 0 {
		return t.Hops[at.hop]
	}
	return t.Tails[at.tail].Hops[at.hop]
}

// hopLines say all that is known of a hop.
func hopLines(h path.Hop) []page.Line {
	const indent = 18
	var lines []page.Line
	add := func(name, value string) {
		if value != "" {
			text := strings.Repeat(" ", 8) + style.Fit(name, indent-8) + kube.Clean(value)
			lines = append(lines, page.Line{Text: text, Role: style.Dim, Indent: indent})
		}
	}
	add("who", h.By)
	add("where", strings.Trim(h.Node+" "+podName(h.Pod), " "))
	add("from", h.From)
	add("to", h.To)
	add("state", string(h.State)+", "+string(h.Known))
	add("seen", h.Says)
	add("rule", h.Rule)
	add("says so", h.Origin)
	return lines
}

func podName(k kube.Key) string {
	if k.Name == "" {
		return ""
	}
	return "pod/" + k.String()
}

// step moves the cursor to another hop.
func (e *Evidence) step(by int) {
	it := e.pane.board.byID[e.id]
	if it == nil || e.pane.board.world == nil {
		return
	}
	r := it.result
	r.Check, r.Verdict = it.Check, it.verdict
	var spots []spotOnPath
	for _, l := range present.Trace(e.pane.board.world, r, max(1, e.width)) {
		if at := (spotOnPath{l.Tail, l.Hop}); l.Hop >= 0 && (len(spots) == 0 || spots[len(spots)-1] != at) {
			spots = append(spots, at)
		}
	}
	for i, at := range spots {
		if at == e.hop {
			e.hop = spots[max(0, min(len(spots)-1, i+by))]
			e.refresh()
			e.Reveal(e.from, e.to)
			return
		}
	}
	if len(spots) > 0 {
		e.hop = spots[0]
		e.refresh()
		e.Reveal(e.from, e.to)
	}
}
