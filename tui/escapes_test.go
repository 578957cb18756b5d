package tui

import (
	"strings"
	"testing"
)

func TestEscapeBytesAreKeysWhereNothingElseIsMeant(t *testing.T) {
	const key = escapeKey
	for name, c := range map[string]struct {
		in   string
		want string
	}{
		"one":                          {"\x1b", key},
		"two":                          {"\x1b\x1b", key + key},
		"five":                         {strings.Repeat("\x1b", 5), strings.Repeat(key, 5)},
		"before a letter it is alt":    {"\x1bj", "\x1bj"},
		"two before a letter":          {"\x1b\x1bj", key + "\x1bj"},
		"between letters":              {"a\x1b\x1bb\x1b", "a" + key + "\x1bb" + key},
		"an arrow":                     {"\x1b[A", "\x1b[A"},
		"an arrow with alt":            {"\x1b\x1b[A", "\x1b\x1b[A"},
		"esc, and an arrow with alt":   {"\x1b\x1b\x1bOA", key + "\x1b\x1bOA"},
		"an answer of the terminal":    {"\x1b]11;rgb:0/0/0\x1b\\", "\x1b]11;rgb:0/0/0\x1b\\"},
		"pasted, they are text":        {"\x1b[200~a\x1b\x1bb\x1b\x1b[201~\x1b\x1b", "\x1b[200~a\x1b\x1bb\x1b\x1b[201~" + key + key},
		"an end without a beginning":   {"\x1b[201~\x1b\x1b", "\x1b[201~" + key + key},
		"a beginning that is none":     {"\x1b[200x\x1b\x1b", "\x1b[200x" + key + key},
		"a paste that begins with one": {"\x1b[200~\x1b\x1b[201~\x1b", "\x1b[200~\x1b\x1b[201~" + key},
	} {
		for cut := range len(c.in) + 1 { // bytes arrive in whatever pieces
			var e escapes
			out := e.append(nil, []byte(c.in[:cut]))
			out = e.append(out, []byte(c.in[cut:]))
			if got := string(e.end(out)); got != c.want {
				t.Errorf("%s, cut at %d: got %q, want %q", name, cut, got, c.want)
			}
			if most := len(escapeKey) * len(c.in); len(out) > most {
				t.Errorf("%s: got %d bytes, want at most %d", name, len(out), most)
			}
		}
	}
}
