package probes

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"podpath/kube"
	"podpath/probes/launch"
	"podpath/probes/path"
	"podpath/probes/present"
	"podpath/tui/filter"
	"podpath/tui/results"
	"podpath/tui/style"
	"podpath/tui/words"
)

// Pane shows the checks of the last request as a matrix of sources and
// targets.
type Pane struct {
	theme         *style.Theme
	width, height int
	scope         kube.Scope
	now           time.Time
	board         board
	filter        filter.Filter
	kept          []*item
	counts        results.Tally // of the board, as of the last refresh
	causes        []*present.Explained
	lacking       int // checks that lack tools
	view          view
	grid          grid
	permitted     []launch.Rung
	outlived      bool      // what is shown is of an earlier session
	showing       *Evidence // of a check, while it is open
}

// New returns the pane for a scope.
func New(theme *style.Theme, scope kube.Scope) *Pane {
	p := &Pane{theme: theme, scope: scope, view: view{namespaces: scope.All()}}
	p.grid.theme = theme
	p.refresh()
	return p
}

// Title is the pane's breadcrumb.
func (p *Pane) Title() string { return "Probes" }

// Resource is what has to be read before anything can be probed.
func (p *Pane) Resource() kube.Resource { return kube.Pods }

// Tab says how it stands, beside the pane's name.
func (p *Pane) Tab() string {
	t := p.counts
	switch {
	case p.board.busy() && t.All() == 0:
		return present.Waiting
	case p.board.busy():
		return Progress(t)
	case t.Fail > 0:
		return present.Sign(path.Fail) + strconv.Itoa(t.Fail)
	case t.Inconclusive > 0:
		return present.Sign(path.Inconclusive) + strconv.Itoa(t.Inconclusive)
	case t.Waiting > 0: // the run was cancelled
		return Progress(t)
	case t.All() > 0:
		return present.Sign(path.Pass)
	default:
		return ""
	}
}

// Progress says how many of how many checks have a result.
func Progress(t results.Tally) string {
	return strconv.Itoa(t.All()-t.Waiting) + "/" + strconv.Itoa(t.All())
}

// SetTheme replaces the theme.
func (p *Pane) SetTheme(theme *style.Theme) { p.theme, p.grid.theme = theme, theme }

// SetSize sets the cells to draw in.
func (p *Pane) SetSize(width, height int) {
	p.width, p.height = width, height
	p.fit()
}

// SetSnapshot tells the pane the time; what it shows comes with news of runs.
func (p *Pane) SetSnapshot(s *kube.Snapshot, now time.Time) {
	p.scope, p.now = s.Scope, now
	p.fit()
}

// Outlive keeps what was seen though another namespace or cluster is looked at
// now. A run that went on there has ended.
func (p *Pane) Outlive(scope kube.Scope) {
	p.scope, p.view.namespaces = scope, p.view.namespaces || scope.All()
	p.outlived, p.permitted = true, nil // what was permitted was so for that session
	if p.board.busy() {
		p.board.phase = cancelled
	}
	p.refresh()
}

// Refill notes what the pane shows in a book that is empty.
func (p *Pane) Refill(b *results.Book, now time.Time) {
	for _, it := range p.board.items {
		if it.verdict != "" {
			b.Add(now, it.result)
		}
	}
}

// Begin notes that a run begins: of a request, which shows all of it again, or
// of some checks again.
func (p *Pane) Begin(now time.Time, title string, again []string) {
	p.now = now
	if again == nil {
		p.filter = filter.Filter{}
		p.view.namespaces = p.scope.All()
	}
	if again == nil && p.outlived {
		p.outlived, p.view, p.grid = false, view{namespaces: p.scope.All()}, grid{theme: p.theme}
	}
	p.board.begin(now, kube.Clean(title), again)
	p.refresh()
}

// Receive takes news of the run.
func (p *Pane) Receive(now time.Time, n News) {
	p.now = now
	if n.Err != nil {
		p.board.fail()
	} else {
		p.board.receive(now, n)
	}
	if n.Planned || p.view.worst || p.filter.Text != "" {
		p.refresh() // what is shown, or its order, may be another
		return
	}
	p.grid.matrix.recount()
	p.summarize()
}

// Cancelling notes that the run was told to end.
func (p *Pane) Cancelling() {
	p.board.phase = cancelling
	p.refresh()
}

// Busy reports whether a run goes on.
func (p *Pane) Busy() bool { return p.board.busy() }

// Permitted notes further ways that podpath may use now.
func (p *Pane) Permitted(rungs []launch.Rung) {
	p.permitted = append(p.permitted, rungs...)
	p.refresh()
}

// WithoutTools are the IDs of the checks that need further ways.
func (p *Pane) WithoutTools() []string { return p.board.withoutTools() }

// refresh lays the checks out anew.
func (p *Pane) refresh() {
	p.kept = filter.Keep(p.filter, p.board.items, subject)
	p.grid.folded = p.view.nodes
	p.grid.setMatrix(arrange(p.kept, p.view))
	p.summarize()
}

// summarize brings up to date what stands around the matrix, and the evidence
// that is open.
func (p *Pane) summarize() {
	p.counts, p.causes, p.lacking = p.board.tally(), p.board.causes(), len(p.board.withoutTools())
	p.fit()
	if p.showing != nil {
		p.showing.refresh()
	}
}

// Filter returns the text of the filter.
func (p *Pane) Filter() string { return p.filter.Text }

// SetFilter shows only the checks that match; a text that cannot be read
// changes nothing.
func (p *Pane) SetFilter(text string) error {
	f, err := filter.Parse(text)
	if err != nil {
		return err
	}
	p.filter = f
	p.refresh()
	return nil
}

// Len returns how many checks there are, and how many of them the filter keeps.
func (p *Pane) Len() (all, kept int) { return len(p.board.items), len(p.kept) }

// Empty reports whether there is no check to draw.
func (p *Pane) Empty() bool { return len(p.kept) == 0 }

// None says how to start.
func (p *Pane) None() string {
	if p.board.busy() {
		return "Looking at what there is to check …"
	}
	return "Nothing is probed yet. p on a Pod, a Service, an endpoint or a Node probes it; a probes everything in " + words.Scope(p.scope) + "; :probe SOURCE TARGET probes one path."
}

// Head is the line above the matrix, and what stands there while there is none.
func (p *Pane) Head() []string {
	if p.board.phase == idle {
		return nil
	}
	return []string{p.summary()}
}

// fit gives the matrix the room that the lines around it leave.
func (p *Pane) fit() {
	p.grid.setSize(p.width, max(1, p.height-1-len(p.first())-len(p.foot())))
}

// View draws the pane.
func (p *Pane) View() string {
	lines := slices.Concat([]string{p.summary()}, p.first(), p.grid.lines(), p.foot())
	return strings.Join(lines[:min(len(lines), max(1, p.height))], "\n")
}

// ClickAt puts the cursor on the cell drawn at a place in the pane.
func (p *Pane) ClickAt(x, y int) { p.grid.click(x, y-1-len(p.first())) }
