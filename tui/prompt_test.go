package tui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"podpath/probes/path"
)

func TestTheCursorGoesToWhatTheFilterFinds(t *testing.T) {
	for name, c := range map[string]struct {
		keys []string
		want string // the beginning of the row
	}{
		"a Pod while it is typed":           {[]string{"/", "z", "w", "8"}, "sample-deployment-6d4b75cb6d-zw8mn"},
		"a Pod when it is entered":          {[]string{"/", "z", "w", "8", "enter"}, "sample-deployment-6d4b75cb6d-zw8mn"},
		"a Node that has the word":          {[]string{"/", "s", "p", "i", "0", "0", "3", "enter"}, "▾ raspi003"},
		"no Node for a word it lacks":       {[]string{"/", "!", "x", "y", "enter"}, "dual-0"},
		"no Node for a label it lacks":      {[]string{"/", "-", "l", "!", "x", "enter"}, "dual-0"},
		"and stays there without a filter":  {[]string{"/", "z", "w", "8", "enter", "esc"}, "sample-deployment-6d4b75cb6d-zw8mn"},
		"and stays where the user moves it": {[]string{"/", "6", "d", "enter", "j", "down"}, "sample-deployment-6d4b75cb6d-"},
	} {
		drive(t, setup{width: 120, height: 24}, func(s *screen) {
			s.press(c.keys...)
			if got := s.selected(); !strings.HasPrefix(got, c.want) {
				s.Errorf("%s: got %q selected, want %q", name, got, c.want)
			}
		})
	}
}

func TestAFilterThatIsThereBeforeTheRowsFindsThem(t *testing.T) {
	drive(t, setup{width: 120, height: 24, stalled: []string{"pods"}}, func(s *screen) {
		s.enter("/", "zw8")
		s.answer()
		s.wait(time.Second)
		s.press("d")
		s.sees("Pods › sample-deployment-6d4b75cb6d-zw8mn")
	})
}

func TestANamespaceThatIsKnownNotToBeThereIsRefused(t *testing.T) {
	drive(t, setup{width: 160, height: 24}, func(s *screen) {
		s.enter(":", "ns brokn")
		s.sees(`There is no namespace "brokn"; there are a-name`, ", default, ", "raspi › default", "dual-0")
		if len(s.chosen) > 0 {
			s.Errorf("got %+v connected to, want nothing changed", s.chosen)
		}
		s.enter(":", "ns odd")
		s.sees("raspi › odd")
	})
	drive(t, setup{denied: []string{"namespaces"}}, func(s *screen) {
		s.enter(":", "ns brokn")
		s.sees("raspi › brokn") // what there is is not known
	})
}

func TestCtrlCLeavesAPromptAsEscDoes(t *testing.T) {
	for name, open := range map[string]func(s *screen){
		"a filter":   func(s *screen) { s.press("/", "d", "u", "a") },
		"a command":  func(s *screen) { s.press(":", "n", "s") },
		"a question": func(s *screen) { s.press("j", "j", "f", "enter") },
		"yes or no":  func(s *screen) { s.forwardSeveral(); s.press("x") },
	} {
		drive(t, setup{}, func(s *screen) {
			open(s)
			if !s.model.prompt.isOpen() {
				s.Fatalf("%s: got no prompt", name)
			}
			if s.press("ctrl+c"); s.quit || s.model.prompt.isOpen() || s.model.filtered() {
				s.Errorf("%s: got quit %t, want the prompt left and podpath running:\n%s", name, s.quit, s.text())
			}
			if s.press("ctrl+c"); !s.quit {
				s.Errorf("%s: got the next ctrl-c not to quit", name)
			}
		})
	}
}

func TestCtrlCInAPromptLeavesTheRunAlone(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.prober.pause = 100 * time.Millisecond
		s.startFixed()
		s.wait(time.Second)
		s.press("/", "ctrl+c")
		s.sees("running")
		s.press("ctrl+c")
		s.sees("cancelling")
		if s.quit {
			s.Error("got podpath quit, want the run cancelled")
		}
	})
}

func TestACancelledRunCountsOnlyWhatItHasSeen(t *testing.T) {
	practise(t, setup{width: 120, height: 40}, func(s *screen) {
		s.enter(":", "ns broken")
		s.press("3", "a")
		s.wait(300 * time.Millisecond)
		s.sees("running")
		s.press("ctrl+c")
		s.wait(10 * time.Second)
		seen, planned := 0, s.model.session.Prober.Look(s.Context(), s.model.snapshot, path.Intent{}).Plan(path.Groups...)
		for _, c := range planned {
			e, ok := s.model.book.Get(c.ID)
			if ok {
				seen++
			}
			if e.Blind != nil && strings.Contains(e.Blind.Error(), errCancelled.Error()) {
				s.Errorf("%s: got the result %q, want none", c.ID, e.Blind)
			}
		}
		s.sees(fmt.Sprintf("cancelled  %d/%d", seen, len(planned)), "…")
		if seen == 0 || seen == len(planned) {
			s.Errorf("got %d of %d checks seen, want the run cancelled in its middle", seen, len(planned))
		}
	})
}
