package probes

import (
	"slices"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"podpath/kube"
	"podpath/tui/intent"
	"podpath/tui/page"
	"podpath/tui/results"
	"podpath/tui/style"
)

// Evidence shows everything about one check. It follows what becomes of it.
type Evidence struct {
	*page.Page
	pane *Pane
	id   string
}

// Open returns the view of a check of the pane, or nil when the pane has none
// with this ID.
func (p *Pane) Open(theme *style.Theme, id string) *Evidence {
	if p.board.byID[id] == nil {
		return nil
	}
	p.showing = &Evidence{page.New(theme), p, id}
	p.showing.refresh()
	return p.showing
}

func (e *Evidence) refresh() {
	if it := e.pane.board.byID[e.id]; it != nil {
		e.SetLines(evidenceLines(it))
	}
}

// Title is the view's breadcrumb.
func (e *Evidence) Title() string {
	if it := e.pane.board.byID[e.id]; it != nil {
		return kube.Clean(it.Source.Label + " → " + results.Target(it.Check))
	}
	return kube.Clean(e.id)
}

// Resource is what has to be read before anything can be probed.
func (e *Evidence) Resource() kube.Resource { return kube.Pods }

// SetSnapshot is there to be a view: evidence is of its time.
func (e *Evidence) SetSnapshot(*kube.Snapshot, time.Time) {}

var evidenceKeys = struct{ copyNext, copyExec, copyAll, again key.Binding }{
	copyNext: keys.copyNext,
	copyExec: binding("copy the command that ran", "e", "e"),
	copyAll:  binding("copy all of it", "shift-c", "C"),
	again:    binding("run it again", "r", "r"),
}

// Bindings lists the view's own keys, then those of any page.
func (e *Evidence) Bindings() []key.Binding {
	own := []key.Binding{evidenceKeys.copyNext, evidenceKeys.again, evidenceKeys.copyExec, evidenceKeys.copyAll}
	return slices.Concat(own, e.Page.Bindings())
}

// Update handles a key.
func (e *Evidence) Update(press tea.KeyPressMsg) tea.Cmd {
	it := e.pane.board.byID[e.id]
	switch {
	case e.Page.Update(press):
	case key.Matches(press, evidenceKeys.copyAll):
		return intent.Send(intent.Copy{Text: e.Text()})
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
