package tui

import (
	"strings"
	"testing"
	"time"

	"podpath/kube"
)

func TestWhatCannotBePlannedIsSaidAndLeavesTheMatrix(t *testing.T) {
	for line, want := range map[string]string{
		"probe pod/nope svc/dual-stack": `there is no Pod "nope" in namespace default`,
		"probe local nonsense":          `"nonsense" is no target`,
		"probe local":                   "One word is missing",
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
	practise(t, setup{width: 100, height: 30}, func(s *screen) {
		s.enter(":", "ns broken")
		s.enter(":", "probe pod/client svc/healthy svc/selects-nothing:80")
		s.wait(time.Second)
		s.sees("Pods › Probes", "pod/client → svc/healthy and 1 more", "done  4/4", "✗ 1 check  selector-matches-nothing")
		s.press("esc")
		s.sees("\nPods ")
		s.press("3", "enter")
		s.sees("Probes › pod/client → ")
		s.enter(":", "probe local svc/healthy") // another request leaves the evidence
		s.wait(time.Second)
		s.sees("\nProbes ", "local → svc/healthy")
	})
}

func TestPAsksWhatToProbeAndShowsIt(t *testing.T) {
	cases := map[string]struct {
		open []string
		pick []string // after p
		want []string
	}{
		"everything about a Pod":        {[]string{"j", "j"}, []string{"enter"}, []string{"Pods › Probes", "everything about pod/sample-deployment", "done"}},
		"a Pod from each Node":          {[]string{"j", "j"}, []string{"j", "enter"}, []string{"each Node → pod/sample-deployment", "done  2/2"}},
		"a Pod from podpath":            {[]string{"j", "j"}, []string{"j", "j", "enter"}, []string{"local → pod/sample-deployment", "done  1/1", ":80"}},
		"a Pod from another":            {[]string{"j", "j"}, []string{"j", "j", "j", "enter", "/web", "enter"}, []string{"pod/web-", " → pod/sample-deployment", "done  1/1"}},
		"a Pod to a Service":            {[]string{"j", "j"}, []string{"j", "j", "j", "j", "enter", "/sample-clusterip", "enter"}, []string{"→ svc/sample-clusterip", "done  4/4"}},
		"a Pod to a Pod":                {[]string{"j", "j"}, []string{"G", "enter", "G", "enter"}, []string{"pod/sample-deployment", "→ pod/web-", "done  1/1"}},
		"everything about a Service":    {[]string{"2"}, []string{"enter"}, []string{"Services › Probes", "everything about svc/kubernetes"}},
		"a Service from each Node":      {[]string{":ns kinds", "2", "/nodeport"}, []string{"j", "enter"}, []string{"each Node → svc/nodeport", "done  12/12"}},
		"who answers for a Service":     {[]string{"2", "/sample-clusterip"}, []string{"G", "enter"}, []string{"who answers svc/sample-clusterip", "done  4/4", "spread"}},
		"an endpoint":                   {[]string{"2", "/sample-clusterip", "enter"}, []string{"enter"}, []string{"sample-clusterip › Probes", "each Node → pod/sample-deployment", "done  2/2"}},
		"everything about a Node":       {nil, []string{"enter"}, []string{"everything about node/raspi001", "done"}},
		"a Node to a Pod":               {nil, []string{"j", "j", "enter", "enter"}, []string{"node/raspi001 → pod/sample-deployment", "done  1/1"}},
		"a Node's node ports":           {[]string{":ns kinds"}, []string{"G", "enter"}, []string{"each Node → the node ports of raspi001", ":30"}},
		"the Pods of a Node":            {[]string{"j"}, []string{"j", "j", "j", "enter"}, []string{"each Node → the Pods on raspi002"}},
		"from the description of a Pod": {[]string{"j", "j", "enter"}, []string{"j", "j", "enter"}, []string{"› Probes", "local → pod/sample-deployment"}},
		"a Service that is a name":      {[]string{":ns broken", "2", "/partner"}, []string{"j", "j", "enter"}, []string{"local → svc/partner", "done  2/2", "outside-dns"}},
	}
	practise(t, setup{width: 100, height: 30}, func(s *screen) {
		for name, c := range cases {
			again := *s
			again.use(func(s *screen) {
				s.Log(name)
				s.follow(c.open)
				s.press("p")
				s.sees("› Probe ")
				s.follow(c.pick)
				s.wait(2 * time.Second)
				s.sees(c.want...)
				place := strings.Split(s.text(), "\n")[1]
				s.press("esc")
				if strings.Contains(s.text(), "› Probe") || !strings.HasPrefix(place, strings.TrimSpace(strings.Split(s.text(), "\n")[1])[:4]) {
					s.Errorf("got\n%s\nwant esc to lead back to before p", s.text())
				}
			})
		}
	})
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

// follow presses keys, and types filters and commands, which begin with their
// sign.
func (s *screen) follow(steps []string) {
	s.Helper()
	for _, step := range steps {
		if len(step) > 1 && strings.ContainsAny(step[:1], "/:") {
			s.enter(step[:1], step[1:])
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
	practise(t, setup{width: 120, height: 40}, func(s *screen) {
		s.follow([]string{":ns broken", "/silent"})
		silent := s.selected()
		s.follow([]string{"p", "j", "j", "j", "j", "enter", "/healthy", "enter"})
		s.wait(time.Second)
		s.sees("3 checks could not look for want of tools in the containers: t offers other ways", "no-tools")
		s.press("t")
		s.sees("permit ephemeral containers", "permit uploads", "permit helper Pods", "Kubernetes cannot remove it")
		s.misses("permitted")
		s.press("enter")
		s.wait(10 * time.Second)
		s.sees("done  3/3  ✓ 3  ✗ 0")
		s.misses("t offers", "no-tools")
		s.press("t")
		s.sees("permitted: ephemeral containers", "permit all of these")
		s.press("G", "enter", "t")
		s.sees("permitted: uploads", "permitted: helper Pods")
		s.misses("permit all")
		s.press("enter") // nothing follows
		s.sees("permitted: ephemeral")
		s.press("1", "esc")
		s.follow([]string{"/" + strings.Fields(silent)[0], "enter"})
		s.sees("podpath-", "(ephemeral)")
		s.follow([]string{":ns default", "3", "t"})
		s.sees("permit ephemeral containers") // it was permitted for the other namespace's Pods
	})
}

func TestHelperPodsGoWithTheirSession(t *testing.T) {
	practise(t, setup{width: 120, height: 40}, func(s *screen) {
		helpers := func() (n int) {
			for _, o := range s.practice.Store().List("pods", "lawless") {
				if o.GetLabels()[kube.ManagedByLabel] == kube.ManagedBy {
					n++
				}
			}
			return n
		}
		s.follow([]string{":ns lawless", "3", "t", "j", "j", "enter", ":probe node/raspi003 pod/vault:8000"})
		s.wait(10 * time.Second)
		s.sees("node/raspi003 → pod/vault:8000", "done  1/1  ✓ 1")
		s.press("enter")
		s.sees("  Way           helper: ")
		s.press("r")
		for deadline := time.Now().Add(time.Minute); helpers() == 0 && time.Now().Before(deadline); {
			s.wait(50 * time.Millisecond)
		}
		if helpers() != 1 {
			s.Errorf("got %d helper Pods while the run goes on, want one", helpers())
		}
		s.enter(":", "ns default")
		s.wait(time.Minute)
		if helpers() > 0 {
			s.Errorf("got %d helper Pods after their session", helpers())
		}
	})
}

func TestResultsShowOnTheirObjects(t *testing.T) {
	practise(t, setup{width: 120, height: 70}, func(s *screen) {
		s.enter(":", "ns broken")
		s.sees("AGE")
		s.misses("PROBE")
		s.enter(":", "probe pod/client svc/none-ready svc/healthy")
		s.wait(time.Second)
		s.press("1")
		s.sees("PROBE")
		s.press("2")
		s.sees("PROBE", "✗ 1")
		s.enter("/", "none-ready")
		s.press("d")
		s.sees("Probes to it: 0/1 ✗ as expected", "✗ from pod/client to svc/none-ready:80  no-ready-endpoint  <1m ago")
		s.press("1")
		s.enter("/", "client")
		s.press("enter")
		s.sees("Probes from it: 3/4 ✗ as expected", "✗ to svc/none-ready:80", "✓ to svc/healthy:80")
		s.enter(":", "ns odd")
		s.misses("PROBE")
	})
}

func TestHelperPodsOfAnotherRunAreToldOnce(t *testing.T) {
	manifest := `{apiVersion: v1, kind: Pod, metadata: {namespace: default, name: podpath-old-1, labels: {app.kubernetes.io/managed-by: podpath, podpath/run: old}}}`
	drive(t, setup{width: 120, height: 24, manifests: manifest}, func(s *screen) {
		s.sees("Pod default/podpath-old-1 is of another run of podpath", "podpath cleanup deletes it")
		s.press("j")
		s.server.Apply(strings.ReplaceAll(manifest, "old-1", "old-2"))
		s.wait(time.Second)
		s.sees("podpath-old-2")
		s.misses("of another run")
	})
}

func TestARunWaitsUntilEverythingIsListed(t *testing.T) {
	drive(t, setup{stalled: []string{"endpointslices"}}, func(s *screen) {
		for _, cancel := range []bool{true, false} {
			s.enter(":", "probe local svc/dual-stack")
			s.wait(time.Second)
			s.sees("Pods › Probes")
			if cancel {
				s.press("esc")
				s.wait(time.Second)
				s.sees("cancelled")
			}
		}
		if len(s.prober.ran) > 0 {
			t.Errorf("got %v run without the endpoints", s.prober.ran)
		}
		s.answer()
		s.wait(time.Second)
		s.sees("done")
		if len(s.prober.ran) != 1 {
			t.Errorf("got %d runs, want the first one cancelled while it waits", len(s.prober.ran))
		}
	})
}
