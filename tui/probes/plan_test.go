package probes

import (
	"slices"
	"strings"
	"testing"

	"podpath/kube"
	engine "podpath/probes"
	"podpath/tui/golden"
	"podpath/tui/intent"
	"podpath/tui/menu"
)

func world(t *testing.T, namespace string) *engine.World {
	return &engine.World{Snapshot: golden.Cluster(t, namespace), Home: namespace}
}

// leaves lists the requests that a menu leads to, through the menus below it.
func leaves(s *kube.Snapshot, choices []menu.Choice) []Request {
	var out []Request
	for _, c := range choices {
		switch pick := c.Pick.(type) {
		case Start:
			out = append(out, pick.Request)
		case menu.Open:
			out = append(out, leaves(s, pick.Choices(s))...)
		}
	}
	return out
}

// Whatever a menu offers can be planned: names lead back to their objects, in
// one namespace as well as in all.
func TestEveryRequestOfEveryMenuCanBePlanned(t *testing.T) {
	for _, namespace := range []string{"default", "odd", "wide", ""} {
		w := world(t, namespace)
		var asked []intent.Probe
		for _, p := range w.Pods {
			asked = append(asked, intent.Probe{Of: intent.PodTarget(p).Ref})
		}
		for _, n := range w.Nodes {
			asked = append(asked, intent.Probe{Of: intent.NodeTarget(n).Ref})
		}
		for _, svc := range w.Services {
			asked = append(asked, intent.Probe{Of: intent.ServiceTarget(svc).Ref})
		}
		planned := 0
		for _, of := range asked {
			for _, r := range leaves(w.Snapshot, Ask(of).Choices(w.Snapshot)) {
				checks, err := r.Plan(w)
				if err != nil && usableTarget(w, of) {
					t.Errorf("%q, %v: %s: %v", namespace, of.Of, r.Title, err)
				}
				planned += len(checks)
			}
		}
		if planned == 0 {
			t.Errorf("%q: got nothing planned", namespace)
		}
	}
}

// usableTarget reports that a Pod runs and says which ports it has; to others a
// path is refused with the reason.
func usableTarget(w *engine.World, of intent.Probe) bool {
	p := w.Pod(of.Of.Key)
	return of.Of.Resource != kube.Pods || usable(p) && declaresTCP(p)
}

func TestEverythingAboutAnObjectIsAboutIt(t *testing.T) {
	w := world(t, "default")
	for _, of := range []intent.Probe{
		{Of: kube.Ref{Resource: kube.Pods, Key: kube.Key{Namespace: "default", Name: "dual-0"}}},
		{Of: kube.Ref{Resource: kube.Services, Key: kube.Key{Namespace: "default", Name: "sample-clusterip"}}},
		{Of: kube.Ref{Resource: kube.Nodes, Key: kube.Key{Name: "raspi003"}}},
	} {
		checks, err := leaves(w.Snapshot, Ask(of).Choices(w.Snapshot))[0].Plan(w)
		if err != nil || len(checks) == 0 {
			t.Fatalf("%v: got %d checks and %v", of.Of, len(checks), err)
		}
		ids := map[string]bool{}
		for _, c := range checks {
			touches := c.Source.Pod == of.Of.Key || c.About.Pod == of.Of.Key || c.About.Service == of.Of.Key || c.Source.Node == of.Of.Name || c.About.Node == of.Of.Name
			if !touches || ids[c.ID] {
				t.Errorf("%v: got %s, want what is about it, once", of.Of, c.ID)
			}
			ids[c.ID] = true
		}
	}
}

func TestOnePodOfEachNodeIsAReadyOneIfThereIsOne(t *testing.T) {
	w := world(t, "default")
	s := *w.Snapshot
	s.Pods = slices.Clone(s.Pods)
	slices.SortFunc(s.Pods, func(a, b *kube.Pod) int { return -strings.Compare(a.Name, b.Name) }) // not-ready before dual-0
	got := onePerNode(&s)
	slices.Sort(got)
	if want := []string{"pod/sample-deployment-6d4b75cb6d-4xk2p", "pod/sample-deployment-6d4b75cb6d-zw8mn"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWithoutAPodToStartFromTheUserIsToldWhatToDo(t *testing.T) {
	w := &engine.World{Snapshot: &kube.Snapshot{}}
	for _, p := range []plan{planFromEachNode([]string{"svc/web"}), planSpread("svc/web", "default", 100)} {
		if _, err := p(w); err == nil || !strings.Contains(err.Error(), "no Pod runs here") {
			t.Errorf("got %v, want what to do", err)
		}
	}
}

func TestTitlesOfTypedRequests(t *testing.T) {
	for want, targets := range map[string][]string{"local → svc/a": {"svc/a"}, "local → svc/a and 2 more": {"svc/a", "svc/b", "svc/c"}} {
		if got := PlanWords("local", targets).Title; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
