package present_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"podpath/kube"
	"podpath/probes/path"
	"podpath/probes/present"
	"podpath/tui/golden"
)

// drawn are the results of the stories whose paths are drawn.
func drawn(t *testing.T) map[string]func() (*path.World, path.Result) {
	// named looks the name of the Service up.
	named := func(o path.Observation) path.Observation {
		o.Answers = []path.NameAnswer{{Name: "web.shop.svc.cluster.local.", Type: "A", Says: "10.96.0.7"}}
		o.Values, o.Resolver = []string{"10.96.0.7"}, &path.Resolver{Nameservers: []string{"10.96.0.10"}, Search: []string{"shop.svc.cluster.local", "svc.cluster.local", "cluster.local"}, Ndots: 5}
		return o
	}
	return map[string]func() (*path.World, path.Result){
		"fork": func() (*path.World, path.Result) {
			w := storyWorld(t)
			return w, asks(t, w, "svc/web", func(c path.Check) path.Observation { return page(c, c.Ask.Host) }, path.Looks{})
		},
		"wrong-target-port": func() (*path.World, path.Result) {
			w := storyWorld(t)
			for _, svc := range w.Services {
				for i := range svc.Endpoints {
					svc.Endpoints[i].Port = 8081
				}
			}
			refuses := func(c path.Check) path.Observation {
				if c.Kind == path.HTTP {
					return named(at(c, "10.96.0.7", path.StageConnect, path.Refused))
				}
				return at(c, c.Ask.Host, path.StageConnect, path.Refused)
			}
			nginx := []path.Listener{{Protocol: "TCP", Address: netip.MustParseAddr("0.0.0.0"), Port: 80}}
			return w, asks(t, w, "http://web:8080/", refuses, listens(nginx, "web-1", "web-2", "web-3"))
		},
		"policy": func() (*path.World, path.Result) {
			w := storyWorld(t)
			w.Policies = []*kube.NetworkPolicy{{Namespace: "shop", Name: "vault-door", Pods: labelled("app", "web"), LimitsIngress: true}}
			return w, asks(t, w, "svc/web", func(c path.Check) path.Observation { return at(c, c.Ask.Host, path.StageConnect, path.TimedOut) }, path.Looks{})
		},
		"name": func() (*path.World, path.Result) {
			w := storyWorld(t)
			return w, asks(t, w, "http://wbe/", func(c path.Check) path.Observation {
				o := named(at(c, "10.96.0.10", path.StageResolve, path.NXDomain))
				o.Address, o.Values, o.Answers = "10.96.0.10:53", nil, nil
				for _, domain := range []string{"shop.svc.cluster.local.", "svc.cluster.local.", "cluster.local.", ""} {
					o.Answers = append(o.Answers, path.NameAnswer{Name: "wbe." + domain, Type: "A", Error: path.NXDomain})
				}
				return o
			}, path.Looks{})
		},
		"blind": func() (*path.World, path.Result) {
			w := storyWorld(t)
			return w, asks(t, w, "pod/web-1:80", func(path.Check) path.Observation {
				return path.Observation{Blind: fmt.Errorf("the stream\nwas \x1b[31mcut"), Tries: 3}
			}, path.Looks{})
		},
		"unexplained": func() (*path.World, path.Result) {
			w := storyWorld(t)
			r := asks(t, w, "pod/web-1:80", func(c path.Check) path.Observation { return at(c, c.Ask.Host, path.StageConnect, path.Refused) }, path.Looks{})
			r.Cause, r.Unexplained = nil, true
			return w, r
		},
		"waiting": func() (*path.World, path.Result) {
			w := storyWorld(t)
			checks, err := w.PlanFor(path.Intent{Sources: []string{"pod/client"}, Targets: []string{"pod/web-1:80"}})
			if err != nil {
				t.Fatal(err)
			}
			return w, path.Result{Check: checks[0]}
		},
	}
}

// labelled selects one value of a label.
func labelled(key, value string) kube.Selector {
	return kube.Selector{Labels: kube.Labels{{Key: key, Value: value}}}
}

func TestPathsAreDrawn(t *testing.T) {
	for name, story := range drawn(t) {
		for _, width := range []int{80, 40} {
			w, r := story()
			var text strings.Builder
			for _, line := range present.Trace(w, r, width) {
				text.WriteString(line.Text + "\n")
			}
			golden.Check(t, fmt.Sprintf("trace-%s-%d.txt", name, width), text.String())
		}
	}
}

func TestNoLineOfADrawingIsWiderThanItMayBe(t *testing.T) {
	for name, story := range drawn(t) {
		w, r := story()
		for width := range 200 {
			for _, line := range present.Trace(w, r, width) {
				if got := ansi.StringWidth(line.Text); got > width {
					t.Errorf("%s at %d columns: got %d for %q", name, width, got, line.Text)
				}
				if strings.ContainsAny(line.Text, "\x1b\n") {
					t.Errorf("%s: got control characters in %q", name, line.Text)
				}
			}
		}
	}
}

// A line says which hop it draws, so that one can be chosen and opened.
func TestLinesKnowTheirHops(t *testing.T) {
	for name, story := range drawn(t) {
		w, r := story()
		trace, hops := w.Trace(r), map[[2]int]bool{}
		for _, line := range present.Trace(w, r, 80) {
			if line.Hop < 0 {
				continue
			}
			of := trace.Hops
			if line.Tail >= 0 {
				of = trace.Tails[line.Tail].Hops
			}
			if h := of[line.Hop]; h.State != line.State {
				t.Errorf("%s: got %q for %q, want %q", name, line.State, line.Text, h.State)
			}
			hops[[2]int{line.Tail, line.Hop}] = true
		}
		if len(hops) < len(trace.Hops) {
			t.Errorf("%s: got %d hops, want at least the %d of the way to the fork", name, len(hops), len(trace.Hops))
		}
	}
}
