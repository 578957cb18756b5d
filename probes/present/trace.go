package present

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"podpath/kube"
	"podpath/probes/path"
)

// Line is a line of a drawing. Hop is the index of the hop that it draws, and
// Tail that of its endpoint; both are -1 where it draws none.
type Line struct {
	Text      string
	State     path.HopState // "" for what is no hop
	Hop, Tail int
}

// Trace draws the path of a result as a column of hops, none wider than width.
func Trace(w *path.World, r path.Result, width int) []Line {
	d := drawing{width: width}
	code := string(r.Verdict)
	switch {
	case r.Cause != nil:
		code = string(r.Cause.Code)
	case r.Verdict == path.Fail && !r.Unexplained:
		code = "unknown"
	}
	title := kube.Clean(r.Source.Label + " → " + Target(r.Check))
	end := Sign(r.Verdict) + " " + code
	if gap := width - ansi.StringWidth(title) - ansi.StringWidth(end); gap > 0 {
		d.plain(title + strings.Repeat(" ", gap) + end)
	} else {
		d.plain(title)
		d.plain("  " + end)
	}
	d.plain("  " + start(w, r))
	t := w.Trace(r)
	for i, h := range t.Hops {
		last := i == len(t.Hops)-1 && len(t.Tails) == 0
		d.hop("  ", h, last, i, -1)
	}
	d.fork(t.Tails)
	d.conclusion(w, r, len(t.Tails) > 0)
	return d.lines
}

// start says where the request starts: the source, its address and its Node.
func start(w *path.World, r path.Result) string {
	says := r.Source.Label
	if pod := w.Pod(r.Source.Pod); pod != nil {
		says += " " + pod.IP()
	}
	switch {
	case r.Source.Node != "":
		says += " on " + r.Source.Node
	case r.Source.Kind == path.FromLocal:
		says += ", on a machine outside of the cluster"
	}
	return kube.Clean(says)
}

type drawing struct {
	width int
	lines []Line
}

func (d *drawing) plain(text string) { d.add(Line{Text: text, Hop: -1, Tail: -1}) }

func (d *drawing) add(l Line) {
	l.Text = ansi.Truncate(strings.TrimRight(l.Text, " "), d.width, "…")
	d.lines = append(d.lines, l)
}

// wordsFrom is the width from which on the component stands beside a hop.
const wordsFrom = 60

// hop draws one hop; the end of the last one's line is that of the path.
func (d *drawing) hop(indent string, h path.Hop, last bool, index, tail int) {
	line, rest := "│", "│"
	if last {
		line, rest = "╵", " "
	}
	text := fmt.Sprintf("%s%s %s %-9s", indent, line, HopSign(h.State), h.Kind)
	if h.State == path.NotReached {
		d.add(Line{Text: text + "  not reached", State: h.State, Hop: index, Tail: tail})
		return
	}
	says := kube.Clean(middle(h))
	room := d.width - ansi.StringWidth(text) - 2
	for _, known := range asides(h) {
		known = kube.Clean(known)
		if gap := room - ansi.StringWidth(says) - ansi.StringWidth(known); known != "" && d.width >= wordsFrom && gap >= 2 {
			says += strings.Repeat(" ", gap) + known
			break
		}
	}
	for i, part := range wrap(says, max(8, room)) {
		if i == 0 {
			d.add(Line{Text: text + "  " + part, State: h.State, Hop: index, Tail: tail})
			continue
		}
		d.add(Line{Text: indent + rest + strings.Repeat(" ", ansi.StringWidth(text)-ansi.StringWidth(indent)+1) + part, State: h.State, Hop: index, Tail: tail})
	}
}

// middle says what a hop makes of what.
func middle(h path.Hop) string {
	switch {
	case h.Kind == path.Translate && h.State == path.Broken && h.Says != "":
		return h.From + " → " + h.To + ": " + h.Says
	case h.Kind == path.Translate && h.From != "" && h.To != "":
		return h.From + " → " + h.To
	case h.Kind == path.Name && h.From != "" && h.To != "":
		return h.From + " → " + h.To
	case h.Kind == path.Name && h.State == path.Broken:
		return h.From + ": " + h.Says
	case h.Kind == path.Name:
		return h.From
	default:
		return h.Says
	}
}

// asides say who makes it, and what else is known of it: the longest that fits
// is drawn.
func asides(h path.Hop) []string {
	switch h.Kind {
	case path.Name, path.Translate:
		if h.Says != "" && h.State != path.Broken {
			return []string{h.By + ", " + h.Says, h.By, h.Says}
		}
		return []string{h.By}
	case path.Cross, path.Listen:
		return []string{h.By}
	default:
		return nil
	}
}

// fork draws the tails: alike ones are folded.
func (d *drawing) fork(tails []path.Tail) {
	shown := map[string]int{} // how many are like the one that was drawn
	var order []int
	var keys []string
	for i, t := range tails {
		key := alike(t)
		if shown[key] == 0 {
			order, keys = append(order, i), append(keys, key)
		}
		shown[key]++
	}
	for n, i := range order {
		t, more, corner := tails[i], shown[keys[n]]-1, "├─"
		if n == len(order)-1 {
			corner = "└─"
		}
		at := net.JoinHostPort(t.Endpoint.Address, strconv.Itoa(t.Endpoint.Port))
		label := at
		if t.Endpoint.Pod != "" {
			label = "pod/" + t.Endpoint.Pod + " " + at
		}
		if t.Endpoint.Node != "" {
			label += " on " + t.Endpoint.Node
		}
		d.add(Line{Text: "  " + corner + " " + kube.Clean(label), Hop: -1, Tail: i})
		indent := "  │  "
		if n == len(order)-1 {
			indent = "     "
		}
		for j, h := range t.Hops {
			d.hop(indent, h, j == len(t.Hops)-1, j, i)
		}
		if more > 0 {
			d.plain(indent + fmt.Sprintf("%d more like this", more))
		}
	}
}

// alike names what a tail looks like: the states of its hops, and whether it
// crosses Nodes.
func alike(t path.Tail) string {
	var b strings.Builder
	for _, h := range t.Hops {
		fmt.Fprintf(&b, "%s %s;", h.Kind, h.State)
		if h.Kind == path.Cross {
			fmt.Fprintf(&b, "%t;", h.From == h.To)
		}
	}
	return b.String()
}

// conclusion says the cause and what to do next.
func (d *drawing) conclusion(w *path.World, r path.Result, forked bool) {
	switch {
	case r.Cause != nil:
		d.wrapped("  ", kube.Clean(r.Cause.Summary))
		for _, e := range r.Cause.Evidence {
			d.wrapped("    ", kube.Clean(e.String()))
		}
		d.wrapped("  next  ", kube.Clean(r.Cause.Next.String()))
	case wrong(r) && r.Unexplained:
		d.wrapped("  ", kube.Clean(Outcome(r)))
		d.wrapped("  ", "its cause is looked for once the run ends")
	case wrong(r):
		d.wrapped("  ", kube.Clean(Outcome(r)))
		d.wrapped("  next  ", kube.Clean(w.UnknownNext(r).String()))
	case r.Latency() > 0:
		took := Milliseconds(r.Latency()) + " ms in all"
		if forked && r.Detail != "" { // no hop says what was answered
			took = r.Detail + ", " + took
		}
		d.wrapped("  ", kube.Clean(took))
	}
}

// wrong reports a result that needs an explanation.
func wrong(r path.Result) bool { return r.Verdict == path.Fail || r.Verdict == path.Inconclusive }

// wrapped adds a text behind a head, on as many lines as it takes.
func (d *drawing) wrapped(head, text string) {
	for i, line := range wrap(text, max(8, d.width-ansi.StringWidth(head))) {
		if i > 0 {
			head = strings.Repeat(" ", ansi.StringWidth(head))
		}
		d.plain(head + line)
	}
}

// wrap breaks a text at its blanks only, so that names and flags stay whole
// and can be copied; what is too long for a line goes on in the next one.
func wrap(text string, width int) []string {
	lines := []string{""}
	for word := range strings.SplitSeq(text, " ") {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case ansi.StringWidth(*last)+1+ansi.StringWidth(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
		if last = &lines[len(lines)-1]; ansi.StringWidth(*last) > width {
			lines = append(lines[:len(lines)-1], strings.Split(ansi.Hardwrap(*last, width, false), "\n")...)
		}
	}
	return lines
}
