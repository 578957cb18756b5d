package probes

import (
	"podpath/tui/style"
)

// grid shows a matrix: a window on its cells, with a cursor that belongs to a
// check and not to a place. Only what is in the window is drawn.
type grid struct {
	theme         *style.Theme
	matrix        *matrix
	width, height int
	row, column   int // of the cursor
	top, left     int // of the window
	// compact shows as many cells as fit: signs alone.
	compact bool
	// folded is set where cells hold many checks.
	folded bool
	// id is the check under the cursor; where there is none, the keys of its
	// row and column.
	id                string
	rowKey, columnKey string
}

// setMatrix replaces the content. The cursor stays on its check; if that is
// gone, on its row and column, or on its place.
func (g *grid) setMatrix(m *matrix) {
	g.matrix = m
	row, column := find(m.rows, g.rowKey, g.row), find(m.columns, g.columnKey, g.column)
	if at, ok := m.place[g.id]; ok {
		row, column = at[0], at[1]
	}
	id := g.id
	g.moveTo(row, column)
	if c := g.selected(); c != nil && id != "" && c.has(id) {
		g.id = id // of the many in a cell
	}
}

// find returns the place of a key, or else the one before.
func find(list []axis, key string, before int) int {
	for i, a := range list {
		if a.key == key {
			return i
		}
	}
	return before
}

func (c *cell) has(id string) bool {
	for _, it := range c.items {
		if it.ID == id {
			return true
		}
	}
	return false
}

// worst is the check of the cell that matters most.
func (c *cell) worst() *item {
	for _, it := range c.items {
		if it.verdict == c.Worst() {
			return it
		}
	}
	return c.items[0]
}

// move moves the cursor.
func (g *grid) move(rows, columns int) { g.moveTo(g.row+rows, g.column+columns) }

func (g *grid) moveTo(row, column int) {
	g.row = max(0, min(row, len(g.matrix.rows)-1))
	g.column = max(0, min(column, len(g.matrix.columns)-1))
	g.id, g.rowKey, g.columnKey = "", "", ""
	if len(g.matrix.rows) > 0 {
		g.rowKey, g.columnKey = g.matrix.rows[g.row].key, g.matrix.columns[g.column].key
	}
	if c := g.selected(); c != nil {
		g.id = c.worst().ID
	}
	g.scroll()
}

// goTo puts the cursor on a check.
func (g *grid) goTo(id string) {
	if at, ok := g.matrix.place[id]; ok {
		g.moveTo(at[0], at[1])
	}
}

// selected is the cell under the cursor, or nil where there is no check.
func (g *grid) selected() *cell { return g.matrix.cells[[2]int{g.row, g.column}] }

func (g *grid) setSize(width, height int) {
	g.width, g.height = width, height
	g.scroll()
}

// scroll keeps the cursor in the window.
func (g *grid) scroll() {
	_, _, columns := g.columnsShown()
	g.top = window(g.top, g.row, g.page(), len(g.matrix.rows))
	g.left = window(g.left, g.column, columns, len(g.matrix.columns))
}

// window returns where a window of some size begins, so that it holds the
// cursor and no empty places.
func window(begin, cursor, size, all int) int {
	begin = max(min(begin, cursor), cursor-size+1)
	return max(0, min(begin, all-size))
}

// page is how many rows are visible.
func (g *grid) page() int { return max(1, g.height-g.titleHeight()) }

// roomyHeight is from which height on titles take three lines instead of one.
const roomyHeight = 9

func (g *grid) titleHeight() int {
	if g.compact || g.height < roomyHeight {
		return 1
	}
	return 3
}

const (
	// narrowest and widest columns: a sign with a latency or an error must
	// fit, "✗ refused", and a count, "11/12 ✗".
	narrowest, widest = 9, 24
	// labelShare is the part of the width, in fifths, that the names of the
	// sources may take.
	labelShare = 2
	gap        = 1
)

// columnsShown returns how wide the labels of the rows and the columns are,
// and how many columns there is room for.
func (g *grid) columnsShown() (label, width, count int) {
	rows, all := len(g.matrix.rows), len(g.matrix.columns)
	label = style.Width(position(rows, rows, all, all)) // no place of the cursor is wider
	for _, r := range g.matrix.rows {
		label = max(label, style.Width(r.label))
	}
	label = max(1, min(label, max(8, g.width*labelShare/5)))
	width = 1
	if !g.compact {
		for _, c := range g.matrix.columns {
			width = max(width, style.Width(c.head.name), style.Width(c.head.kind), style.Width(c.head.port))
		}
		width = max(narrowest, min(width, widest, (g.width-label)/max(1, all)-gap))
	}
	label = min(label, max(1, g.width-gap-width))
	width = max(1, min(width, g.width-label-gap))
	count = max(1, min(all, (g.width-label)/(width+gap)))
	return label, width, count
}

// needs is how many lines the whole matrix takes.
func (g *grid) needs() int {
	titles := 3
	if g.compact {
		titles = 1
	}
	return titles + len(g.matrix.rows)
}

// allColumns reports whether there is room for all columns.
func (g *grid) allColumns() bool {
	_, _, count := g.columnsShown()
	return count >= len(g.matrix.columns)
}

// click puts the cursor on the cell drawn at a place in the grid.
func (g *grid) click(x, y int) {
	label, width, count := g.columnsShown()
	line, column := y-g.titleHeight(), (x-label)/(width+gap)
	if line >= 0 && g.top+line < len(g.matrix.rows) && x >= label && column < count {
		g.moveTo(g.top+line, g.left+column)
	}
}
