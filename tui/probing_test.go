package tui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"podpath/kube"
	"podpath/kube/demo/fixture"
	"podpath/probes/launch"
	"podpath/tui/golden"
)

func TestWhatCannotBePlannedIsSaidAndLeavesTheMatrix(t *testing.T) {
	for line, want := range map[string]string{
		"probe pod/nope svc/dual-stack":       `there is no Pod "nope" in namespace default`,
		"probe local nonsense":                `"nonsense" is no target`,
		"probe local":                         "One word is missing",
		"probe local svc/sample-externalname": "there is nothing to check: local → svc/sample-externalname",
	} {
		drive(t, setup{width: 120, height: 24}, func(s *screen) {
			s.probeFixed()
			s.enter(":", line)
			s.wait(time.Second)
			s.sees(want, "done  42/42", "a bit of everything")
			s.press("r") // of the request before
			s.wait(time.Second)
			s.sees("done  42/42")
		})
	}
}

func TestProbeCommandTakesSourceAndTargets(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.enter(":", "probe pod/dual-0 svc/sample-clusterip pod/not-ready:80")
		s.wait(time.Second)
		s.sees("Pods › Probes", "pod/dual-0 → svc/sample-clusterip and 1 more", "done  5/5", "✗ 1")
		s.press("esc")
		s.sees("\nPods ")
		s.press("3", "enter")
		s.sees("Probes › pod/dual-0 → ")
		s.enter(":", "probe local svc/dual-stack") // another request leaves the evidence
		s.wait(time.Second)
		s.sees("\nProbes ", "local → svc/dual-stack")
	})
}

func TestPAsksWhatToProbeAndShowsIt(t *testing.T) {
	for name, c := range map[string]struct {
		open []string
		pick []string // after p
		want []string
	}{
		"everything about a Pod":          {[]string{"j", "j"}, []string{"enter"}, []string{"Pods › Probes", "everything about pod/dual-0", "done"}},
		"a Pod from each Node":            {[]string{"j", "j"}, []string{"j", "enter"}, []string{"each Node → pod/dual-0", "done  2/2", "pod/sample-depl"}},
		"a Pod from podpath":              {[]string{"j", "j"}, []string{"j", "j", "enter"}, []string{"local → pod/dual-0", "done  1/1", ":8080"}},
		"a Pod from another":              {[]string{"j", "j"}, []string{"j", "j", "j", "enter", "j", "enter"}, []string{"pod/not-ready → pod/dual-0", "done  1/1"}},
		"a Pod to a Service":              {[]string{"j", "j"}, []string{"j", "j", "j", "j", "enter", "/sample-clusterip", "enter"}, []string{"pod/dual-0 → svc/sample-clusterip", "done  4/4"}},
		"a Pod to a Pod":                  {[]string{"j", "j"}, []string{"G", "enter", "G", "enter"}, []string{"pod/dual-0 → pod/sample-deployment", "done  1/1"}},
		"everything about a Service":      {[]string{"2"}, []string{"enter"}, []string{"Services › Probes", "everything about svc/dual-stack"}},
		"a Service from each Node":        {[]string{"2", "G", "k"}, []string{"j", "enter"}, []string{"each Node → svc/sample-nodeport"}},
		"who answers for a Service":       {[]string{"2", "/sample-clusterip"}, []string{"G", "enter"}, []string{"who answers svc/sample-clusterip", "done  4/4", "spread"}},
		"an endpoint":                     {[]string{"2", "/sample-clusterip", "enter"}, []string{"enter"}, []string{"sample-clusterip › Probes", "each Node → pod/sample-deployment", "done  2/2"}},
		"everything about a Node":         {nil, []string{"enter"}, []string{"everything about node/raspi001", "done"}},
		"a Node to a Pod":                 {nil, []string{"j", "j", "enter", "enter"}, []string{"node/raspi001 → pod/dual-0", "done  1/1"}},
		"a Node's node ports":             {nil, []string{"G", "enter"}, []string{"each Node → the node ports of raspi001", ":30080"}},
		"the Pods of a Node":              {[]string{"j"}, []string{"j", "j", "j", "enter"}, []string{"each Node → the Pods on raspi002"}},
		"from the description of a Pod":   {[]string{"j", "j", "enter"}, []string{"j", "j", "enter"}, []string{"dual-0 › Probes", "local → pod/dual-0"}},
		"a Service that nothing leads to": {[]string{"2", "/externalname"}, []string{"j", "j", "enter"}, []string{"there is nothing to check"}},
	} {
		t.Run(name, func(t *testing.T) {
			drive(t, setup{width: 100, height: 30}, func(s *screen) {
				s.follow(c.open)
				s.press("p")
				s.sees("› Probe ")
				s.follow(c.pick)
				s.wait(time.Second)
				s.sees(c.want...)
				place := strings.Split(s.text(), "\n")[1]
				s.press("esc")
				if strings.Contains(s.text(), "› Probe") || !strings.HasPrefix(place, strings.TrimSpace(strings.Split(s.text(), "\n")[1])[:4]) {
					t.Errorf("got\n%s\nwant esc to lead back to before p", s.text())
				}
			})
		})
	}
}

func TestKeysTypedAheadOfASlowLineGoToTheViewThatOpens(t *testing.T) {
	drive(t, setup{width: 100, height: 30}, func(s *screen) {
		for _, name := range []string{"j", "j", "p", "j", "j", "enter"} {
			s.receive(keyNamed(name)) // the next one is there already
		}
		s.settle()
		s.wait(time.Second)
		s.sees("Pods › Probes", "local → pod/dual-0", "done  1/1")
	})
}

// follow presses keys, and types filters, which begin with a slash.
func (s *screen) follow(steps []string) {
	s.Helper()
	for _, step := range steps {
		if filter, ok := strings.CutPrefix(step, "/"); ok {
			s.enter("/", filter)
		} else {
			s.press(step)
		}
	}
}

func TestEndpointsThatCannotBeProbedSaySo(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.press("2", "j", "j", "enter", "p") // port-missing
		s.sees("The EndpointSlice gives no port for 10.244.2.11.")
		s.press("2", "g", "enter", "p") // dual-stack: 53/UDP
		s.sees("podpath probes endpoints over TCP, and this one is UDP.")
	})
}

func TestReadOnlyProbesNothingAndSaysSo(t *testing.T) {
	drive(t, setup{readOnly: true}, func(s *screen) {
		for _, keys := range [][]string{{"p"}, {"2", "p"}, {"3", "a"}, {"3", "t"}, {"1", "j", "j", "enter", "p"}} {
			s.press(keys...)
			s.sees("--readonly")
		}
		s.enter(":", "probe local svc/dual-stack")
		s.sees("--readonly")
		if s.wait(time.Second); len(s.prober.ran) > 0 {
			t.Errorf("got %q run", s.prober.ran)
		}
	})
}

func TestWithoutAProberTheUserIsTold(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		prober := s.model.session.Prober
		s.model.session.Prober = nil
		s.startFixed()
		s.model.session.Prober = prober
		s.sees("There is nothing that could probe this cluster.")
	})
}

func TestFurtherWaysAreOfferedAskedForOnceAndUsed(t *testing.T) {
	drive(t, setup{width: 100, height: 30}, func(s *screen) {
		s.prober.noTools = "dual-0"
		s.probeFixed()
		s.sees("10 checks could not look for want of tools in the containers: t offers other ways", "no-tools")
		s.press("t")
		s.sees("permit ephemeral containers", "permit uploads", "permit helper Pods", "Kubernetes cannot remove it")
		if len(s.prober.allowed) > 0 {
			t.Errorf("got %q allowed before the user was asked", s.prober.allowed)
		}
		s.press("enter")
		s.wait(time.Second)
		if want := []launch.Rung{launch.Ephemeral}; !slices.Equal(s.prober.allowed, want) {
			t.Errorf("got %q allowed, want %q", s.prober.allowed, want)
		}
		s.sees("done  ")
		s.misses("t offers", "no-tools")
		for _, id := range s.prober.ran[1] {
			if !strings.HasPrefix(id, "pod/dual-0 ") {
				t.Errorf("got %q run again, want only what could not look", id)
			}
		}
		s.press("t")
		s.sees("permitted: ephemeral containers", "permit all of these")
		s.press("G", "enter", "t")
		s.sees("permitted: uploads", "permitted: helper Pods")
		s.misses("permit all")
		s.press("enter") // nothing follows
		s.sees("permitted: ephemeral")
	})
}

func TestResultsShowOnTheirObjects(t *testing.T) {
	drive(t, setup{width: 120, height: 70}, func(s *screen) {
		s.sees("AGE")
		s.misses("PROBE")
		s.probeFixed()
		s.press("1")
		s.sees("PROBE")
		s.press("2")
		s.sees("PROBE", "✗ 5")
		s.enter("/", "none-ready")
		s.press("d")
		s.sees("Probes to it: 0/5 ✗ as expected", "✗ from local to svc/none-ready:80  no-ready-endpoint  <1m ago")
		s.press("1", "j", "j", "enter")
		s.sees("Probes to it: ", "✓ from local to pod/dual-0:80", "Probes from it: 9/10 ✗ as expected", "✗ to svc/none-ready:80")
		s.enter(":", "ns odd")
		s.misses("PROBE")
	})
}

func TestHelperPodsOfAnotherRunAreToldOnce(t *testing.T) {
	manifest := `{apiVersion: v1, kind: Pod, metadata: {namespace: default, name: podpath-old-1, labels: {app.kubernetes.io/managed-by: podpath, podpath/run: old}}}`
	snapshot := fixture.Snapshot(t, kube.Scope{Namespace: "default"}, golden.Now, manifest)
	drive(t, setup{width: 120, height: 24, snapshot: snapshot}, func(s *screen) {
		s.sees("Pod default/podpath-old-1 is of another run of podpath", "podpath cleanup deletes it")
		s.press("j")
		s.show(snapshot)
		s.misses("of another run")
	})
}

func TestARunWaitsUntilEverythingIsListed(t *testing.T) {
	all := golden.Cluster(t, "default")
	drive(t, setup{snapshot: fixture.WithState(all, kube.EndpointSlices, kube.State{Phase: kube.Syncing})}, func(s *screen) {
		s.enter(":", "probe local svc/dual-stack")
		s.wait(time.Second)
		s.sees("Pods › Probes")
		if len(s.prober.ran) > 0 {
			t.Errorf("got %v run without the endpoints", s.prober.ran)
		}
		s.show(all)
		s.wait(time.Second)
		s.sees("done")
		s.show(fixture.WithState(all, kube.EndpointSlices, kube.State{Phase: kube.Syncing}))
		s.press("ctrl+r")
		s.wait(time.Second)
		s.press("esc")
		s.wait(time.Second)
		if len(s.prober.ran) != 1 {
			t.Errorf("got %d runs, want the second one cancelled while it waits", len(s.prober.ran))
		}
		s.show(all)
		s.press("ctrl+r")
		s.wait(time.Second)
		s.sees("done")
		if len(s.prober.ran) != 2 {
			t.Errorf("got %d runs, want one more", len(s.prober.ran))
		}
	})
}
