// Package menu lets the user choose one of several things: what to do, or which
// namespace to look at.
package menu

import (
	"cmp"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"podpath/kube"
	"podpath/tui/filter"
	"podpath/tui/intent"
	"podpath/tui/list"
	"podpath/tui/style"
	"podpath/tui/table"
)

// Open asks the root for a menu.
type Open struct {
	Title string
	// Choices follow the cluster.
	Choices func(*kube.Snapshot) []Choice
	// Current is the label of the choice that the cursor begins on.
	Current string
	// Resource is what has to be read before there are choices; Pods when it is
	// not set.
	Resource kube.Resource
	// About is the title of the second column, None what stands there when there
	// is nothing to choose.
	About, None string
}

// Choice is one of the entries of a menu.
type Choice struct {
	Label string
	// Note stands beside the label; Explains does where it is "".
	Note string
	// Explains says more about it, while it is selected.
	Explains string
	// Pick is the message that follows when it is chosen; nil for what cannot be.
	Pick tea.Msg
}

// Menu is the view.
type Menu struct {
	*list.List[Choice]
	theme         *style.Theme
	open          Open
	width, height int
}

// New returns a menu.
func New(theme *style.Theme, o Open) *Menu {
	t := table.New(theme, func(c Choice) string { return c.Label }, []table.Column[Choice]{
		{Title: strings.ToUpper(o.Title), Min: 10, Middle: true, Cell: func(c Choice) table.Cell {
			if c.Pick == nil {
				return table.Cell{Text: c.Label, Role: style.Dim}
			}
			return table.Plain(c.Label)
		}},
		{Title: cmp.Or(o.About, "WHAT IT DOES"), Priority: 1, Wide: true, Cell: func(c Choice) table.Cell {
			return table.Cell{Text: cmp.Or(c.Note, c.Explains), Role: style.Dim}
		}},
	})
	t.Select(o.Current)
	subject := func(c Choice) filter.Subject { return filter.Subject{Fields: []string{c.Label}} }
	return &Menu{List: list.New(t, subject), theme: theme, open: o}
}

// Title is the menu's breadcrumb.
func (m *Menu) Title() string { return m.open.Title }

// Resource is what the choices come from.
func (m *Menu) Resource() kube.Resource { return m.open.Resource }

// None says that there is nothing to choose.
func (m *Menu) None() string { return cmp.Or(m.open.None, "There is nothing to choose.") }

// SetTheme replaces the theme.
func (m *Menu) SetTheme(theme *style.Theme) {
	m.theme = theme
	m.List.SetTheme(theme)
}

// SetSize sets the cells to draw in.
func (m *Menu) SetSize(width, height int) {
	m.width, m.height = width, height
	m.fit()
}

func (m *Menu) fit() { m.List.SetSize(m.width, max(1, m.height-len(m.explanation()))) }

// SetSnapshot shows the choices that there are now.
func (m *Menu) SetSnapshot(s *kube.Snapshot, _ time.Time) {
	m.SetRows(m.open.Choices(s))
	m.fit()
}

// explanation says more about the selected choice, where there is room.
func (m *Menu) explanation() []string {
	c, ok := m.Selected()
	if !ok || c.Explains == "" {
		return nil
	}
	lines := style.Wrap(c.Explains, m.width)
	room := max(0, m.height-1-len(m.Rows()), m.height/2)
	return lines[:min(len(lines), room)]
}

var pick = key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", "choose this"))

// Bindings lists the menu's own keys, then those of any list.
func (m *Menu) Bindings() []key.Binding { return append([]key.Binding{pick}, m.List.Bindings()...) }

// Update handles a key.
func (m *Menu) Update(press tea.KeyPressMsg) tea.Cmd {
	c, selected := m.Selected()
	if m.List.Update(press) {
		m.fit()
	} else if selected && c.Pick != nil && key.Matches(press, pick) {
		return intent.Send(c.Pick)
	}
	return nil
}

// View draws the menu.
func (m *Menu) View() string {
	lines := []string{m.List.View()}
	for _, line := range m.explanation() {
		lines = append(lines, m.theme.Render(style.Dim, line))
	}
	return strings.Join(lines, "\n")
}
