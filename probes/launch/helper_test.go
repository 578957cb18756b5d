package launch

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"podpath/kube"
)

func hostPod(name, node string, c ...container) string {
	return strings.Replace(podYAML(name, node, c...), "spec: {", "spec: {hostNetwork: true, ", 1)
}

func TestNodeSources(t *testing.T) {
	for name, test := range map[string]struct {
		node, manifests string
		options         Options
		want            Via
		helpers         int
	}{
		"podpath's own Node":        {"raspi001", "", Options{}, Via{Rung: Local, Tool: "podpath"}, 0},
		"a Pod in its network":      {"raspi002", podYAML("x", "raspi002", container{"no", "python"}) + hostPod("cni", "raspi002", container{"agent", "bash"}), Options{}, Via{Rung: Tools, Tool: "bash", Container: "agent"}, 0},
		"a helper of a named image": {"raspi002", "", Options{AllowHelperPods: true, Image: "perl"}, Via{Rung: Helper, Tool: "perl", Container: "probe"}, 1},
		"a helper of what is there": {"raspi002", podYAML("x", "raspi002", container{"a", "bash"}), Options{AllowHelperPods: true, Namespace: "shop"}, Via{Rung: Helper, Tool: "bash", Container: "probe"}, 1},
		"a helper with an upload":   {"raspi002", "", Options{AllowHelperPods: true, AllowUpload: true, Image: "shell"}, Via{Rung: Upload, Tool: "podpath", Container: "probe"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			l, s := f.ladder(t, test.options, nodesYAML+test.manifests)
			for range 2 { // the second time, the same helper
				link, err := l.Node(t.Context(), s, test.node)
				checkLink(t, link, err, test.want)
			}
			must(t, l.Close(t.Context()))
			if len(f.helpers) != test.helpers || len(f.deleted) != test.helpers {
				t.Fatalf("got helpers %v, deleted %v; want %d", f.helpers, f.deleted, test.helpers)
			}
			for _, h := range f.helpers {
				if h.Node != test.node || h.Run != "r1" || !slices.Contains(f.deleted, h.String()) {
					t.Errorf("got %+v, deleted %v", h, f.deleted)
				}
			}
		})
	}
}

func TestNodesThatCannotBeASource(t *testing.T) {
	allowed := Options{AllowHelperPods: true, Image: "bash"}
	for name, test := range map[string]struct {
		options Options
		denied  string
		node    string
		code    Code
		reasons []string
	}{
		"not allowed":        {Options{}, "", "raspi002", NoTools, []string{"local: podpath does not run on that Node", "tools: no Pod", "--allow-helper-pods"}},
		"may not create":     {allowed, "create pods in namespace default", "raspi002", NoTools, []string{"local", "tools", "helper: you may not create pods in namespace default"}},
		"could not clean up": {allowed, "delete pods in namespace default", "raspi002", NoTools, []string{"local", "tools", "helper: you may not delete pods"}},
		"no image":           {Options{AllowHelperPods: true}, "", "raspi002", NoTools, []string{"local", "tools", "helper: no image with tools"}},
		"no such Node":       {allowed, "", "raspi009", NoTools, []string{"no such Node"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			f.denied = []string{test.denied}
			l, s := f.ladder(t, test.options, nodesYAML)
			_, err := l.Node(t.Context(), s, test.node)
			checkFailure(t, err, test.code, test.reasons...)
			if len(f.helpers) != 0 {
				t.Errorf("got helpers %v, want none", f.helpers)
			}
		})
	}
}

func TestAHelperThatDoesNotRunIsDeletedAtOnce(t *testing.T) {
	f := newFake()
	f.awaits = errors.New("it does not start: CreateContainerConfigError")
	l, s := f.ladder(t, Options{AllowHelperPods: true, Image: "bash"}, nodesYAML)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := l.Node(ctx, s, "raspi002")
	checkFailure(t, err, NoTools, "local", "tools", "CreateContainerConfigError")
	if !slices.Equal(f.deleted, []string{"default/podpath-r1-1"}) {
		t.Errorf("deleted %v", f.deleted)
	}
}

func TestLeftoversAreThoseOfOtherRuns(t *testing.T) {
	f := newFake()
	l, s := f.ladder(t, Options{AllowHelperPods: true, Image: "bash"}, nodesYAML)
	link, err := l.Node(t.Context(), s, "raspi002")
	must(t, err)
	_ = link.Close()
	got, err := l.Leftovers(t.Context())
	must(t, err)
	if want := []kube.HelperPod{{Key: kube.Key{Namespace: "shop", Name: "podpath-old-1"}, Run: "old"}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	must(t, l.Remove(t.Context(), got))
	if !slices.Equal(f.deleted, []string{"shop/podpath-old-1"}) {
		t.Errorf("deleted %v", f.deleted)
	}
}
