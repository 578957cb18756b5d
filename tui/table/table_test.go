package table

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"podpath/tui/style"
)

type row struct {
	id, name, note string
	heading        bool
}

var columns = []Column[row]{
	{Title: "NAME", Min: 4, Key: "N", Middle: true, Compare: func(a, b row) int { return cmp.Compare(a.name, b.name) }, Cell: func(r row) Cell { return Plain(r.name) }},
	{Title: "NOTE", Min: 4, Max: 20, Priority: 1, Cell: func(r row) Cell { return Cell{r.note, style.Warn} }},
	{Title: "ID", Priority: 2, Wide: true, Cell: func(r row) Cell { return Plain(r.id) }},
}

func newTable(width, height int, rows ...row) *Table[row] {
	t := New(style.NewTheme(true), func(r row) string { return r.id }, columns)
	t.Heading = func(r row) (Cell, bool) { return Cell{r.name, style.Accent}, r.heading }
	t.SetSize(width, height)
	t.SetRows(rows)
	return t
}

// numbered makes rows 0 to n-1.
func numbered(n int) []row {
	rows := make([]row, n)
	for i := range rows {
		rows[i] = row{id: fmt.Sprint("id", i), name: fmt.Sprint("row", i)}
	}
	return rows
}

func plainLines(t *Table[row]) []string { return strings.Split(ansi.Strip(t.View()), "\n") }

func TestViewIsAsLargeAsSet(t *testing.T) {
	rows := append([]row{{name: "▾ 漢字の見出し and more of it, so that it is long", heading: true}, {id: "漢字", name: "漢字漢字漢字漢字", note: "e\u0301te\u0301 🚀👩\u200d🚀 and a long note"}}, numbered(100)...)
	for width := 1; width <= 200; width++ {
		for _, height := range []int{1, 2, 3, 24, 60} {
			table := newTable(width, height, rows...)
			table.Move(width % 3) // on the heading, on the wide row, on another
			if width%2 == 0 {
				table.ToggleWide()
				table.Shift(width % 7)
			}
			lines := strings.Split(table.View(), "\n")
			if len(lines) != height {
				t.Fatalf("%d×%d: got %d lines", width, height, len(lines))
			}
			for _, line := range lines {
				if w := ansi.StringWidth(line); w > width {
					t.Fatalf("%d×%d: got %q, %d cells wide", width, height, line, w)
				}
			}
		}
	}
}

// changes is what can happen to a table: the cursor stays on its object while
// that lives, else near its place, and on the screen.
type changes struct {
	table *Table[row]
	rows  []row
	next  int
}

func TestCursorFollowsItsObject(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &changes{table: newTable(20, rapid.IntRange(1, 8).Draw(t, "height")), rows: numbered(5), next: 5}
		c.table.SetRows(c.rows)
		t.Repeat(map[string]func(*rapid.T){
			"move":   func(t *rapid.T) { c.table.Move(rapid.IntRange(-10, 10).Draw(t, "by")) },
			"resize": func(t *rapid.T) { c.table.SetSize(20, rapid.IntRange(1, 8).Draw(t, "height")) },
			"insert": func(t *rapid.T) {
				at := rapid.IntRange(0, len(c.rows)).Draw(t, "at")
				c.set(t, slices.Insert(slices.Clone(c.rows), at, row{id: fmt.Sprint("id", c.next)}))
				c.next++
			},
			"shuffle": func(t *rapid.T) { c.set(t, rapid.Permutation(c.rows).Draw(t, "order")) },
			"remove": func(t *rapid.T) {
				from := rapid.IntRange(0, len(c.rows)).Draw(t, "from")
				to := rapid.IntRange(from, len(c.rows)).Draw(t, "to")
				c.set(t, slices.Delete(slices.Clone(c.rows), from, to))
			},
			"": func(t *rapid.T) { c.check(t) },
		})
	})
}

func (c *changes) set(t *rapid.T, rows []row) {
	before, had := c.table.Selected()
	place := c.table.cursor
	c.rows = rows
	c.table.SetRows(rows)
	if !had || len(rows) == 0 {
		return
	}
	after, _ := c.table.Selected()
	if lives := slices.Contains(rows, before); lives && after != before {
		t.Fatalf("got the cursor on %s, want it to follow %s", after.id, before.id)
	} else if !lives && c.table.cursor != min(place, len(rows)-1) {
		t.Fatalf("got the cursor in row %d, want its place %d", c.table.cursor, place)
	}
}

func (c *changes) check(t *rapid.T) {
	if _, ok := c.table.Selected(); ok != (len(c.rows) > 0) {
		t.Fatalf("got a selected row %t among %d", ok, len(c.rows))
	}
	if v := c.table.visible(); len(c.rows) > 0 && (c.table.cursor < c.table.offset || c.table.cursor >= c.table.offset+len(v)) {
		t.Fatalf("got the cursor in row %d, visible %d to %d", c.table.cursor, c.table.offset, c.table.offset+len(v))
	} else if len(v) < min(c.table.Page(), len(c.rows)) {
		t.Fatalf("got %d rows visible, want the page of %d full", len(v), c.table.Page())
	}
}

func TestARowCreatedAgainIsAnotherObject(t *testing.T) {
	rows := numbered(3)
	table := newTable(20, 5, rows...)
	table.Move(1)
	table.SetRows([]row{rows[2], {id: "new", name: rows[1].name}, rows[0]})
	if got, _ := table.Selected(); got.id != "new" {
		t.Errorf("got %s, want the row in the cursor's place", got.id)
	}
	table.SetRows(rows)
	if got, _ := table.Selected(); got != rows[1] {
		t.Errorf("got %s, want its place again", got.id)
	}
}

func TestSelectWaitsForItsObject(t *testing.T) {
	table := newTable(20, 5)
	table.Select("id70")
	table.SetRows(numbered(100))
	if got, _ := table.Selected(); got.id != "id70" || !strings.Contains(table.View(), "row70") {
		t.Errorf("got the cursor on %s, want it on id70 and on the screen", got.id)
	}
}

func TestRowsThatComeAboveTheTopAreSeen(t *testing.T) {
	rows := numbered(100)
	table := newTable(20, 5, rows[1:]...)
	table.SetRows(rows)
	if got := plainLines(table)[1]; !strings.Contains(got, "row0") {
		t.Errorf("got %q in the first line, want the new first row", got)
	}
}

func TestRowStaysWhereItIsOnTheScreen(t *testing.T) {
	rows := numbered(100)
	table := newTable(20, 11, rows[50:]...)
	table.Move(30)
	table.Move(-5)
	line := func() int {
		return slices.IndexFunc(plainLines(table), func(l string) bool { return strings.Contains(l, "row75") })
	}
	before := line()
	table.SetRows(rows)
	if got := line(); got != before || got < 1 {
		t.Errorf("got row75 in line %d, want it in %d still", got, before)
	}
}

func TestSidewaysScrollMovesTitlesAndRowsTogether(t *testing.T) {
	rows := []row{{id: "A", name: "0123456789", note: "note-A"}, {id: "B", name: "漢字漢字漢", note: "note-B"}, {id: "C", name: "0123456789", note: "note-C"}}
	table := newTable(12, 4, rows...)
	table.ToggleWide()
	for shift := range 9 {
		lines := plainLines(table)
		want := 11 - shift
		for i, mark := range []string{"NOTE", "n", "n", "n"} {
			head, _, found := strings.Cut(lines[i], mark)
			if got := ansi.StringWidth(head); found && got != want || !found && want < 8 {
				t.Errorf("shifted by %d: got %q in column %d, want %d:\n%s", shift, mark, got, want, strings.Join(lines, "\n"))
			}
		}
		table.Shift(1)
	}
	table.Shift(1000)
	if got := plainLines(table)[1]; !strings.HasSuffix(strings.TrimRight(got, " "), "A") {
		t.Errorf("got %q, want the last column at the right edge and not beyond", got)
	}
	table.ToggleWide()
	if got := plainLines(table)[1]; !strings.HasPrefix(got, "0123") {
		t.Errorf("got %q, want the beginning again", got)
	}
}

func TestOnlyVisibleRowsAreAskedForTheirCells(t *testing.T) {
	asked := map[string]bool{}
	table := New(style.NewTheme(true), func(r row) string { return r.id }, []Column[row]{
		{Title: "NAME", Cell: func(r row) Cell { asked[r.id] = true; return Plain(r.name) }},
	})
	table.SetSize(20, 11)
	table.SetRows(numbered(10_000))
	table.Move(5000)
	table.View()
	if len(asked) != 20 { // a page at the top, and the one after the move
		t.Errorf("got %d rows asked, want the 20 that were visible", len(asked))
	}
}

func TestColumnsDoNotJumpWhileScrolling(t *testing.T) {
	rows := numbered(100)
	rows[0].name = "a-long-name-at-the-top"
	table := newTable(60, 11, rows...)
	before := table.widths()[0]
	table.Move(99)
	if got := table.widths()[0]; got != before {
		t.Errorf("got %d cells for names, want %d still", got, before)
	}
}

func TestSortByTurnsTheOrderAround(t *testing.T) {
	table := newTable(40, 5)
	a, b := row{name: "a"}, row{name: "b"}
	if table.Sorted() || table.Compare(a, b) != 0 || table.SortBy("X") {
		t.Error("got an order, want none before a key of a column")
	}
	for _, want := range []struct {
		order int
		title string
	}{{-1, "NAME↑"}, {1, "NAME↓"}, {-1, "NAME↑"}} {
		table.SortBy("N")
		if got := table.Compare(a, b); got != want.order || !strings.HasPrefix(plainLines(table)[0], want.title) {
			t.Errorf("got order %d under %q, want %d under %s", got, plainLines(table)[0], want.order, want.title)
		}
	}
}

func TestANarrowTitleKeepsItsArrow(t *testing.T) {
	table := newTable(3, 5, numbered(1)...)
	table.SortBy("N")
	if got := plainLines(table)[0]; got != "NA↑" {
		t.Errorf("got %q, want NA↑", got)
	}
}

func TestClickSelectsTheRowInTheLine(t *testing.T) {
	table := newTable(20, 5, numbered(100)...)
	table.Move(50)
	for line, want := range map[int]string{0: "id50", 1: "id47", 4: "id50", 5: "id50", -1: "id50"} {
		table.Select("id50")
		table.offset = 47
		table.Click(line)
		if got, _ := table.Selected(); got.id != want {
			t.Errorf("line %d: got %s, want %s", line, got.id, want)
		}
	}
}

func TestPrint(t *testing.T) {
	heading := func(r row) (Cell, bool) { return Plain(r.name), r.heading }
	rows := []row{{name: "a heading that is wider than the columns", heading: true}, {id: "A", name: "web", note: "漢字"}, {id: "B", name: "database", note: ""}}
	for wide, want := range map[bool]string{
		false: "NAME      NOTE\na heading that is wider than the columns\nweb       漢字\ndatabase\n",
		true:  "NAME      NOTE  ID\na heading that is wider than the columns\nweb       漢字  A\ndatabase        B\n",
	} {
		var out strings.Builder
		if err := Print(&out, columns, heading, rows, wide); err != nil || out.String() != want {
			t.Errorf("wide %t: got %v\n%s\nwant\n%s", wide, err, out.String(), want)
		}
	}
}
