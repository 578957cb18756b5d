// Package picker lets the user pick one name: a namespace, or a context.
package picker

import (
	"cmp"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"podpath/kube"
	"podpath/tui/filter"
	"podpath/tui/intent"
	"podpath/tui/list"
	"podpath/tui/style"
	"podpath/tui/table"
)

// View lists names; one of them is current.
type View struct {
	*list.List[string]
	title string
	names func(*kube.Snapshot) []string
	pick  func(name string) tea.Msg
}

// Namespaces picks a namespace.
func Namespaces(theme *style.Theme, current string) *View {
	v := newView(theme, "Namespaces", current)
	v.names = func(s *kube.Snapshot) []string { return s.Namespaces }
	v.pick = func(name string) tea.Msg { return intent.UseNamespace{Namespace: name} }
	return v
}

// Contexts picks one of the contexts of the kubeconfig.
func Contexts(theme *style.Theme, contexts []string, current string) *View {
	v := newView(theme, "Contexts", current)
	v.names = func(*kube.Snapshot) []string { return contexts }
	v.pick = func(name string) tea.Msg { return intent.UseContext{Context: name} }
	return v
}

func newView(theme *style.Theme, title, current string) *View {
	columns := []table.Column[string]{
		{Title: "NAME", Key: "N", Compare: cmp.Compare[string], Cell: func(name string) table.Cell { return table.Plain(kube.Clean(name)) }},
		{Title: "", Cell: func(name string) table.Cell {
			if name == current {
				return table.Plain("current")
			}
			return table.Cell{}
		}},
	}
	t := table.New(theme, func(name string) string { return name }, columns)
	t.Select(current)
	return &View{
		title: title,
		List:  list.New(t, func(name string) filter.Subject { return filter.Subject{Fields: []string{name}} }),
	}
}

// Title is the view's breadcrumb.
func (v *View) Title() string { return v.title }

// None says that there is nothing to pick from.
func (v *View) None() string { return "There are no " + strings.ToLower(v.title) + "." }

// Resource is what the view lists; contexts are never missing, so nothing is
// said of their state.
func (v *View) Resource() kube.Resource { return kube.Namespaces }

// SetSnapshot shows a newer state of the cluster.
func (v *View) SetSnapshot(s *kube.Snapshot, _ time.Time) { v.SetRows(v.names(s)) }

var pick = key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", "use this one"))

// Bindings lists the view's own keys, then those of any list.
func (v *View) Bindings() []key.Binding {
	return append([]key.Binding{pick}, v.List.Bindings()...)
}

// Update handles a key.
func (v *View) Update(press tea.KeyPressMsg) tea.Cmd {
	name, selected := v.Selected()
	if !v.List.Update(press) && selected && key.Matches(press, pick) {
		return intent.Send(v.pick(name))
	}
	return nil
}
