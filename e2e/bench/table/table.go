// Package table collects what a benchmark has measured, each figure with the goal that it has to reach.
package table

import (
	"fmt"
	"os"
	"strings"
)

// Table is the figures of a run. Each is told on stderr as soon as it is there.
type Table struct {
	// Beside names what podpath is compared with.
	Beside  string
	figures []figure
}

// figure is one line of the table.
type figure struct {
	what, got, goal, beside string
	reached                 bool
}

// AtMost adds a figure that reaches its goal when it is no more than limit.
func (t *Table) AtMost(what string, got, limit float64, unit, beside string) {
	t.add(figure{what, quantity(got, unit), "≤ " + quantity(limit, unit), beside, got <= limit})
}

// AtLeast adds a figure that reaches its goal when it is no less than limit.
func (t *Table) AtLeast(what string, got, limit float64, unit, beside string) {
	t.add(figure{what, quantity(got, unit), "≥ " + quantity(limit, unit), beside, got >= limit})
}

func (t *Table) add(f figure) {
	t.figures = append(t.figures, f)
	fmt.Fprintf(os.Stderr, "%s: %s (%s)\n", f.what, f.got, f.goal)
}

func quantity(value float64, unit string) string {
	return strings.TrimSpace(Number(value) + " " + unit)
}

// Number has three digits, or none after the point when there is nothing to say there.
func Number(value float64) string {
	switch {
	case value >= 100 || value == float64(int(value)):
		return fmt.Sprintf("%.0f", value)
	case value >= 10:
		return fmt.Sprintf("%.1f", value)
	default:
		return fmt.Sprintf("%.2f", value)
	}
}

// String is the table in Markdown.
func (t *Table) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "| figure | podpath | goal | reached | %s |\n|---|---|---|---|---|\n", t.Beside)
	for _, f := range t.figures {
		reached := "yes"
		if !f.reached {
			reached = "**no**"
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s |\n", f.what, f.got, f.goal, reached, f.beside)
	}
	return out.String()
}
