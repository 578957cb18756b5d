// Package lessons shows what there is to learn on the practice cluster: a list
// of lessons, and the text of one.
package lessons

import (
	"slices"
	"strconv"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"podpath/assets"
	"podpath/kube"
	"podpath/tui/filter"
	"podpath/tui/intent"
	"podpath/tui/list"
	"podpath/tui/style"
	"podpath/tui/table"
)

// Begin asks for a lesson: the practice cluster is changed as it needs it, and
// its text is shown.
type Begin struct{ Lesson assets.Lesson }

// View lists the lessons.
type View struct{ *list.List[assets.Lesson] }

// New returns the list. The lesson that goes on now is marked; current is its
// name, or "".
func New(theme *style.Theme, all []assets.Lesson, current string) *View {
	number := func(l assets.Lesson) int {
		return 1 + slices.IndexFunc(all, func(other assets.Lesson) bool { return other.Name == l.Name })
	}
	columns := []table.Column[assets.Lesson]{
		{Title: "#", Cell: func(l assets.Lesson) table.Cell {
			return table.Plain(strconv.Itoa(number(l)))
		}},
		{Title: "NAME", Cell: func(l assets.Lesson) table.Cell { return table.Plain(l.Name) }},
		{Title: "LESSON", Min: 16, Priority: 1, Cell: func(l assets.Lesson) table.Cell { return table.Plain(l.Title) }},
		{Title: "", Cell: func(l assets.Lesson) table.Cell {
			if l.Name == current {
				return table.Plain("current")
			}
			return table.Cell{}
		}},
	}
	t := table.New(theme, func(l assets.Lesson) string { return l.Name }, columns)
	t.Select(current)
	v := &View{list.New(t, func(l assets.Lesson) filter.Subject { return filter.Subject{Fields: []string{l.Title, l.Name}} })}
	v.SetRows(all)
	return v
}

// Title is the view's breadcrumb.
func (*View) Title() string { return "Lessons" }

// None says that there is nothing to learn.
func (*View) None() string { return "There are no lessons." }

// Resource is one of those that are never missing here.
func (*View) Resource() kube.Resource { return kube.Namespaces }

// SetSnapshot changes nothing.
func (*View) SetSnapshot(*kube.Snapshot, time.Time) {}

var keys = struct{ begin, answer key.Binding }{
	begin:  key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", "begin")),
	answer: key.NewBinding(key.WithKeys("a"), key.WithHelp("a", "answer")),
}

// Bindings lists the view's own keys, then those of any list.
func (v *View) Bindings() []key.Binding {
	return append([]key.Binding{keys.begin}, v.List.Bindings()...)
}

// Update handles a key.
func (v *View) Update(press tea.KeyPressMsg) tea.Cmd {
	if l, ok := v.Selected(); ok && key.Matches(press, keys.begin) {
		return intent.Send(Begin{l})
	}
	v.List.Update(press)
	return nil
}
