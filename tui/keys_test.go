package tui

import (
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"podpath/kube"
)

// views opens each view of the test cluster.
var views = map[string]func(s *screen){
	"Pods":            func(*screen) {},
	"Services":        func(s *screen) { s.press("2") },
	"endpoints":       func(s *screen) { s.press("2"); s.enter("/", "sample-clusterip"); s.press("enter") },
	"Services of Pod": func(s *screen) { s.enter("/", "4xk2p"); s.press("s") },
	"Pod":             func(s *screen) { s.press("j", "j", "enter") },
	"YAML":            func(s *screen) { s.press("j", "j", "y") },
	"help":            func(s *screen) { s.press("?") },
	"status":          func(s *screen) { s.enter(":", "status") },
	"namespaces":      func(s *screen) { s.enter(":", "ns") },
	"contexts":        func(s *screen) { s.enter(":", "ctx") },
	"no Probes":       func(s *screen) { s.press("3") },
	"Probes":          (*screen).probeFixed,
	"Probes by Node":  func(s *screen) { s.probeFixed(); s.press("n") },
	"evidence":        func(s *screen) { s.probeFixed(); s.enter("/", "none-ready"); s.press("enter") },
	"probe a Pod":     func(s *screen) { s.press("j", "j", "p") },
	"probe from":      func(s *screen) { s.press("j", "j", "p", "j", "j", "j", "enter") },
	"ways":            func(s *screen) { s.press("3", "t") },
	"no Forwards":     func(s *screen) { s.press("4") },
	"Forwards":        (*screen).forwardSeveral,
	"failed Forward":  func(s *screen) { s.forwardSeveral(); s.press("j", "j") },
	"lessons":         func(s *screen) { s.learns(); s.enter(":", "lessons") },
	"riddle":          func(s *screen) { s.learns(); s.enter(":", "lesson riddle") },
	"forward":         func(s *screen) { s.forwardSeveral(); s.press("enter") },
}

// prepare brings a view to where a key has something to do.
var prepare = map[string][]string{
	"s": {"j", "j"}, "k": {"j", "j"}, "g": {"G"}, "home": {"G"}, "up": {"j"}, "pgup": {"G"}, "ctrl+u": {"G"}, "ctrl+b": {"G"}, "left": {"ctrl+w", "right"}, "right": {"ctrl+w"},
	"h": {"l"}, "^": {"$"}, "1": {"2"}, "2": {"1"}, "3": {"1"}, "4": {"1"}, "n": {"/", "e", "enter"}, "N": {"/", "e", "enter"}, "esc": {"/", "e", "enter"},
}

func TestEveryKeyInTheHelpDoesSomething(t *testing.T) {
	for name, open := range views {
		t.Run(name, func(t *testing.T) {
			drive(t, setup{}, func(s *screen) {
				seen := s.model.snapshot
				s.setup.snapshot = func(*screen) *kube.Snapshot { return seen }
				open(s)
				for _, binding := range append(s.model.top().Bindings(), globalBindings()...) {
					for _, pressed := range binding.Keys() {
						s.setup.width, s.setup.height = 44, 7 // small, so that everything can be scrolled
						if strings.Contains(binding.Help().Desc, "sort by") {
							s.setup.width = 200 // so that all columns show the order
						}
						again := *s
						again.use(func(s *screen) { s.mustNotice(open, pressed) })
					}
				}
			})
		})
	}
}

// mustNotice checks that a key changes something in a view.
func (s *screen) mustNotice(open func(*screen), pressed string) {
	s.Helper()
	open(s)
	s.press(prepare[pressed]...)
	before, copied, chosen := s.model.View(), s.copied, len(s.chosen)
	s.press(pressed)
	if after := s.model.View(); before.Content == after.Content && (before.Cursor == nil) == (after.Cursor == nil) && s.copied == copied && len(s.chosen) == chosen && !s.quit {
		s.Errorf("%s: got nothing changed:\n%s", pressed, s.text())
	}
}

func TestKeysOfEachView(t *testing.T) {
	for _, c := range []struct {
		view string
		keys []string
		want []string // on the screen
	}{
		{"Pods", []string{"j", "j"}, []string{"Pods"}},
		{"Pods", []string{"enter"}, []string{"Pods › raspi001", "control-plane", "Kubelet"}},
		{"Pods", []string{"j", "j", "enter"}, []string{"Pods › dual-0", "10.244.2.30, fd00:2::1e"}},
		{"Pods", []string{"j", "j", "d"}, []string{"Pods › dual-0"}},
		{"Pods", []string{"j", "j", "s"}, []string{"Pods › Services of dual-0", "dual-stack"}},
		{"Pods", []string{"j", "j", "y"}, []string{"Pods › dual-0 YAML"}},
		{"Pods", []string{"j", "space"}, []string{"▸ raspi002  Ready  4 Pods"}},
		{"Pods", []string{"z"}, []string{"▸ raspi001", "▸ raspi002", "▸ raspi003", "▸ raspi004"}},
		{"Pods", []string{"z", "z"}, []string{"▾ raspi001", "dual-0"}},
		{"Pods", []string{"N"}, []string{"NAME↑"}},
		{"Pods", []string{"N", "N"}, []string{"NAME↓"}},
		{"Pods", []string{"S"}, []string{"STATUS↑"}},
		{"Pods", []string{"A"}, []string{"AGE↑"}},
		{"Services", []string{"enter"}, []string{"Services › dual-stack", "fd00:2::1e"}},
		{"Services", []string{"d"}, []string{"Services › dual-stack", "dual-stack.default.svc"}},
		{"Services", []string{"y"}, []string{"Services › dual-stack YAML"}},
		{"Services", []string{"E"}, []string{"ENDPOINTS↑"}},
		{"endpoints", []string{"enter"}, []string{"Services › sample-clusterip › Pods", "6d-4xk2p"}},
		{"endpoints", []string{"d"}, []string{"Services › sample-clusterip › sample-clusterip", "3/4 (1 terminating)"}},
		{"endpoints", []string{"y"}, []string{"sample-clusterip YAML"}},
		{"endpoints", []string{"R"}, []string{"READY↑"}},
		{"Services of Pod", []string{"enter"}, []string{"Services of sample-deployment-6d4b75cb6d-4xk2p › port-missing"}},
		{"Pod", []string{"y"}, []string{"dual-0 › dual-0 YAML"}},
		{"help", []string{"?"}, []string{"▾ raspi001"}},
		{"status", []string{"?"}, []string{"Status › Help", "Everywhere"}},
		{"namespaces", []string{"G", "k", "k", "enter"}, []string{"kube-system", "kube-proxy-x7l5f"}},
		{"contexts", []string{"enter"}, []string{"Pods"}},
	} {
		t.Run(c.view+"/"+strings.Join(c.keys, " "), func(t *testing.T) {
			drive(t, setup{}, func(s *screen) {
				views[c.view](s)
				s.press(c.keys...)
				s.sees(c.want...)
			})
		})
	}
}

func TestCopyWritesToTheClipboardOfTheTerminal(t *testing.T) {
	for _, c := range []struct {
		view string
		keys []string
		want string
	}{
		{"Pods", nil, "raspi001"},
		{"Pods", []string{"j", "j"}, "dual-0"},
		{"Services", nil, "dual-stack"},
		{"endpoints", nil, "10.244.2.11:80"},
		{"Services", []string{"j", "j", "enter"}, "10.244.2.11"}, // port-missing
		{"Services", []string{"enter", "G"}, "[fd00:2::1e]:8080"},
	} {
		drive(t, setup{}, func(s *screen) {
			views[c.view](s)
			s.press(append(c.keys, "c")...)
			if s.copied != c.want {
				s.Errorf("%s: got %q copied, want %q", c.view, s.copied, c.want)
			}
			s.sees("copied to the clipboard")
		})
	}
	drive(t, setup{}, func(s *screen) {
		views["YAML"](s)
		if s.press("c"); !strings.HasPrefix(s.copied, "apiVersion: v1\nkind: Pod\nmetadata:\n") {
			s.Errorf("got %q copied, want the YAML", s.copied)
		}
	})
}

func TestEscUndoesEachStep(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		steps := []func(){
			func() { s.press("2") },
			func() { s.enter("/", "sample-clusterip") },
			func() { s.press("enter") },
			func() { s.press("enter") },
			func() { s.press("s") },
			func() { s.enter("/", "sample-headless") },
			func() { s.press("enter") },
			func() { s.press("d") },
			func() { s.press("?") },
			func() { s.enter("/", "quit") },
		}
		place := func() string { return strings.Split(s.text(), "\n")[1] } // with the filter or search
		var before []string
		for _, step := range steps {
			before = append(before, place())
			step()
		}
		for _, want := range slices.Backward(before[1:]) {
			s.press("esc")
			if got := place(); got != want {
				s.Errorf("got %q, want %q", got, want)
			}
		}
		s.press("esc")
		if got := place(); got != before[1] {
			s.Errorf("got %q, want to stay at %q", got, before[1])
		}
	})
}

func TestFromEndpointToPodAndItsServicesAgainAndAgain(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.press("2")
		s.enter("/", "sample-clusterip")
		s.press("enter")
		for range 4 {
			s.press("enter") // to the Pod
			if got := s.selected(); !strings.Contains(got, "6d-4xk2p") {
				s.Fatalf("got %q selected, want the Pod of the endpoint", got)
			}
			s.press("s")
			s.enter("/", "sample-clusterip")
			s.press("enter")
			s.sees("sample-clusterip", "10.244.2.11")
		}
		for range 4 * 4 {
			s.press("esc")
		}
		s.sees("Services › sample-clusterip ", "10.244.2.11")
		s.press("esc", "esc")
		s.sees("\nServices ", "sample-lb")
	})
}

func TestAnEndpointWithoutAPodSaysSo(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.press("2")
		s.enter("/", "none-selector")
		s.press("enter", "enter")
		s.sees("The EndpointSlice names no Pod for 192.168.13.50.")
	})
}

func TestAPodThatIsGoneIsTold(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		views["endpoints"](s)
		s.server.Delete("pods", "default", "sample-deployment-6d4b75cb6d-4xk2p")
		s.wait(time.Second)
		s.press("enter")
		s.sees("Pod default/sample-deployment-6d4b75cb6d-4xk2p is gone.")
	})
}

func TestNumbersShowThePanesFromAnywhere(t *testing.T) {
	for name, open := range views {
		drive(t, setup{}, func(s *screen) {
			open(s)
			s.press("1")
			s.sees("\nPods ")
			open(s)
			s.press("2")
			s.sees("\nServices ")
			if s.model.canGoBack() && !s.model.filtered() {
				s.Errorf("%s: got a way back, want the pane at the bottom", name)
			}
		})
	}
}

func TestQuit(t *testing.T) {
	for _, keys := range [][]string{{"q"}, {"ctrl+c"}, {"/", "ctrl+c", "ctrl+c"}, {":", "q", "enter"}, {"?", "q"}} {
		drive(t, setup{}, func(s *screen) {
			if s.press(keys...); !s.quit {
				s.Errorf("%v: got podpath running still", keys)
			}
		})
	}
	drive(t, setup{}, func(s *screen) {
		if s.press("/", "q"); s.quit {
			s.Error("got q in the prompt to quit")
		}
	})
}

func TestMouse(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.send(tea.MouseClickMsg{Y: headHeight + 3, Button: tea.MouseLeft})
		if got := s.selected(); !strings.HasPrefix(got, "dual-0") {
			s.Errorf("got %q selected by a click, want the row in the line", got)
		}
		s.send(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
		if got := s.selected(); !strings.Contains(got, "6d-4xk2p") {
			s.Errorf("got %q selected by the wheel, want the third row below", got)
		}
		views["endpoints"](s)
		s.send(tea.MouseClickMsg{Y: headHeight + 3, Button: tea.MouseLeft})
		if got := s.selected(); !strings.HasPrefix(got, "10.244.2.14") {
			s.Errorf("got %q selected by a click below the head, want the row in the line", got)
		}
	})
}
