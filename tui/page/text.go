package page

import (
	"fmt"

	"podpath/tui/style"
	"podpath/tui/words"
)

// Text collects the lines of a page: facts, and lines below headings.
type Text struct{ Lines []Line }

// labelWidth is how wide the names of facts are set.
const labelWidth = 14

// Fact adds a value with its name; an empty one is left out.
func (t *Text) Fact(name, value string, role ...style.Role) {
	if value == "" || value == words.None {
		return
	}
	line := Line{Text: style.Fit(name, labelWidth) + "  " + value, Indent: labelWidth + 2}
	if len(role) > 0 {
		line.Role = role[0]
	}
	t.Lines = append(t.Lines, line)
}

// Heading begins a section.
func (t *Text) Heading(s string) {
	if len(t.Lines) > 0 {
		t.Lines = append(t.Lines, Line{})
	}
	t.Lines = append(t.Lines, Line{Text: s, Role: style.Title})
}

// Line adds a line to a section.
func (t *Text) Line(role style.Role, format string, args ...any) {
	t.Lines = append(t.Lines, Line{Text: "  " + fmt.Sprintf(format, args...), Role: role, Indent: 4})
}
