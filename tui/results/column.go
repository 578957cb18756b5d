package results

import (
	"slices"

	"podpath/kube"
	"podpath/tui/table"
)

// WithColumn returns the columns of a list with one of probes before those of
// the wide mode: whether an object was reached as expected.
func WithColumn[R any](columns []table.Column[R], b *Book, ref func(R) kube.Ref) []table.Column[R] {
	at := slices.IndexFunc(columns, func(c table.Column[R]) bool { return c.Wide })
	if at < 0 {
		at = len(columns)
	}
	mark := table.Column[R]{Title: "PROBE", Priority: 2, Cell: func(r R) table.Cell { return b.Mark(ref(r)) }}
	return slices.Insert(slices.Clone(columns), at, mark)
}
