package probes

import (
	"slices"
	"strings"

	"podpath/kube"
	"podpath/probes/path"
	"podpath/probes/present"
	"podpath/tui/results"
)

// matrix lays checks out: sources are rows, targets are columns.
type matrix struct {
	rows, columns []axis
	cells         map[[2]int]*cell
	place         map[string][2]int // of a check, by its ID
	spots         []spot
}

// spot is where a check counts.
type spot struct {
	item *item
	at   [2]int
	cell *cell
}

// axis is a row or a column.
type axis struct {
	key   string
	label string // the key, to be drawn
	head  heading
	results.Tally
}

// heading is the label of a source or target in parts, so that a narrow
// column shows each.
type heading struct{ kind, name, port string }

// cell holds the checks at one crossing: one, or many where Nodes stand for
// what is on them.
type cell struct {
	items []*item
	results.Tally
}

// view says how to lay checks out.
type view struct {
	// nodes folds sources and targets to the Nodes they are on.
	nodes bool
	// worst puts rows and columns with failures first.
	worst bool
	// namespaces is set where names are of several.
	namespaces bool
}

// arrange lays the checks out. Rows and columns come in the order of the
// checks.
func arrange(items []*item, v view) *matrix {
	m := &matrix{cells: map[[2]int]*cell{}, place: make(map[string][2]int, len(items))}
	rows, columns := newAxes(), newAxes()
	for _, it := range items {
		source, target := v.labels(it.Check)
		rows.count(source, it.verdict)
		columns.count(target, it.verdict)
	}
	m.rows, m.columns = rows.ordered(v.worst), columns.ordered(v.worst)
	for _, it := range items {
		source, target := v.labels(it.Check)
		at := [2]int{rows.index[source], columns.index[target]}
		if m.cells[at] == nil {
			m.cells[at] = &cell{}
		}
		m.cells[at].items = append(m.cells[at].items, it)
		m.cells[at].Count(it.verdict)
		m.place[it.ID] = at
		m.spots = append(m.spots, spot{it, at, m.cells[at]})
	}
	return m
}

// recount counts verdicts anew where only they have changed: that is much
// cheaper than to lay out thousands of checks again.
func (m *matrix) recount() {
	for i := range m.rows {
		m.rows[i].Tally = results.Tally{}
	}
	for i := range m.columns {
		m.columns[i].Tally = results.Tally{}
	}
	for _, s := range m.spots {
		s.cell.Tally = results.Tally{}
	}
	for _, s := range m.spots {
		m.rows[s.at[0]].Count(s.item.verdict)
		m.columns[s.at[1]].Count(s.item.verdict)
		s.cell.Count(s.item.verdict)
	}
}

// labels names the row and the column of a check.
func (v view) labels(c path.Check) (source, target string) {
	if v.nodes {
		return nodeOfSource(c), v.nodeOfTarget(c)
	}
	return c.Source.Label, present.Target(c)
}

// axes collects rows or columns.
type axes struct {
	list  []axis
	index map[string]int
}

func newAxes() *axes { return &axes{index: map[string]int{}} }

func (a *axes) count(label string, v path.Verdict) {
	i, ok := a.index[label]
	if !ok {
		i = len(a.list)
		a.index[label] = i
		a.list = append(a.list, axis{key: label, label: kube.Clean(label), head: split(kube.Clean(label))})
	}
	a.list[i].Count(v)
}

// ordered returns the list in its final order, to which index then leads.
func (a *axes) ordered(worst bool) []axis {
	if worst {
		slices.SortStableFunc(a.list, func(x, y axis) int { return results.CompareTallies(x.Tally, y.Tally) })
		for i, x := range a.list {
			a.index[x.key] = i
		}
	}
	return a.list
}

// nodeOfSource names the Node that a source is on. What podpath itself sees is
// told apart from what its Node does.
func nodeOfSource(c path.Check) string {
	if c.Source.Kind == path.FromLocal || c.Source.Node == "" {
		return c.Source.Label
	}
	return "node/" + c.Source.Node
}

// nodeOfTarget names the Node that a target is on; for what is on none, such as
// the virtual address of a Service, the Service.
func (v view) nodeOfTarget(c path.Check) string {
	name := func(k kube.Key) string {
		if v.namespaces {
			return k.String()
		}
		return k.Name
	}
	switch {
	case strings.HasPrefix(c.Target, "localhost:"):
		return "localhost"
	case c.Path.Node != "":
		return "node/" + c.Path.Node
	case c.Path.Service.Name != "":
		return "svc/" + name(c.Path.Service)
	case c.Path.Ingress.Name != "":
		return "ingress/" + name(c.Path.Ingress)
	default:
		return c.Target
	}
}

// split takes a label apart: svc/web:80, dns:web.default/A, https://host/path,
// 10.1.2.3:80, local.
func split(label string) heading {
	if scheme, rest, ok := strings.Cut(label, "://"); ok {
		host, path, _ := strings.Cut(rest, "/")
		return heading{scheme, host, "/" + path}
	}
	for _, kind := range []string{"dns", "env"} {
		if rest, ok := strings.CutPrefix(label, kind+":"); ok {
			name, record, _ := strings.Cut(rest, "/")
			return heading{kind, name, record}
		}
	}
	kind, rest, ok := strings.Cut(label, "/")
	if !ok { // an address may have colons of its own
		if i := strings.LastIndexByte(label, ':'); i > 0 {
			return heading{"", label[:i], label[i:]}
		}
		return heading{"", label, ""}
	}
	name, port, ok := strings.Cut(rest, ":")
	if ok {
		port = ":" + port
	}
	return heading{kind, name, port}
}
