package table

import (
	"bufio"
	"io"
	"strings"

	"podpath/tui/style"
)

// Print writes all rows once, as wide as they are and without colours: what
// the widget shows, for a listing outside the TUI.
func Print[R any](out io.Writer, columns []Column[R], heading func(R) (Cell, bool), rows []R, wide bool) error {
	var shown []Column[R]
	for _, c := range columns {
		if wide || !c.Wide {
			shown = append(shown, c)
		}
	}
	lines := make([][]string, 0, len(rows)+1)
	titles := make([]string, len(shown))
	widths := make([]int, len(shown))
	for i, c := range shown {
		titles[i] = c.Title
	}
	lines = append(lines, titles)
	for _, r := range rows {
		if heading != nil {
			if cell, ok := heading(r); ok {
				lines = append(lines, []string{cell.Text})
				continue
			}
		}
		cells := make([]string, len(shown))
		for i, c := range shown {
			cells[i] = c.Cell(r).Text
		}
		lines = append(lines, cells)
	}
	for _, cells := range lines {
		for i, text := range cells {
			if len(cells) == len(shown) {
				widths[i] = max(widths[i], style.Width(text))
			}
		}
	}
	w := bufio.NewWriter(out)
	for _, cells := range lines {
		var b strings.Builder
		for i, text := range cells {
			b.WriteString(style.Fit(text, max(style.Width(text), widths[i])))
			b.WriteString("  ")
		}
		if _, err := w.WriteString(strings.TrimRight(b.String(), " ") + "\n"); err != nil {
			return err
		}
	}
	return w.Flush()
}
