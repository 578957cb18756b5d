package probes

import (
	"fmt"
	"strings"

	"podpath/probes/path"
	"podpath/probes/present"
	"podpath/tui/results"
	"podpath/tui/style"
)

// lines draws the titles and the visible rows: as many lines as set, none
// wider than set.
func (g *grid) lines() []string {
	if g.width <= 0 || g.height <= 0 {
		return nil
	}
	label, width, count := g.columnsShown()
	lines := g.titles(label, width, count)
	for row := g.top; row < min(g.top+g.page(), len(g.matrix.rows)); row++ {
		lines = append(lines, g.line(row, label, width, count))
	}
	for len(lines) < g.height {
		lines = append(lines, "")
	}
	lines = lines[:g.height]
	for i, line := range lines {
		lines[i] = style.Window(line, 0, g.width)
	}
	return lines
}

// titles names the visible columns: kind, name and port below each other where
// there is room for that, else the name; or the kinds alone over signs. Their
// left end says where the cursor is in the whole.
func (g *grid) titles(label, width, count int) []string {
	shown := g.matrix.columns[g.left:min(g.left+count, len(g.matrix.columns))]
	corner := g.theme.Render(style.Dim, style.Fit(position(g.row+1, len(g.matrix.rows), g.column+1, len(g.matrix.columns)), label))
	kinds := corner + g.kinds(shown, width)
	if g.compact {
		return []string{kinds}
	}
	names := g.perColumn(shown, width, func(h heading) string { return style.FitMiddle(h.name, width) })
	ports := g.perColumn(shown, width, func(h heading) string { return style.Fit(h.port, width) })
	if g.titleHeight() == 1 {
		return []string{corner + g.perColumn(shown, width, func(h heading) string { return style.FitMiddle(h.name+h.port, width) })}
	}
	blank := strings.Repeat(" ", label)
	return []string{kinds, blank + names, blank + ports}
}

// position says which row and column of how many the cursor is on.
func position(row, rows, column, columns int) string {
	return fmt.Sprintf("%d/%d × %d/%d", row, rows, column, columns)
}

// kinds writes each kind once over the columns beside each other that have it.
func (g *grid) kinds(shown []axis, width int) string {
	var b strings.Builder
	for from, to := 0, 0; from < len(shown); from = to {
		for to = from; to < len(shown) && shown[to].head.kind == shown[from].head.kind; to++ {
			continue
		}
		room := (to-from)*(width+gap) - gap
		b.WriteString(strings.Repeat(" ", gap) + g.theme.Render(style.Dim, style.Window(shown[from].head.kind, 0, room)))
	}
	return b.String()
}

func (g *grid) perColumn(shown []axis, width int, text func(heading) string) string {
	var b strings.Builder
	for i, c := range shown {
		role := style.Dim
		if g.left+i == g.column {
			role = style.Accent
		}
		b.WriteString(strings.Repeat(" ", gap) + g.theme.Render(role, style.Fit(text(c.head), width)))
	}
	return b.String()
}

func (g *grid) line(row, label, width, count int) string {
	role := style.Text
	if row == g.row {
		role = style.Accent
	}
	var b strings.Builder
	b.WriteString(g.theme.Render(role, style.FitMiddle(g.matrix.rows[row].label, label)))
	for column := g.left; column < min(g.left+count, len(g.matrix.columns)); column++ {
		text, role := g.text(g.matrix.cells[[2]int{row, column}])
		if row == g.row && column == g.column {
			role = style.Cursor
		}
		b.WriteString(strings.Repeat(" ", gap) + g.theme.Render(role, style.Fit(text, width)))
	}
	return b.String()
}

// text is what a cell shows.
func (g *grid) text(c *cell) (string, style.Role) {
	switch {
	case c == nil:
		return "", style.Text
	case g.compact:
		return present.Sign(c.Worst()), results.Role(c.Worst())
	case g.folded:
		return c.String(), results.Role(c.Worst())
	}
	it := c.items[0]
	text := present.Sign(it.verdict)
	if it.verdict == path.Pass || it.verdict == path.Fail {
		text += " " + present.Short(it.result)
	}
	return text, results.Role(it.verdict)
}
