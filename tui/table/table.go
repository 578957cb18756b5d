// Package table draws rows in columns and moves a cursor over them. The cursor
// belongs to an object, not to a row number: it follows its object when rows
// come, go or are sorted anew. Only the visible rows are ever drawn.
package table

import (
	"cmp"
	"slices"
	"strings"

	"podpath/tui/style"
)

// Column is one column of rows of type R.
type Column[R any] struct {
	Title string
	Cell  func(R) Cell
	// Min is the narrowest useful width; a column that cannot have it is left
	// out. Max, unless 0, is the widest, except in the wide mode.
	Min, Max int
	// Priority 0 stays to the last; higher numbers are left out earlier.
	Priority int
	// Wide marks columns, the last ones, that are shown in the wide mode, or
	// where all others have their full width already.
	Wide bool
	// Middle cuts a text that is too long in its middle.
	Middle bool
	// Compare orders rows by this column, nil where order means nothing.
	Compare func(a, b R) int
	// Key is the capital letter that sorts by this column.
	Key string
}

// Cell is a text and its role.
type Cell struct {
	Text string
	Role style.Role
}

// Plain returns a cell of ordinary text.
func Plain(text string) Cell { return Cell{Text: text} }

// Table is the widget. Its columns and functions are set once; SetRows brings
// the content.
type Table[R any] struct {
	// ID identifies a row's object for as long as it lives.
	ID func(R) string
	// Heading returns the text of a row that spans all columns and groups
	// the rows below it; ok is false for ordinary rows.
	Heading func(R) (cell Cell, ok bool)

	columns       []Column[R]
	theme         *style.Theme
	rows          []R
	cursor        int
	cursorID      string
	offset        int // of the first visible row
	width, height int
	wide          bool
	shift         int   // cells scrolled to the right, in wide mode
	natural       []int // the widest text seen in each column
	sort          int   // column, or -1
	descending    bool
}

// New returns a table of the columns.
func New[R any](theme *style.Theme, id func(R) string, columns []Column[R]) *Table[R] {
	t := &Table[R]{ID: id, theme: theme, sort: -1}
	t.SetColumns(columns)
	return t
}

// SetColumns replaces the columns.
func (t *Table[R]) SetColumns(columns []Column[R]) {
	t.columns = columns
	t.natural = make([]int, len(columns))
	for i, c := range columns {
		t.natural[i] = style.Width(c.Title) + 1 // room for the arrow of the order
	}
	t.measure()
}

// SetTheme replaces the theme.
func (t *Table[R]) SetTheme(theme *style.Theme) { t.theme = theme }

// SetSize sets the cells to draw in, the line of titles included.
func (t *Table[R]) SetSize(width, height int) {
	if width != t.width || height != t.height {
		t.width, t.height = width, height
		t.scroll()
	}
}

// SetRows replaces the rows. The cursor stays on its object; if that is gone,
// on its place.
func (t *Table[R]) SetRows(rows []R) {
	t.rows = rows
	if i := slices.IndexFunc(rows, func(r R) bool { return t.ID(r) == t.cursorID }); i >= 0 {
		if t.offset > 0 { // at the top, what comes above is to be seen
			t.offset += i - t.cursor // keep the row where it was on the screen
		}
		t.cursor = i
		t.scroll()
		return
	}
	t.moveTo(t.cursor)
}

// Rows returns the rows in order.
func (t *Table[R]) Rows() []R { return t.rows }

// Selected returns the row under the cursor.
func (t *Table[R]) Selected() (r R, ok bool) {
	if len(t.rows) == 0 {
		return r, false
	}
	return t.rows[t.cursor], true
}

// Select puts the cursor on the object, now or as soon as it is there.
func (t *Table[R]) Select(id string) {
	t.cursorID = id
	if i := slices.IndexFunc(t.rows, func(r R) bool { return t.ID(r) == id }); i >= 0 {
		t.moveTo(i)
		t.offset = max(0, t.cursor-t.Page()/2)
		t.scroll()
	}
}

// Move moves the cursor by n rows.
func (t *Table[R]) Move(n int) { t.moveTo(t.cursor + n) }

func (t *Table[R]) moveTo(i int) {
	t.cursor = max(0, min(i, len(t.rows)-1))
	if len(t.rows) > 0 {
		t.cursorID = t.ID(t.rows[t.cursor])
	}
	t.scroll()
}

// scroll keeps the cursor on the screen, and measures what came into view.
func (t *Table[R]) scroll() {
	page := t.Page()
	t.offset = min(t.offset, t.cursor)
	t.offset = max(t.offset, t.cursor-page+1)
	t.offset = max(0, min(t.offset, len(t.rows)-page))
	t.measure()
}

// Page is how many rows are visible.
func (t *Table[R]) Page() int { return max(1, t.height-1) }

func (t *Table[R]) visible() []R {
	return t.rows[min(t.offset, len(t.rows)):min(t.offset+t.Page(), len(t.rows))]
}

// measure widens columns for what is visible. They never shrink again while
// the columns stay the same, so that scrolling does not make them jump.
func (t *Table[R]) measure() {
	for _, r := range t.visible() {
		if t.Heading != nil {
			if _, heading := t.Heading(r); heading {
				continue
			}
		}
		for i, c := range t.columns {
			t.natural[i] = max(t.natural[i], style.Width(c.Cell(r).Text))
		}
	}
}

// ToggleWide shows all columns at their full width, beyond the edge of the
// screen if need be, or goes back.
func (t *Table[R]) ToggleWide() { t.wide, t.shift = !t.wide, 0 }

// Shift scrolls the wide mode sideways.
func (t *Table[R]) Shift(cells int) {
	total := 0
	for _, w := range t.widths() {
		total += w + gap
	}
	t.shift = max(0, min(t.shift+cells, total-gap-t.width))
}

// SortBy orders by the column with this key, or turns the order around. It
// reports whether there is such a column.
func (t *Table[R]) SortBy(key string) bool {
	i := slices.IndexFunc(t.columns, func(c Column[R]) bool { return c.Key != "" && c.Key == key })
	if i < 0 {
		return false
	}
	t.descending = i == t.sort && !t.descending
	t.sort = i
	return true
}

// Compare orders rows as the user chose; it returns 0 where that says nothing.
func (t *Table[R]) Compare(a, b R) int {
	if t.sort < 0 {
		return 0
	}
	order := t.columns[t.sort].Compare(a, b)
	if t.descending {
		return -order
	}
	return order
}

// Sorted reports whether the user chose an order.
func (t *Table[R]) Sorted() bool { return t.sort >= 0 }

// Columns returns the columns.
func (t *Table[R]) Columns() []Column[R] { return t.columns }

// gap is the space between two columns.
const gap = 1

func (t *Table[R]) widths() []int {
	columns, room := make([]sized, len(t.columns)), t.width
	for i, c := range t.columns {
		natural := t.natural[i]
		if c.Max > 0 && !t.wide {
			natural = min(natural, max(c.Max, style.Width(c.Title)+1))
		}
		columns[i] = sized{min: cmp.Or(c.Min, natural), natural: natural, priority: min(c.Priority, maxPriority), extra: c.Wide && !t.wide}
		if t.wide {
			columns[i].min = natural
			room += natural + gap
		}
	}
	return layout(columns, room, gap)
}

// View draws the titles and the visible rows: as many lines as set, none wider
// than set.
func (t *Table[R]) View() string {
	if t.width <= 0 || t.height <= 0 {
		return ""
	}
	widths := t.widths()
	lines := make([]string, 0, t.height)
	lines = append(lines, t.theme.Render(style.Dim, t.titles(widths)))
	for i, r := range t.visible() {
		if len(lines) == t.height {
			break
		}
		lines = append(lines, t.line(r, widths, t.offset+i == t.cursor))
	}
	for len(lines) < t.height {
		lines = append(lines, "")
	}
	return strings.Join(lines, "\n")
}

func (t *Table[R]) titles(widths []int) string {
	return t.arrange(widths, func(i int) string {
		title := t.columns[i].Title
		if i == t.sort {
			room := min(style.Width(title), widths[i]-1) // a cut title keeps its arrow
			title = style.Window(title, 0, room) + map[bool]string{false: "↑", true: "↓"}[t.descending]
		}
		return style.Fit(title, widths[i])
	})
}

func (t *Table[R]) line(r R, widths []int, selected bool) string {
	if t.Heading != nil {
		if cell, ok := t.Heading(r); ok {
			text := style.Fit(cell.Text, t.width)
			if t.shift > 0 {
				text = style.Window(cell.Text, t.shift, t.width)
			}
			if selected {
				return t.theme.Render(style.Cursor, text)
			}
			return t.theme.Render(cell.Role, strings.TrimRight(text, " "))
		}
	}
	line := t.arrange(widths, func(i int) string {
		cell := t.columns[i].Cell(r)
		text := style.Fit(cell.Text, widths[i])
		if t.columns[i].Middle {
			text = style.FitMiddle(cell.Text, widths[i])
		}
		if !selected {
			text = t.theme.Render(cell.Role, text)
		}
		return text
	})
	if selected {
		return t.theme.Render(style.Cursor, line)
	}
	return line
}

// arrange joins the shown cells to a line. Scrolled sideways, the column that
// names the row, which is the first of priority 0, stays where it is seen, unless it takes most of the
// screen.
func (t *Table[R]) arrange(widths []int, cell func(column int) string) string {
	name := slices.IndexFunc(t.columns, func(c Column[R]) bool { return c.Priority == 0 })
	var cells []string
	pinned, room := "", t.width
	for i, w := range widths {
		switch {
		case w == 0:
		case i == name && t.shift > 0 && w <= t.width/2:
			pinned = cell(i) + strings.Repeat(" ", gap)
			room = max(0, room-w-gap)
		default:
			cells = append(cells, cell(i))
		}
	}
	return style.Window(pinned+style.Window(strings.Join(cells, strings.Repeat(" ", gap)), t.shift, room), 0, t.width)
}

// Click puts the cursor on the row drawn in a line, counted from the titles.
func (t *Table[R]) Click(line int) {
	if line >= 1 && line <= len(t.visible()) {
		t.moveTo(t.offset + line - 1)
	}
}

// Empty reports whether there is no row to draw.
func (t *Table[R]) Empty() bool { return len(t.rows) == 0 }
