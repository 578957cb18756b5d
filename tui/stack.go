package tui

import tea "charm.land/bubbletea/v2"

func (m *Model) top() view { return m.stack[len(m.stack)-1] }

// show makes a pane the bottom of the stack.
func (m *Model) show(v view) { m.stack = m.stack[:0]; m.push(v) }

func (m *Model) push(v view) {
	m.stack = append(m.stack, v)
	m.refresh()
}

// refresh brings the view on the screen up to date: the others are, when they
// come back.
func (m *Model) refresh() {
	v := m.top()
	v.SetTheme(m.theme)
	v.SetSize(m.width, m.bodyHeight())
	if b, ok := v.(marker); ok {
		b.SetBook(m.book)
	}
	if f, ok := v.(forwardView); ok {
		m.readForwards()
		f.Follow()
	}
	v.SetSnapshot(m.snapshot, m.now)
}

// read lets the view on the screen read what it needs.
func (m *Model) read() tea.Cmd {
	if r, ok := m.top().(reader); ok && m.session != nil {
		return r.Read(m.session.ctx, m.session.Reader)
	}
	return nil
}
