package pods

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

// Pane lists Pods by Node.
type Pane struct {
	*list.List[Row]
	snapshot *kube.Snapshot
	now      time.Time
	folded   map[string]bool
	book     *results.Book // nil while it has nothing to show
}

// New returns the pane for a scope.
func New(theme *style.Theme, scope kube.Scope) *Pane {
	p := &Pane{snapshot: &kube.Snapshot{Scope: scope}, folded: map[string]bool{}}
	columns := Columns(scope, func() *kube.Snapshot { return p.snapshot }, func() time.Time { return p.now })
	t := table.New(theme, Row.ID, columns)
	t.Heading = Row.Heading
	p.List = list.New(t, subject)
	p.Arrange = func(rows []Row) []Row {
		if !p.snapshot.State(kube.Pods).Listed {
			return nil // how many Pods a Node has is not known
		}
		return Group(p.snapshot, rows, p.Filter() != "", func(node string) bool { return p.folded[node] && p.Filter() == "" })
	}
	return p
}

// Title is the pane's breadcrumb.
func (p *Pane) Title() string { return "Pods" }

// Resource is what the pane lists.
func (p *Pane) Resource() kube.Resource { return kube.Pods }

// SetSnapshot shows a newer state of the cluster.
func (p *Pane) SetSnapshot(s *kube.Snapshot, now time.Time) {
	p.snapshot, p.now = s, now
	p.SetRows(Rows(s))
}

// SetBook gives the pane the results of probes; once there are some, the list
// shows them.
func (p *Pane) SetBook(b *results.Book) {
	if p.book != nil || b.Empty() {
		return
	}
	p.book = b
	columns := Columns(p.snapshot.Scope, func() *kube.Snapshot { return p.snapshot }, func() time.Time { return p.now })
	p.SetColumns(results.WithColumn(columns, b, func(r Row) kube.Ref { return kube.Ref{Resource: kube.Pods, Key: r.Pod.Key()} }))
}

// None says that there are no Pods.
func (p *Pane) None() string { return "No Pods in " + words.Scope(p.snapshot.Scope) + "." }

var keys = struct{ describe, probe, forward, services, yaml, copy, fold, foldAll key.Binding }{
	describe: key.NewBinding(key.WithKeys("enter", "d"), key.WithHelp("enter", "describe")),
	probe:    key.NewBinding(key.WithKeys("p"), key.WithHelp("p", "probe")),
	forward:  key.NewBinding(key.WithKeys("f"), key.WithHelp("f", "forward")),
	services: key.NewBinding(key.WithKeys("s"), key.WithHelp("s", "Services of the Pod")),
	yaml:     key.NewBinding(key.WithKeys("y"), key.WithHelp("y", "YAML")),
	copy:     key.NewBinding(key.WithKeys("c"), key.WithHelp("c", "copy name")),
	fold:     key.NewBinding(key.WithKeys("space"), key.WithHelp("space", "fold the Node")),
	foldAll:  key.NewBinding(key.WithKeys("z"), key.WithHelp("z", "fold all")),
}

// Bindings lists the pane's own keys, then those of any list.
func (p *Pane) Bindings() []key.Binding {
	return append([]key.Binding{keys.describe, keys.probe, keys.forward, keys.services, keys.fold, keys.foldAll, keys.yaml, keys.copy}, p.List.Bindings()...)
}

// Update handles a key.
func (p *Pane) Update(press tea.KeyPressMsg) tea.Cmd {
	row, selected := p.Selected()
	switch {
	case p.List.Update(press) || !selected:
	case key.Matches(press, keys.fold):
		p.fold(row)
	case key.Matches(press, keys.foldAll):
		p.foldAll()
	case key.Matches(press, keys.services) && row.Pod != nil:
		return intent.Send(intent.ListServicesOf{Pod: row.Pod.Key()})
	case key.Matches(press, keys.copy):
		return intent.Send(intent.Copy{Text: name(row)})
	default:
		return p.pressOnObject(press, row)
	}
	return nil
}

// pressOnObject handles the keys for what is a Pod as well as for a Node.
func (p *Pane) pressOnObject(press tea.KeyPressMsg, row Row) tea.Cmd {
	target, ok := p.target(row)
	switch {
	case !ok:
	case key.Matches(press, keys.describe):
		return intent.Send(intent.Describe{Target: target})
	case key.Matches(press, keys.probe):
		return intent.Send(intent.Probe{Of: target.Ref})
	case key.Matches(press, keys.forward):
		return intent.Send(intent.Forward{Of: target.Ref})
	case key.Matches(press, keys.yaml):
		return intent.Send(intent.ShowYAML{Target: target})
	}
	return nil
}

func name(r Row) string {
	if r.Pod == nil {
		return r.node.name
	}
	return r.Pod.Name
}

// target is the Pod or the Node of a row; Nodes that may not be read are none.
func (p *Pane) target(r Row) (intent.Target, bool) {
	if r.Pod != nil {
		return intent.PodTarget(r.Pod), true
	}
	if r.node.object != nil {
		return intent.NodeTarget(r.node.object), true
	}
	return intent.Target{}, false
}

// fold folds or unfolds the Node of the row; folding leaves the cursor on it.
func (p *Pane) fold(r Row) {
	node := r.node.name
	if p.folded[node] {
		delete(p.folded, node)
	} else {
		p.folded[node] = true
		p.Select(headingID(node))
	}
	p.Refresh()
}

func (p *Pane) foldAll() {
	if len(p.folded) > 0 {
		p.folded = map[string]bool{}
	} else {
		for _, r := range p.Rows() {
			p.folded[r.node.name] = true
		}
		if r, ok := p.Selected(); ok {
			p.Select(headingID(r.node.name))
		}
	}
	p.Refresh()
}
