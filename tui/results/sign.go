// Package results keeps the last result of every check, and finds those of an
// object.
package results

import (
	"podpath/probes/path"
	"podpath/tui/style"
)

// Role returns the colour of a verdict; the empty one is that of a check
// without a result. Nothing hangs on the colour: there is always a sign, too.
func Role(v path.Verdict) style.Role {
	switch v {
	case path.Pass:
		return style.Good
	case path.Fail:
		return style.Bad
	case path.Inconclusive:
		return style.Warn
	default:
		return style.Dim
	}
}

// HopRole returns the colour of a hop.
func HopRole(s path.HopState) style.Role {
	switch s {
	case path.Works, path.ByDesign:
		return style.Good
	case path.Broken:
		return style.Bad
	case path.Unknown:
		return style.Warn
	case path.NotReached:
		return style.Dim
	default:
		return style.Text
	}
}
