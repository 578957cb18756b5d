package tui

import (
	"fmt"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"charm.land/bubbles/v2/key"
	"github.com/charmbracelet/x/ansi"

	"podpath/kube"
	"podpath/tui/page"
	"podpath/tui/style"
	"podpath/tui/words"
)

const (
	headHeight = 2 // where podpath is, and where the user is in it
	footHeight = 1 // the prompt, a notice, or the keys
)

func (m *Model) bodyHeight() int { return max(1, m.height-headHeight-footHeight) }

// View draws the screen.
func (m *Model) View() tea.View {
	var v tea.View
	v.AltScreen = true
	if m.options.Mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	if m.width <= 0 || m.height <= 0 {
		return v
	}
	lines := []string{m.titleLine(), m.placeLine()}
	lines = append(lines, strings.Split(m.body(), "\n")...)
	lines = append(lines, m.footLine())
	if len(lines) > m.height { // a screen of one or two lines
		lines = lines[len(lines)-m.height:]
	}
	v.Content = strings.Join(lines, "\n")
	if m.options.ASCII {
		v.Content = style.ASCII(v.Content)
	}
	if m.prompt.isOpen() {
		v.Cursor = m.prompt.cursor(m.width, m.height)
	}
	return v
}

// titleLine says which cluster, and which panes there are.
func (m *Model) titleLine() string {
	where := m.where()
	tabs := m.tabs(fullTabs)
	for short := fullTabs + 1; short <= numberTabs && style.Width(where)+style.Width(tabs) >= m.width; short++ {
		tabs = m.tabs(short)
	}
	const brand = "podpath "
	if style.Width(brand)+style.Width(where)+style.Width(tabs) < m.width {
		where = m.theme.Render(style.Title, brand) + where
	}
	return m.twoSides(where, tabs)
}

// where names the cluster, the lesson that changes it, and the namespace.
func (m *Model) where() string {
	scope := words.Scope(m.snapshot.Scope)
	if m.session == nil || m.session.Context == "" {
		return scope
	}
	cluster := kube.Clean(m.session.Context)
	if m.lesson != "" {
		cluster += "/" + m.lesson
	}
	return cluster + " › " + scope
}

// How much the tabs say: all, no counts, or of the panes that are not on the
// screen their number alone.
const (
	fullTabs = iota
	namedTabs
	numberTabs
)

// tabs names the panes, and how many objects each has.
func (m *Model) tabs(short int) string {
	tabs := ""
	for i, pane := range m.panes {
		role, text := style.Dim, fmt.Sprintf(" %d %s", i+1, pane.Title())
		if m.stack[0] == pane {
			role = style.Cursor
		} else if short == numberTabs {
			text = fmt.Sprintf(" %d", i+1)
		}
		if s := m.tabCount(pane); s != "" && short == fullTabs {
			text += " " + s
		}
		tabs += m.theme.Render(role, text+" ")
	}
	return tabs
}

// tabCount is how many objects a pane has, or what else it says of itself.
func (m *Model) tabCount(pane view) string {
	if p, ok := pane.(interface{ Tab() string }); ok {
		return p.Tab()
	}
	if !m.snapshot.State(pane.Resource()).Listed {
		return ""
	}
	return strconv.Itoa(count(m.snapshot, pane.Resource()))
}

// placeLine says where the user is, and how far to trust what is shown.
func (m *Model) placeLine() string {
	var crumbs []string
	for _, v := range m.stack {
		crumbs = append(crumbs, v.Title())
	}
	place := strings.Join(crumbs, " › ")
	if l, ok := m.top().(lister); ok && l.Filter() != "" {
		all, kept := l.Len()
		place += fmt.Sprintf("  /%s  %d of %d", l.Filter(), kept, all)
	}
	if s, ok := m.top().(searcher); ok {
		if text, times := s.Found(); text != "" {
			place += fmt.Sprintf("  /%s  %s", text, kube.Count(times, "time"))
		}
	}
	state, role := stateSummary(m.snapshot)
	room := max(m.width/2, m.width-style.Width(place)-2)
	return m.twoSides(m.theme.Render(style.Accent, place), m.theme.Render(role, ansi.Truncate(state, room, style.Ellipsis)))
}

// twoSides sets left and right at the ends of a line; where there is no room
// for both, left loses its beginning.
func (m *Model) twoSides(left, right string) string {
	room := m.width - style.Width(right) - 1
	if room <= 0 {
		return style.Fit(right, m.width)
	}
	if over := style.Width(left) - room; over > 0 {
		left = ansi.TruncateLeft(left, over+1, style.Ellipsis)
	}
	return style.Fit(left, room) + " " + right
}

// body is the view on the screen, or the reason why it is empty.
func (m *Model) body() string {
	v := m.top()
	l, ok := v.(lister)
	if !ok || !l.Empty() {
		return v.View()
	}
	var head []string
	if h, ok := v.(headed); ok {
		head = h.Head()
	}
	p := page.New(m.theme)
	p.SetSize(m.width, max(1, m.bodyHeight()-len(head)))
	p.SetLines(emptyLines(m.snapshot, v.Resource(), l))
	return strings.Join(append(head, p.View()), "\n")
}

// footLine is the prompt while it is open, else a notice, else the keys.
func (m *Model) footLine() string {
	switch {
	case m.prompt.isOpen():
		return ansi.Truncate(m.prompt.view(m.width), m.width, "")
	case m.notice != "":
		return m.theme.Render(style.Warn, style.Fit(m.notice, m.width))
	default:
		bindings := []key.Binding{keys.help, keys.filter, keys.command}
		switch {
		case m.top() == view(m.probes) && m.canCancel():
			bindings = append([]key.Binding{keys.cancel}, bindings...)
		case m.canGoBack():
			bindings = append(bindings, keys.back)
		}
		own := m.top().Bindings()
		if h, ok := m.top().(hinter); ok {
			own = h.Hints()
		}
		return hints(m.theme, append(bindings, own...), m.width)
	}
}

// hinter is a view that names its keys in other words where there is only the
// last line for them.
type hinter interface{ Hints() []key.Binding }

// hints names as many keys as fit.
func hints(theme *style.Theme, bindings []key.Binding, width int) string {
	line, used := "", 0
	for _, b := range bindings {
		h := b.Help()
		w := style.Width(h.Key) + 1 + style.Width(h.Desc)
		if used > 0 {
			w += 2
		}
		if used+w > width {
			break
		}
		if used > 0 {
			line += "  "
		}
		line += h.Key + " " + theme.Render(style.Dim, h.Desc)
		used += w
	}
	return line
}

// count is how many objects of a pane's resource there are.
func count(s *kube.Snapshot, r kube.Resource) int {
	if r == kube.Services {
		return len(s.Services)
	}
	return len(s.Pods)
}
