package screen_test

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"podpath/e2e/screen"
)

const soon = 5 * time.Second

// run starts a shell script in a terminal.
func run(t *testing.T, script string, options screen.Options) *screen.Screen {
	t.Helper()
	s, err := screen.Start(exec.Command("sh", "-c", script), options) //nolint:noctx // Close ends it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestKeysReachTheProgramAndItsAnswerTheScreen(t *testing.T) {
	s := run(t, "cat", screen.Options{})
	check(t, s.Send("hello"+screen.Enter))
	check(t, s.WaitForText("hello\nhello", soon))
	if s.Received() != len("hello\r\nhello\r\n") {
		t.Errorf("received %d bytes: %q", s.Received(), s.Output())
	}
	check(t, s.Send(screen.Ctrl('d')))
	if code, err := s.Wait(soon); code != 0 || err != nil {
		t.Errorf("exit code %d, error %v, want 0", code, err)
	}
}

func TestFailureShowsTheScreen(t *testing.T) {
	s := run(t, "echo something else; cat", screen.Options{})
	check(t, s.WaitForText("something", soon))
	err := s.WaitForText("never", time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "│something else") {
		t.Errorf("got error %v, want one with the screen", err)
	}
}

func TestProgramThatEndsIsNotWaitedFor(t *testing.T) {
	s := run(t, "echo bye; exit 3", screen.Options{})
	began := time.Now()
	if err := s.WaitForText("never", time.Minute); err == nil || time.Since(began) > soon {
		t.Errorf("got error %v after %v, want one at once", err, time.Since(began))
	}
	if code, err := s.Wait(soon); code != 3 || err != nil {
		t.Errorf("exit code %d, error %v, want 3", code, err)
	}
	check(t, s.WaitForText("bye", 0))
}

func TestSizeReachesTheProgram(t *testing.T) {
	s := run(t, "trap 'stty size' WINCH; stty size; while :; do sleep .1; done", screen.Options{Cols: 100, Rows: 30})
	check(t, s.WaitForText("30 100", soon))
	check(t, s.Resize(40, 10))
	check(t, s.WaitForText("10 40", soon))
	if got := len(s.Lines()); got != 10 {
		t.Errorf("%d lines, want 10", got)
	}
}

func TestColorsAndAttributes(t *testing.T) {
	s := run(t, `printf 'a\033[1;4;31;44mb\033[0m\033[38;5;200mc\033[0;7md\033[0m done'`, screen.Options{})
	check(t, s.WaitForText("done", soon))
	for col, want := range []screen.Cell{
		{Rune: 'a', Foreground: screen.DefaultForeground, Background: screen.DefaultBackground},
		{Rune: 'b', Foreground: 9, Background: 4, Bold: true, Underline: true}, // bold red is bright
		{Rune: 'c', Foreground: 200, Background: screen.DefaultBackground},
		{Rune: 'd', Foreground: screen.DefaultBackground, Background: screen.DefaultForeground},
	} {
		if got := s.Cell(col, 0); got != want {
			t.Errorf("cell %d is %+v, want %+v", col, got, want)
		}
	}
}

func TestWideCharactersTakeTwoCells(t *testing.T) {
	s := run(t, `printf '日本\033[1;6Hx\r\ne\314\201|'; sleep .05; printf '\346'; sleep .05; printf '\227\245'; cat`, screen.Options{})
	check(t, s.WaitForText("日本 x\ne|日", soon))
	if col, row, found := s.Find("x"); col != 5 || row != 0 || !found {
		t.Errorf("x is at %d,%d (%v), want 5,0", col, row, found)
	}
}

func TestQuestionsAreAnswered(t *testing.T) {
	ask := func(question string) string {
		return `stty raw -echo; printf '` + question + `'; dd bs=1 count=8 2>/dev/null | od -An -c; stty cooked; echo done; cat`
	}
	for name, c := range map[string]struct {
		question, answer string
		options          screen.Options
	}{
		"device attributes":   {question: `\033[c`, answer: `033 [ ? 6 2 ; 2 2`},
		"synchronized output": {question: `\033[?2026$p`, answer: `033 [ ? 2 0 2 6 ;`},
		"cursor position":     {question: `\033[7;12H\033[6n\033[6n`, answer: `033 [ 7 ; 1 2 R`},
		"background":          {question: `\033]11;?\007`, answer: `033 ] 1 1 ; r g b`},
	} {
		t.Run(name, func(t *testing.T) {
			s := run(t, ask(c.question), c.options)
			check(t, s.WaitFor(c.answer, func(text string) bool {
				return strings.Contains(strings.Join(strings.Fields(text), " "), c.answer)
			}, soon))
		})
	}
}

func TestMuteTerminalAnswersNothing(t *testing.T) {
	s := run(t, `stty raw -echo min 0 time 2; printf '\033[c\033[6n\033]11;?\007'; head -c 1 | wc -c`, screen.Options{Mute: true})
	check(t, s.WaitForText("0", soon))
}

func TestStateOfTheTerminal(t *testing.T) {
	s := run(t, `printf '\033]2;title\007\033[?1049h\033[?25l\033]52;c;Y29weQ==\007in\n'; read x; printf '\033[?1049l\033[?1049l\033[?25hout\n'; stty raw; cat`, screen.Options{})
	check(t, s.WaitForText("in", soon))
	state := s.State()
	if !state.AltScreen || state.CursorVisible || state.Title != "title" || state.Clipboard != "copy" {
		t.Errorf("state %+v, want the alternate screen, no cursor, title and clipboard", state)
	}
	if cooked, err := s.Cooked(); err != nil || !cooked {
		t.Errorf("cooked is %v (%v), want true", cooked, err)
	}
	check(t, s.Send(screen.Enter))
	check(t, s.WaitForText("out", soon))
	if state := s.State(); state.AltScreen || !state.CursorVisible {
		t.Errorf("state %+v, want the main screen and a cursor", state)
	}
	check(t, waitRaw(s))
}

// waitRaw waits until the terminal is no longer cooked.
func waitRaw(s *screen.Screen) error {
	for until := time.Now().Add(soon); ; time.Sleep(10 * time.Millisecond) {
		cooked, err := s.Cooked()
		if err != nil || !cooked || time.Now().After(until) {
			return err
		}
	}
}

func TestKeyboardProtocolsDrawNothing(t *testing.T) {
	s := run(t, `printf 'one\033[=1;1u\033[>1u\033[?u\033[<u\033[>4;1mtwo\033P+q544e\033\\\033[3bend'`, screen.Options{})
	check(t, s.WaitForText("onetwooooend", soon))
}

func TestHangUpEndsTheProgram(t *testing.T) {
	s := run(t, "echo ready; exec sleep 100", screen.Options{})
	check(t, s.WaitForText("ready", soon))
	check(t, s.HangUp())
	if code, err := s.Wait(soon); code != -1 || err != nil {
		t.Errorf("exit code %d, error %v, want the end by a signal", code, err)
	}
}

func TestSignalReachesTheProgram(t *testing.T) {
	s := run(t, "trap 'exit 7' USR1; echo ready; while :; do sleep .05; done", screen.Options{})
	check(t, s.WaitForText("ready", soon))
	check(t, s.Signal(syscall.SIGUSR1))
	if code, err := s.Wait(soon); code != 7 || err != nil {
		t.Errorf("exit code %d, error %v, want 7", code, err)
	}
}

func TestModeThatAProgramLeavesBehindIsSeen(t *testing.T) {
	for script, want := range map[string]bool{"stty raw": false, "stty raw; stty sane": true} {
		s := run(t, script, screen.Options{})
		if _, err := s.Wait(soon); err != nil {
			t.Fatal(err)
		}
		if cooked, err := s.Cooked(); err != nil || cooked != want {
			t.Errorf("after %q cooked is %v (%v), want %v", script, cooked, err, want)
		}
	}
}
