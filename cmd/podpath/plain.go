package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/charmbracelet/x/term"

	"podpath/kube"
)

// plain is a writer that lets no hidden character through, whoever it comes
// from: the command line, an API server, a container, a credential plugin. So
// nothing that podpath prints can steer the terminal. Line feeds and tabs pass.
// It is safe for concurrent use.
type plain struct {
	to io.Writer
	// escape writes a hidden character in another way; nil leaves it out.
	escape func(rune) string

	mu   sync.Mutex // guards all below
	rest []byte     // the beginning of a character whose end comes later
}

// Write passes on what is harmless in p. It reports all of p as written unless
// passing it on failed.
func (w *plain) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := append(w.rest, p...)
	w.rest = nil
	var out strings.Builder
	for len(text) > 0 {
		if !utf8.FullRune(text) {
			w.rest = append([]byte(nil), text...)
			break
		}
		r, size := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && size == 1: // not UTF-8
		case r == '\n' || r == '\t' || !kube.IsHidden(r):
			out.Write(text[:size])
		case w.escape != nil:
			out.WriteString(w.escape(r))
		}
		text = text[size:]
	}
	if _, err := io.WriteString(w.to, out.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// inJSON is how a string in JSON has a character. Hidden ones are in strings
// only.
func inJSON(r rune) string {
	var b strings.Builder
	for _, unit := range utf16.AppendRune(nil, r) {
		_, _ = fmt.Fprintf(&b, `\u%04x`, unit)
	}
	return b.String()
}

// inXML is how text and attributes in XML have a character.
func inXML(r rune) string { return fmt.Sprintf("&#x%X;", r) }

// plainly returns the streams with outputs that are plain.
func (s streams) plainly() streams {
	return streams{in: s.in, out: &plain{to: s.out}, err: &plain{to: s.err}}
}

// terminal returns the terminal that an output is, past what changes the text
// on its way there; nil when it is none.
func terminal(w io.Writer) *os.File {
	if p, ok := w.(*plain); ok {
		w = p.to
	}
	if p, ok := w.(pluginWriter); ok {
		w = p.to
	}
	if f, ok := w.(*os.File); ok && term.IsTerminal(f.Fd()) {
		return f
	}
	return nil
}
