package tui

import (
	"fmt"
	"slices"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"podpath/kube"
	"podpath/kube/forward"
	"podpath/tui/forwards"
	"podpath/tui/intent"
	"podpath/tui/menu"
)

// receiveForwarding carries out what is asked for about forwards.
func (m *Model) receiveForwarding(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case intent.Forward:
		m.askForward(msg)
	case forwards.AskLocal:
		m.askLocal(msg.Destination, "", "")
	case forwards.Retry:
		m.retry(msg.Status)
	case forwards.Show:
		if v := m.forwards.Open(m.theme, msg.ID); v != nil {
			m.push(v)
		}
	case forwards.AskStop:
		m.askStop(msg.Status)
	case forwards.SetPolicy:
		m.leaveMenu()
		m.options.Forwards.SetPolicy(msg.ID, msg.Policy)
		m.notice = "new connections go by the policy " + string(msg.Policy)
		m.refresh()
	case forwards.SetVia:
		m.leaveMenu()
		m.refresh()
		hub, ctx := m.options.Forwards, m.ctx
		return func() tea.Msg { return viaSet{msg.Via, hub.SetVia(ctx, msg.ID, msg.Via)} }
	}
	return nil
}

// mayForward reports whether anything may be forwarded, and tells the user why
// not.
func (m *Model) mayForward() bool {
	switch {
	case m.options.ReadOnly:
		m.notice = "podpath was started with --readonly: it forwards nothing."
	case m.options.Forwards == nil || m.session == nil:
		m.notice = "There is nothing that could forward to this cluster."
	default:
		return true
	}
	return false
}

// askForward asks which port to forward, where there are several, and then for
// the local one.
func (m *Model) askForward(of intent.Forward) {
	if !m.mayForward() {
		return
	}
	destinations, err := forwards.Destinations(m.snapshot, of)
	switch {
	case err != nil:
		m.notice = kube.Clean(err.Error())
	case len(destinations) > 1:
		m.push(menu.New(m.theme, forwards.Ask(of, destinations)))
	default:
		m.askLocal(destinations[0], "", "")
	}
}

// askLocal asks for the local port. Trouble is what was wrong with the answer
// before.
func (m *Model) askLocal(d forward.Destination, answer, trouble string) {
	question := "local port for " + d.Label + ":"
	if d.Port == "" {
		question = d.Label + " declares no port; LOCAL:PORT is"
	}
	if trouble != "" {
		question = trouble + "; " + question
	} else if v, err := d.Find(m.snapshot); err == nil && answer == "" {
		answer = strconv.Itoa(forward.Suggest(m.ctx, v.Port, v.Protocol))
	}
	m.prompt.ask(question, answer, func(typed string) tea.Cmd {
		with, local, err := forwards.ParseLocal(d, typed)
		if err != nil {
			m.askLocal(d, typed, err.Error())
			return nil
		}
		order := forward.Order{Destination: with, Local: local, Address: forward.Loopback}
		return m.showStarting(m.options.Forwards.Add(m.session.Forwards, order))
	})
}

// retry asks for the local port of a forward that has failed, and begins it
// anew on the same cluster.
func (m *Model) retry(s forward.Status) {
	if !m.mayForward() {
		return
	}
	m.prompt.ask("local port for "+s.Order.Label+":", strconv.Itoa(s.Order.Local), func(typed string) tea.Cmd {
		_, local, err := forwards.ParseLocal(s.Order.Destination, typed)
		if err != nil {
			m.notice = err.Error()
			return nil
		}
		return m.showStarting(m.options.Forwards.Again(s.ID, local))
	})
}

// showStarting shows a forward that begins.
func (m *Model) showStarting(id int) tea.Cmd {
	m.leaveMenu()
	if i := slices.Index(m.stack, view(m.forwards)); i >= 0 {
		m.stack = m.stack[:i]
	}
	m.push(m.forwards)
	m.forwards.Select(id)
	hub, ctx := m.options.Forwards, m.ctx
	return func() tea.Msg { return forwardStarted{id, hub.Started(ctx, id)} }
}

// leaveMenu goes back to where a menu was opened.
func (m *Model) leaveMenu() {
	for _, open := m.top().(*menu.Menu); open && len(m.stack) > 1; _, open = m.top().(*menu.Menu) {
		m.stack = m.stack[:len(m.stack)-1]
	}
}

// askStop asks whether to stop a forward, or to reset what is open of one that
// was stopped. One that does not listen is forgotten at once.
func (m *Model) askStop(s forward.Status) {
	stop := func() tea.Cmd {
		m.options.Forwards.Stop(s.ID)
		m.refresh()
		return nil
	}
	switch s.Phase {
	case forward.Failed, forward.Starting:
		stop()
	case forward.Finishing:
		m.prompt.confirm(fmt.Sprintf("reset %s of %s now?", kube.Count(s.Stats.Open, "open connection"), s.Order.Label), func() tea.Cmd {
			m.options.Forwards.Abort(s.ID)
			return nil
		})
	default:
		question := "stop " + s.Order.Label + " on " + s.Stats.Listen + "?"
		if s.Stats.Open > 0 {
			question += " " + kube.Count(s.Stats.Open, "open connection") + " may run on for a while."
		}
		m.prompt.confirm(question, stop)
	}
}
