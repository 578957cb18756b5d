// Package list is a table with what all of podpath's lists share: the keys to
// move and sort, and the filter.
package list

import (
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"podpath/tui/filter"
	"podpath/tui/table"
)

// List shows rows of type R. Content is set whole with SetRows; what is shown
// of it is decided by the filter, the user's order, and Arrange.
type List[R any] struct {
	*table.Table[R]
	// Subject tells the filter what to look at, also of the headings that
	// Arrange adds.
	Subject func(R) filter.Subject
	// Arrange, if set, puts filtered and sorted rows into their final order
	// and may add headings.
	Arrange func([]R) []R

	all    []R
	filter filter.Filter
	kept   int
	// seeking is set from a new filter on until the cursor is on what it finds:
	// the rows may still be on their way.
	seeking bool
}

// New returns a list in the table.
func New[R any](t *table.Table[R], subject func(R) filter.Subject) *List[R] {
	return &List[R]{Table: t, Subject: subject}
}

// SetRows replaces the content, in its natural order.
func (l *List[R]) SetRows(rows []R) {
	l.all = rows
	l.Refresh()
}

// Refresh decides anew what is shown.
func (l *List[R]) Refresh() {
	shown := filter.Keep(l.filter, l.all, l.Subject)
	l.kept = len(shown)
	if l.Sorted() {
		shown = slices.Clone(shown)
		slices.SortStableFunc(shown, l.Compare)
	}
	if l.Arrange != nil {
		shown = l.Arrange(shown)
	}
	l.Table.SetRows(shown)
	if l.seeking {
		l.seek(shown)
	}
}

// seek puts the cursor on the first row that the filter itself finds. A heading
// mostly stands there only for the rows below it, and a key that is meant for
// one of them must not act on it.
func (l *List[R]) seek(shown []R) {
	for _, r := range filter.Keep(l.filter, shown, l.Subject) {
		if l.filter.AsksForWords() || !l.isHeading(r) {
			l.Select(l.ID(r))
			l.seeking = false
			return
		}
	}
}

func (l *List[R]) isHeading(r R) bool {
	if l.Heading == nil {
		return false
	}
	_, heading := l.Heading(r)
	return heading
}

// Len returns how many rows there are, and how many of them the filter keeps.
func (l *List[R]) Len() (all, kept int) { return len(l.all), l.kept }

// Filter returns the text of the filter.
func (l *List[R]) Filter() string { return l.filter.Text }

// SetFilter filters by the text, and puts the cursor on the first row that a
// new text finds; a text that cannot be read changes nothing.
func (l *List[R]) SetFilter(text string) error {
	f, err := filter.Parse(text)
	if err != nil {
		return err
	}
	if text != l.filter.Text {
		l.seeking = text != ""
	}
	l.filter = f
	l.Refresh()
	return nil
}

var keys = struct{ up, down, top, bottom, halfUp, halfDown, pageUp, pageDown, left, right, wide key.Binding }{
	up:       binding("up", "k/↑", "k", "up"),
	down:     binding("down", "j/↓", "j", "down"),
	top:      binding("first", "g", "g", "home"),
	bottom:   binding("last", "G", "G", "end"),
	halfUp:   binding("half a page up", "ctrl-u", "ctrl+u"),
	halfDown: binding("half a page down", "ctrl-d", "ctrl+d"),
	pageUp:   binding("page up", "ctrl-b", "ctrl+b", "pgup"),
	pageDown: binding("page down", "ctrl-f", "ctrl+f", "pgdown"),
	left:     binding("scroll left (wide)", "←", "left"),
	right:    binding("scroll right (wide)", "→", "right"),
	wide:     binding("all columns, or those that fit", "ctrl-w", "ctrl+w"),
}

func binding(help, shown string, pressed ...string) key.Binding {
	return key.NewBinding(key.WithKeys(pressed...), key.WithHelp(shown, help))
}

// shiftStep is how far one press scrolls sideways, in cells.
const shiftStep = 8

// Update handles the keys of a list and reports whether this was one.
func (l *List[R]) Update(press tea.KeyPressMsg) bool {
	page := max(1, l.Page())
	switch {
	case key.Matches(press, keys.up):
		l.Move(-1)
	case key.Matches(press, keys.down):
		l.Move(1)
	case key.Matches(press, keys.top):
		l.Move(-len(l.Rows()))
	case key.Matches(press, keys.bottom):
		l.Move(len(l.Rows()))
	case key.Matches(press, keys.halfUp):
		l.Move(-max(1, page/2))
	case key.Matches(press, keys.halfDown):
		l.Move(max(1, page/2))
	case key.Matches(press, keys.pageUp):
		l.Move(-page)
	case key.Matches(press, keys.pageDown):
		l.Move(page)
	case key.Matches(press, keys.left):
		l.Shift(-shiftStep)
	case key.Matches(press, keys.right):
		l.Shift(shiftStep)
	case key.Matches(press, keys.wide):
		l.ToggleWide()
	case l.SortBy(press.String()):
		l.Refresh()
	default:
		return false
	}
	return true
}

// Bindings lists the keys of a list, for the help.
func (l *List[R]) Bindings() []key.Binding {
	out := []key.Binding{keys.up, keys.down, keys.top, keys.bottom, keys.halfUp, keys.halfDown, keys.pageUp, keys.pageDown, keys.wide, keys.left, keys.right}
	for _, c := range l.Columns() {
		if c.Key != "" {
			out = append(out, binding("sort by "+strings.ToLower(c.Title), "shift-"+strings.ToLower(c.Key), c.Key))
		}
	}
	return out
}
