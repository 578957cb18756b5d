package tui

import (
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
)

// prompt is the line at the bottom where the user types a filter, a search or
// a command.
type prompt struct {
	input textinput.Model
	sign  string // "/" or ":"; empty while closed
}

// open starts with an empty line; tab completes to the suggestions.
func (p *prompt) open(sign string, suggestions []string) {
	p.sign = sign
	p.input = textinput.New()
	p.input.Prompt = ""
	p.input.SetVirtualCursor(false) // the terminal's own needs no redrawing to blink
	p.input.ShowSuggestions = len(suggestions) > 0
	p.input.SetSuggestions(suggestions)
	p.input.Focus()
}

func (p *prompt) close() {
	p.sign = ""
	p.input.Blur()
}

func (p *prompt) isOpen() bool { return p.sign != "" }

func (p *prompt) update(msg tea.Msg) tea.Cmd {
	var cmd tea.Cmd
	p.input, cmd = p.input.Update(msg)
	return cmd
}

func (p *prompt) view(width int) string {
	p.input.SetWidth(max(1, width-2))
	return p.sign + p.input.View()
}

// cursor is where the terminal's cursor stands, in the last line.
func (p *prompt) cursor(width, height int) *tea.Cursor {
	c := p.input.Cursor()
	if c == nil {
		return nil
	}
	c.X = min(1+c.X, width-1) // after the sign
	c.Y = height - 1
	return c
}
