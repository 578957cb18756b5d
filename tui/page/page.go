// Package page shows text that is longer than the screen: scrolled, and
// searched.
package page

import (
	"cmp"
	"regexp"
	"slices"
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
	wrapped []wrapped
	search  string
	found   int // how often
}

// wrapped is a line, or a part of one, as wide as the screen.
type wrapped struct {
	text string
	line int // in Page.lines
}

// New returns an empty page.
func New(theme *style.Theme) *Page {
	p := &Page{port: viewport.New()}
	p.port.KeyMap = viewport.KeyMap{}
	p.SetTheme(theme)
	p.port.StyleLineFunc = func(i int) lipgloss.Style {
		if i < len(p.wrapped) {
			return p.theme.Style(p.lines[p.wrapped[i].line].Role)
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

// SetSize sets the cells to draw in. What is at the top stays there.
func (p *Page) SetSize(width, height int) {
	if width == p.port.Width() && height == p.port.Height() {
		return
	}
	top := 0
	if i := p.port.YOffset(); i < len(p.wrapped) {
		top = p.wrapped[i].line
	}
	p.port.SetWidth(width)
	p.port.SetHeight(height)
	p.wrap()
	p.ScrollTo(top)
}

// ScrollTo brings a line to the top.
func (p *Page) ScrollTo(line int) {
	p.port.SetYOffset(slices.IndexFunc(p.wrapped, func(w wrapped) bool { return w.line == line }))
}

// Reveal scrolls as little as it takes to show the lines from one to another;
// where they do not fit, the first of them.
func (p *Page) Reveal(first, last int) {
	from := slices.IndexFunc(p.wrapped, func(w wrapped) bool { return w.line >= first })
	if from < 0 {
		return
	}
	to := from
	for to+1 < len(p.wrapped) && p.wrapped[to+1].line <= last {
		to++
	}
	p.port.SetYOffset(min(from, max(p.port.YOffset(), to-p.port.Height()+1)))
}

// SetLines replaces the text; the place in it stays.
func (p *Page) SetLines(lines []Line) {
	if slices.Equal(lines, p.lines) {
		return
	}
	p.lines = lines
	offset := p.port.YOffset()
	p.wrap()
	p.port.SetYOffset(offset)
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
	for i, l := range p.lines {
		rest := strings.TrimLeft(l.Text, " ")
		indent := len(l.Text) - len(rest)
		for first := true; first || rest != ""; first = false {
			indent = min(indent, width/2)
			part := head(rest, width-indent)
			p.wrapped = append(p.wrapped, wrapped{strings.Repeat(" ", indent) + part, i})
			rest = strings.TrimLeft(rest[len(part):], " ")
			indent = l.Indent
		}
	}
	texts := make([]string, len(p.wrapped))
	for i, w := range p.wrapped {
		texts[i] = w.text
	}
	p.port.SetContentLines(texts)
	p.highlight()
}

// head returns as much of s as fits in width cells, up to the end of a word
// where there is one.
func head(s string, width int) string {
	used, end, word := 0, 0, 0
	for end < len(s) {
		cluster, cells := ansi.FirstGraphemeCluster(s[end:], ansi.GraphemeWidth)
		if cluster == " " {
			word = end
		}
		if used += cells; used > width && end > 0 {
			return s[:cmp.Or(word, end)]
		}
		end += len(cluster)
	}
	return s
}

// Search marks a text, whatever its case, and goes to the first place at or
// below the top of the screen.
func (p *Page) Search(text string) {
	p.search = text
	p.highlight()
}

// Found returns what is searched for, and how often it was found.
func (p *Page) Found() (text string, times int) { return p.search, p.found }

func (p *Page) matches() [][]int {
	if strings.TrimSpace(p.search) == "" {
		return nil
	}
	words := strings.Fields(p.search)
	for i, w := range words {
		words[i] = regexp.QuoteMeta(w)
	}
	pattern := regexp.MustCompile("(?i)" + strings.Join(words, `\s+`)) // between words a line may be wrapped
	return pattern.FindAllStringIndex(p.port.GetContent(), -1)
}

func (p *Page) highlight() {
	matches := p.matches()
	p.found = len(matches)
	p.port.ClearHighlights()
	p.port.SetHighlights(matches)
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
