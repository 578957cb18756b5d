package launch

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"podpath/kube"
)

func hostPod(name, node string, c ...container) string {
	return strings.Replace(podYAML(name, node, c...), "spec: {", "spec: {hostNetwork: true, ", 1)
}

func TestNodeSources(t *testing.T) {
	manifests := withOne(withPython) + hostPod("cni", "raspi002", container{"agent", withBash}) + podYAML("other", "raspi003", container{"a", withBash})
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
		"a helper without tools":    {"raspi003", Options{AllowHelperPods: true, AllowUpload: true, Image: withShell}, Via{Rung: Upload, Tool: "podpath", Container: "probe"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			inPractice(t, manifests, func(t *testing.T, c *practice) {
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
				c.wantHelpers(t, "r1", 0)
			})
		})
	}
}

// wantHelpers checks how many helper Pods of a run there are once those that
// were deleted are gone.
func (c *practice) wantHelpers(t *testing.T, run string, want int) {
	t.Helper()
	time.Sleep(time.Minute)
	if got := c.helpers(run); len(got) != want {
		t.Errorf("got %v, want %d helpers of run %s", got, want, run)
	}
}

func TestNodesThatCannotBeASource(t *testing.T) {
	allowed := Options{AllowHelperPods: true, Image: withBash}
	inPractice(t, "", func(t *testing.T, c *practice) {
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
			t.Log(name)
			c.deny(test.denied)
			_, err := c.ladder(test.options).Node(t.Context(), c.snapshot, test.node)
			checkFailure(t, err, NoTools, test.reasons...)
			c.wantHelpers(t, "r1", 0)
		}
	})
}

// stillborn is a cluster in which nothing that podpath adds runs.
type stillborn struct{ *practice }

func (stillborn) AwaitRunning(context.Context, kube.Key, string) error {
	return errors.New("it has ended: exit code 137")
}

func TestAHelperThatDoesNotRunIsDeletedAtOnce(t *testing.T) {
	inPractice(t, "", func(t *testing.T, c *practice) {
		l := c.ladder(Options{AllowHelperPods: true, Image: withBash})
		l.cluster = stillborn{c}
		_, err := l.Node(t.Context(), c.snapshot, "raspi002")
		checkFailure(t, err, NoTools, "local", "tools", "it has ended: exit code 137")
		if len(c.deleted) != 1 {
			t.Errorf("deleted %q, want the helper", c.deleted)
		}
		c.wantHelpers(t, "r1", 0)
	})
}

func TestLeftoversAreThoseOfOtherRuns(t *testing.T) {
	labels := "labels: {" + kube.ManagedByLabel + ": " + kube.ManagedBy + ", " + kube.RunLabel + ": old}, "
	left := strings.Replace(hostPod("podpath-old-1", "raspi002", container{"probe", withNothing}), "metadata: {", "metadata: {"+labels, 1)
	inPractice(t, left, func(t *testing.T, c *practice) {
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
		c.wantHelpers(t, "old", 0)
		c.wantHelpers(t, "r1", 1)
		must(t, l.Close(t.Context()))
	})
}
