package tui

import (
	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"podpath/tui/style"
)

// prompt is the line at the bottom where the user types a filter, a search or
// a command, or answers a question.
type prompt struct {
	input textinput.Model
	// sign stands before what is typed: "/", ":", or what is asked for. It is
	// empty while the prompt is closed.
	sign string
	// accept gets the answer to a question; nil for "/" and ":".
	accept func(answer string) tea.Cmd
	// yes is set where the question is answered with one key: y, or any other.
	yes func() tea.Cmd
}

// promptMost is how many letters a prompt takes: more than anybody types, and
// little enough to filter with at each of them.
const promptMost = 1000

// open starts with an empty line; tab completes to the suggestions.
func (p *prompt) open(sign string, suggestions []string) {
	*p = prompt{sign: sign, input: textinput.New()}
	p.input.Prompt = ""
	p.input.CharLimit = promptMost
	p.input.SetVirtualCursor(false) // the terminal's own needs no redrawing to blink
	p.input.ShowSuggestions = len(suggestions) > 0
	p.input.SetSuggestions(suggestions)
	p.input.Focus()
}

// ask asks for a text that enter hands to accept; esc gives up.
func (p *prompt) ask(question, answer string, accept func(string) tea.Cmd) {
	p.open(question+" ", nil)
	p.accept = accept
	p.input.SetValue(answer)
	p.input.CursorEnd()
}

// confirm asks a question that y answers with yes, and every other key with no.
func (p *prompt) confirm(question string, yes func() tea.Cmd) {
	p.open("y/n  "+question, nil)
	p.yes = yes
}

func (p *prompt) close() {
	p.input.Blur()
	p.sign, p.accept, p.yes = "", nil, nil
}

// takes reports whether a key with alt edits what is typed.
func (p *prompt) takes(press tea.KeyPressMsg) bool {
	k := p.input.KeyMap
	return p.yes == nil && key.Matches(press, k.WordForward, k.WordBackward, k.DeleteWordBackward, k.DeleteWordForward)
}

func (p *prompt) isOpen() bool { return p.sign != "" }

func (p *prompt) update(msg tea.Msg) tea.Cmd {
	var cmd tea.Cmd
	p.input, cmd = p.input.Update(msg)
	return cmd
}

// shown is the sign as far as it leaves room to type.
func (p *prompt) shown(width int) string {
	if p.yes != nil || style.Width(p.sign) == 1 {
		return p.sign
	}
	return ansi.TruncateLeft(p.sign, max(0, style.Width(p.sign)-max(1, width-answerRoom)), "")
}

// answerRoom is how many cells there are at least for an answer, where the
// screen has so many.
const answerRoom = 12

func (p *prompt) view(width int) string {
	sign := p.shown(width)
	if p.yes != nil {
		return style.Fit(sign, width)
	}
	p.input.SetWidth(max(1, width-style.Width(sign)-1))
	return sign + p.input.View()
}

// cursor is where the terminal's cursor stands, in the last line.
func (p *prompt) cursor(width, height int) *tea.Cursor {
	c := p.input.Cursor()
	if c == nil || p.yes != nil {
		return nil
	}
	c.X = max(0, min(style.Width(p.shown(width))+c.X, width-1)) // after the sign
	c.Y = height - 1
	return c
}
