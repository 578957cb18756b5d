package tui

const (
	esc = '\x1b'
	// escapeKey is the key esc in the keyboard protocol of kitty, which says what it
	// is by itself: Bubble Tea takes two bare escape bytes for alt and esc, and
	// three for the same.
	escapeKey = "\x1b[27u"

	pasteBegins = "\x1b[200~"
	pasteEnds   = "\x1b[201~"
)

// escapes finds out which escape bytes of the input are the key esc: those that
// another one follows, and one that nothing follows in time. A last one before
// something else begins a sequence, or is alt, and stays as it is; and so do
// two before an arrow and the like, which is how some terminals send alt. What
// is pasted stays as it is, too. The zero value is for the beginning.
type escapes struct {
	held    int  // escape bytes that were not passed on yet
	pasting bool // what comes was pasted
	matched int  // bytes of the mark that begins or ends a paste
}

// append appends what the bytes mean. Escape bytes at their end are kept.
func (e *escapes) append(out, in []byte) []byte {
	for _, b := range in {
		if b == esc && !e.pasting {
			e.held++
			e.matched = 1
			continue
		}
		out = e.release(out, b)
		out = append(out, b)
		e.mark(b)
	}
	return out
}

// waits reports whether what comes next decides what the last byte means.
func (e *escapes) waits() bool { return e.held > 0 }

// end appends what was kept, when nothing comes in time: the key esc, as often
// as it was pressed.
func (e *escapes) end(out []byte) []byte {
	for ; e.held > 0; e.held-- {
		out = append(out, escapeKey...)
	}
	return out
}

// release appends what was kept before another byte.
func (e *escapes) release(out []byte, next byte) []byte {
	bare := 1 // of the last escape bytes
	if next == '[' || next == 'O' {
		bare = 2
	}
	for ; e.held > bare; e.held-- {
		out = append(out, escapeKey...)
	}
	for ; e.held > 0; e.held-- {
		out = append(out, esc)
	}
	return out
}

// mark follows the marks that begin and end a paste.
func (e *escapes) mark(b byte) {
	mark := pasteBegins
	if e.pasting {
		mark = pasteEnds
	}
	switch b {
	case mark[e.matched]:
		e.matched++
	case esc:
		e.matched = 1
	default:
		e.matched = 0
	}
	if e.matched == len(mark) {
		e.pasting, e.matched = !e.pasting, 0
	}
}
