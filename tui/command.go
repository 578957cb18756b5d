package tui

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"podpath/kube"
	"podpath/tui/intent"
	"podpath/tui/menu"
	"podpath/tui/probes"
)

// command is what can be typed after a colon.
type command struct {
	names []string
	usage string
	help  string
	run   func(m *Model, argument string) tea.Cmd
}

var commands = []command{
	{[]string{"pods", "po", "pod"}, "pods", "Pods by Node", func(m *Model, _ string) tea.Cmd { m.show(m.panes[0]); return nil }},
	{[]string{"services", "svc", "service"}, "svc", "Services", func(m *Model, _ string) tea.Cmd { m.show(m.panes[1]); return nil }},
	{[]string{"probes"}, "probes", "Probes", func(m *Model, _ string) tea.Cmd { m.show(m.panes[2]); return nil }},
	{[]string{"forwards", "fwd"}, "forwards", "Forwards", func(m *Model, _ string) tea.Cmd { m.show(m.panes[3]); return nil }},
	{[]string{"probe"}, "probe [FROM TO…]", "probe paths, such as pod/a pod/b:80, or everything", probe},
	{[]string{"namespace", "ns", "namespaces"}, "ns [NAME|all]", "look at another namespace, or at all of them", useNamespace},
	{[]string{"context", "ctx", "contexts"}, "ctx [NAME]", "use another context of the kubeconfig", useContext},
	{[]string{"lessons", "lesson"}, "lessons [NAME|off]", "learn on the practice cluster", learn},
	{[]string{"status"}, "status", "what podpath may and can read, and what would permit the rest", func(m *Model, _ string) tea.Cmd { m.push(newStatus(m)); return nil }},
	{[]string{"reload"}, "reload", "read the kubeconfig again and connect anew", reload},
	{[]string{"quit", "q", "q!"}, "q", "quit", func(*Model, string) tea.Cmd { return tea.Quit }},
}

// probe takes what podpath probe takes on the command line.
func probe(m *Model, words string) tea.Cmd {
	switch w := strings.Fields(words); len(w) {
	case 0:
		return intent.Send(probes.Everything{})
	case 1:
		m.notice = "One word is missing: probe FROM TO, such as :probe local svc/web, or pod/a pod/b:80."
		return nil
	default:
		return intent.Send(probes.Start{Request: probes.PlanWords(w[0], w[1:])})
	}
}

// useNamespace refuses a name that is known to be none: there would be nothing
// to see there, and no way back.
func useNamespace(m *Model, name string) tea.Cmd {
	switch name {
	case "":
		m.push(menu.New(m.theme, menu.Namespaces(m.snapshot.Scope.Namespace)))
		return nil
	case "all":
		return intent.Send(intent.UseNamespace{})
	}
	if s := m.snapshot; s.State(kube.Namespaces).Listed && !slices.Contains(s.Namespaces, name) {
		m.notice = kube.Clean(fmt.Sprintf("There is no namespace %q%s.", name, kube.Among(s.Namespaces)))
		return nil
	}
	return intent.Send(intent.UseNamespace{Namespace: name})
}

func useContext(m *Model, name string) tea.Cmd {
	switch {
	case len(m.session.Contexts) == 0:
		m.notice = "There are no contexts: podpath uses the service account of its Pod."
		return nil
	case name == "":
		m.push(menu.New(m.theme, menu.Contexts(m.session.Contexts, m.session.Context)))
		return nil
	}
	return intent.Send(intent.UseContext{Context: name})
}

func reload(m *Model, _ string) tea.Cmd {
	return m.reconnect(Choice{Context: m.session.Context, Namespace: m.snapshot.Scope.Namespace, All: m.snapshot.Scope.All()})
}

// run carries out a command line.
func (m *Model) run(line string) tea.Cmd {
	name, argument, _ := strings.Cut(strings.TrimSpace(line), " ")
	if name == "" {
		return nil
	}
	for _, c := range commands {
		if slices.Contains(c.names, name) {
			return c.run(m, strings.TrimSpace(argument))
		}
	}
	m.notice = "There is no command :" + name + "; ? lists them."
	return nil
}

// completions are the command lines that tab completes to.
func (m *Model) completions() []string {
	var lines []string
	for _, c := range commands {
		lines = append(lines, c.names...)
	}
	for _, ns := range append([]string{"all"}, m.snapshot.Namespaces...) {
		lines = append(lines, "ns "+ns, "namespace "+ns)
	}
	if m.options.Practice != nil {
		lines = append(lines, "lesson off")
		for _, l := range m.options.Practice.Lessons {
			lines = append(lines, "lessons "+l.Name, "lesson "+l.Name)
		}
	}
	if m.session != nil {
		for _, c := range m.session.Contexts {
			lines = append(lines, "ctx "+kube.Clean(c), "context "+kube.Clean(c))
		}
	}
	return lines
}
