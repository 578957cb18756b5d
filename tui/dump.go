package tui

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

// ErrQuit means that SIGQUIT has ended the program.
var ErrQuit = errors.New("SIGQUIT has ended it: what each goroutine was doing is at the end of the log")

// stacksMost bounds what is kept of the goroutines' stacks: bytes.
const stacksMost = 8 << 20

// stacks is what all goroutines do now.
func stacks() []byte {
	for size := 64 << 10; ; size *= 2 {
		out := make([]byte, size)
		if n := runtime.Stack(out, true); n < size || size >= stacksMost {
			return out[:n]
		}
	}
}

// printDump prints what the goroutines did when SIGQUIT came, where the log of
// libraries goes. From then on SIGQUIT ends the process as it ends any other:
// the terminal is restored.
func printDump(dump []byte) error {
	if dump == nil {
		return nil
	}
	signal.Reset(syscall.SIGQUIT)
	_, _ = fmt.Fprintf(os.Stderr, "SIGQUIT\n\n%s\n", dump)
	return ErrQuit
}
