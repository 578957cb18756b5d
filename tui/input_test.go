package tui

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

// recorder is a program that notes which keys are pressed, up to an x.
type recorder struct{ pressed []string }

func (r *recorder) Init() tea.Cmd  { return nil }
func (r *recorder) View() tea.View { return tea.NewView("") }

func (r *recorder) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		if r.pressed = append(r.pressed, msg.String()); msg.Code == 'x' {
			return r, tea.Quit
		}
	case tea.PasteMsg:
		r.pressed = append(r.pressed, "paste "+msg.Content)
	}
	return r, nil
}

func TestQuickKeysAreAllPressed(t *testing.T) {
	apart, twice, long := []string{"\x1b", "\x1b"}, []string{"esc", "esc"}, strings.Repeat("a", 10<<10)
	for name, c := range map[string]struct {
		packets []string
		pause   time.Duration
		want    []string
	}{
		"two esc in a packet":     {packets: []string{"\x1b\x1b"}, want: twice},
		"three esc in a packet":   {packets: []string{"\x1b\x1b\x1b"}, want: []string{"esc", "esc", "esc"}},
		"two esc at once":         {packets: apart, want: twice},
		"two esc 5 ms apart":      {packets: apart, pause: 5 * time.Millisecond, want: twice},
		"two esc 20 ms apart":     {packets: apart, pause: 20 * time.Millisecond, want: twice},
		"two esc far apart":       {packets: apart, pause: 3 * escapeWait, want: twice},
		"an arrow":                {packets: []string{"\x1b[A"}, want: []string{"up"}},
		"an arrow with alt":       {packets: []string{"\x1b\x1b[A"}, want: []string{"alt+up"}},
		"esc and a pasted text":   {packets: []string{"\x1b\x1b\x1b[200~ab\x1b[201~"}, want: []string{"esc", "esc", "paste ab"}},
		"pasted esc":              {packets: []string{"\x1b[200~a\x1b\x1bb\x1b[201~"}, want: []string{"paste a\x1b\x1bb"}},
		"many letters in a paste": {packets: []string{"\x1b[200~" + long, "\x1b[201~"}, want: []string{"paste " + long}},
	} {
		t.Run(name, func(t *testing.T) {
			term, r := newTerminal(t), &recorder{}
			ended := make(chan error, 1)
			go func() {
				input, output := tea.WithInput(newKeyboard(term.tty)), tea.WithOutput(term.tty)
				_, err := tea.NewProgram(r, input, output, tea.WithoutSignalHandler()).Run()
				ended <- err
			}()
			term.awaitRaw(t)
			for _, p := range c.packets {
				_, _ = io.WriteString(term, p)
				time.Sleep(c.pause)
			}
			time.Sleep(2 * escapeWait) // else the last esc would belong to the x
			_, _ = io.WriteString(term, "x")
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			_ = term.tty.Close() // then the output ends
			<-term.read
			if want := append(c.want, "x"); !slices.Equal(r.pressed, want) {
				t.Errorf("got %q pressed, want %q", r.pressed, want)
			}
		})
	}
}

func TestQuickEscGoesBackAsManySteps(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.enter("/", "dual")
		s.press("d")
		s.sees("Pods › dual-0")
		s.press("esc", "esc")
		s.sees("1 Pods 6", "sample-deployment")
		s.misses("Pods › dual-0", "/dual")
	})
}

func TestAltIsEscAndAKeyThatCameTogether(t *testing.T) {
	alt := func(k tea.KeyPressMsg) tea.KeyPressMsg { k.Mod |= tea.ModAlt; k.Text = ""; return k }
	drive(t, setup{}, func(s *screen) {
		s.press("d")
		s.send(alt(keyNamed("2")))
		s.sees("\nServices ")
		s.press("1", "/", "d", "u", "a", "l")
		s.send(alt(keyNamed("b"))) // back a word, in the prompt
		s.press("x")
		s.sees("/xdual")
		s.send(alt(tea.KeyPressMsg{Code: 'n', ShiftedCode: 'N', Mod: tea.ModShift})) // esc, and to sort by name
		s.sees("sample-deployment", "? help")
		s.send(alt(tea.KeyPressMsg{Code: tea.KeyDown}))
		s.sees("sample-deployment")
		s.send(tea.KeyPressMsg{Code: 'C', Mod: tea.ModCtrl | tea.ModAlt}) // a stray byte
		if s.quit {
			s.Error("got podpath ended")
		}
	})
}
