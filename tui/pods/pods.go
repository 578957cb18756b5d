// Package pods is the pane of Pods, grouped by the Node that they run on.
package pods

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"podpath/kube"
	"podpath/tui/filter"
	"podpath/tui/style"
	"podpath/tui/table"
	"podpath/tui/words"
)

// Row is a Pod, or the heading of a Node.
type Row struct {
	Pod *kube.Pod
	// Node is the Node's name in a heading; empty for the Pods without one.
	Node    string
	heading string
	role    style.Role
}

// ID identifies the Pod by its UID, a heading by its Node.
func (r Row) ID() string {
	if r.Pod == nil {
		return "node " + r.Node
	}
	return r.Pod.UID
}

// Heading returns the text of a heading; ok is false for a Pod.
func (r Row) Heading(bool) (cell table.Cell, ok bool) {
	return table.Cell{Text: r.heading, Role: r.role}, r.Pod == nil
}

// Rows lists all Pods of the snapshot.
func Rows(s *kube.Snapshot) []Row {
	rows := make([]Row, len(s.Pods))
	for i, p := range s.Pods {
		rows[i] = Row{Pod: p, Node: p.Node}
	}
	return rows
}

// Group puts rows under headings of their Nodes: Nodes by name, at the end the
// Pods without one. Within a Node the order stays. Nodes without Pods have
// headings, too, unless onlyUsed is set. Below a folded heading nothing is
// shown.
func Group(s *kube.Snapshot, rows []Row, onlyUsed bool, folded func(node string) bool) []Row {
	byNode := map[string][]Row{}
	for _, r := range rows {
		byNode[r.Node] = append(byNode[r.Node], r)
	}
	names := make([]string, 0, len(byNode)+len(s.Nodes))
	for name := range byNode {
		names = append(names, name)
	}
	if !onlyUsed {
		for _, n := range s.Nodes {
			if _, used := byNode[n.Name]; !used {
				names = append(names, n.Name)
			}
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(compareBool(a == "", b == ""), cmp.Compare(a, b))
	})
	longest := 0
	for _, name := range names {
		longest = max(longest, style.Width(name))
	}
	out := make([]Row, 0, len(rows)+len(names))
	for _, name := range names {
		out = append(out, heading(s, name, longest, len(byNode[name]), folded(name)))
		if !folded(name) {
			out = append(out, byNode[name]...)
		}
	}
	return out
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// heading words a Node: what it is first, so that a narrow screen cuts the
// least.
func heading(s *kube.Snapshot, name string, width, pods int, folded bool) Row {
	sign := map[bool]string{false: "▾ ", true: "▸ "}[folded]
	count := words.Count(pods, "Pod")
	node := s.Node(name)
	switch {
	case name == "":
		return Row{heading: sign + "no Node yet  " + count, role: style.Warn}
	case node == nil:
		return Row{Node: name, heading: sign + style.Fit(name, width) + "  " + count, role: style.Accent}
	}
	parts := []string{style.Fit(name, width), node.Status, count}
	if len(node.Roles) > 0 {
		parts = append(parts, strings.Join(node.Roles, ","))
	}
	for _, fact := range []string{node.InternalIP(), strings.Join(node.PodCIDRs, ","), node.Version, node.Arch} {
		if fact != "" {
			parts = append(parts, fact)
		}
	}
	role := style.Accent
	if !node.Ready {
		role = style.Bad
	}
	return Row{Node: name, heading: sign + strings.Join(parts, "  "), role: role}
}

// Columns returns the columns of Pods. The namespace has one only where
// several are shown; services and now are asked when a row is drawn.
func Columns(scope kube.Scope, services func(*kube.Pod) []*kube.Service, now func() time.Time) []table.Column[Row] {
	names := func(p *kube.Pod) string {
		var out []string
		for _, s := range services(p) {
			out = append(out, s.Name)
		}
		return words.List(out)
	}
	columns := []table.Column[Row]{
		{Title: "NAME", Min: 22, Middle: true, Key: "N", Compare: by(func(p *kube.Pod) string { return p.Name }),
			Cell: text(func(p *kube.Pod) string { return p.Name })},
		{Title: "READY", Priority: 1,
			Cell: func(r Row) table.Cell {
				return table.Cell{Text: fmt.Sprintf("%d/%d", r.Pod.Ready, r.Pod.Total), Role: statusRole(r.Pod)}
			}},
		{Title: "STATUS", Min: 16, Max: 26, Priority: 1, Key: "S", Compare: by(func(p *kube.Pod) string { return p.Status }),
			Cell: func(r Row) table.Cell { return table.Cell{Text: r.Pod.Status, Role: statusRole(r.Pod)} }},
		{Title: "RESTARTS", Max: 16, Priority: 5, Key: "R", Compare: by(func(p *kube.Pod) int { return -p.Restarts }),
			Cell: text(func(p *kube.Pod) string { return words.Restarts(now(), p) })},
		{Title: "IP", Min: 15, Priority: 2, Key: "I", Compare: by((*kube.Pod).IP),
			Cell: text(func(p *kube.Pod) string { return words.OrNone(p.IP()) })},
		{Title: "PORTS", Min: 5, Max: 24, Priority: 6,
			Cell: text(func(p *kube.Pod) string { return words.ContainerPorts(p.Ports()) })},
		{Title: "SERVICES", Min: 14, Max: 40, Priority: 4,
			Cell: text(names)},
		{Title: "AGE", Priority: 3, Key: "A", Compare: by(func(p *kube.Pod) int64 { return -p.Created.Unix() }),
			Cell: text(func(p *kube.Pod) string { return words.Age(now(), p.Created) })},
		{Title: "OWNER", Max: 40, Priority: 8, Wide: true,
			Cell: text(func(p *kube.Pod) string { return words.OrNone(p.Owner) })},
		{Title: "LABELS", Max: 80, Priority: 9, Wide: true,
			Cell: text(func(p *kube.Pod) string { return words.OrNone(p.Labels.String()) })},
	}
	if scope.All() {
		namespace := table.Column[Row]{Title: "NAMESPACE", Min: 9, Max: 24, Priority: 2, Key: "M", Compare: by(func(p *kube.Pod) string { return p.Namespace }),
			Cell: text(func(p *kube.Pod) string { return p.Namespace })}
		columns = slices.Insert(columns, 0, namespace)
	}
	return columns
}

func text(of func(*kube.Pod) string) func(Row) table.Cell {
	return func(r Row) table.Cell { return table.Plain(of(r.Pod)) }
}

func by[V cmp.Ordered](of func(*kube.Pod) V) func(a, b Row) int {
	return func(a, b Row) int { return cmp.Compare(of(a.Pod), of(b.Pod)) }
}

// statusRole is the colour of a Pod's status.
func statusRole(p *kube.Pod) style.Role {
	switch {
	case p.Finished && p.Status == "Completed", p.Finished && p.Status == "Succeeded":
		return style.Dim
	case p.Status == "Running" && p.IsReady:
		return style.Text
	case broken(p.Status):
		return style.Bad
	default:
		return style.Warn // on its way, or running and not ready
	}
}

func broken(status string) bool {
	for _, word := range []string{"Err", "BackOff", "Evicted", "OOMKilled", "Failed", "Invalid", "ExitCode", "Signal", "Unknown", "Lost", "DeadlineExceeded", "ContainerCannotRun"} {
		if strings.Contains(status, word) {
			return true
		}
	}
	return false
}

func subject(r Row) filter.Subject {
	p := r.Pod
	fields := append([]string{p.Name, p.Namespace, p.Node, p.Status}, p.IPs...)
	return filter.Subject{Fields: fields, Labels: p.Labels}
}
