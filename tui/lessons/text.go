package lessons

import (
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"podpath/assets"
	"podpath/kube"
	"podpath/tui/page"
	"podpath/tui/style"
)

// Text is the text of a lesson.
type Text struct {
	*page.Page
	lesson assets.Lesson
	solved bool // the answer is shown, too
}

// NewText returns the text of a lesson, without its answer.
func NewText(theme *style.Theme, l assets.Lesson) *Text {
	t := &Text{Page: page.New(theme), lesson: l}
	t.draw()
	return t
}

// Title is the view's breadcrumb.
func (t *Text) Title() string { return t.lesson.Name }

// Resource is one of those that are never missing here.
func (*Text) Resource() kube.Resource { return kube.Namespaces }

// SetSnapshot changes nothing.
func (*Text) SetSnapshot(*kube.Snapshot, time.Time) {}

// Bindings lists the view's own keys, then those of any page.
func (t *Text) Bindings() []key.Binding {
	if t.lesson.Answer == "" || t.solved {
		return t.Page.Bindings()
	}
	return append([]key.Binding{keys.answer}, t.Page.Bindings()...)
}

// Update handles a key.
func (t *Text) Update(press tea.KeyPressMsg) tea.Cmd {
	if t.lesson.Answer != "" && !t.solved && key.Matches(press, keys.answer) {
		t.solved = true
		t.ScrollTo(t.draw())
		return nil
	}
	t.Page.Update(press)
	return nil
}

// draw returns the line of the answer.
func (t *Text) draw() (answer int) {
	lines := append([]page.Line{{Text: t.lesson.Title, Role: style.Title}, {}}, linesOf(t.lesson.Text)...)
	answer = len(lines) + 1
	switch {
	case t.solved:
		lines = append(lines, page.Line{}, page.Line{Text: "Answer", Role: style.Title}, page.Line{})
		lines = append(lines, linesOf(t.lesson.Answer)...)
	case t.lesson.Answer != "":
		lines = append(lines, page.Line{}, page.Line{Text: "Try it first. " + keys.answer.Help().Key + " shows the answer.", Role: style.Dim})
	}
	t.SetLines(lines)
	return answer
}

// linesOf makes lines of Markdown, as far as lessons use it: headings,
// paragraphs, lists, and indented lines of what to type.
func linesOf(text string) []page.Line {
	var lines []page.Line
	joins := false // the next line goes on with the paragraph
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		heading, isHeading := strings.CutPrefix(line, "## ")
		code := strings.HasPrefix(line, "    ")
		item := strings.HasPrefix(line, "- ")
		switch {
		case isHeading:
			lines = append(lines, page.Line{Text: heading, Role: style.Title})
		case code:
			lines = append(lines, page.Line{Text: line, Role: style.Accent, Indent: 6})
		case item:
			lines = append(lines, page.Line{Text: plain(line), Indent: 2})
		case joins && line != "":
			lines[len(lines)-1].Text += " " + plain(strings.TrimSpace(line))
		default:
			lines = append(lines, page.Line{Text: plain(line)})
		}
		joins = line != "" && !isHeading && !code
	}
	return lines
}

// plain leaves out what marks words in Markdown.
func plain(text string) string { return strings.NewReplacer("`", "", "**", "").Replace(text) }
