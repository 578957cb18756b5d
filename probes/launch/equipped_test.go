package launch

import (
	"testing"

	"podpath/kube"
)

func TestPodsWithToolsAreFoundForTheSurveysThatAreNeededAnyway(t *testing.T) {
	manifests := podYAML("bare", "raspi002", container{"app", "scratch"}) +
		podYAML("mixed", "raspi002", container{"app", "scratch"}, container{"helper", "bash"}) +
		podYAML("shell", "raspi003", container{"app", "bash"})
	f := newFake()
	l, s := f.ladder(t, Options{}, manifests)
	got := l.Equipped(t.Context(), s.Pods)
	for _, p := range s.Pods {
		if want := p.Name != "bare"; got[p.Key()] != want {
			t.Errorf("%s: got %t, want %t", p.Name, got[p.Key()], want)
		}
	}
	before := f.surveys()
	link, err := l.Pod(t.Context(), s, kube.Key{Namespace: s.Pods[0].Namespace, Name: "shell"}, "")
	must(t, err)
	must(t, link.Close())
	if got := f.surveys(); got != before {
		t.Errorf("got %d surveys more, want none", got-before)
	}

	f.denied = []string{"create pods/exec in namespace " + s.Pods[0].Namespace, "get pods/exec in namespace " + s.Pods[0].Namespace}
	l, s = f.ladder(t, Options{}, manifests)
	if got := l.Equipped(t.Context(), s.Pods); len(got) > 0 {
		t.Errorf("got %v without the right to look, want none", got)
	}
}
