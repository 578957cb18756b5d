package forwards

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"podpath/kube"
	"podpath/kube/forward"
	"podpath/tui/filter"
	"podpath/tui/style"
	"podpath/tui/table"
	"podpath/tui/words"
)

// Row is a forward as it is shown.
type Row struct {
	forward.Status
	// Name is its destination, with what tells it from what is looked at.
	Name  string
	meter *meter
}

func id(r Row) string { return strconv.Itoa(r.ID) }

// name writes a destination with its namespace and context where those are not
// what is looked at.
func name(s forward.Status, context string, scope kube.Scope) string {
	var parts []string
	if s.Cluster != context && s.Cluster != "" {
		parts = append(parts, kube.Clean(s.Cluster))
	}
	if len(parts) > 0 || s.Order.Namespace != scope.Namespace {
		parts = append(parts, s.Order.Namespace)
	}
	return strings.Join(append(parts, s.Order.Label), " › ")
}

// The signs of a forward.
const (
	works    = "✓"
	broken   = "✗"
	changing = "…"
)

// sign says in one cell how it stands.
func sign(r Row) table.Cell {
	switch {
	case r.Phase == forward.Failed:
		return table.Cell{Text: broken, Role: style.Bad}
	case r.Phase != forward.Serving:
		return table.Cell{Text: changing, Role: style.Warn}
	case r.Stats.Why != "":
		return table.Cell{Text: broken, Role: style.Bad}
	default:
		return table.Cell{Text: works, Role: style.Good}
	}
}

// listens is the address, or what is with it while there is none.
func listens(r Row) table.Cell {
	switch r.Phase {
	case forward.Serving:
		return table.Plain(r.Stats.Listen)
	case forward.Failed:
		return table.Cell{Text: string(r.Phase), Role: style.Bad}
	default:
		return table.Cell{Text: string(r.Phase), Role: style.Warn}
	}
}

// route says how it gets to endpoints, and for auto what that has chosen.
func route(s forward.Status) string {
	asked := string(s.Order.Via)
	if s.Stats.Via == "" || s.Stats.Via == asked {
		return asked
	}
	return asked + " " + s.Stats.Via
}

// connections counts the clients that got an endpoint.
func connections(s forward.Stats) uint64 { return s.All.Total - s.All.Retries }

func total(r Row) string {
	if r.Stats.Listen == "" {
		return words.None
	}
	return strconv.FormatUint(connections(r.Stats), 10)
}

// failures counts the clients that got no endpoint, and the connections that an
// endpoint did not take: most of those another one took.
func failures(s forward.Stats) uint64 { return s.Refused + s.All.Failures }

func failed(r Row) table.Cell {
	if r.Stats.Listen == "" {
		return table.Plain(words.None)
	}
	c := table.Plain(strconv.FormatUint(failures(r.Stats), 10))
	switch {
	case r.Stats.Refused > 0:
		c.Role = style.Bad
	case r.Stats.All.Failures > 0:
		c.Role = style.Warn
	}
	return c
}

func open(r Row) table.Cell {
	if r.Stats.Listen == "" {
		return table.Plain(words.None)
	}
	c := table.Plain(strconv.Itoa(r.Stats.Open))
	if r.Stats.Held > 0 {
		c.Role = style.Warn
	}
	return c
}

// traffic is the bytes per second, and their sparkline.
func traffic(r Row) string {
	if r.Stats.Listen == "" {
		return words.None
	}
	return fmt.Sprintf("%5s %s", words.Bytes(r.meter.rate()), r.meter.spark())
}

func columns() []table.Column[Row] {
	return []table.Column[Row]{
		{Title: "", Min: 1, Cell: sign},
		{
			Title: "TARGET", Min: 16, Middle: true, Key: "N", Compare: by(func(r Row) string { return r.Name }),
			Cell: text(func(r Row) string { return r.Name }),
		},
		{
			Title: "LISTENS ON", Min: 15, Max: 40, Priority: 1, Key: "L", Compare: by(func(r Row) string { return r.Stats.Listen }),
			Cell: listens,
		},
		{Title: "ROUTE", Min: 11, Priority: 5, Cell: text(func(r Row) string { return route(r.Status) })},
		{Title: "POLICY", Min: 6, Priority: 8, Cell: text(func(r Row) string { return string(r.Order.Policy) })},
		{Title: "OPEN", Min: 4, Priority: 2, Key: "O", Compare: by(func(r Row) int { return -r.Stats.Open }), Cell: open},
		{
			Title: "TOTAL", Min: 5, Priority: 6, Key: "T", Compare: by(func(r Row) int64 { return -int64(connections(r.Stats)) }),
			Cell: text(total),
		},
		{
			Title: "BYTES/S", Min: 6 + sparkCells, Priority: 4, Key: "B", Compare: by(func(r Row) float64 { return -r.meter.rate() }),
			Cell: text(traffic),
		},
		{Title: "FAIL", Min: 4, Priority: 7, Key: "F", Compare: by(func(r Row) int64 { return -int64(failures(r.Stats)) }), Cell: failed},
	}
}

func text(of func(Row) string) func(Row) table.Cell {
	return func(r Row) table.Cell { return table.Plain(of(r)) }
}

func by[V cmp.Ordered](of func(Row) V) func(a, b Row) int {
	return func(a, b Row) int { return cmp.Compare(of(a), of(b)) }
}

func subject(r Row) filter.Subject {
	return filter.Subject{Fields: []string{r.Name, r.Order.Namespace, r.Cluster, r.Stats.Listen, string(r.Phase), route(r.Status), string(r.Order.Policy)}}
}
