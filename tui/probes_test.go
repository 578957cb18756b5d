package tui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"podpath/probes/launch"
	"podpath/probes/path"
	"podpath/tui/golden"
	"podpath/tui/probes"
)

func TestTheMatrixFillsWhileTheRunGoesOn(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.prober.pause = 23 * time.Millisecond
		s.prober.look = func(context.Context) { time.Sleep(100 * time.Millisecond) }
		s.press("3")
		s.sees("Nothing is probed yet.", "probes everything in default")
		s.startFixed()
		s.sees("looking", "Looking at what there is to check", "a bit of everything")
		s.wait(600 * time.Millisecond)
		s.sees("running  21/42", "0.6s", "✓ 18", "✗ 3", "pod/dual-0", "…", "3 Probes 21/42", "esc cancel the run")
		s.wait(2 * time.Second)
		s.sees("done  42/42", "✗ 5", "✗ 5 checks  no-ready-endpoint", "next: kubectl describe pods")
		s.misses("running", "cancel")
	})
}

func TestAProbesWhatPodpathPlans(t *testing.T) {
	practise(t, setup{}, func(s *screen) {
		s.press("3", "a")
		s.wait(5 * time.Second)
		world := s.model.session.Prober.Look(s.Context(), s.model.snapshot, path.Intent{})
		n := len(world.Plan(path.Groups...))
		s.sees(fmt.Sprintf("done  %d/%d  ✓ %d  ✗ 0", n, n, n), "everything in default", "pod/sample-dep")
	})
}

func TestNewsOfARunComeAtMostTenTimesASecond(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.prober.pause = 30 * time.Millisecond
		s.startFixed()
		news, began := 0, time.Now()
		for s.model.session.probing != nil {
			time.Sleep(time.Millisecond)
			before := s.model.now
			s.settle()
			if s.model.now != before {
				news++
			}
		}
		if most := int(time.Since(began)/newsEvery) + 2; news < 2 || news > most {
			t.Errorf("got news %d times in %s, want 2 to %d times", news, time.Since(began), most)
		}
	})
}

func TestAnIdlePaneOfProbesDrawsNothingNew(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.probeFixed()
		s.wait(time.Minute - time.Since(golden.Now)%time.Minute + time.Second) // past the minute
		now := s.model.now
		if s.wait(50 * time.Second); s.model.now != now {
			t.Error("got the screen drawn anew within a minute though nothing happens")
		}
	})
}

func TestEscOrCtrlCInThePaneCancelsTheRunAndDoesNotQuit(t *testing.T) {
	for _, pressed := range []string{"esc", "ctrl+c"} {
		drive(t, setup{}, func(s *screen) {
			s.prober.pause = 100 * time.Millisecond
			s.startFixed()
			s.wait(time.Second)
			if s.press(pressed); s.quit {
				t.Fatalf("%s: got podpath quit, want the run cancelled", pressed)
			}
			s.sees("cancelling", "ctrl-c quits")
			s.wait(time.Second)
			s.sees("cancelled  10/42  ✓ 9  ✗ 1", "3 Probes ✗1")
			s.misses("? ", "waits for its turn")
			if s.prober.running > 0 {
				t.Errorf("%s: got the run going on", pressed)
			}
			s.press("j", "$", "h", "h", "h", "h", "h", "h", "h", "h", "h")
			s.sees("… not run: the run was cancelled")
			s.press("enter")
			s.sees("no result yet")
			s.press("esc")
			s.sees("\nProbes ")
			if s.press("ctrl+c"); !s.quit {
				t.Errorf("%s: got ctrl-c not to quit after the run", pressed)
			}
		})
	}
}

func TestASecondCtrlCQuitsThoughTheRunHasNotEnded(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.prober.run = func(context.Context) { time.Sleep(time.Minute) } // it does not listen
		s.startFixed()
		s.press("ctrl+c")
		if s.quit {
			t.Error("got the first ctrl-c to quit")
		}
		if s.press("ctrl+c"); !s.quit {
			t.Error("got the second ctrl-c not to quit")
		}
	})
}

func TestCtrlCInAnotherPaneQuits(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.startFixed()
		s.press("1")
		if s.press("ctrl+c"); !s.quit {
			t.Error("got podpath running, want it quit: the user does not look at the run")
		}
	})
}

func TestOneRunAtATime(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.prober.pause = 40 * time.Millisecond
		s.startFixed()
		s.wait(time.Second)
		s.press("r")
		s.sees("A run goes on")
		s.wait(time.Second)
		if len(s.prober.ran) != 1 {
			t.Errorf("got %d runs, want 1", len(s.prober.ran))
		}
	})
}

func TestACellARowOrAllIsRunAgain(t *testing.T) {
	for pressed, want := range map[string]func(id string) bool{
		"r":      func(id string) bool { return id == "pod/dual-0 tcp localhost:80" },
		"R":      func(id string) bool { return strings.HasPrefix(id, "pod/dual-0 ") },
		"ctrl+r": func(string) bool { return true },
	} {
		drive(t, setup{}, func(s *screen) {
			s.probeFixed()
			s.press(pressed)
			s.sees("running", "0.0s")
			s.wait(time.Second)
			s.sees("done  42/42", "a bit of everything")
			all := s.prober.ran[0]
			wanted := slices.DeleteFunc(slices.Clone(all), func(id string) bool { return !want(id) })
			if got := s.prober.ran[1]; !slices.Equal(got, wanted) {
				t.Errorf("%s: got %q run again, want %q", pressed, got, wanted)
			}
		})
	}
}

func TestWhatLostItsObjectLeavesTheMatrixWhenItIsRunAgain(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.probeFixed()
		s.server.Delete("pods", "default", "sample-deployment-6d4b75cb6d-zw8mn")
		s.wait(time.Second)
		s.press("R") // a row with a way to it
		s.wait(time.Second)
		s.sees("done  41/41", "6d-zw8mn")
		s.press("ctrl+r")
		s.wait(time.Second)
		s.misses("zw8mn", "w8mn")
	})
}

func TestANewSessionEndsTheRunAndCleansUpBehindIt(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.prober.pause = 10 * time.Millisecond
		s.startFixed()
		s.wait(200 * time.Millisecond)
		before := s.model.session
		s.enter(":", "ns odd")
		s.wait(200 * time.Millisecond)
		if s.prober.running > 0 || s.prober.closed != 1 || s.prober.mess {
			t.Errorf("got %d running and %d times closed, want the old session's run ended and cleaned up", s.prober.running, s.prober.closed)
		}
		s.sees("odd", "cancelled  ", "/42  ✓ ", "a bit of everything")
		s.misses("unknown") // nothing was explained yet
		seen := s.text()
		s.send(newsCame{before.probing, probes.News{Planned: true, Checks: []path.Check{{ID: "x"}}}})
		if s.text() != seen {
			t.Errorf("got\n%s\nwant news of the old session dropped:\n%s", s.text(), seen)
		}
	})
}

func TestAPanicInARunEndsTheProgramWithItsError(t *testing.T) {
	for name, breaks := range map[string]func(*fakeProber){
		"while looking": func(p *fakeProber) { p.look = func(context.Context) { panic("something broke") } },
		"while running": func(p *fakeProber) { p.run = func(context.Context) { panic("something broke") } },
	} {
		drive(t, setup{}, func(s *screen) {
			breaks(s.prober)
			s.startFixed()
			s.wait(time.Second)
			if !s.quit || s.model.fatal == nil || !strings.Contains(s.model.fatal.Error(), "something broke") {
				t.Errorf("%s: got quit %t with %v", name, s.quit, s.model.fatal)
			}
		})
	}
}

func TestTheEvidenceFollowsItsCheck(t *testing.T) {
	practise(t, setup{width: 120, height: 40}, func(s *screen) {
		s.follow([]string{":ns broken", "/silent", "p", "j", "j", "j", "j", "enter", "/healthy", "enter"})
		s.wait(time.Second)
		s.press("enter")
		s.sees("Probes › pod/silent-", " → svc/healthy:80", "podpath could not look", "no-tools")
		s.model.session.Prober.Allow(launch.Ephemeral)
		s.press("r")
		s.sees("no result yet")
		s.wait(10 * time.Second)
		s.sees("✓ pass", "reached (request) at 10.96.100.", "  Way           ephemeral: ", "kubectl exec -i -n broken silent-")
		s.press("esc")
		s.sees("done  3/3  ✓ 1  ✗ 0  ? 2")
	})
}

func TestEvidenceCopies(t *testing.T) {
	practise(t, setup{}, func(s *screen) {
		s.follow([]string{":ns broken", ":probe pod/client svc/none-ready"})
		s.wait(time.Second)
		s.press("enter")
		for pressed, want := range map[string]string{
			"c": "kubectl describe pods -n broken -l app=unready",
			"e": "kubectl exec -i -n broken client -c toolbox -- bash -c ",
			"C": "The only endpoint is not ready: Pod unready-",
		} {
			if s.press(pressed); !strings.Contains(s.copied, want) {
				t.Errorf("%s: got %q copied, want %q", pressed, s.copied, want)
			}
		}
	})
}

func TestByNodeAndBackToTheWorstCheck(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.probeFixed()
		s.press("n")
		s.sees("node/raspi002", "node/raspi003", "local", "raspi003", "2/2")
		s.press("w", "g", "^")
		s.sees("✗ 0 of 2 as expected")
		s.press("enter")
		s.sees("✗ refused", "→ svc/none-ready:80", "no-ready-endpoint")
	})
}

func TestTheFilterKeepsChecks(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.probeFixed()
		s.enter("/", "fail")
		s.sees("5 of 42", "none-ready", "1/5 × 1/1")
		s.enter("/", "zzz")
		s.sees("Nothing matches zzz", "done  42/42")
		s.press("esc")
		s.sees("/5 × ")
	})
}

func TestACellIsClicked(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.probeFixed()
		first := slices.IndexFunc(strings.Split(s.text(), "\n"), func(line string) bool { return strings.HasPrefix(line, "pod/dual-0 ") })
		s.send(tea.MouseClickMsg{X: 66, Y: first + 4, Button: tea.MouseLeft})
		s.sees("local → pod/sample-deployment-6d4b75cb6d-zw8mn:80")
		s.send(tea.MouseClickMsg{X: 40, Y: first + 5, Button: tea.MouseLeft}) // below the last row
		s.send(tea.MouseClickMsg{X: 2, Y: headHeight, Button: tea.MouseLeft})
		s.send(tea.MouseWheelMsg{Button: tea.MouseWheelUp})
		s.sees("2/5 × 4/15")
	})
}

func TestWhatPodsAndServersSayCannotActOnTheTerminal(t *testing.T) {
	drive(t, setup{width: 200, height: 60}, func(s *screen) {
		s.enter(":", "probe pod/dual-0 svc/none-ready")
		s.wait(time.Second)
		it := path.Result{Check: path.Check{ID: "pod/dual-0 tcp svc/none-ready:80", Source: path.Source{Kind: path.FromPod, Label: "pod/dual-0" + hostile, Node: hostile}, Target: "svc/none-ready:80"}, Verdict: path.Fail}
		it.Expect = path.Expectation{Outcome: path.Reached, Why: hostile, Values: []string{hostile}}
		it.Observation = path.Observation{
			Detail: hostile, Error: path.BadStatus, Address: hostile, Responder: hostile, Status: 200, Body: hostile, Values: []string{hostile}, Answers: []path.NameAnswer{{Name: hostile, Says: hostile}},
			Certificate: &path.Certificate{Subject: hostile, Names: []string{hostile}, Issuer: hostile, Problem: hostile},
			Spread:      &path.SpreadResult{Shares: []path.Share{{Endpoint: hostile, Count: 1, Known: true}}, How: hostile, Evenly: path.Part{Text: hostile}},
			Via:         launch.Via{Rung: launch.Tools, Tool: hostile, Pod: hostile + "/" + hostile, Container: hostile, Command: []string{"sh", "-c", hostile}},
		}
		it.Cause = &path.Cause{Code: path.DeadEndpoint, Summary: hostile, Evidence: []path.Evidence{{What: hostile, Where: hostile, Seen: hostile}}, Next: path.Next{Argv: []string{hostile}, Note: hostile}}
		s.model.session.probing = &probing{from: s.model.session}
		s.send(newsCame{s.model.session.probing, probes.News{Planned: true, Unknown: []error{errors.New(hostile)}, Checks: []path.Check{it.Check}, Seen: []path.Result{it}, Done: true}})
		s.sees("next")
		for _, keys := range []string{"n", "n", "enter", "G", "c", "e", "C", "esc", "2"} {
			s.press(keys)
			s.text()
			if strings.ContainsAny(strings.ReplaceAll(s.copied, "\n", ""), "\x1b\r\x00\u202e") {
				t.Errorf("%s: got %q copied", keys, s.copied)
			}
		}
	})
}

func TestHopsAreChosenOpenedAndClosed(t *testing.T) {
	practise(t, setup{width: 100, height: 40}, func(s *screen) {
		s.follow([]string{":ns broken", ":probe pod/client svc/wrong-target-port"})
		s.wait(time.Second)
		s.press("enter")
		s.sees("✗ wrong-target-port", "│ ✓ translate", "│ ✗ listen", "╵ – speak      not reached")
		s.misses("rule      ")
		s.press("tab", "tab", "tab", "tab", "enter") // leave, cross, enter, listen
		s.sees("a program must listen on the address and port", "broken, looked at")
		s.press("shift+tab", "enter")
		s.sees("no NetworkPolicy limits what web-", "a program must listen")
		s.press("tab", "enter")
		s.misses("a program must listen")
		s.resize(60, 12)
		s.press("g", "tab", "tab", "tab", "tab", "tab", "tab") // the last one is scrolled to
		s.sees("speak      not reached")
	})
}

func TestTheHopsOfASpreadStandBelowWhoAnswered(t *testing.T) {
	practise(t, setup{}, func(s *screen) {
		s.follow([]string{":ns broken", "2", "/healthy", "p", "G", "enter"})
		s.wait(2 * time.Second)
		s.press("enter")
		s.sees("Who answered 80 connections", "no evidence of imbalance")
		s.misses("├─")
		s.press("tab")
		s.sees("├─ pod/web-", "│  │ ✓ leave")
	})
}

func TestWGoesToTheWorst(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.probeFixed()
		s.press("G", "w")
		s.sees("pod/dual-0 → svc/none-ready:80\n✗ fail")
	})
}

func TestANewRunShowsAllOfIt(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.probeFixed()
		s.enter("/", "none-ready")
		s.sees("5 of 42")
		s.press("r") // the same checks again: the filter stays
		s.wait(time.Second)
		s.sees("5 of 42")
		s.startFixed()
		s.wait(time.Second)
		s.sees("done  42/42", "/5 × 6/15")
		s.misses("5 of 42")
	})
}

func TestResultsSurviveAnotherNamespaceUntilTheNextRun(t *testing.T) {
	practise(t, setup{width: 100, height: 30}, func(s *screen) {
		s.follow([]string{":ns broken", ":probe pod/client svc/wrong-target-port"})
		s.wait(time.Second)
		s.press("G", "$")
		s.follow([]string{":ns default", "3"})
		s.sees("podpath", "default", "pod/client → svc/wrong-target-port", "wrong-target-port")
		s.press("enter")
		s.sees("✗ listen", "kubectl edit service -n broken wrong-target-port")
		s.press("r")
		s.sees("These results are of another namespace or cluster")
		s.press("esc", "n", "a")
		s.wait(5 * time.Second)
		s.sees("everything in default", "✗ 0", "pod/sample-deployment-", "1/7 × 1/")
		s.misses("wrong-target-port")
	})
}

func TestEverythingAboutAPodEntersThatPodOnly(t *testing.T) {
	practise(t, setup{width: 120, height: 40}, func(s *screen) {
		s.follow([]string{"/sample", "p", "enter"})
		s.wait(5 * time.Second)
		s.sees("everything about pod/sample-deployment-", "done", "1/2 × ", "\nlocal") // rows: the Pod and podpath itself
	})
}
