package page

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"podpath/tui/style"
)

func newPage(width, height int, lines ...Line) *Page {
	p := New(style.NewTheme(true))
	p.SetSize(width, height)
	p.SetLines(lines)
	return p
}

// shown is what the page shows, without trailing spaces.
func shown(p *Page) []string {
	lines := strings.Split(ansi.Strip(p.View()), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// numbered are n lines, "line 0" first.
func numbered(n int) []Line {
	lines := make([]Line, n)
	for i := range lines {
		lines[i].Text = fmt.Sprint("line ", i)
	}
	return lines
}

func press(p *Page, keys string) {
	for _, r := range keys {
		p.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
}

func TestLongLinesAreWrapped(t *testing.T) {
	for name, c := range map[string]struct {
		line Line
		want []string
	}{
		"between words":                 {Line{Text: "one two three"}, []string{"one two", "three"}},
		"below its own beginning":       {Line{Text: "a: one two three", Indent: 3}, []string{"a: one two", "   three"}},
		"inside a word without end":     {Line{Text: "abcdefghijklmno", Indent: 2}, []string{"abcdefghij", "  klmno"}},
		"after leading spaces":          {Line{Text: "    abcdefghijkl", Indent: 4}, []string{"    abcdef", "    ghijkl"}},
		"with wide characters":          {Line{Text: "漢字漢字漢字漢"}, []string{"漢字漢字漢", "字漢"}},
		"an indent beyond half of it":   {Line{Text: "key: abcdefghijkl", Indent: 9}, []string{"key:", "     abcde", "     fghij", "     kl"}},
		"only spaces are an empty line": {Line{Text: strings.Repeat(" ", 25)}, []string{""}},
		"an empty line stays":           {Line{}, []string{""}},
		"a trailing space fits nowhere": {Line{Text: "0123456789 "}, []string{"0123456789"}},
	} {
		p := newPage(10, 8, c.line, Line{Text: "end"})
		if got, want := shown(p)[:len(c.want)+1], append(c.want, "end"); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestNothingIsLostInWrapping(t *testing.T) {
	words := rapid.SliceOf(rapid.SampledFrom([]string{"a", "web", " ", "    ", "-", "漢字", "e\u0301", "0123456789abcdef", ":", "🚀"}))
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(words.Draw(t, "text"), "")
		width := rapid.IntRange(1, 30).Draw(t, "width")
		p := newPage(width, 400, Line{Text: text, Indent: rapid.IntRange(0, 20).Draw(t, "indent")})
		var all string
		for _, line := range p.wrapped {
			if w := ansi.StringWidth(line.text); w > max(3, width) {
				t.Fatalf("got %q, %d cells, want at most %d", line.text, w, width)
			}
			all += line.text
		}
		bare := strings.NewReplacer(" ", "")
		if bare.Replace(all) != bare.Replace(text) {
			t.Fatalf("got %q, want all of %q", all, text)
		}
	})
}

func TestViewIsAsLargeAsSet(t *testing.T) {
	for width := 1; width <= 200; width++ {
		for _, height := range []int{1, 2, 3, 24, 60} {
			p := newPage(width, height, append(numbered(30), Line{Text: "漢字漢字 e\u0301 👩\u200d🚀", Role: style.Bad, Indent: 3})...)
			p.Search("字")
			press(p, "G")
			lines := strings.Split(p.View(), "\n")
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

func TestSearchGoesFromMatchToMatch(t *testing.T) {
	p := newPage(20, 5, numbered(100)...)
	p.Search("LINE 9")
	if text, times := p.Found(); text != "LINE 9" || times != 11 {
		t.Errorf("got %q %d times, want it 11 times whatever its case", text, times)
	}
	for _, step := range []struct{ keys, want string }{{"", "line 9"}, {"n", "line 90"}, {"n", "line 91"}, {"NN", "line 9"}, {"N", "line 99"}, {"n", "line 9"}} {
		press(p, step.keys)
		if got := shown(p); !slices.Contains(got, step.want) {
			t.Errorf("after %q: got %q, want %s", step.keys, got, step.want)
		}
	}
	p.Search("")
	if _, times := p.Found(); times != 0 {
		t.Errorf("got %d matches of nothing", times)
	}
}

func TestSearchMarksExactlyTheText(t *testing.T) {
	theme := style.NewTheme(true)
	for _, before := range []string{"", "plain ", "漢字 ", "e\u0301te\u0301 ", "👩\u200d🚀 "} {
		p := newPage(40, 2, Line{Text: "first"}, Line{Text: before + "needle end"})
		p.Search("needle")
		if marked := theme.Render(style.Cursor, "needle"); !strings.Contains(p.View(), marked) {
			t.Errorf("after %q: got %q, want %q in it", before, p.View(), marked)
		}
	}
}

// The root hands over size, theme and text with every snapshot, ten times a
// second on a busy cluster.
func TestSameTextAgainLeavesThePlaceAndTheSearch(t *testing.T) {
	p := newPage(20, 5, numbered(100)...)
	p.Search("line")
	press(p, "nnn") // within the first screen
	p.SetSize(20, 5)
	p.SetTheme(style.NewTheme(true))
	p.SetLines(numbered(100))
	press(p, "n")
	marked := style.NewTheme(true).Render(style.Cursor, "line")
	if got := strings.Split(p.View(), "\n")[4]; !strings.HasPrefix(got, marked) {
		t.Errorf("got %q, want the match after the one before marked", got)
	}
	press(p, strings.Repeat("j", 50))
	p.SetLines(append(numbered(100), Line{Text: "more"}))
	if got := shown(p)[0]; got != "line 50" {
		t.Errorf("got %q at the top, want the place kept when the text changes", got)
	}
}

func TestResizeKeepsThePlace(t *testing.T) {
	var lines []Line
	for i := range 100 {
		lines = append(lines, Line{Text: fmt.Sprintf("line %d has so many words that a narrow screen wraps it", i)})
	}
	p := newPage(80, 10, lines...)
	press(p, strings.Repeat("j", 40))
	for _, width := range []int{20, 80, 33, 200} {
		p.SetSize(width, 10)
		if got := shown(p)[0]; !strings.HasPrefix(got, "line 40 ") {
			t.Errorf("%d wide: got %q at the top, want line 40", width, got)
		}
	}
}

func TestKeysMoveThePage(t *testing.T) {
	ctrl := func(r rune) tea.KeyPressMsg { return tea.KeyPressMsg{Code: r, Mod: tea.ModCtrl} }
	plain := func(r rune) tea.KeyPressMsg { return tea.KeyPressMsg{Code: r, Text: string(r)} }
	p := newPage(20, 10, numbered(100)...)
	for _, step := range []struct {
		key  tea.KeyPressMsg
		want int
	}{{plain('j'), 1}, {plain('k'), 0}, {ctrl('d'), 5}, {ctrl('u'), 0}, {ctrl('f'), 10}, {ctrl('b'), 0}, {plain('G'), 90}, {plain('g'), 0}} {
		if !p.Update(step.key) || shown(p)[0] != fmt.Sprint("line ", step.want) {
			t.Errorf("%s: got %q at the top, want line %d", step.key, shown(p)[0], step.want)
		}
	}
	if p.Update(plain('x')) {
		t.Error("x: got it taken, want it left to others")
	}
}

func TestLinesAreRevealedWithAsLittleScrollingAsThatTakes(t *testing.T) {
	for name, c := range map[string]struct {
		top, first, last int
		want             string // at the top
	}{
		"what is seen stays":         {5, 6, 7, "line 5"},
		"above":                      {5, 2, 3, "line 2"},
		"below":                      {5, 9, 11, "line 8"},
		"partly below":               {5, 8, 9, "line 6"},
		"more than fits: its first":  {5, 8, 15, "line 8"},
		"at the end":                 {0, 18, 19, "line 16"},
		"what is not there: nothing": {5, 40, 41, "line 5"},
	} {
		p := newPage(20, 4, numbered(20)...)
		p.ScrollTo(c.top)
		p.Reveal(c.first, c.last)
		if got := shown(p)[0]; got != c.want {
			t.Errorf("%s: got %q at the top, want %q", name, got, c.want)
		}
	}
}
