// Package forwards is the pane of forwards: what listens locally, where it
// leads, and what moves there.
package forwards

import (
	"strconv"
	"strings"
	"time"

	"podpath/kube"
	"podpath/kube/forward"
	"podpath/tui/list"
	"podpath/tui/style"
	"podpath/tui/table"
)

// Pane lists the forwards of the program, whatever is looked at.
type Pane struct {
	*list.List[Row]
	theme         *style.Theme
	width, height int
	readOnly      bool
	context       string
	scope         kube.Scope
	statuses      []forward.Status
	meters        map[int]*meter
}

// New returns the pane. With readOnly it says that nothing is forwarded.
func New(theme *style.Theme, readOnly bool) *Pane {
	p := &Pane{theme: theme, readOnly: readOnly, meters: map[int]*meter{}}
	p.List = list.New(table.New(theme, id, columns()), subject)
	return p
}

// Title is the pane's breadcrumb.
func (p *Pane) Title() string { return "Forwards" }

// Resource is there to be a view: the pane hangs on no resource.
func (p *Pane) Resource() kube.Resource { return kube.Services }

// Tab says beside the pane's name how many forwards there are, or how many of
// them have failed.
func (p *Pane) Tab() string {
	failed := 0
	for _, s := range p.statuses {
		if s.Phase == forward.Failed {
			failed++
		}
	}
	switch {
	case failed > 0:
		return broken + strconv.Itoa(failed)
	case len(p.statuses) > 0:
		return strconv.Itoa(len(p.statuses))
	default:
		return ""
	}
}

// Show takes the figures of a moment.
func (p *Pane) Show(statuses []forward.Status, now time.Time) {
	p.statuses = statuses
	meters := map[int]*meter{}
	for _, s := range statuses {
		m := p.meters[s.ID]
		if m == nil {
			m = &meter{}
		}
		m.read(now, s.Stats.All.Sent+s.Stats.All.Received)
		meters[s.ID] = m
	}
	p.meters = meters
	p.Follow()
}

// Look tells what is looked at: names leave that out.
func (p *Pane) Look(context string, scope kube.Scope) {
	p.context, p.scope = context, scope
	p.Follow()
}

// Follow draws what the pane was shown last.
func (p *Pane) Follow() {
	rows := make([]Row, len(p.statuses))
	for i, s := range p.statuses {
		rows[i] = Row{Status: s, Name: name(s, p.context, p.scope), meter: p.meters[s.ID]}
	}
	p.SetRows(rows)
	p.fit()
}

// Select puts the cursor on a forward, now or as soon as it is there.
func (p *Pane) Select(id int) { p.List.Select(strconv.Itoa(id)) }

// Motion says how much the figures move by themselves.
type Motion int

// The motions.
const (
	Still  Motion = iota // until something begins: forward.Hub tells
	Slow                 // open connections, of which nobody tells when they move
	Moving               // bytes move, or have lately, or a time runs down
)

// Motion says how much the figures of all forwards move.
func (p *Pane) Motion() Motion {
	motion := Still
	for _, s := range p.statuses {
		if !p.meters[s.ID].quiet() {
			return Moving
		}
		for _, e := range s.Stats.Endpoints {
			if e.EjectedFor > 0 {
				return Moving
			}
		}
		if s.Stats.Open > 0 {
			motion = Slow
		}
	}
	return motion
}

// status returns a forward, if it is still there.
func (p *Pane) status(id int) (forward.Status, bool) {
	for _, s := range p.statuses {
		if s.ID == id {
			return s, true
		}
	}
	return forward.Status{}, false
}

// SetTheme replaces the theme.
func (p *Pane) SetTheme(theme *style.Theme) {
	p.theme = theme
	p.List.SetTheme(theme)
}

// SetSize sets the cells to draw in.
func (p *Pane) SetSize(width, height int) {
	p.width, p.height = width, height
	p.fit()
}

func (p *Pane) fit() { p.List.SetSize(p.width, max(2, p.height-len(p.foot()))) }

// SetSnapshot is there to be a view: forwards follow their clusters by
// themselves.
func (p *Pane) SetSnapshot(*kube.Snapshot, time.Time) {}

// footShare is the part of the height that what is said about the selected
// forward may take, unless the list needs less.
const footShare = 3

// foot says how the selected forward stands.
func (p *Pane) foot() []string {
	r, ok := p.Selected()
	if !ok || p.height < 4 {
		return nil
	}
	lines := say(r.Status)
	if p.height < lowHeight && lines[1].role != style.Dim {
		lines = lines[1:] // the reason needs the room more
	}
	return draw(p.theme, lines, p.width, max(p.height/footShare, p.height-1-len(p.Rows())))
}

// lowHeight is the height below which every line counts.
const lowHeight = 12

// SetFilter shows only the forwards that match; a text that cannot be read
// changes nothing.
func (p *Pane) SetFilter(text string) error {
	err := p.List.SetFilter(text)
	p.fit()
	return err
}

// Empty is false: the pane says by itself that there is nothing.
func (p *Pane) Empty() bool { return false }

// None says how to begin.
func (p *Pane) None() string {
	switch {
	case p.readOnly:
		return "podpath was started with --readonly: it forwards nothing."
	case len(p.statuses) > 0:
		return "Nothing matches " + p.Filter() + ": esc clears the filter."
	default:
		return "Nothing is forwarded yet. f on a Pod, a Service or an endpoint listens on this machine, and spreads the connections over its endpoints."
	}
}

// View draws the pane.
func (p *Pane) View() string {
	if p.List.Empty() {
		return strings.Join(filled(draw(p.theme, []line{{p.None(), style.Dim}}, p.width, p.height), p.height), "\n")
	}
	return strings.Join(filled(append(strings.Split(p.List.View(), "\n"), p.foot()...), p.height), "\n")
}

// filled makes lines exactly so many.
func filled(lines []string, height int) []string {
	for len(lines) < height {
		lines = append(lines, "")
	}
	return lines[:max(1, height)]
}
