package tui

import (
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"podpath/kube"
	"podpath/tui/page"
	"podpath/tui/style"
)

// textView is a page of text that podpath itself has written.
type textView struct {
	*page.Page
	title string
	text  func(*kube.Snapshot) []page.Line
}

func newTextView(m *Model, title string, text func(*kube.Snapshot) []page.Line) *textView {
	return &textView{page.New(m.theme), title, text}
}

func (v *textView) Title() string                             { return v.title }
func (v *textView) Resource() kube.Resource                   { return kube.Pods }
func (v *textView) SetSnapshot(s *kube.Snapshot, _ time.Time) { v.SetLines(v.text(s)) }
func (v *textView) Update(press tea.KeyPressMsg) tea.Cmd      { v.Page.Update(press); return nil }

// help shows the help, or goes back from it.
func (m *Model) help() {
	if m.top().Title() == helpTitle {
		m.back()
	} else {
		m.push(newHelp(m))
	}
}

const helpTitle = "Help"

// newHelp explains the keys of the view on the screen, the keys that work
// everywhere, and the commands.
func newHelp(m *Model) view {
	own, title := m.top().Bindings(), m.top().Title()
	return newTextView(m, helpTitle, func(*kube.Snapshot) []page.Line {
		lines := bindingLines(nil, title, own)
		lines = bindingLines(lines, "Everywhere", globalBindings())
		lines = append(lines, page.Line{}, page.Line{Text: "Commands", Role: style.Title})
		for _, c := range commands {
			lines = append(lines, helpLine(":"+c.usage, c.help))
		}
		lines = append(lines, page.Line{}, page.Line{Text: "Filters", Role: style.Title})
		for _, f := range [][2]string{
			{"web node2", "rows with both words in their name, namespace, Node, status, kind, addresses or flags; where none has them, their letters in that order"},
			{"!web", "rows without it"},
			{"-l app=web", "rows whose labels match, as in kubectl"},
		} {
			lines = append(lines, helpLine("/"+f[0], f[1]))
		}
		return lines
	})
}

func bindingLines(lines []page.Line, heading string, bindings []key.Binding) []page.Line {
	if len(lines) > 0 {
		lines = append(lines, page.Line{})
	}
	lines = append(lines, page.Line{Text: heading, Role: style.Title})
	for _, b := range bindings {
		lines = append(lines, helpLine(b.Help().Key, b.Help().Desc))
	}
	return lines
}

// helpColumn is how wide the keys and commands are set.
const helpColumn = 18

func helpLine(what, help string) page.Line {
	return page.Line{Text: "  " + style.Fit(what, helpColumn) + help, Indent: helpColumn + 2}
}

func newStatus(m *Model) view {
	server := ""
	if m.session != nil {
		server = kube.Clean(m.session.Server)
	}
	return newTextView(m, "Status", func(s *kube.Snapshot) []page.Line { return stateLines(s, server) })
}
