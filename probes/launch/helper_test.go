package launch

import (
	"slices"
	"strings"
	"testing"
	"time"

	"podpath/kube"
)

func hostPod(name, node string, c ...container) string {
	return strings.Replace(podYAML(name, node, c...), "spec: {", "spec: {hostNetwork: true, ", 1)
}

func TestNodeSources(t *testing.T) {
	c := startPractice(t, podYAML("web", "raspi002", container{"app", withPython})+hostPod("cni", "raspi002", container{"agent", withBash})+
		podYAML("other", "raspi003", container{"a", withBash}))
	for name, test := range map[string]struct {
		node    string
		options Options
		want    Via
		helpers int
	}{
		"podpath's own Node":        {"raspi001", Options{}, Via{Rung: Local, Tool: "podpath"}, 0},
		"a Pod in its network":      {"raspi002", Options{}, Via{Rung: Tools, Tool: "bash", Container: "agent"}, 0},
		"a helper of a named image": {"raspi003", Options{AllowHelperPods: true, Image: withPerl}, Via{Rung: Helper, Tool: "perl", Container: "probe"}, 1},
		"a helper of what is there": {"raspi003", Options{AllowHelperPods: true, Namespace: "shop"}, Via{Rung: Helper, Tool: "bash", Container: "probe"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			l := c.ladder(test.options)
			for range 2 { // the second time, the same helper
				link, err := l.Node(t.Context(), c.snapshot, test.node)
				c.check(t, link, err, test.want)
			}
			helpers := c.helpers("r1")
			if len(helpers) != test.helpers {
				t.Errorf("got helpers %v, want %d", helpers, test.helpers)
			}
			for _, h := range helpers {
				if h.Spec.NodeName != test.node {
					t.Errorf("got a helper on %s, want %s", h.Spec.NodeName, test.node)
				}
			}
			must(t, l.Close(t.Context()))
			c.gone(t, "r1")
		})
	}
}

// gone waits until the helper Pods of a run are deleted.
func (p *practice) gone(t *testing.T, run string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); len(p.helpers(run)) > 0; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("got %v, want the helpers of run %s gone", p.helpers(run), run)
		}
	}
}

func TestAHelperOfAnImageWithoutToolsGetsAnUpload(t *testing.T) {
	l, s := newFake().ladder(t, Options{AllowHelperPods: true, AllowUpload: true, Image: "shell"}, nodesYAML)
	link, err := l.Node(t.Context(), s, "raspi002")
	checkLink(t, link, err, Via{Rung: Upload, Tool: "podpath", Container: "probe"})
}

func TestNodesThatCannotBeASource(t *testing.T) {
	c := startPractice(t, "")
	allowed := Options{AllowHelperPods: true, Image: withBash}
	for name, test := range map[string]struct {
		options Options
		denied  string
		node    string
		reasons []string
	}{
		"not allowed":        {Options{}, "", "raspi002", []string{"local: podpath does not run on that Node", "tools: no Pod", "--allow-helper-pods"}},
		"may not create":     {allowed, "create pods", "raspi002", []string{"local", "tools", "helper: you may not create pods in namespace default"}},
		"could not clean up": {allowed, "delete pods", "raspi002", []string{"local", "tools", "helper: you may not delete pods"}},
		"no image":           {Options{AllowHelperPods: true}, "", "raspi002", []string{"local", "tools", "helper: no image with tools"}},
		"no such Node":       {allowed, "", "raspi009", []string{"no such Node"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.deny(test.denied)
			_, err := c.ladder(test.options).Node(t.Context(), c.snapshot, test.node)
			checkFailure(t, err, NoTools, test.reasons...)
			if helpers := c.helpers("r1"); len(helpers) != 0 {
				t.Errorf("got helpers %v, want none", helpers)
			}
		})
	}
}

func TestAHelperThatDoesNotRunIsDeletedAtOnce(t *testing.T) {
	a := newAging()
	a.ended["podpath-r1-1"] = true
	l, s := a.ladder(t, Options{AllowHelperPods: true})
	_, err := l.Node(t.Context(), s, "raspi002")
	checkFailure(t, err, NoTools, "local", "tools", "it has ended: exit code 137")
	if !slices.Equal(a.deleted, []string{"default/podpath-r1-1"}) {
		t.Errorf("deleted %v", a.deleted)
	}
}

func TestLeftoversAreThoseOfOtherRuns(t *testing.T) {
	labels := "labels: {" + kube.ManagedByLabel + ": " + kube.ManagedBy + ", " + kube.RunLabel + ": old}, "
	c := startPractice(t, strings.Replace(hostPod("podpath-old-1", "raspi002", container{"probe", withNothing}), "metadata: {", "metadata: {"+labels, 1))
	l := c.ladder(Options{AllowHelperPods: true, Image: withBash})
	link, err := l.Node(t.Context(), c.snapshot, "raspi003")
	must(t, err)
	_ = link.Close()
	got, err := l.Leftovers(t.Context())
	must(t, err)
	if len(got) != 1 || got[0].Key != (kube.Key{Namespace: "shop", Name: "podpath-old-1"}) || got[0].Run != "old" {
		t.Errorf("got %v, want the one of the run before", got)
	}
	must(t, l.Remove(t.Context(), got))
	c.gone(t, "old")
	if len(c.helpers("r1")) != 1 {
		t.Errorf("got %v, want the own one left", c.helpers("r1"))
	}
	must(t, l.Close(t.Context()))
}
