package style

import (
	"testing"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"
)

// anyText mixes what has different widths: ASCII, wide and combining
// characters, podpath's own signs, colours.
var anyText = rapid.Custom(func(t *rapid.T) string {
	parts := rapid.SliceOf(rapid.SampledFrom([]string{"a", "-", " ", "é", "e\u0301", "漢", "字", "🚀", "👩\u200d🚀", "→", Ellipsis, "\x1b[31mred\x1b[m"})).Draw(t, "parts")
	text := ""
	for _, p := range parts {
		text += p
	}
	return text
})

func TestTextIsCutAndPaddedToTheWidth(t *testing.T) {
	for name, cut := range map[string]func(s string, width, shift int) string{
		"Fit":       func(s string, width, _ int) string { return Fit(s, width) },
		"FitMiddle": func(s string, width, _ int) string { return FitMiddle(s, width) },
		"Window":    func(s string, width, shift int) string { return Window(s, shift, width) },
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				text, width, shift := anyText.Draw(t, "text"), rapid.IntRange(0, 30).Draw(t, "width"), rapid.IntRange(0, 30).Draw(t, "shift")
				if got := cut(text, width, shift); ansi.StringWidth(got) != width {
					t.Fatalf("got %q, %d cells wide, want %d", got, ansi.StringWidth(got), width)
				}
			})
		})
	}
}

func TestWidthIsThatOfTheScreen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if text := anyText.Draw(t, "text"); Width(text) != ansi.StringWidth(text) {
			t.Fatalf("got %d for %q, want %d", Width(text), text, ansi.StringWidth(text))
		}
	})
}

func TestFit(t *testing.T) {
	for name, c := range map[string]struct{ got, want string }{
		"pads":                          {Fit("ab", 4), "ab  "},
		"marks what was cut":            {Fit("abcdef", 4), "abc…"},
		"cuts a wide character as one":  {Fit("漢字漢", 4), "漢… "},
		"nothing fits nowhere":          {Fit("ab", 0), ""},
		"keeps the end of a long name":  {FitMiddle("sample-deployment-6d4b75cb6d-4xk2p", 20), "sample-depl…6d-4xk2p"},
		"keeps the start where narrow":  {FitMiddle("sample-deployment", 7), "sample…"},
		"cuts wide characters inside":   {FitMiddle("漢字漢字漢字漢字", 10), "漢字… 漢字"},
		"a window begins where shifted": {Window("0123456789", 3, 4), "3456"},
		"a window past the end":         {Window("0123", 3, 4), "3   "},
		"a window into a wide one":      {Window("漢字漢", 1, 4), " 字 "},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", name, c.got, c.want)
		}
	}
}

func TestASCIISignsKeepTheirWidth(t *testing.T) {
	signs := "→…▾▸›←↓↑–·⚑"
	got := ASCII(signs)
	if Width(got) != Width(signs) {
		t.Errorf("got %q, %d cells, want %d", got, Width(got), Width(signs))
	}
	for _, r := range got {
		if r > '~' {
			t.Errorf("got %q: %q is not ASCII", got, r)
		}
	}
}

func TestEveryRoleButTextIsMarked(t *testing.T) {
	for _, dark := range []bool{false, true} {
		theme := NewTheme(dark)
		for r := Text; r < roleCount; r++ {
			if marked := theme.Render(r, "x") != "x"; marked == (r == Text) {
				t.Errorf("dark %t, role %d: got %q", dark, r, theme.Render(r, "x"))
			}
		}
	}
}
