package tui

import (
	"errors"
	"os"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
)

// exitGrace is how long the program may take to leave in an orderly way once
// it was told to. A terminal that is gone may block it for ever.
const exitGrace = 500 * time.Millisecond

// sessionGrace is how long sessions may take to end after that: they are told
// together with the program. Only a request that waits for a credential plugin
// takes longer, and nothing can hurry that.
const sessionGrace = 200 * time.Millisecond

// cleanGrace is how long podpath may take to delete what its probes have added
// to the cluster. Where they have added nothing, it takes no time.
const cleanGrace = 5 * time.Second

// errUnclean means that the clean-up did not end within cleanGrace.
var errUnclean = errors.New("the API server did not answer in time: what the probes have added to the cluster, " +
	"labelled app.kubernetes.io/managed-by=podpath, may be left")

// errStuck means that the program did not leave within exitGrace.
var errStuck = errors.New("the terminal did not take the last output in time")

// leave ends the program and returns what it says, or errStuck.
func leave(end func(), ended <-chan error) error {
	go end() // it blocks when the program does
	select {
	case err := <-ended:
		return err
	case <-time.After(exitGrace):
		return errStuck
	}
}

// switchedOn are what Bubble Tea and podpath switch on in a terminal.
var switchedOn = ansi.ResetMode(
	ansi.ModeMouseNormal, ansi.ModeMouseButtonEvent, ansi.ModeMouseAnyEvent, ansi.ModeMouseExtSgr,
	ansi.ModeBracketedPaste, ansi.ModeSynchronizedOutput,
) + ansi.PopKittyKeyboard(1) + ansi.ResetModifyOtherKeys + ansi.ResetStyle +
	ansi.ResetModeAltScreenSaveCursor + ansi.SetModeTextCursorEnable

// writeGrace is how long a terminal may take for a few bytes.
const writeGrace = 100 * time.Millisecond

// force restores the terminal in place of a program that is stuck, as far as
// the terminal takes it.
func force(in, out *os.File, before *term.State) {
	_ = term.Restore(in.Fd(), before)
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = out.WriteString(switchedOn)
	}()
	select {
	case <-written:
	case <-time.After(writeGrace):
	}
}
