// Package style holds podpath's colours by role, and the cutting and padding
// of text by its width on the screen.
package style

import (
	"image/color"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// Role says what a piece of text is for. Meaning never hangs on the colour
// alone: without colours everything still reads.
type Role int

// The roles.
const (
	Text   Role = iota
	Dim         // what explains: titles of columns, hints, separators
	Good        // works
	Warn        // on its way, or needs a look
	Bad         // broken
	Accent      // what can be followed: the name of a Node or of a pane
	Title       // headings
	Cursor      // the selected row
	Match       // what a search found
	roleCount
)

// Theme renders roles. It uses the terminal's own 16 colours, so that it
// follows whatever palette the user chose; only the dark shades differ
// between light and dark backgrounds.
type Theme struct{ styles [roleCount]lipgloss.Style }

// NewTheme returns the theme for a dark or light background.
func NewTheme(dark bool) *Theme {
	pick := lipgloss.LightDark(dark)
	foreground := func(light, dark color.Color) lipgloss.Style {
		return lipgloss.NewStyle().Foreground(pick(light, dark))
	}
	t := &Theme{}
	t.styles[Dim] = foreground(lipgloss.BrightBlack, lipgloss.BrightBlack)
	t.styles[Good] = foreground(lipgloss.Green, lipgloss.Green)
	t.styles[Warn] = foreground(lipgloss.Magenta, lipgloss.Yellow)
	t.styles[Bad] = foreground(lipgloss.Red, lipgloss.BrightRed)
	t.styles[Accent] = foreground(lipgloss.Blue, lipgloss.Cyan)
	t.styles[Title] = lipgloss.NewStyle().Bold(true)
	t.styles[Cursor] = lipgloss.NewStyle().Reverse(true)
	t.styles[Match] = lipgloss.NewStyle().Underline(true).Bold(true)
	return t
}

// Style returns the Lip Gloss style of a role.
func (t *Theme) Style(r Role) lipgloss.Style { return t.styles[r] }

// Render colours one line of text.
func (t *Theme) Render(r Role, s string) string {
	if r == Text || s == "" {
		return s
	}
	return t.styles[r].Render(s)
}

// Ellipsis stands for what was cut. It is one cell wide.
const Ellipsis = "…"

// Fit cuts or pads s to exactly width cells.
func Fit(s string, width int) string {
	if width <= 0 {
		return ""
	}
	w := Width(s)
	if w > width {
		s = ansi.Truncate(s, width, Ellipsis)
		w = Width(s)
	}
	return s + strings.Repeat(" ", max(0, width-w))
}

// FitMiddle is Fit, cutting in the middle: what tells names apart is mostly at
// their end.
func FitMiddle(s string, width int) string {
	w := Width(s)
	if w <= width || width < 8 {
		return Fit(s, width)
	}
	tail := min(8, width/2)
	return Fit(ansi.Truncate(s, width-tail-1, "")+Ellipsis+from(s, w-tail), width)
}

// from returns s from cell n on. Of a wide character that is cut in half, a
// space stays.
func from(s string, n int) string {
	rest := ansi.TruncateLeft(s, n, "")
	if Width(rest) > Width(s)-n {
		rest = " " + ansi.TruncateLeft(s, n+1, "")
	}
	return rest
}

// Wrap breaks a text into lines of a width, at spaces where it can.
func Wrap(s string, width int) []string {
	lines := strings.Split(ansi.Wrap(s, max(1, width), ""), "\n")
	for i, line := range lines {
		lines[i] = Fit(strings.TrimRight(line, " "), width) // ansi.Wrap lets spaces stand beyond the edge
	}
	return lines
}

// Width returns how many cells s takes on the screen; wide characters take
// two, styling none.
func Width(s string) int {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return ansi.StringWidth(s)
		}
	}
	return len(s)
}

// ASCII replaces the few signs beyond ASCII that podpath draws by itself, for
// terminals whose locale does not speak UTF-8. Every sign keeps its width.
func ASCII(s string) string { return asciiSigns.Replace(s) }

var asciiSigns = strings.NewReplacer("→", ">", Ellipsis, "~", "▾", "-", "▸", "+", "›", ">", "←", "<", "↓", "v", "↑", "^", "–", "-", "·", "|", "⚑", "!", "✓", "+", "✗", "x", "×", "x", "χ²", "X2", "≤", "<", "≥", ">", "▁", "_", "▂", ".", "▃", ":", "▄", "-", "▅", "=", "▆", "+", "▇", "*", "█", "#", "⊘", "0", "│", "|", "╵", "'", "├", "|", "└", "`", "─", "-")

// Window returns the cells from shift on, exactly width of them.
func Window(s string, shift, width int) string {
	if shift > 0 {
		s = from(s, shift)
	}
	return Fit(ansi.Truncate(s, width, ""), width)
}
