package kube

import (
	"fmt"
	"runtime/debug"
)

// PanicError is a panic as the error of whoever waits for the goroutine. Its
// text is one line.
type PanicError struct {
	During string // such as "following pods"
	Value  any    // of the panic
	Stack  []byte // where it happened, several lines
}

// Panicked makes an error of what recover has returned. It is to be called in
// the deferred function.
func Panicked(during string, value any) *PanicError {
	return &PanicError{during, value, debug.Stack()}
}

func (e *PanicError) Error() string {
	return Clean(fmt.Sprintf("podpath itself broke: panic while %s: %v", e.During, e.Value))
}
