package forwards

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"podpath/kube/forward"
	"podpath/tui/intent"
)

var keys = struct{ open, stop, copy, policy, route, retry key.Binding }{
	open:   key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", "endpoints")),
	stop:   key.NewBinding(key.WithKeys("x"), key.WithHelp("x", "stop")),
	copy:   key.NewBinding(key.WithKeys("c"), key.WithHelp("c", "copy URL")),
	policy: key.NewBinding(key.WithKeys("o"), key.WithHelp("o", "policy")),
	route:  key.NewBinding(key.WithKeys("v"), key.WithHelp("v", "route")),
	retry:  key.NewBinding(key.WithKeys("r"), key.WithHelp("r", "try again")),
}

// Bindings lists the pane's own keys, then those of any list.
func (p *Pane) Bindings() []key.Binding {
	if p.List.Empty() {
		return nil
	}
	return append([]key.Binding{keys.open, keys.stop, keys.copy, keys.policy, keys.route, keys.retry}, p.List.Bindings()...)
}

// Update handles a key.
func (p *Pane) Update(press tea.KeyPressMsg) tea.Cmd {
	r, selected := p.Selected()
	switch {
	case p.List.Update(press):
		p.fit()
	case !selected:
	case key.Matches(press, keys.open):
		return intent.Send(Show{r.ID})
	default:
		return pressOn(r.Status, press)
	}
	return nil
}

// pressOn handles the keys for one forward.
func pressOn(s forward.Status, press tea.KeyPressMsg) tea.Cmd {
	switch {
	case key.Matches(press, keys.stop):
		return intent.Send(AskStop{s})
	case key.Matches(press, keys.copy) && s.URL == "":
		return intent.Send(intent.Notice{Text: "It does not listen, so that there is no URL to copy."})
	case key.Matches(press, keys.copy):
		return intent.Send(intent.Copy{Text: s.URL})
	case key.Matches(press, keys.retry) && s.Phase != forward.Failed:
		return intent.Send(intent.Notice{Text: "There is nothing to try again: it has not failed."})
	case key.Matches(press, keys.retry):
		return intent.Send(Retry{s})
	case key.Matches(press, keys.policy, keys.route) && s.Phase != forward.Serving:
		return intent.Send(intent.Notice{Text: "It does not listen: " + string(s.Phase) + "."})
	case key.Matches(press, keys.policy):
		return intent.Send(policies(s))
	case key.Matches(press, keys.route):
		return intent.Send(routes(s))
	}
	return nil
}
