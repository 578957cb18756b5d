module podpath/e2e

go 1.26.0

require (
	github.com/creack/pty v1.1.24
	github.com/hinshun/vt10x v0.0.0-20220301184237-5011da428d02
	github.com/mattn/go-runewidth v0.0.31
	golang.org/x/sys v0.49.0
)

require github.com/clipperhouse/uax29/v2 v2.2.0 // indirect
