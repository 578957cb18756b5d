package tui

import (
	"errors"
	"image/color"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"podpath/kube"
	"podpath/kube/demo/fixture"
)

func TestCommands(t *testing.T) {
	for _, c := range []struct {
		line string
		want []string // on the screen
	}{
		{"svc", []string{"\nServices ", "sample-lb"}},
		{"services", []string{"\nServices "}},
		{"po", []string{"\nPods ", "dual-0"}},
		{"ns", []string{"Pods › Namespaces", "kube-system"}},
		{"ns kube-system", []string{"raspi › kube-system", "kube-proxy-x7l5f"}},
		{"ns all", []string{"raspi › all namespaces", "NAMESPACE"}},
		{"  ns   odd  ", []string{"raspi › odd", "crashing"}},
		{"ctx", []string{"Pods › Contexts", "laptop"}},
		{"ctx laptop", []string{"laptop › default"}},
		{"status", []string{"Pods › Status", "https://192.168.13.101:6443", "endpointslices  live"}},
		{"", []string{"\nPods "}},
		{"nonsense", []string{"There is no command :nonsense; ? lists them."}},
		{"pods x", []string{"\nPods "}},
	} {
		t.Run(c.line, func(t *testing.T) {
			drive(t, setup{}, func(s *screen) {
				s.enter(":", c.line)
				s.sees(c.want...)
			})
		})
	}
}

func TestTabCompletesCommands(t *testing.T) {
	for typed, want := range map[string]string{"sta": ":status", "ns kube": ":ns kube-system", "ns al": ":ns all", "ctx lap": ":ctx laptop"} {
		drive(t, setup{}, func(s *screen) {
			s.press(":")
			s.press(strings.Split(typed, "")...)
			s.press("tab")
			if got := strings.TrimSpace(strings.Split(s.text(), "\n")[s.height-1]); got != want {
				s.Errorf("got %q completed, want %q", got, want)
			}
		})
	}
}

func TestZeroGoesToAllNamespacesAndBack(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.enter(":", "ns odd")
		s.press("0")
		s.sees("raspi › all namespaces", "NAMESPACE")
		s.press("0")
		s.sees("raspi › odd", "crashing")
	})
	drive(t, setup{all: true}, func(s *screen) { // from the start: back to the context's own
		s.press("0")
		s.sees("raspi › default")
	})
}

func TestReloadConnectsAnewToTheSame(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.enter(":", "reload")
		if want := (Choice{Context: "raspi", Namespace: "default"}); len(s.chosen) != 1 || s.chosen[0] != want {
			s.Errorf("got %+v connected to, want %+v", s.chosen, want)
		}
		s.sees("dual-0")
	})
}

func TestAFailedConnectionLeavesTheOldOne(t *testing.T) {
	connect := func(Choice) error { return errors.New("the kubeconfig has no context \"x\"\x1b[2J") }
	drive(t, setup{connect: connect}, func(s *screen) {
		s.enter(":", "ctx x")
		s.sees(`the kubeconfig has no context "x"[2J`, "raspi › default", "dual-0")
		s.server.Delete("pods", "default", "dual-0")
		s.wait(time.Second)
		s.misses("dual-0")
	})
}

func TestNewsOfAnOldSessionIsDropped(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		old, before := s.model.session, s.model.snapshot
		s.enter(":", "ns kube-system")
		s.send(snapshotArrived{old, before})
		s.sees("raspi › kube-system", "kube-proxy-x7l5f")
		s.misses("dual-0")
		if s.send(sessionEnded{old}); s.quit {
			s.Error("got podpath ended with a session that was replaced")
		}
	})
}

func TestASessionThatBreaksEndsTheProgramWithItsError(t *testing.T) {
	broke := errors.New("panic while following pods")
	var breaks chan error // of the bubble
	source := func(s Source) Source {
		breaks = make(chan error, 1)
		return breaking{s, breaks}
	}
	drive(t, setup{source: source}, func(s *screen) {
		breaks <- broke
		s.settle()
		if !s.quit || !errors.Is(s.model.fatal, broke) {
			s.Errorf("got quit %t with %v, want it to end with %v", s.quit, s.model.fatal, broke)
		}
	})
}

// everything are the resources that podpath reads.
var everything = []string{"pods", "nodes", "services", "endpointslices", "namespaces"}

func TestStates(t *testing.T) {
	goAway := func(s *screen) {
		s.server.Close()
		s.wait(10 * time.Second)
	}
	for name, c := range map[string]struct {
		setup    setup
		then     func(s *screen)
		pods     []string // what the Pods pane says
		services []string
		status   []string
		not      []string // nowhere
	}{
		"syncing": {
			setup: setup{stalled: everything},
			pods:  []string{"listing Pods …", "syncing"}, services: []string{"listing Services …"}, status: []string{"pods            syncing"},
			not: []string{"No Pods", "1 Pods 0"},
		},
		"syncing and receiving": {
			setup: setup{snapshot: func(*screen) *kube.Snapshot {
				return fixture.WithState(&kube.Snapshot{}, kube.Pods, kube.State{Received: 1234})
			}},
			pods: []string{"listing Pods … 1234"},
		},
		"Nodes listed before the Pods": {
			setup: setup{stalled: []string{"pods"}},
			pods:  []string{"listing Pods …", "pods syncing"}, not: []string{"0 Pods"},
		},
		"unreachable from the start": {
			setup: setup{closed: true},
			pods:  []string{"unreachable", "connection refused.", "podpath keeps trying."},
		},
		"stale": {
			then: goAway,
			pods: []string{"stale since 12:00:0", "dual-0"}, services: []string{"sample-lb"}, status: []string{"connection refused.", "podpath keeps trying."},
		},
		"no right to list Pods": {
			setup: setup{denied: []string{"pods"}},
			pods:  []string{"pods forbidden", "you may not list pods in namespace default.", "A rule in a Role in default would permit it:", `{apiGroups: [""], resources: [pods], verbs: [list, watch]}`},
		},
		"no right to list Nodes": {
			setup: setup{denied: []string{"nodes"}},
			pods:  []string{"nodes forbidden", "dual-0"}, status: []string{"you may not list nodes in the whole cluster.", "A rule in a ClusterRole would permit it:"},
		},
		"no right to list EndpointSlices": {
			setup:    setup{denied: []string{"endpointslices"}},
			services: []string{"endpointslices forbidden", "sample-lb"}, status: []string{`{apiGroups: ["discovery.k8s.io"], resources: [endpointslices],`, "verbs: [list, watch]}"},
			not: []string{"3/3", "0/0"},
		},
		"not logged in": {
			setup: setup{stranger: true},
			pods:  []string{"not logged in", "the API server does not accept your credentials: log in again."},
		},
		"several at once": {
			setup: setup{denied: []string{"nodes"}, width: 120, height: 24}, then: goAway,
			pods: []string{"pods stale since 12:00:0", " · nodes forbidden · services stale since 12:00:0"},
		},
		"live and empty": {
			setup: setup{manifests: "{apiVersion: v1, kind: Namespace, metadata: {name: default}}"},
			pods:  []string{"live", "No Pods in default.", "1 Pods 0"}, services: []string{"No Services in default."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			drive(t, c.setup, func(s *screen) {
				if c.then != nil {
					c.then(s)
				}
				look := func(want []string) {
					s.sees(want...)
					s.misses(c.not...)
				}
				look(c.pods)
				s.press("2")
				look(c.services)
				s.enter(":", "status")
				look(c.status)
			})
		})
	}
}

func TestTheFirstFrameNeedsNoData(t *testing.T) {
	drive(t, setup{stalled: everything}, func(s *screen) { s.sees("raspi › default", "listing Pods …", "? help") })
}

func TestAServiceWithoutEndpointsSaysWhy(t *testing.T) {
	for name, want := range map[string]string{
		"matches-nothing":      "The selector app=nothing matches no Pod in namespace odd",
		"no-selector-no-slice": "The Service has no selector, and no EndpointSlice",
		"lb-pending":           "No load balancer has given this Service an address",
	} {
		drive(t, setup{all: true}, func(s *screen) {
			s.press("2")
			s.enter("/", name)
			s.press("enter")
			s.sees(want, "No endpoints.")
		})
	}
}

func TestAGoneServiceIsTold(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		views["endpoints"](s)
		s.server.Delete("services", "default", "sample-clusterip")
		s.wait(time.Second)
		s.sees("The Service default/sample-clusterip is gone.")
		s.press("enter", "d", "y", "c", "j")
	})
}

func TestFilter(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.press("/", "d", "u", "a")
		s.sees("/dua", "1 of 6", "dual-0", "▾ raspi002  Ready  1 Pod ")
		s.misses("sample-dep", "raspi003")
		s.press("enter")
		s.sees("Pods  /dua  1 of 6")
		s.press("/", "esc")
		s.sees("Pods  /dua  1 of 6") // nothing was typed: the filter before stays
		s.press("esc")
		s.sees("sample-dep")
		s.enter("/", "-l app=slow")
		s.sees("not-ready", "1 of 6")
		s.enter("/", "zzz")
		s.sees("Nothing matches zzz: esc clears the filter.")
		s.press("esc")
		s.enter("/", "-l app in (")
		s.sees("label selector: ")
	})
}

func TestPastedTextIsHarmless(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.send(tea.PasteMsg{Content: "ignored while no prompt is open"})
		s.press("/")
		s.send(tea.PasteMsg{Content: "du\x1b[31m\nal\u009b2J\u202e"})
		s.sees("0 of 6")
		s.press("enter")
		s.sees("/du")
	})
}

func TestAgesGrowOnceAMinute(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		before := s.model.View().Content
		time.Sleep(59 * time.Second)
		s.settle()
		if after := s.model.View().Content; after != before {
			s.Error("got another screen within a minute")
		}
		s.sees("3m")
		time.Sleep(time.Minute)
		s.settle()
		s.sees("4m")
	})
}

func TestTheThemeFollowsTheBackground(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		dark, text := s.model.View().Content, s.text()
		s.send(tea.BackgroundColorMsg{Color: color.White})
		if light := s.model.View().Content; light == dark || s.text() != text {
			s.Error("got the same colours or another text on a light background")
		}
	})
}
