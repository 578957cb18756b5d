package screen

import (
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/hinshun/vt10x"
	"github.com/mattn/go-runewidth"
)

// Colors of a cell: 0 to 15 are those of ANSI, up to 255 those of xterm, larger ones RGB.
const (
	DefaultForeground = int(vt10x.DefaultFG)
	DefaultBackground = int(vt10x.DefaultBG)
)

// Cell is one place of the screen. Reverse video is applied: the two colors are as seen.
type Cell struct {
	Rune                           rune
	Foreground, Background         int
	Bold, Italic, Underline, Blink bool
}

// State is what a terminal has beside its cells.
type State struct {
	Title         string
	Clipboard     string // what the program copied with OSC 52
	AltScreen     bool
	CursorVisible bool
	Mouse         bool // the program asked for the mouse
	Col, Row      int  // of the cursor
}

// terminal is vt10x with what it lacks: wide characters take two cells, questions are answered, sequences that it mistakes
// for others are kept from it. It is not safe for concurrent use.
type terminal struct {
	vt        vt10x.Terminal
	options   Options
	pending   []byte // the beginning of a sequence or of a character
	last      string // the last character, for REP
	clipboard string
	answers   []byte
}

// filler is the second cell of a wide character: a rune that no program writes.
const filler = '\uf8ff'

func newTerminal(options Options) *terminal {
	t := &terminal{options: options}
	t.vt = vt10x.New(vt10x.WithSize(options.Cols, options.Rows), vt10x.WithWriter(answerWriter{t}))
	return t
}

// answerWriter takes the answers that vt10x itself gives.
type answerWriter struct{ t *terminal }

func (w answerWriter) Write(p []byte) (int, error) {
	w.t.answer(string(p))
	return len(p), nil
}

func (t *terminal) answer(text string) {
	if !t.options.Mute {
		t.answers = append(t.answers, text...)
	}
}

// write draws what the program wrote and returns what the terminal answers.
func (t *terminal) write(p []byte) []byte {
	t.pending = append(t.pending, p...)
	for len(t.pending) > 0 {
		n := tokenLength(t.pending)
		if n == 0 {
			break
		}
		t.token(string(t.pending[:n]))
		t.pending = t.pending[n:]
	}
	answers := t.answers
	t.answers = nil
	return answers
}

// token draws one character, or carries out one sequence.
func (t *terminal) token(token string) {
	switch {
	case strings.HasPrefix(token, "\x1b["):
		t.control(token, token[2:len(token)-1], token[len(token)-1])
	case strings.HasPrefix(token, "\x1b]"):
		t.command(token)
	case len(token) > 1 && strings.ContainsRune("P_^", rune(token[1])) && token[0] == '\x1b':
		// no string but OSC draws anything
	case token[0] < ' ' || token[0] == '\x7f':
		t.draw(token)
	default:
		t.print(token)
	}
}

// print draws one character in the cells that it takes. What takes none, such as a combining accent, is left out.
func (t *terminal) print(character string) {
	switch runewidth.StringWidth(character) {
	case 1:
		t.draw(character)
	case 2:
		t.draw(character + string(filler))
	}
	t.last = character
}

func (t *terminal) draw(text string) {
	_, _ = t.vt.Write([]byte(text)) // it cannot fail
}

// control carries out a CSI sequence.
func (t *terminal) control(sequence, arguments string, final byte) {
	private := arguments != "" && strings.ContainsRune("<=>?", rune(arguments[0]))
	switch {
	case final == 'c' && (arguments == "" || arguments == "0"): // what are you?
		t.answer("\x1b[?62;22c") // a VT220 with colors
	case final == 'p' && strings.HasPrefix(arguments, "?") && strings.HasSuffix(arguments, "$"): // do you know this mode?
		t.answer(fmt.Sprintf("\x1b[?%s;%d$y", strings.Trim(arguments, "?$"), modeSetting(arguments)))
	case final == 'b' && !private: // REP
		t.repeat(arguments)
	case private && (arguments[0] != '?' || final != 'h' && final != 'l' && final != 'n'):
		// keyboard protocols and the like; vt10x would take `CSI = 1 u` for a movement
	case strings.HasPrefix(arguments, "?1049") && (final == 'h') == t.state().AltScreen:
		// vt10x would swap the screens although the right one is shown
	default:
		t.draw(sequence)
	}
}

// modeSetting is the answer to DECRQM: 2 means known and off, 0 unknown.
func modeSetting(arguments string) int {
	if arguments == "?2026$" { // synchronized output
		return 2
	}
	return 0
}

func (t *terminal) repeat(arguments string) {
	count := 1
	_, _ = fmt.Sscan(arguments, &count) // without a number it is 1
	for range min(count, 1000) {
		t.print(t.last)
	}
}

// command carries out an OSC sequence.
func (t *terminal) command(sequence string) {
	body := strings.TrimSuffix(strings.TrimSuffix(sequence[2:], "\a"), "\x1b\\")
	number, argument, _ := strings.Cut(body, ";")
	switch {
	case number == "10" && argument == "?":
		t.answer("\x1b]10;" + t.color(!t.options.Light) + "\x1b\\")
	case number == "11" && argument == "?":
		t.answer("\x1b]11;" + t.color(t.options.Light) + "\x1b\\")
	case number == "52":
		_, data, _ := strings.Cut(argument, ";")
		if text, err := base64.StdEncoding.DecodeString(data); err == nil {
			t.clipboard = string(text)
		}
	default:
		t.draw(sequence)
	}
}

func (t *terminal) color(white bool) string {
	if white {
		return "rgb:ffff/ffff/ffff"
	}
	return "rgb:0000/0000/0000"
}

func (t *terminal) lines() []string {
	cols, rows := t.vt.Size()
	lines := make([]string, rows)
	for row := range rows {
		var line strings.Builder
		for col := range cols {
			if c := t.vt.Cell(col, row).Char; c != filler {
				line.WriteRune(max(c, ' '))
			}
		}
		lines[row] = strings.TrimRight(line.String(), " ")
	}
	return lines
}

func (t *terminal) find(text string) (col, row int, found bool) {
	for row, line := range t.lines() {
		if before, _, found := strings.Cut(line, text); found {
			return runewidth.StringWidth(before), row, true
		}
	}
	return 0, 0, false
}

func (t *terminal) cell(col, row int) Cell {
	glyph := t.vt.Cell(col, row)
	return Cell{
		Rune:       glyph.Char,
		Foreground: int(glyph.FG),
		Background: int(glyph.BG),
		Underline:  glyph.Mode&(1<<1) != 0, // vt10x does not export these bits
		Bold:       glyph.Mode&(1<<2) != 0,
		Italic:     glyph.Mode&(1<<4) != 0,
		Blink:      glyph.Mode&(1<<5) != 0,
	}
}

func (t *terminal) state() State {
	cursor := t.vt.Cursor()
	return State{
		Title:         t.vt.Title(),
		Clipboard:     t.clipboard,
		AltScreen:     t.vt.Mode()&vt10x.ModeAltScreen != 0,
		CursorVisible: t.vt.CursorVisible(),
		Mouse:         t.vt.Mode()&vt10x.ModeMouseMask != 0,
		Col:           cursor.X,
		Row:           cursor.Y,
	}
}

// tokenLength is how many bytes the character or the sequence at the beginning of p has; 0 while its end is missing.
func tokenLength(p []byte) int {
	if p[0] != '\x1b' {
		if !utf8.FullRune(p) {
			return 0
		}
		_, n := utf8.DecodeRune(p)
		return n
	}
	if len(p) < 2 {
		return 0
	}
	switch p[1] {
	case '[':
		return controlLength(p)
	case ']', 'P', '_', '^':
		return stringLength(p)
	case '(', ')', '*', '+', '#', ' ':
		if len(p) < 3 {
			return 0
		}
		return 3
	default:
		return 2
	}
}

// controlLength is that of a CSI sequence: it ends with a byte from @ to ~.
func controlLength(p []byte) int {
	for i := 2; i < len(p); i++ {
		if p[i] >= '@' && p[i] <= '~' {
			return i + 1
		}
	}
	return 0
}

// stringLength is that of OSC, DCS, APC and PM: they end with BEL or ESC \.
func stringLength(p []byte) int {
	for i := 2; i < len(p); i++ {
		if p[i] == '\a' || p[i] == '\\' && p[i-1] == '\x1b' {
			return i + 1
		}
	}
	return 0
}
