package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"podpath/kube"
	"podpath/tui/detail"
	"podpath/tui/endpoints"
	"podpath/tui/forwards"
	"podpath/tui/intent"
	"podpath/tui/lessons"
	"podpath/tui/menu"
	"podpath/tui/pods"
	"podpath/tui/probes"
	"podpath/tui/services"
	"podpath/tui/words"
)

// receive carries out what a view asked for.
func (m *Model) receive(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case intent.GoToPod:
		m.goToPod(msg.Pod)
	case intent.ListServicesOf:
		m.push(services.NewOf(m.theme, m.snapshot.Scope, msg.Pod))
	case intent.ListEndpointsOf:
		m.push(endpoints.New(m.theme, msg.Service))
	case intent.Describe:
		m.push(detail.New(m.theme, msg.Target))
	case intent.ShowYAML:
		m.push(detail.NewYAML(m.theme, msg.Target))
	case intent.Notice:
		m.notice = msg.Text
	case intent.Copy:
		if msg.Text == "" {
			return nil
		}
		m.notice = "copied to the clipboard of your terminal, if it takes OSC 52"
		return tea.SetClipboard(msg.Text)
	case intent.UseNamespace:
		return m.reconnect(Choice{Context: m.session.Context, Namespace: msg.Namespace, All: msg.Namespace == ""})
	case intent.UseContext:
		return m.reconnect(Choice{Context: msg.Context})
	case intent.Probe, probes.Start, probes.Again, probes.Everything, probes.ShowEvidence, probes.AskForWays, probes.Permit:
		return m.receiveProbing(msg)
	case intent.Forward, forwards.AskLocal, forwards.Retry, forwards.Show, forwards.AskStop, forwards.SetPolicy, forwards.SetVia:
		return m.receiveForwarding(msg)
	case lessons.Begin:
		if msg.Lesson.Name != m.lesson {
			return m.beginLesson(msg.Lesson)
		}
		m.push(lessons.NewText(m.theme, msg.Lesson)) // to read on in the lesson that goes on
	case lessonBegan:
		return m.receiveLesson(msg)
	case menu.Open:
		m.push(menu.New(m.theme, msg))
	default:
		for _, v := range m.stack {
			if r, ok := v.(reader); ok && r.Receive(msg) {
				return nil
			}
		}
		return nil
	}
	return m.read()
}

func (m *Model) goToPod(k kube.Key) {
	pod := m.snapshot.Pod(k)
	if pod == nil {
		m.notice = "Pod " + k.String() + " is gone."
		return
	}
	pane := pods.New(m.theme, m.snapshot.Scope)
	m.push(pane)
	pane.Select(pod.UID)
}

// receiveProbing carries out what is asked for about probes.
func (m *Model) receiveProbing(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case intent.Probe:
		m.openMenu(probes.Ask(msg))
	case probes.AskForWays:
		m.openMenu(menu.Open{Title: "Ways into Pods", Choices: m.probes.Ways})
	case probes.ShowEvidence:
		if v := m.probes.Open(m.theme, msg.ID); v != nil {
			m.push(v)
		}
	case probes.Everything:
		return m.start(probes.PlanEverything(words.Scope(m.snapshot.Scope)), nil)
	case probes.Start:
		return m.start(msg.Request, nil)
	case probes.Again:
		if m.session.request.Intent.Empty() {
			m.notice = "These results are of another namespace or cluster: a probes everything here, p on an object probes it."
			return nil
		}
		return m.start(m.session.request, msg.IDs)
	case probes.Permit:
		m.session.Prober.Allow(msg.Rungs...)
		m.probes.Permitted(msg.Rungs)
		m.showProbes(true)
		if ids := m.probes.WithoutTools(); len(ids) > 0 {
			return m.start(m.session.request, ids)
		}
	}
	return nil
}

// openMenu opens a menu of what could be probed, where anything could.
func (m *Model) openMenu(o menu.Open) {
	if m.mayProbe() {
		m.push(menu.New(m.theme, o))
	}
}

// showProbes shows the pane of probes on top of where the user is, so that esc
// leads back there, or goes back to it. The evidence of a check stays on the
// screen while checks are run again.
func (m *Model) showProbes(again bool) {
	m.leaveMenu()
	if _, evidence := m.top().(*probes.Evidence); evidence && again {
		m.refresh()
		return
	}
	if i := slices.Index(m.stack, view(m.probes)); i >= 0 {
		m.stack = m.stack[:i]
	}
	m.push(m.probes)
}
