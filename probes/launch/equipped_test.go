package launch

import (
	"testing"

	"podpath/kube"
)

func TestPodsWithToolsAreFoundForTheSurveysThatAreNeededAnyway(t *testing.T) {
	manifests := podYAML("bare", "raspi002", container{"app", withNothing}) +
		podYAML("mixed", "raspi002", container{"app", withNothing}, container{"helper", withBash}) +
		podYAML("shell", "raspi003", container{"app", withBash})
	inPractice(t, manifests, func(t *testing.T, c *practice) {
		l := c.ladder(Options{})
		got := l.Equipped(t.Context(), c.snapshot.Pods)
		for _, p := range c.snapshot.Pods {
			if want := p.Name != "bare"; got[p.Key()] != want {
				t.Errorf("%s: got %t, want %t", p.Name, got[p.Key()], want)
			}
		}
		before := l.Execs()
		link, err := l.Pod(t.Context(), c.snapshot, kube.Key{Namespace: "shop", Name: "shell"}, "")
		must(t, err)
		must(t, link.Close())
		if got := l.Execs() - before; got != 1 {
			t.Errorf("got %d execs, want that of the prober alone", got)
		}
		c.deny("create pods/exec, get pods/exec")
		if got := c.ladder(Options{}).Equipped(t.Context(), c.snapshot.Pods); len(got) > 0 {
			t.Errorf("got %v without the right to look, want none", got)
		}
	})
}
