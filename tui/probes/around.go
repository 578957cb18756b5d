package probes

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"podpath/kube"
	"podpath/probes/path"
	"podpath/probes/present"
	"podpath/tui/results"
	"podpath/tui/style"
)

// summary is the line above the matrix: how far the run is, what came out, how
// long it took, and what it is.
func (p *Pane) summary() string {
	t := p.counts
	parts := []string{p.theme.Render(style.Title, string(p.board.phase))}
	if t.All() > 0 {
		parts = append(parts, Progress(t))
	}
	for _, c := range []struct {
		verdict path.Verdict
		count   int
		always  bool
	}{{path.Pass, t.Pass, true}, {path.Fail, t.Fail, true}, {path.Inconclusive, t.Inconclusive, false}, {path.Skipped, t.Skipped, false}} {
		if c.always && t.All() > 0 || c.count > 0 {
			parts = append(parts, p.theme.Render(results.Role(c.verdict), fmt.Sprintf("%s %d", present.Sign(c.verdict), c.count)))
		}
	}
	parts = append(parts, elapsed(p.board, p.now), p.board.title)
	if p.board.busy() && p.board.again != nil {
		parts[len(parts)-1] = kube.Count(len(p.board.again), "check") + " again"
	}
	return ansi.Truncate(strings.Join(parts, "  "), p.width, style.Ellipsis)
}

// elapsed says how long the run takes, or took.
func elapsed(b board, now time.Time) string {
	took := b.ended.Sub(b.started)
	if b.busy() {
		took = now.Sub(b.started)
	}
	if took = max(0, took); took < time.Minute {
		return fmt.Sprintf("%.1fs", took.Seconds())
	}
	return took.Truncate(time.Second).String()
}

const (
	// footShare is the part of the height that what is below the matrix may
	// take, unless the matrix needs less.
	footShare = 4
	// footFrom is the height from which on there is more below the matrix
	// than the line about the cell.
	footFrom = 6
	// twoLinesFrom is the height from which on the cell has two lines.
	twoLinesFrom = 12
)

// foot is what stands below the matrix: offers, causes, and the cell under the
// cursor.
func (p *Pane) foot() []string {
	cell := p.cellLines()
	if p.height < 3 {
		return nil
	}
	if p.height < footFrom {
		return cell
	}
	room := max(p.height/footShare, p.height-1-len(cell)-p.grid.needs())
	lines := p.offers()
	if p.fits() {
		lines = append(lines, p.causeLines()...)
	}
	return append(lines[:min(len(lines), room)], cell...)
}

// offers say what podpath could not look at, and what would help; and where it
// looked at some of many.
func (p *Pane) offers() []string {
	var lines []string
	if p.lacking > 0 && !p.board.busy() && len(p.ways()) > 0 {
		lines = p.wrap(lines, style.Warn, fmt.Sprintf("%s could not look for want of tools in the containers: t offers other ways", kube.Count(p.lacking, "check")))
	}
	for _, c := range p.board.choices {
		lines = p.wrap(lines, style.Dim, c.String())
	}
	for _, err := range p.board.unknown {
		lines = p.wrap(lines, style.Warn, "not known: "+kube.Clean(err.Error()))
	}
	return lines
}

// fits reports whether the whole matrix is on the screen.
func (p *Pane) fits() bool {
	return p.grid.needs() <= p.height-1-len(p.cellLines()) && p.grid.allColumns()
}

// first is what stands above a matrix that does not fit: what failed, and how
// many checks each cause explains; a line for each where there is no room for
// more.
func (p *Pane) first() []string {
	if p.fits() || p.height < footFrom {
		return nil
	}
	lines := p.causeLines()
	if len(lines) <= p.height-1-len(p.offers())-len(p.cellLines())-p.grid.needs() {
		return lines
	}
	lines = nil
	for _, e := range p.causes {
		head := fmt.Sprintf("%s %s  %s  %s", e.Sign(), kube.Count(len(e.Of), "check"), e.Code(), kube.Clean(e.Sentence()))
		lines = append(lines, p.theme.Render(results.Role(e.Of[0].Verdict), style.Fit(head, p.width)))
	}
	return lines[:min(len(lines), p.height/footShare)]
}

func (p *Pane) causeLines() []string {
	var lines []string
	for _, e := range p.causes {
		head := fmt.Sprintf("%s %s  %s  ", e.Sign(), kube.Count(len(e.Of), "check"), e.Code())
		lines = p.wrap(lines, results.Role(e.Of[0].Verdict), head+kube.Clean(e.Sentence()))
		if next := e.Next.String(); next != "" {
			lines = p.wrap(lines, style.Dim, "  next: "+kube.Clean(next))
		}
	}
	return lines
}

func (p *Pane) wrap(lines []string, role style.Role, text string) []string {
	for _, line := range style.Wrap(text, p.width) {
		lines = append(lines, p.theme.Render(role, line))
	}
	return lines
}

// cellLines name the cell under the cursor in full, and say what is with it.
func (p *Pane) cellLines() []string {
	g := &p.grid
	if len(g.matrix.rows) == 0 {
		return nil
	}
	names := g.matrix.rows[g.row].label + " → " + g.matrix.columns[g.column].label
	role, says := style.Dim, "nothing to check"
	if c := g.selected(); c != nil && len(c.items) > 1 {
		role, says = results.Role(c.Worst()), fmt.Sprintf("%s %d of %d as expected", present.Sign(c.Worst()), c.Pass, c.All())
	} else if c != nil && c.Waiting > 0 && !p.board.busy() {
		says = present.Waiting + " not run: the run was cancelled; r runs it"
	} else if c != nil {
		role, says = results.Role(c.Worst()), sentence(c.items[0])
	}
	if p.height < twoLinesFrom {
		return []string{p.theme.Render(role, style.Fit(says+"  "+names, p.width))}
	}
	return []string{
		p.theme.Render(style.Accent, style.FitMiddle(names, p.width)),
		p.theme.Render(role, style.Fit(says, p.width)),
	}
}

// sentence says in one line what became of a check.
func sentence(it *item) string {
	if it.verdict == "" {
		return present.Waiting + " waits for its turn, or for an answer"
	}
	r := it.result
	parts := []string{present.Sign(it.verdict) + " " + string(it.verdict), present.Short(r)}
	switch {
	case r.Blind != nil:
		parts = append(parts, r.Says())
	case r.Cause != nil:
		parts = append(parts, string(r.Cause.Code)+": "+r.Cause.Summary)
	case r.Error != path.NoError:
		parts = append(parts, "expected: "+string(r.Expect.Outcome), r.Says())
	default:
		parts = append(parts, r.Responder, r.Says())
	}
	var said []string
	for _, part := range parts {
		if part != "" {
			said = append(said, kube.Clean(part))
		}
	}
	return strings.Join(said, "  ")
}
