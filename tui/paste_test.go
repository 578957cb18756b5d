package tui

import (
	"strings"
	"testing"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
)

func TestALargePasteHarmsNoPrompt(t *testing.T) {
	pieces := map[string]string{
		"letters": "a", "lines": "pod/web\nsvc/web\t", "wide letters": "界", "marks that combine": "e\u0301\u0301\u0301",
		"families":  "👨‍👩‍👧‍👦",
		"sequences": "\x1b[2J\x1b[31m\x9b1;1H\x07", "directions": "\u202eabc\u2066", "no UTF-8": "\xff\xfea",
	}
	prompts := map[string]func(s *screen){
		"filter":     func(s *screen) { s.press("/") },
		"command":    func(s *screen) { s.press(":") },
		"probe":      func(s *screen) { s.press(":"); s.press(strings.Split("probe local ", "")...) },
		"search":     func(s *screen) { s.press("d", "/") },
		"local port": func(s *screen) { s.press("/"); s.press(strings.Split("dual", "")...); s.press("enter", "f", "enter") },
	}
	for prompt, open := range prompts {
		for what, piece := range pieces {
			t.Run(prompt+", "+what, func(t *testing.T) {
				drive(t, setup{}, func(s *screen) {
					open(s)
					if !s.model.prompt.isOpen() {
						s.Fatalf("got no prompt:\n%s", s.text())
					}
					s.send(tea.PasteMsg{Content: strings.Repeat(piece, 10<<10/len(piece))})
					if got := utf8.RuneCountInString(s.model.prompt.input.Value()); got > promptMost {
						s.Errorf("got %d letters taken, want at most %d", got, promptMost)
					}
					_ = s.text() // which is as large as the screen
					s.resize(40, 10)
					_ = s.text()
					s.resize(80, 24)
					s.press("enter")
					_ = s.text()
				})
			})
		}
	}
}

// A terminal without bracketed paste types every letter.
func TestATypedFloodIsFilteredWithOnlyWhileThePromptTakesIt(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.press("/")
		for range promptMost + 500 {
			s.receive(keyNamed("a"))
		}
		s.settle()
		if got := len(s.model.prompt.input.Value()); got != promptMost {
			s.Errorf("got %d letters, want %d", got, promptMost)
		}
		s.sees("0 of 6")
		s.press("esc")
		s.sees("dual-0")
	})
}

func TestAQuestionTakesNoPaste(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		asked := false
		s.model.prompt.confirm("really?", func() tea.Cmd { asked = true; return nil })
		s.send(tea.PasteMsg{Content: "y"})
		if asked || !s.model.prompt.isOpen() {
			s.Error("got the question answered by a paste")
		}
		s.press("y")
		if !asked {
			s.Error("got no answer by the key")
		}
	})
}
