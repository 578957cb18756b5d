package probes

import (
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

// Menu lets the user choose what to do.
type Menu struct {
	*list.List[Choice]
	theme         *style.Theme
	title         string
	choices       func(*kube.Snapshot) []Choice
	width, height int
}

// NewMenu returns a menu; its choices follow the cluster.
func NewMenu(theme *style.Theme, m OpenMenu) *Menu {
	t := table.New(theme, func(c Choice) string { return c.Label }, []table.Column[Choice]{
		{Title: strings.ToUpper(m.Title), Min: 10, Middle: true, Cell: func(c Choice) table.Cell {
			if c.Pick == nil {
				return table.Cell{Text: c.Label, Role: style.Dim}
			}
			return table.Plain(c.Label)
		}},
		{Title: "WHAT IT DOES", Priority: 1, Wide: true, Cell: func(c Choice) table.Cell { return table.Cell{Text: c.Explains, Role: style.Dim} }},
	})
	subject := func(c Choice) filter.Subject { return filter.Subject{Fields: []string{c.Label}} }
	return &Menu{List: list.New(t, subject), theme: theme, title: m.Title, choices: m.Choices}
}

// Title is the menu's breadcrumb.
func (m *Menu) Title() string { return m.title }

// Resource is what the choices come from.
func (m *Menu) Resource() kube.Resource { return kube.Pods }

// None says that there is nothing to choose.
func (m *Menu) None() string { return "There is nothing to choose." }

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
	m.SetRows(m.choices(s))
	m.fit()
}

// explanation says more about the selected choice, where there is room.
func (m *Menu) explanation() []string {
	c, ok := m.Selected()
	if !ok || c.Explains == "" {
		return nil
	}
	lines := wrapped(c.Explains, m.width)
	room := max(0, m.height-1-len(m.Rows()), m.height/2)
	return lines[:min(len(lines), room)]
}

var pick = key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", "do this"))

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
