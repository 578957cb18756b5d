package screen

// Keys that are no letters, as xterm sends them.
const (
	Enter     = "\r"
	Escape    = "\x1b"
	Tab       = "\t"
	BackTab   = "\x1b[Z"
	Backspace = "\x7f"
	Up        = "\x1b[A"
	Down      = "\x1b[B"
	Right     = "\x1b[C"
	Left      = "\x1b[D"
	Home      = "\x1b[H"
	End       = "\x1b[F"
	PageUp    = "\x1b[5~"
	PageDown  = "\x1b[6~"
)

// Ctrl is the control key held down with a letter.
func Ctrl(letter byte) string { return string(rune(letter & 0x1f)) }
