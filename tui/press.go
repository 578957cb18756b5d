package tui

import (
	"unicode"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"podpath/kube"
	"podpath/tui/intent"
)

// press handles a key: what works everywhere first, then the view's own.
func (m *Model) press(press tea.KeyPressMsg) tea.Cmd {
	if next, ok := m.typedAhead(press); ok {
		return tea.Batch(m.press(escape), m.press(next))
	}
	switch {
	case key.Matches(press, keys.interrupt) && m.prompt.isOpen():
		return m.pressInPrompt(press)
	case key.Matches(press, keys.interrupt) && m.canCancel():
		m.cancelProbing()
	case key.Matches(press, keys.interrupt):
		return tea.Quit
	case key.Matches(press, keys.suspend) && m.noShell:
		m.notice = "There is no shell to go back to."
	case key.Matches(press, keys.suspend):
		return tea.Suspend
	case m.prompt.isOpen():
		return m.pressInPrompt(press)
	case key.Matches(press, keys.quit):
		return tea.Quit
	case key.Matches(press, keys.back) && m.top() == view(m.probes) && m.canCancel():
		m.cancelProbing()
	case key.Matches(press, keys.back):
		m.back()
		return m.read()
	case key.Matches(press, keys.pods):
		m.show(m.panes[0])
	case key.Matches(press, keys.services):
		m.show(m.panes[1])
	case key.Matches(press, keys.probes):
		m.show(m.panes[2])
	case key.Matches(press, keys.forwards):
		m.show(m.panes[3])
	case key.Matches(press, keys.all):
		return m.toggleAll()
	case key.Matches(press, keys.help):
		m.help()
	case key.Matches(press, keys.command):
		m.prompt.open(":", m.completions())
	case key.Matches(press, keys.filter):
		m.prompt.open("/", nil) // the filter before stays until something is typed
	default:
		return m.carryOut(m.top().Update(press))
	}
	return nil
}

// escape is the key esc.
var escape = tea.KeyPressMsg{Code: tea.KeyEscape}

// typedAhead splits a key with alt that means nothing here: without a protocol
// that tells the two apart, it is esc and a key that arrived together, as they
// do over a slow line.
func (m *Model) typedAhead(press tea.KeyPressMsg) (next tea.KeyPressMsg, ok bool) {
	if press.Mod&^tea.ModShift != tea.ModAlt || m.prompt.isOpen() && m.prompt.takes(press) {
		return press, false
	}
	press.Mod &^= tea.ModAlt
	letter := press.Code
	if press.ShiftedCode != 0 {
		letter = press.ShiftedCode
	}
	if unicode.IsPrint(letter) {
		press.Text = string(letter)
	}
	return press, true
}

// carryOut does at once what a view asks for with a key: keys that were typed
// ahead of a slow line arrive together, and the next one is for the view that
// this one opens. What views ask for are intents, so that asking takes no time.
func (m *Model) carryOut(ask tea.Cmd) tea.Cmd {
	if ask == nil {
		return nil
	}
	return m.receive(ask())
}

// back undoes one step: the filter or search first, then the view.
func (m *Model) back() {
	switch {
	case m.filtered():
		m.setFilter("")
	case len(m.stack) > 1:
		m.stack = m.stack[:len(m.stack)-1]
		m.refresh()
	}
}

func (m *Model) canGoBack() bool { return len(m.stack) > 1 || m.filtered() }

// filtered reports whether the view on the screen has a filter or a search.
func (m *Model) filtered() bool {
	switch v := m.top().(type) {
	case lister:
		return v.Filter() != ""
	case searcher:
		text, _ := v.Found()
		return text != ""
	default:
		return false
	}
}

func (m *Model) toggleAll() tea.Cmd {
	if !m.snapshot.Scope.All() {
		return intent.Send(intent.UseNamespace{})
	}
	if m.lastNamespace == "" {
		return m.reconnect(Choice{Context: m.session.Context})
	}
	return intent.Send(intent.UseNamespace{Namespace: m.lastNamespace})
}

// pressInPrompt handles a key while the user types. A filter works as it is
// typed; esc takes it back, and so does ctrl-c, as in a shell.
func (m *Model) pressInPrompt(press tea.KeyPressMsg) tea.Cmd {
	sign, accept := m.prompt.sign, m.prompt.accept
	if yes := m.prompt.yes; yes != nil {
		m.prompt.close()
		if press.String() == "y" {
			return yes()
		}
		return nil
	}
	switch press.String() {
	case "esc", "ctrl+c":
		if sign == "/" && m.prompt.input.Value() != "" {
			m.setFilter("")
		}
		m.prompt.close()
		return nil
	case "enter":
		text := m.prompt.input.Value()
		m.prompt.close()
		if accept != nil {
			return accept(text)
		}
		if sign == ":" {
			return m.run(text)
		}
		if text != "" {
			m.setFilter(text) // once more, to tell if it cannot be read
		}
		return nil
	default:
		return m.typed(press)
	}
}

// typed passes a key or pasted text to the prompt.
func (m *Model) typed(msg tea.Msg) tea.Cmd {
	before := m.prompt.input.Value()
	cmd := m.prompt.update(msg)
	if after := m.prompt.input.Value(); m.prompt.sign == "/" && after != before {
		m.setFilter(after)
	}
	return cmd
}

// paste passes pasted text to the prompt, without what would act on a terminal.
// A question that is answered with one key takes none.
func (m *Model) paste(msg tea.PasteMsg) tea.Cmd {
	if !m.prompt.isOpen() || m.prompt.yes != nil {
		return nil
	}
	text := kube.Clean(msg.Content)
	if letters := []rune(text); len(letters) > promptMost {
		text = string(letters[:promptMost])
	}
	return m.typed(tea.PasteMsg{Content: text})
}

func (m *Model) setFilter(text string) {
	switch v := m.top().(type) {
	case lister:
		if err := v.SetFilter(text); err != nil {
			m.notice = err.Error()
		}
	case searcher:
		v.Search(text)
	}
}

// wheelStep is how many rows one step of the mouse wheel moves.
const wheelStep = 3

// mouse turns the wheel into keys and a click into a move of the cursor.
func (m *Model) mouse(msg tea.MouseMsg) {
	event := msg.Mouse()
	step := map[tea.MouseButton]tea.KeyPressMsg{
		tea.MouseWheelUp:   {Code: tea.KeyUp},
		tea.MouseWheelDown: {Code: tea.KeyDown},
	}
	if _, wheel := msg.(tea.MouseWheelMsg); wheel && step[event.Button].Code != 0 {
		for range wheelStep {
			m.top().Update(step[event.Button])
		}
	}
	if _, click := msg.(tea.MouseClickMsg); !click || event.Button != tea.MouseLeft {
		return
	}
	switch v := m.top().(type) {
	case interface{ Click(line int) }:
		v.Click(event.Y - headHeight)
	case interface{ ClickAt(x, line int) }:
		v.ClickAt(event.X, event.Y-headHeight)
	}
}
