package probes

import (
	"slices"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"podpath/kube"
	"podpath/probes/path"
	"podpath/probes/present"
	"podpath/tui/intent"
	"podpath/tui/page"
	"podpath/tui/style"
)

// Evidence shows the path of one check, hop by hop, and everything about it. It
// follows what becomes of it.
type Evidence struct {
	*page.Page
	pane  *Pane
	id    string
	width int
	// hop is the one that the cursor is on, and open are those that are opened.
	hop  spotOnPath
	open map[spotOnPath]bool
	// from and to are the lines of the hop that the cursor is on.
	from, to int
}

// spotOnPath is a hop: of the way to the fork, or of the tail to an endpoint.
type spotOnPath struct{ tail, hop int }

// Open returns the view of a check of the pane, or nil when the pane has none
// with this ID.
func (p *Pane) Open(theme *style.Theme, id string) *Evidence {
	if p.board.byID[id] == nil {
		return nil
	}
	p.showing = &Evidence{Page: page.New(theme), pane: p, id: id, width: p.width, hop: spotOnPath{-1, 0}, open: map[spotOnPath]bool{}}
	p.showing.refresh()
	return p.showing
}

func (e *Evidence) refresh() {
	if it := e.pane.board.byID[e.id]; it != nil {
		drawn, said := e.drawing(it), evidenceLines(it)
		if it.Kind == path.Spread { // who answered is the question
			said = append(said, page.Line{})
			e.from, e.to = e.from+len(said), e.to+len(said)
			drawn, said = said, drawn
		}
		e.SetLines(slices.Concat(drawn, said))
	}
}

// SetSize sets the cells to draw in.
func (e *Evidence) SetSize(width, height int) {
	e.Page.SetSize(width, height)
	if width != e.width {
		e.width = width
		e.refresh()
	}
}

// Title is the view's breadcrumb.
func (e *Evidence) Title() string {
	if it := e.pane.board.byID[e.id]; it != nil {
		return kube.Clean(it.Source.Label + " → " + present.Target(it.Check))
	}
	return kube.Clean(e.id)
}

// Resource is what has to be read before anything can be probed.
func (e *Evidence) Resource() kube.Resource { return kube.Pods }

// SetSnapshot is there to be a view: evidence is of its time.
func (e *Evidence) SetSnapshot(*kube.Snapshot, time.Time) {}

var evidenceKeys = struct{ open, next, previous, copyNext, copyExec, copyAll, again key.Binding }{
	open:     binding("open or close the hop", "enter", "enter"),
	next:     binding("next hop", "tab", "tab"),
	previous: binding("previous hop", "shift-tab", "shift+tab"),
	copyNext: keys.copyNext,
	copyExec: binding("copy the command that ran", "e", "e"),
	copyAll:  binding("copy all of it", "shift-c", "C"),
	again:    binding("run it again", "r", "r"),
}

// Bindings lists the view's own keys, then those of any page.
func (e *Evidence) Bindings() []key.Binding {
	own := []key.Binding{evidenceKeys.open, evidenceKeys.next, evidenceKeys.previous, evidenceKeys.copyNext, evidenceKeys.again, evidenceKeys.copyExec, evidenceKeys.copyAll}
	return slices.Concat(own, e.Page.Bindings())
}

// Hints are the keys to name at the foot of a narrow screen, in few words.
func (e *Evidence) Hints() []key.Binding {
	k := evidenceKeys
	return []key.Binding{
		named(k.open, "open hop"), named(k.copyNext, "copy next"), named(k.again, "run again"), named(k.next, "next hop"),
		named(k.copyExec, "copy exec"), named(k.copyAll, "copy all"),
	}
}

// named is a binding with other words for help.
func named(b key.Binding, words string) key.Binding {
	b.SetHelp(b.Help().Key, words)
	return b
}

// Update handles a key.
func (e *Evidence) Update(press tea.KeyPressMsg) tea.Cmd {
	it := e.pane.board.byID[e.id]
	switch {
	case e.Page.Update(press):
	case key.Matches(press, evidenceKeys.copyAll):
		return intent.Send(intent.Copy{Text: e.Text()})
	case key.Matches(press, evidenceKeys.next):
		e.step(1)
	case key.Matches(press, evidenceKeys.previous):
		e.step(-1)
	case key.Matches(press, evidenceKeys.open):
		e.open[e.hop] = !e.open[e.hop]
		e.refresh()
		e.Reveal(e.from, e.to)
	case it == nil:
		return intent.Send(intent.Notice{Text: "This check is not in the pane any more."})
	case key.Matches(press, evidenceKeys.copyNext):
		return copyNext(it.result)
	case key.Matches(press, evidenceKeys.copyExec) && len(it.result.Via.Command) == 0:
		return intent.Send(intent.Notice{Text: "No command ran for this check."})
	case key.Matches(press, evidenceKeys.copyExec):
		return intent.Send(intent.Copy{Text: commandLine(it.result, it.result.Via.Command)})
	case key.Matches(press, evidenceKeys.again):
		return intent.Send(Again{[]string{e.id}})
	}
	return nil
}
