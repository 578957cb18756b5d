package tui

import (
	"errors"
	"strings"
	"testing"
	"time"

	"podpath/kube"
	"podpath/kube/forward"
)

func TestFForwardsWhatIsSelectedAndShowsIt(t *testing.T) {
	for name, c := range map[string]struct {
		open []string
		pick []string // after f, before the local port
		want string
	}{
		"a Service":               {[]string{"2", "/sample-clusterip"}, nil, "svc/sample-clusterip:8080"},
		"a Service, other port":   {[]string{"2"}, []string{"j", "enter"}, "svc/dual-stack:53/udp"},
		"a Pod":                   {[]string{"j", "j"}, []string{"enter"}, "pod/dual-0:8080"},
		"an endpoint":             {[]string{"2", "/sample-clusterip", "enter"}, nil, "pod/sample-deployment-6d4b75cb6d-4xk2p:80"},
		"a described Service":     {[]string{"2", "/sample-clusterip", "d"}, nil, "svc/sample-clusterip:8080"},
		"the YAML of a Pod":       {[]string{"j", "j", "y"}, []string{"enter"}, "pod/dual-0:8080"},
		"one of a Pod's Services": {[]string{"/4xk2p", "s", "/sample-clusterip"}, nil, "svc/sample-clusterip:8080"},
	} {
		t.Run(name, func(t *testing.T) {
			drive(t, setup{width: 120, height: 30}, func(s *screen) {
				s.follow(c.open)
				place := strings.Split(s.text(), "\n")[1]
				s.press("f")
				s.follow(c.pick)
				s.sees("local port for " + c.want + ": ")
				s.typeOver("7070")
				s.press("enter")
				s.sees("› Forwards", c.want, "127.0.0.1:7070", "auto direct", c.want+" is at http://127.0.0.1:7070 now; c copies that", "4 Forwards 1")
				s.press("c")
				if s.copied != "http://127.0.0.1:7070" {
					t.Errorf("got %q copied", s.copied)
				}
				s.press("esc")
				if got := strings.Split(s.text(), "\n")[1]; got != place {
					t.Errorf("got %q, want esc to lead back to %q", got, place)
				}
			})
		})
	}
}

func TestWhatCannotBeForwardedSaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		open []string
		want string
	}{
		"a Node":                    {nil, "Nodes are not forwarded to"},
		"an ExternalName":           {[]string{"2", "/externalname"}, "ExternalName"},
		"an endpoint without a Pod": {[]string{"2", "/none-selector", "enter"}, "names no Pod for 192.168.13.50"},
		"an endpoint without port":  {[]string{"2", "j", "j", "enter"}, "gives no port"},
	} {
		drive(t, setup{width: 140, height: 24}, func(s *screen) {
			s.follow(append(c.open, "f"))
			s.sees(c.want)
			if len(s.forwarder.list) > 0 {
				t.Errorf("%s: got a forward", name)
			}
		})
	}
}

func TestAPodThatDeclaresNoPortAsksForIt(t *testing.T) {
	drive(t, setup{width: 120, height: 24}, func(s *screen) {
		s.follow([]string{"/not-ready", "f"})
		s.sees("pod/not-ready declares no port; LOCAL:PORT is")
		s.typeOver("9000")
		s.press("enter")
		s.sees("pod/not-ready:9000")
	})
}

func TestAnAnswerThatIsNoPortIsAskedForAgain(t *testing.T) {
	drive(t, setup{width: 120, height: 24}, func(s *screen) {
		s.follow([]string{"2", "/sample-clusterip", "f"})
		s.typeOver("80x")
		s.press("enter")
		s.sees(`"80x" is no port; local port for svc/sample-clusterip:8080: 80x`)
		s.press("esc")
		s.sees("Services  /sample-clusterip")
		if len(s.forwarder.list) > 0 {
			t.Error("got a forward after esc")
		}
	})
}

func TestReadOnlyForwardsNothingAndSaysSo(t *testing.T) {
	drive(t, setup{readOnly: true}, func(s *screen) {
		s.press("j", "j", "f")
		s.sees("--readonly: it forwards nothing")
		s.press("2", "f")
		s.sees("--readonly: it forwards nothing")
		s.press("4")
		s.sees("--readonly: it forwards nothing")
		if len(s.forwarder.list) > 0 {
			t.Error("got a forward")
		}
	})
}

func TestABusyPortIsToldAndTriedAgainWithAnother(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.forwarder.fails = func(o forward.Order) error {
			if o.Local == 8080 {
				return errors.New(`svc/sample-clusterip:8080: listen on 127.0.0.1:8080: "nginx" (process 17) has this port already`)
			}
			return nil
		}
		s.forwardSample()
		s.sees("failed", `"nginx" (process 17)`, "r tries again", "4 Forwards ✗1", "svc/sample-clusterip:8080: listen on")
		s.press("c")
		s.sees("there is no URL to copy")
		s.press("r")
		s.sees("local port for svc/sample-clusterip:8080: 8080")
		s.typeOver("8081")
		s.press("enter")
		s.sees("127.0.0.1:8081", "4 Forwards 1")
		s.misses("failed")
	})
}

func TestAMissingPermissionIsNamedAndForgottenWithX(t *testing.T) {
	drive(t, setup{width: 100, height: 24}, func(s *screen) {
		s.forwarder.fails = func(forward.Order) error {
			return &kube.AccessError{Access: kube.Access{Verb: "create", Resource: "pods", Subresource: "portforward", Namespace: "default"}}
		}
		s.forwardSample()
		s.sees("failed", "you may not create pods/portforward in namespace default", "[create, get]")
		s.press("x")
		s.sees("Nothing is forwarded yet.")
	})
}

func TestXAsksAndStops(t *testing.T) {
	drive(t, setup{width: 100, height: 24}, func(s *screen) {
		s.forwardSample()
		s.press("x")
		s.sees("y/n  stop svc/sample-clusterip:8080 on 127.0.0.1:8080?")
		s.press("n")
		s.sees("✓ svc/sample-clusterip:8080", "? help")
		s.press("x", "esc", "x", "enter", "x", "q") // none of them is a yes
		s.sees("✓ svc/sample-clusterip:8080")
		s.forwarder.move(100, 3, 2)
		s.wait(time.Second)
		s.press("x")
		s.sees("2 open connections may run on for a while.")
		s.press("y")
		s.wait(time.Second)
		s.sees("stopping", "2 open connections may run on for a while; x resets them.")
		s.press("x")
		s.sees("y/n  reset 2 open connections of svc/sample-clusterip:8080 now?")
		s.press("y")
		s.wait(time.Second)
		s.sees("Nothing is forwarded yet.")
		if len(s.forwarder.aborted) != 1 {
			t.Errorf("got %v aborted", s.forwarder.aborted)
		}
	})
}

func TestPolicyAndRouteChangeWhileItListens(t *testing.T) {
	drive(t, setup{width: 120, height: 24}, func(s *screen) {
		s.forwardSample()
		s.press("o")
		s.sees("Forwards › Policy", "the least busy, current", "in turn")
		s.press("j", "enter")
		s.sees("round-robin", "new connections go by the policy round-robin")
		s.press("v", "G", "enter")
		s.sees("tunnel", "new connections go by the route tunnel")
		s.forwarder.denied = errors.New("svc/sample-clusterip:8080: you may not create pods/portforward")
		s.press("v", "g", "enter")
		s.sees("you may not create pods/portforward", "tunnel")
		s.press("enter", "o", "enter") // from the endpoints, back to them
		s.sees("Forwards › svc/sample-clusterip:8080", "STATE", "new connections go by the policy round-robin")
	})
}

func TestEndpointsOfAForwardFollow(t *testing.T) {
	drive(t, setup{width: 120, height: 24}, func(s *screen) {
		s.forwardSample()
		s.press("enter")
		s.sees("Services › Forwards › svc/sample-clusterip:8080", "10.244.2.11:80", "ready", "http://127.0.0.1:8080 → raspi › default › ")
		s.press("a")
		if s.copied != "10.244.2.11:80" {
			t.Errorf("got %q copied", s.copied)
		}
		s.forwarder.list[0].Stats.Endpoints = nil
		s.forwarder.list[0].Stats.Why = "Pod web is pending"
		s.forwarder.tell()
		s.wait(time.Second)
		s.sees("No endpoint: connections wait up to 5 s, and are refused then. Pod web is pending")
		s.forwarder.Stop(1)
		s.wait(time.Second)
		s.sees("This forward has ended.")
		s.press("o")
		s.sees("This forward has ended.")
	})
}

func TestForwardsLiveOnAcrossNamespacesAndContexts(t *testing.T) {
	drive(t, setup{width: 120, height: 24}, func(s *screen) {
		s.forwardSample()
		s.enter(":", "ns odd")
		s.sees("raspi › odd", "4 Forwards 1")
		s.enter(":", "fwd")
		s.sees("default › svc/sample-clusterip:8080", "127.0.0.1:8080")
		s.press("enter", "enter")
		s.sees("The Pod is not among what is looked at: it is in raspi › default.")
		s.enter(":", "ctx laptop")
		s.press("4")
		s.sees("laptop › default", "raspi › default › svc/sample-clusterip:8080")
		s.enter(":", "ctx raspi")
		s.enter(":", "forwards")
		s.press("enter", "enter")
		s.sees("› Pods", "4xk2p")
	})
}

func TestFiguresAreReadOnlyWhileTheyMoveAndSomebodyLooks(t *testing.T) {
	drive(t, setup{width: 120, height: 24}, func(s *screen) {
		reads := func(d time.Duration) int {
			before := s.forwarder.listed
			s.wait(d)
			return s.forwarder.listed - before
		}
		s.press("4")
		if got := reads(20 * time.Second); got > 1 {
			t.Errorf("got figures read %d times without a forward", got)
		}
		s.forwardSample()
		s.wait(2 * time.Second)
		if got := reads(20 * time.Second); got > 0 {
			t.Errorf("got figures read %d times though nothing moves", got)
		}
		s.forwarder.move(1000, 1, 0)
		if got := reads(10 * time.Second); got < 15 || got > 21 {
			t.Errorf("got figures read %d times in 10 s while they move, want twice a second", got)
		}
		s.sees("▁", "1 ")
		s.wait(20 * time.Second)
		before := s.model.View().Content
		if got := reads(20 * time.Second); got > 0 || s.model.View().Content != before || strings.ContainsAny(before, "▁▂▃▄▅▆▇█") {
			t.Errorf("got figures read %d times, or another screen, after it has settled:\n%s", got, s.text())
		}
		s.forwarder.move(1000, 1, 1)
		s.press("2")
		s.wait(2 * time.Second)
		if got := reads(20 * time.Second); got > 0 {
			t.Errorf("got figures read %d times though nobody looks", got)
		}
		s.press("4")
		s.sees("127.0.0.1:8080")
		if got := reads(40 * time.Second); got < 40 {
			t.Errorf("got figures read %d times, want it to go on with an open connection", got)
		}
	})
}

func TestAForwardThatStartsSlowlyDoesNotHoldUpAnything(t *testing.T) {
	drive(t, setup{width: 120, height: 24}, func(s *screen) {
		s.forwarder.starts = 20 * time.Second
		s.forwardSample()
		s.sees("starting", "asks for the permission")
		s.press("1", "j", "j")
		s.sees("▾ raspi001")
		s.wait(21 * time.Second)
		s.sees("svc/sample-clusterip:8080 is at http://127.0.0.1:8080 now")
	})
}

func TestNothingToForwardWithIsTold(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.model.options.Forwards = nil
		s.press("2", "f")
		s.sees("There is nothing that could forward to this cluster.")
		s.press("4")
		s.sees("Nothing is forwarded yet.")
	})
}
