package services

import (
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"podpath/kube"
	"podpath/tui/intent"
	"podpath/tui/list"
	"podpath/tui/results"
	"podpath/tui/style"
	"podpath/tui/table"
	"podpath/tui/words"
)

// Pane lists Services: all of the scope, or those of one Pod.
type Pane struct {
	*list.List[*kube.Service]
	of       *kube.Key // a Pod, or nil for all Services
	title    string
	snapshot *kube.Snapshot
	now      time.Time
	book     *results.Book // nil while it has nothing to show
}

// New returns the pane for a scope.
func New(theme *style.Theme, scope kube.Scope) *Pane {
	p := &Pane{title: "Services", snapshot: &kube.Snapshot{Scope: scope}}
	columns := Columns(scope, func() *kube.Snapshot { return p.snapshot }, func() time.Time { return p.now })
	p.List = list.New(table.New(theme, func(s *kube.Service) string { return s.UID }, columns), subject)
	return p
}

// NewOf returns a pane of the Services of one Pod.
func NewOf(theme *style.Theme, scope kube.Scope, pod kube.Key) *Pane {
	p := New(theme, scope)
	p.of, p.title = &pod, "Services of "+pod.Name
	return p
}

// Title is the pane's breadcrumb.
func (p *Pane) Title() string { return p.title }

// Resource is what the pane lists.
func (p *Pane) Resource() kube.Resource { return kube.Services }

// SetSnapshot shows a newer state of the cluster.
func (p *Pane) SetSnapshot(s *kube.Snapshot, now time.Time) {
	p.snapshot, p.now = s, now
	if p.of == nil {
		p.SetRows(s.Services)
		return
	}
	var rows []*kube.Service
	if pod := s.Pod(*p.of); pod != nil {
		rows = s.ServicesOf(pod)
	}
	p.SetRows(rows)
}

// SetBook gives the pane the results of probes; once there are some, the list
// shows them.
func (p *Pane) SetBook(b *results.Book) {
	if p.book != nil || b.Empty() {
		return
	}
	p.book = b
	columns := Columns(p.snapshot.Scope, func() *kube.Snapshot { return p.snapshot }, func() time.Time { return p.now })
	p.SetColumns(results.WithColumn(columns, b, func(s *kube.Service) kube.Ref { return kube.Ref{Resource: kube.Services, Key: s.Key()} }))
}

// None says that there are no Services.
func (p *Pane) None() string {
	switch {
	case p.of == nil:
		return "No Services in " + words.Scope(p.snapshot.Scope) + "."
	case p.snapshot.Pod(*p.of) == nil:
		return "The Pod " + p.of.String() + " is gone."
	default:
		return "No Service selects the Pod " + p.of.String() + "."
	}
}

var keys = struct{ endpoints, describe, probe, forward, yaml, copy key.Binding }{
	endpoints: key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", "endpoints")),
	describe:  key.NewBinding(key.WithKeys("d"), key.WithHelp("d", "describe")),
	probe:     key.NewBinding(key.WithKeys("p"), key.WithHelp("p", "probe")),
	forward:   key.NewBinding(key.WithKeys("f"), key.WithHelp("f", "forward")),
	yaml:      key.NewBinding(key.WithKeys("y"), key.WithHelp("y", "YAML")),
	copy:      key.NewBinding(key.WithKeys("c"), key.WithHelp("c", "copy name")),
}

// Bindings lists the pane's own keys, then those of any list.
func (p *Pane) Bindings() []key.Binding {
	return append([]key.Binding{keys.endpoints, keys.probe, keys.forward, keys.describe, keys.yaml, keys.copy}, p.List.Bindings()...)
}

// Update handles a key.
func (p *Pane) Update(press tea.KeyPressMsg) tea.Cmd {
	s, selected := p.Selected()
	switch {
	case p.List.Update(press) || !selected:
	case key.Matches(press, keys.endpoints):
		return intent.Send(intent.ListEndpointsOf{Service: s.Key()})
	case key.Matches(press, keys.describe):
		return intent.Send(intent.Describe{Target: intent.ServiceTarget(s)})
	case key.Matches(press, keys.probe):
		return intent.Send(intent.Probe{Of: intent.ServiceTarget(s).Ref})
	case key.Matches(press, keys.forward):
		return intent.Send(intent.Forward{Of: intent.ServiceTarget(s).Ref})
	case key.Matches(press, keys.yaml):
		return intent.Send(intent.ShowYAML{Target: intent.ServiceTarget(s)})
	case key.Matches(press, keys.copy):
		return intent.Send(intent.Copy{Text: s.Name})
	}
	return nil
}
