package tui

import "charm.land/bubbles/v2/key"

// The keys that work everywhere. Help is made from them and from the bindings
// of the views: there is no second list.
var keys = struct{ pods, services, probes, forwards, back, all, filter, command, help, suspend, quit, interrupt, cancel key.Binding }{
	pods:      key.NewBinding(key.WithKeys("1"), key.WithHelp("1", "Pods by Node")),
	services:  key.NewBinding(key.WithKeys("2"), key.WithHelp("2", "Services")),
	probes:    key.NewBinding(key.WithKeys("3"), key.WithHelp("3", "Probes")),
	forwards:  key.NewBinding(key.WithKeys("4"), key.WithHelp("4", "Forwards")),
	back:      key.NewBinding(key.WithKeys("esc"), key.WithHelp("esc", "back")),
	all:       key.NewBinding(key.WithKeys("0"), key.WithHelp("0", "all namespaces")),
	filter:    key.NewBinding(key.WithKeys("/"), key.WithHelp("/", "filter")),
	command:   key.NewBinding(key.WithKeys(":"), key.WithHelp(":", "command")),
	help:      key.NewBinding(key.WithKeys("?"), key.WithHelp("?", "help")),
	suspend:   key.NewBinding(key.WithKeys("ctrl+z"), key.WithHelp("ctrl-z", "suspend; fg in the shell brings podpath back")),
	quit:      key.NewBinding(key.WithKeys("q"), key.WithHelp("q", "quit")),
	interrupt: key.NewBinding(key.WithKeys("ctrl+c"), key.WithHelp("ctrl-c", "leave a prompt or cancel the run in Probes, as esc does; else quit")),
	cancel:    key.NewBinding(key.WithKeys("esc"), key.WithHelp("esc", "cancel the run")), // instead of back, while one goes on
}

func globalBindings() []key.Binding {
	return []key.Binding{keys.pods, keys.services, keys.probes, keys.forwards, keys.filter, keys.back, keys.command, keys.all, keys.help, keys.suspend, keys.quit, keys.interrupt}
}
