package probes

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"podpath/kube"
	"podpath/probes/path"
	"podpath/probes/present"
	"podpath/tui/page"
	"podpath/tui/results"
	"podpath/tui/style"
	"podpath/tui/words"
)

// text collects the lines of the evidence. All that a container or a server
// may have said is cleaned on the way in.
type text struct{ page.Text }

func (t *text) said(name, value string, role ...style.Role) { t.Fact(name, kube.Clean(value), role...) }

// evidenceLines say everything about a check.
func evidenceLines(it *item) []page.Line {
	t := &text{}
	t.said("From", it.Source.Label+onNode(it.Source.Node))
	t.said("To", present.Target(it.Check)+onNode(it.Path.Node))
	if it.verdict == "" {
		t.said("Verdict", present.Waiting+" no result yet", style.Dim)
		t.expectation(it.Expect)
		return t.Lines
	}
	r := it.result
	t.said("Verdict", present.Sign(r.Verdict)+" "+string(r.Verdict), results.Role(r.Verdict))
	t.expectation(r.Expect)
	t.said("Seen", seen(r), results.Role(r.Verdict))
	t.said("Answered by", r.Responder)
	t.others(r)
	t.stages(r)
	t.spread(r.Spread)
	t.received(r)
	t.certificate(r.Certificate)
	t.way(r)
	return t.Lines
}

func onNode(node string) string {
	if node == "" {
		return ""
	}
	return "  on Node " + node
}

func (t *text) expectation(e path.Expectation) {
	t.said("Expected", string(e.Outcome)+": "+e.Why)
	t.said("Wanted", strings.Join(e.Values, ", "))
}

// seen says what was seen: how far it came, and what stopped it there.
func seen(r path.Result) string {
	if r.Blind != nil {
		return "nothing, podpath could not look: " + r.Says()
	}
	s := "reached"
	if r.Error != path.NoError {
		s = string(r.Error)
	}
	if r.Stage != path.StageNone {
		s += " (" + string(r.Stage) + ")"
	}
	if r.Address != "" {
		s += " at " + r.Address
	}
	if says := r.Says(); says != "" {
		s += ": " + says
	}
	return s
}

// others names the causes that the evidence supports less.
func (t *text) others(r path.Result) {
	for _, code := range r.Others {
		t.Line(style.Dim, "less likely: %s", code)
	}
}

// stages lists how long each step took.
func (t *text) stages(r path.Result) {
	if len(r.Times) == 0 {
		return
	}
	t.Heading("Stages")
	for i, s := range r.Times {
		line, role := fmt.Sprintf("%-8s  %12s", s.Stage, exactly(s.Took)), style.Text
		if i == len(r.Times)-1 && r.Error != path.NoError && s.Stage == r.Stage {
			line, role = line+"  "+string(r.Error), results.Role(r.Verdict)
		}
		t.Line(role, "%s", line)
	}
}

// exactly says a duration; none means that the tool in the Pod has no clock.
func exactly(d time.Duration) string {
	if d == 0 {
		return words.None
	}
	return fmt.Sprintf("%.3f ms", float64(d.Microseconds())/1000)
}

// barWidth is how long the bar of the endpoint that took most is drawn.
const barWidth = 24

// spread shows who answered, and what follows from it.
func (t *text) spread(s *path.SpreadResult) {
	if s == nil {
		return
	}
	t.Heading(fmt.Sprintf("Who answered %d connections", s.Connections))
	longest, highest := 0, 1
	for _, share := range s.Shares {
		longest, highest = max(longest, style.Width(kube.Clean(share.Endpoint))), max(highest, share.Count)
	}
	for _, share := range s.Shares {
		count := "?"
		if share.Known {
			count = strconv.Itoa(share.Count)
		}
		t.Line(style.Text, "%s %5s %s", style.Fit(kube.Clean(share.Endpoint), longest), count, strings.Repeat("=", share.Count*barWidth/highest))
	}
	if s.How != "" {
		t.Line(style.Dim, "told apart by %s", kube.Clean(s.How))
	}
	for _, p := range s.Parts() {
		t.Line(results.Role(p.Verdict), "%s %-10s  %s", present.Sign(p.Verdict), p.Name, kube.Clean(p.Text))
	}
}

// received shows what came back.
func (t *text) received(r path.Result) {
	if len(r.Values)+len(r.Answers) == 0 && r.Status == 0 && r.Body == "" {
		return
	}
	t.Heading("Received")
	for _, v := range r.Values {
		t.Line(style.Text, "%s", kube.Clean(v))
	}
	for _, a := range r.Answers {
		t.Line(style.Dim, "asked: %s", kube.Clean(a.String()))
	}
	if r.Status != 0 {
		t.Line(style.Text, "HTTP status %d", r.Status)
	}
	if r.Body == "" {
		return
	}
	for _, line := range strings.Split(strings.TrimRight(kube.CleanLines(r.Body), "\n"), "\n") {
		t.Line(style.Text, "%s", line)
	}
}

func (t *text) certificate(c *path.Certificate) {
	if c == nil {
		return
	}
	t.Heading("Certificate")
	t.said("  Subject", c.Subject)
	t.said("  Names", strings.Join(c.Names, ", "))
	t.said("  Issuer", c.Issuer)
	t.said("  Valid", c.NotBefore.UTC().Format(time.DateTime)+" to "+c.NotAfter.UTC().Format(time.DateTime)+" UTC")
	t.said("  Problem", c.Problem, style.Warn)
}

// way says how podpath looked, down to the command.
func (t *text) way(r path.Result) {
	t.Heading("How podpath looked")
	t.said("  Way", r.Via.String())
	if r.Tries > 0 {
		t.said("  Tries", strconv.Itoa(r.Tries))
	}
	t.said("  Command", commandLine(r, shortened(r.Via.Command)))
	if r.Via.Rung == "" {
		t.Line(style.Dim, "nothing was sent")
	}
}

// commandLine writes the exec that ran as one would type it, with its argv or
// one that is shorter.
func commandLine(r path.Result, argv []string) string {
	if len(argv) == 0 {
		return ""
	}
	quoted := make([]string, len(argv))
	for i, w := range argv {
		quoted[i] = path.Quote(w)
	}
	line := strings.Join(quoted, " ")
	if namespace, name, ok := strings.Cut(r.Via.Pod, "/"); ok {
		line = fmt.Sprintf("kubectl exec -i -n %s %s -c %s -- %s", path.Quote(namespace), path.Quote(name), path.Quote(r.Via.Container), line)
	}
	return kube.CleanLines(line) // a script has many
}

// shortened cuts scripts in an argv short, for people to read.
func shortened(argv []string) []string {
	const most = 40
	out := slices.Clone(argv)
	for i, word := range out {
		if len(word) > most {
			out[i] = strings.ToValidUTF8(word[:most], "") + "…"
		}
	}
	return out
}
