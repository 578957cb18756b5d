package kube

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text from the cluster safe to draw on one line: line breaks and
// tabs become spaces; what IsHidden reports (so every escape sequence loses its
// introducer) and invalid UTF-8 are dropped.
func Clean(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i, r := range s {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			b.WriteByte(' ')
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"), IsHidden(r):
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// CleanLines is Clean for text of several lines: line feeds stay, tabs become
// two spaces.
func CleanLines(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\t", "  "), "\n")
	for i, line := range lines {
		lines[i] = Clean(strings.TrimSuffix(line, "\r"))
	}
	return strings.Join(lines, "\n")
}

// isPlain reports whether s is printable ASCII only, which nearly all names,
// labels and addresses are.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// IsHidden reports the characters that a reader does not see, and that steer a
// terminal or the text around them: control characters (C0 with the line feed,
// DEL, C1), format characters (bidirectional overrides, zero-width ones, the
// byte order mark) and the separators of lines and paragraphs.
func IsHidden(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }

// interner keeps one copy of each text that many objects share (namespaces,
// node names, images, labels) and cleans it on the way in. It is used by one
// goroutine.
type interner map[string]string

// internerLimit bounds what an interner remembers: label values such as
// pod-template-hash come and go for as long as the program runs.
const internerLimit = 1 << 16

func (in interner) text(s string) string {
	if s == "" {
		return ""
	}
	if kept, ok := in[s]; ok {
		return kept
	}
	if len(in) >= internerLimit {
		clear(in)
	}
	in[s] = Clean(s)
	return in[s]
}

func (in interner) texts(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = in.text(s)
	}
	return out
}

// Count says how many there are: 1 Pod, 2 Pods.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// mostNames bounds how many names an error suggests.
const mostNames = 8

// Among goes on a sentence about a name that does not exist, and lists those that
// do.
func Among(names []string) string {
	switch {
	case len(names) == 0:
		return ""
	case len(names) > mostNames:
		return fmt.Sprintf("; there are %s and %d more", strings.Join(names[:mostNames], ", "), len(names)-mostNames)
	case len(names) == 1:
		return "; there is " + names[0]
	default:
		return "; there are " + strings.Join(names, ", ")
	}
}
