package probes

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"podpath/kube"
	"podpath/probes/path"
	"podpath/probes/present"
	"podpath/tui/intent"
)

var keys = struct {
	open, cell, row, all, everything, nodes, worst, compact, ways, copyNext,
	up, down, left, right, top, bottom, first, last, halfUp, halfDown, pageUp, pageDown key.Binding
}{
	open:       binding("evidence", "enter", "enter"),
	cell:       binding("run the cell again", "r", "r"),
	row:        binding("run its row again", "shift-r", "R"),
	all:        binding("run all again", "ctrl-r", "ctrl+r"),
	everything: binding("probe everything", "a", "a"),
	nodes:      binding("by Node, or one by one", "n", "n"),
	worst:      binding("worst first", "w", "w"),
	compact:    binding("as many cells as fit, or with names", "ctrl-w", "ctrl+w"),
	ways:       binding("other ways into Pods", "t", "t"),
	copyNext:   binding("copy the next command", "c", "c"),
	up:         binding("up", "k/↑", "k", "up"),
	down:       binding("down", "j/↓", "j", "down"),
	left:       binding("left", "h/←", "h", "left"),
	right:      binding("right", "l/→", "l", "right"),
	top:        binding("first row", "g", "g", "home"),
	bottom:     binding("last row", "G", "G", "end"),
	first:      binding("first column", "^", "^"),
	last:       binding("last column", "$", "$"),
	halfUp:     binding("half a page up", "ctrl-u", "ctrl+u"),
	halfDown:   binding("half a page down", "ctrl-d", "ctrl+d"),
	pageUp:     binding("page up", "ctrl-b", "ctrl+b", "pgup"),
	pageDown:   binding("page down", "ctrl-f", "ctrl+f", "pgdown"),
}

func binding(help, shown string, pressed ...string) key.Binding {
	return key.NewBinding(key.WithKeys(pressed...), key.WithHelp(shown, help))
}

// Bindings lists the pane's keys.
func (p *Pane) Bindings() []key.Binding {
	if p.Empty() {
		return []key.Binding{keys.everything, keys.ways}
	}
	return []key.Binding{
		keys.open, keys.cell, keys.row, keys.all, keys.everything, keys.nodes, keys.worst, keys.compact, keys.ways, keys.copyNext,
		keys.up, keys.down, keys.left, keys.right, keys.top, keys.bottom, keys.first, keys.last, keys.halfUp, keys.halfDown, keys.pageUp, keys.pageDown,
	}
}

// Update handles a key.
func (p *Pane) Update(press tea.KeyPressMsg) tea.Cmd {
	switch {
	case key.Matches(press, keys.everything):
		return intent.Send(Everything{})
	case key.Matches(press, keys.ways):
		return intent.Send(AskForWays{})
	case p.Empty() || p.moved(press):
	case key.Matches(press, keys.nodes):
		p.view.nodes = !p.view.nodes
		p.refresh()
	case key.Matches(press, keys.worst):
		p.view.worst = !p.view.worst
		p.refresh()
		p.goToWorst()
	case key.Matches(press, keys.compact):
		p.grid.compact = !p.grid.compact
		p.fit()
	case key.Matches(press, keys.all):
		return intent.Send(Again{})
	case key.Matches(press, keys.row):
		return intent.Send(Again{p.rowIDs()})
	default:
		return p.pressOnCell(press)
	}
	return nil
}

// moved handles the keys that move the cursor and reports whether this was one.
func (p *Pane) moved(press tea.KeyPressMsg) bool {
	g := &p.grid
	rows, columns, page := len(g.matrix.rows), len(g.matrix.columns), g.page()
	for _, step := range []struct {
		key           key.Binding
		rows, columns int
	}{
		{keys.up, -1, 0},
		{keys.down, 1, 0},
		{keys.left, 0, -1},
		{keys.right, 0, 1},
		{keys.top, -rows, 0},
		{keys.bottom, rows, 0},
		{keys.first, 0, -columns},
		{keys.last, 0, columns},
		{keys.halfUp, -max(1, page/2), 0},
		{keys.halfDown, max(1, page/2), 0},
		{keys.pageUp, -page, 0},
		{keys.pageDown, page, 0},
	} {
		if key.Matches(press, step.key) {
			g.move(step.rows, step.columns)
			return true
		}
	}
	return false
}

// rowIDs are the checks in the row of the cursor.
func (p *Pane) rowIDs() []string {
	var ids []string
	for _, it := range p.kept {
		if p.grid.matrix.place[it.ID][0] == p.grid.row {
			ids = append(ids, it.ID)
		}
	}
	return ids
}

func (p *Pane) pressOnCell(press tea.KeyPressMsg) tea.Cmd {
	c := p.grid.selected()
	ours := key.Matches(press, keys.open, keys.cell, keys.copyNext)
	switch {
	case c == nil && ours:
		return intent.Send(intent.Notice{Text: "There is no check from here to there."})
	case c == nil:
	case key.Matches(press, keys.open) && p.view.nodes && len(c.items) > 1:
		p.unfold(c.worst().ID)
	case key.Matches(press, keys.open):
		return intent.Send(ShowEvidence{c.items[0].ID})
	case key.Matches(press, keys.cell):
		var ids []string
		for _, it := range c.items {
			ids = append(ids, it.ID)
		}
		return intent.Send(Again{ids})
	case key.Matches(press, keys.copyNext):
		return copyNext(c.worst().result)
	}
	return nil
}

// goToWorst puts the cursor on the first of the worst checks.
func (p *Pane) goToWorst() {
	var worst *item
	for _, it := range p.kept {
		if worst == nil || present.Rank(it.verdict) < present.Rank(worst.verdict) {
			worst = it
		}
	}
	if worst != nil {
		p.grid.goTo(worst.ID)
		p.fit()
	}
}

// unfold shows single checks again, and the cursor on one of them.
func (p *Pane) unfold(id string) {
	p.view.nodes = false
	p.refresh()
	p.grid.goTo(id)
	p.fit()
}

// copyNext copies the command that the cause of a result suggests.
func copyNext(r path.Result) tea.Cmd {
	if r.Cause == nil || len(r.Cause.Next.Argv) == 0 {
		return intent.Send(intent.Notice{Text: "There is no command to copy: no cause that suggests one was found."})
	}
	return intent.Send(intent.Copy{Text: kube.Clean(r.Cause.Next.Command())})
}
