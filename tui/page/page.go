// Package page shows text that is longer than the screen: scrolled, and
// searched.
package page

import (
	"regexp"
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/viewport"
	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"podpath/tui/style"
)

// Line is one line of a page. Its text is drawn as it is: clean it first.
type Line struct {
	Text string
	Role style.Role
	// Indent is where the following lines begin when this one is too long for
	// the screen.
	Indent int
}

// Page is the widget. Long lines are wrapped.
type Page struct {
	theme   *style.Theme
	port    viewport.Model
	lines   []Line
	wrapped []Line
	search  string
}

// New returns an empty page.
func New(theme *style.Theme) *Page {
	p := &Page{port: viewport.New()}
	p.port.KeyMap = viewport.KeyMap{}
	p.SetTheme(theme)
	p.port.StyleLineFunc = func(i int) lipgloss.Style {
		if i < len(p.wrapped) {
			return p.theme.Style(p.wrapped[i].Role)
		}
		return lipgloss.NewStyle()
	}
	return p
}

// SetTheme replaces the theme.
func (p *Page) SetTheme(theme *style.Theme) {
	p.theme = theme
	p.port.HighlightStyle = theme.Style(style.Match)
	p.port.SelectedHighlightStyle = theme.Style(style.Cursor)
}

// SetSize sets the cells to draw in.
func (p *Page) SetSize(width, height int) {
	p.port.SetWidth(width)
	p.port.SetHeight(height)
	p.wrap()
}

// SetLines replaces the text; the place in it stays.
func (p *Page) SetLines(lines []Line) {
	p.lines = lines
	p.wrap()
}

// Text returns the whole text.
func (p *Page) Text() string {
	texts := make([]string, len(p.lines))
	for i, l := range p.lines {
		texts[i] = l.Text
	}
	return strings.Join(texts, "\n")
}

func (p *Page) wrap() {
	width := max(1, p.port.Width())
	p.wrapped = p.wrapped[:0]
	for _, l := range p.lines {
		first, _, _ := strings.Cut(ansi.Wrap(l.Text, width, ""), "\n")
		p.wrapped = append(p.wrapped, Line{Text: first, Role: l.Role})
		rest := strings.TrimLeft(strings.TrimPrefix(l.Text, first), " ")
		if rest == "" {
			continue
		}
		indent := min(l.Indent, width/2)
		for _, text := range strings.Split(ansi.Wrap(rest, width-indent, ""), "\n") {
			p.wrapped = append(p.wrapped, Line{Text: strings.Repeat(" ", indent) + text, Role: l.Role})
		}
	}
	texts := make([]string, len(p.wrapped))
	for i, l := range p.wrapped {
		texts[i] = l.Text
	}
	offset := p.port.YOffset()
	p.port.SetContentLines(texts)
	p.port.SetYOffset(offset)
	p.highlight()
}

// Search marks a text, whatever its case, and goes to the first place at or
// below the top of the screen.
func (p *Page) Search(text string) {
	p.search = text
	p.highlight()
}

// Found returns what is searched for, and how often it was found.
func (p *Page) Found() (text string, times int) { return p.search, len(p.matches()) }

func (p *Page) matches() [][]int {
	if p.search == "" {
		return nil
	}
	pattern := regexp.MustCompile("(?i)" + regexp.QuoteMeta(p.search))
	return pattern.FindAllStringIndex(p.port.GetContent(), -1)
}

func (p *Page) highlight() {
	p.port.ClearHighlights()
	p.port.SetHighlights(p.matches())
}

var keys = struct{ up, down, top, bottom, halfUp, halfDown, pageUp, pageDown, next, previous key.Binding }{
	up:       key.NewBinding(key.WithKeys("k", "up"), key.WithHelp("k/↑", "up")),
	down:     key.NewBinding(key.WithKeys("j", "down"), key.WithHelp("j/↓", "down")),
	top:      key.NewBinding(key.WithKeys("g", "home"), key.WithHelp("g", "to the top")),
	bottom:   key.NewBinding(key.WithKeys("G", "end"), key.WithHelp("G", "to the end")),
	halfUp:   key.NewBinding(key.WithKeys("ctrl+u"), key.WithHelp("ctrl-u", "half a page up")),
	halfDown: key.NewBinding(key.WithKeys("ctrl+d"), key.WithHelp("ctrl-d", "half a page down")),
	pageUp:   key.NewBinding(key.WithKeys("ctrl+b", "pgup"), key.WithHelp("ctrl-b", "page up")),
	pageDown: key.NewBinding(key.WithKeys("ctrl+f", "pgdown", "space"), key.WithHelp("ctrl-f", "page down")),
	next:     key.NewBinding(key.WithKeys("n"), key.WithHelp("n", "next match")),
	previous: key.NewBinding(key.WithKeys("N"), key.WithHelp("N", "previous match")),
}

// Bindings lists the keys of a page.
func (p *Page) Bindings() []key.Binding {
	return []key.Binding{keys.up, keys.down, keys.top, keys.bottom, keys.halfUp, keys.halfDown, keys.pageUp, keys.pageDown, keys.next, keys.previous}
}

// Update handles the keys of a page and reports whether this was one.
func (p *Page) Update(press tea.KeyPressMsg) bool {
	switch {
	case key.Matches(press, keys.up):
		p.port.ScrollUp(1)
	case key.Matches(press, keys.down):
		p.port.ScrollDown(1)
	case key.Matches(press, keys.top):
		p.port.GotoTop()
	case key.Matches(press, keys.bottom):
		p.port.GotoBottom()
	case key.Matches(press, keys.halfUp):
		p.port.HalfPageUp()
	case key.Matches(press, keys.halfDown):
		p.port.HalfPageDown()
	case key.Matches(press, keys.pageUp):
		p.port.PageUp()
	case key.Matches(press, keys.pageDown):
		p.port.PageDown()
	case key.Matches(press, keys.next):
		p.port.HighlightNext()
	case key.Matches(press, keys.previous):
		p.port.HighlightPrevious()
	default:
		return false
	}
	return true
}

// View draws what is visible.
func (p *Page) View() string { return p.port.View() }
