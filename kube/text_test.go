package kube

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestCleanMakesTextHarmless(t *testing.T) {
	for name, test := range map[string]struct{ in, want string }{
		"plain":              {"web-6d4b75cb6d", "web-6d4b75cb6d"},
		"colour":             {"\x1b[31mred\x1b[0m", "[31mred[0m"},
		"OSC title":          {"\x1b]0;owned\x07rest", "]0;ownedrest"},
		"C1 introducer":      {"a\u009b31mb", "a31mb"},
		"DEL and backspace":  {"a\x7fb\bc", "abc"},
		"bidi override":      {"a\u202egnp.exe\u202c", "agnp.exe"},
		"bidi isolate":       {"\u2066a\u2069\u200e\u200f\u061c", "a"},
		"line separators":    {"a\u2028b\u2029c", "abc"},
		"line breaks, tabs":  {"a\nb\tc\rd", "a b c d"},
		"invalid UTF-8":      {"a\xff\xfe\x9bb", "ab"},
		"replacement stays":  {"a\ufffdb", "a\ufffdb"},
		"wide characters":    {"日本語 🎉 é", "日本語 🎉 é"},
		"zero-width":         {"a\u200bb\u200c\u200dc\u2060\ufeffd\u00ad", "abcd"},
		"invisible tags":     {"a\U000e0041b", "ab"},
		"nothing but danger": {"\x1b\x00\x9b", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Clean(test.in); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestCleanLinesKeepsTheLines(t *testing.T) {
	got := CleanLines("key:\r\n\t- \x1b[2Jvalue\n\n日本\r")
	if want := "key:\n  - [2Jvalue\n\n日本"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCleanNeverReturnsControlCharacters(t *testing.T) {
	harmful := func(r rune) bool {
		return unicode.IsControl(r) || strings.ContainsRune("\u200b\u200d\u200e\u202e\u2028\u2029\u2066\ufeff", r)
	}
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.OneOf(
			rapid.String(),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
			rapid.StringMatching("[a\u0080-\u009f\u200b-\u2070\x01-\x20\\x7f]*"),
		).Draw(t, "in")
		got := Clean(in)
		if strings.ContainsFunc(got, harmful) || !utf8.ValidString(got) {
			t.Fatalf("Clean(%q) = %q", in, got)
		}
		if again := Clean(got); again != got {
			t.Fatalf("Clean is not idempotent: %q, then %q", got, again)
		}
		lines := CleanLines(in)
		if strings.ContainsFunc(strings.ReplaceAll(lines, "\n", ""), harmful) || strings.Count(lines, "\n") != strings.Count(in, "\n") {
			t.Fatalf("CleanLines(%q) = %q", in, lines)
		}
	})
}

func TestInternerForgetsRatherThanGrows(t *testing.T) {
	in := interner{}
	for i := range internerLimit + 10 {
		if got, want := in.text(fmt.Sprintf("\x1b%d", i)), strconv.Itoa(i); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	if len(in) > internerLimit {
		t.Errorf("got %d texts, want at most %d", len(in), internerLimit)
	}
}

func TestNumbersOfThings(t *testing.T) {
	for want, got := range map[string]string{
		"0 Pods": Count(0, "Pod"), "1 Pod": Count(1, "Pod"), "2 Pods": Count(2, "Pod"),
		"": Among(nil), "; there is a": Among([]string{"a"}), "; there are a, b": Among([]string{"a", "b"}),
		"; there are a, b, c, d, e, f, g, h and 2 more": Among([]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
