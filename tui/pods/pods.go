// Package pods is the pane of Pods, grouped by the Node that they run on.
package pods

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"podpath/kube"
	"podpath/tui/filter"
	"podpath/tui/style"
	"podpath/tui/table"
	"podpath/tui/words"
)

// Row is a Pod, or the heading of a Node. It is small: there are as many as
// Pods, and all of them are made anew when one Pod changes.
type Row struct {
	Pod  *kube.Pod // nil in a heading
	node *node     // set by Group
}

// node is what a heading is made of.
type node struct {
	name   string     // empty for the Pods without a Node
	object *kube.Node // nil where podpath does not know the Node
	pods   int
	folded bool
	next   int // the row of the next Pod, while Group places them
	width  int // of the longest name
}

// ID identifies the Pod by its UID, a heading by its Node.
func (r Row) ID() string {
	if r.Pod != nil {
		return r.Pod.UID
	}
	return headingID(r.node.name)
}

func headingID(node string) string { return "node " + node }

// Heading returns the text of a heading; ok is false for a Pod.
func (r Row) Heading() (cell table.Cell, ok bool) {
	if r.Pod != nil {
		return table.Cell{}, false
	}
	return r.node.heading(), true
}

// Rows lists all Pods of the snapshot.
func Rows(s *kube.Snapshot) []Row {
	rows := make([]Row, len(s.Pods))
	for i, p := range s.Pods {
		rows[i].Pod = p
	}
	return rows
}

// Group puts rows of Pods under headings of their Nodes: Nodes by name, at the
// end the Pods without one. Within a Node the order stays. Nodes without Pods
// have headings, too, unless onlyUsed is set. Below a folded heading nothing
// is shown. Group marks the rows with their Nodes.
func Group(s *kube.Snapshot, rows []Row, onlyUsed bool, folded func(node string) bool) []Row {
	nodes := map[string]*node{}
	for i, r := range rows {
		n := nodes[r.Pod.Node]
		if n == nil {
			n = &node{name: r.Pod.Node}
			nodes[n.name] = n
		}
		n.pods++
		rows[i].node = n
	}
	for _, object := range s.Nodes {
		if n := nodes[object.Name]; n != nil {
			n.object = object
		} else if !onlyUsed {
			nodes[object.Name] = &node{name: object.Name, object: object}
		}
	}
	ordered := slices.SortedFunc(maps.Values(nodes), func(a, b *node) int {
		if (a.name == "") != (b.name == "") {
			return -cmp.Compare(a.name, b.name)
		}
		return cmp.Compare(a.name, b.name)
	})
	longest, total := 0, 0
	for _, n := range ordered {
		n.folded = folded(n.name)
		longest = max(longest, style.Width(n.name))
		n.next = total + 1
		total = n.next
		if !n.folded {
			total += n.pods
		}
	}
	out := make([]Row, total)
	for _, n := range ordered {
		n.width = longest
		out[n.next-1].node = n
	}
	for _, r := range rows {
		if n := r.node; !n.folded {
			out[n.next] = r
			n.next++
		}
	}
	return out
}

// heading words a Node: what it is first, so that a narrow screen cuts the
// least.
func (n *node) heading() table.Cell {
	sign := map[bool]string{false: "▾ ", true: "▸ "}[n.folded]
	count := kube.Count(n.pods, "Pod")
	switch {
	case n.name == "":
		return table.Cell{Text: sign + "no Node yet  " + count, Role: style.Warn}
	case n.object == nil:
		return table.Cell{Text: sign + style.Fit(n.name, n.width) + "  " + count, Role: style.Accent}
	}
	parts := []string{
		style.Fit(n.name, n.width), n.object.Status, count, strings.Join(n.object.Roles, ","),
		n.object.InternalIP(), strings.Join(n.object.PodCIDRs, ","), n.object.Version, n.object.Arch,
	}
	parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
	role := style.Accent
	if !n.object.Ready {
		role = style.Bad
	}
	return table.Cell{Text: sign + strings.Join(parts, "  "), Role: role}
}

// Columns returns the columns of Pods. The namespace has one only where
// several are shown; snapshot and now are asked when a row is drawn.
func Columns(scope kube.Scope, snapshot func() *kube.Snapshot, now func() time.Time) []table.Column[Row] {
	names := func(p *kube.Pod) string {
		if !snapshot().State(kube.Services).Listed {
			return words.Unknown
		}
		var out []string
		for _, s := range snapshot().ServicesOf(p) {
			out = append(out, s.Name)
		}
		return words.List(out)
	}
	columns := []table.Column[Row]{
		{
			Title: "NAME", Min: 24, Middle: true, Key: "N", Compare: by(func(p *kube.Pod) string { return p.Name }),
			Cell: text(func(p *kube.Pod) string { return p.Name }),
		},
		{
			Title: "READY", Priority: 1,
			Cell: func(r Row) table.Cell {
				return table.Cell{Text: fmt.Sprintf("%d/%d", r.Pod.Ready, r.Pod.Total), Role: statusRole(r.Pod)}
			},
		},
		{
			Title: "STATUS", Min: 16, Max: 26, Priority: 1, Key: "S", Compare: by(func(p *kube.Pod) string { return p.Status }),
			Cell: func(r Row) table.Cell { return table.Cell{Text: r.Pod.Status, Role: statusRole(r.Pod)} },
		},
		{
			Title: "RESTARTS", Max: 16, Priority: 5, Key: "R", Compare: by(func(p *kube.Pod) int { return -p.Restarts }),
			Cell: text(func(p *kube.Pod) string { return words.Restarts(now(), p) }),
		},
		{
			Title: "IP", Min: 15, Priority: 2, Key: "I", Compare: func(a, b Row) int { return kube.CompareAddresses(a.Pod.IP(), b.Pod.IP()) },
			Cell: text(func(p *kube.Pod) string { return words.OrNone(p.IP()) }),
		},
		{
			Title: "PORTS", Min: 5, Max: 24, Priority: 6,
			Cell: text(func(p *kube.Pod) string { return words.ContainerPorts(p.Ports()) }),
		},
		{
			Title: "SERVICES", Min: 14, Max: 40, Priority: 4,
			Cell: text(names),
		},
		{
			Title: "AGE", Priority: 3, Key: "A", Compare: by(func(p *kube.Pod) int64 { return -p.Created.Unix() }),
			Cell: text(func(p *kube.Pod) string { return words.Age(now(), p.Created) }),
		},
		{
			Title: "OWNER", Max: 40, Priority: 8, Wide: true,
			Cell: text(func(p *kube.Pod) string { return words.OrNone(p.Owner) }),
		},
		{
			Title: "LABELS", Max: 80, Priority: 9, Wide: true,
			Cell: text(func(p *kube.Pod) string { return words.OrNone(p.Labels.String()) }),
		},
	}
	if scope.All() {
		namespace := table.Column[Row]{
			Title: "NAMESPACE", Min: 9, Max: 24, Priority: 2, Key: "M", Compare: by(func(p *kube.Pod) string { return p.Namespace }),
			Cell: text(func(p *kube.Pod) string { return p.Namespace }),
		}
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

// subject of a heading is the name of its Node: all else that a filter finds is
// of the Pods.
func subject(r Row) filter.Subject {
	p := r.Pod
	if p == nil {
		return filter.Subject{Fields: []string{r.node.name}}
	}
	fields := append([]string{p.Name, p.Namespace, p.Node, p.Status}, p.IPs...)
	return filter.Subject{Fields: fields, Labels: p.Labels}
}
