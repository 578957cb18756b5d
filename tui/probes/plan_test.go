package probes

import (
	"slices"
	"strings"
	"testing"

	"podpath/kube"
	"podpath/probes/path"
	"podpath/tui/golden"
	"podpath/tui/intent"
	"podpath/tui/menu"
)

func world(t *testing.T, namespace string) *path.World {
	return &path.World{Snapshot: golden.Cluster(t, namespace), Home: namespace}
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
				checks, err := w.PlanFor(r.Intent)
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
func usableTarget(w *path.World, of intent.Probe) bool {
	p := w.Pod(of.Of.Key)
	return of.Of.Resource != kube.Pods || path.Runs(p) && declaresTCP(p)
}

func TestEverythingAboutAnObjectIsAboutIt(t *testing.T) {
	w := world(t, "default")
	for _, of := range []intent.Probe{
		{Of: kube.Ref{Resource: kube.Pods, Key: kube.Key{Namespace: "default", Name: "dual-0"}}},
		{Of: kube.Ref{Resource: kube.Services, Key: kube.Key{Namespace: "default", Name: "sample-clusterip"}}},
		{Of: kube.Ref{Resource: kube.Nodes, Key: kube.Key{Name: "raspi003"}}},
	} {
		checks, err := w.PlanFor(leaves(w.Snapshot, Ask(of).Choices(w.Snapshot))[0].Intent)
		if err != nil || len(checks) == 0 {
			t.Fatalf("%v: got %d checks and %v", of.Of, len(checks), err)
		}
		ids := map[string]bool{}
		for _, c := range checks {
			touches := c.Source.Pod == of.Of.Key || c.Path.Pod == of.Of.Key || c.Path.Service == of.Of.Key || c.Source.Node == of.Of.Name || c.Path.Node == of.Of.Name
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
	for i, p := range s.Pods {
		if first := *p; p.Name == "dual-0" { // it comes before the ready ones of its Node
			first.IsReady = false
			s.Pods[i] = &first
		}
	}
	checks, err := (&path.World{Snapshot: &s, Home: "default"}).PlanFor(path.Intent{EachNode: true, Targets: []string{"pod/dual-0"}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range checks {
		got = append(got, c.Source.Label)
	}
	slices.Sort(got)
	got = slices.Compact(got)
	if want := []string{"pod/sample-deployment-6d4b75cb6d-4xk2p", "pod/sample-deployment-6d4b75cb6d-9hq7d"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWithoutAPodToStartFromTheUserIsToldWhatToDo(t *testing.T) {
	web := &kube.Service{Namespace: "default", Name: "web", ClusterIPs: []string{"10.96.0.7"}, Counts: kube.EndpointCounts{Ready: 3, Total: 3}}
	w := &path.World{Snapshot: &kube.Snapshot{Services: []*kube.Service{web}}}
	for _, r := range leaves(w.Snapshot, Ask(intent.Probe{Of: intent.ServiceTarget(web).Ref}).Choices(w.Snapshot)) {
		if strings.HasPrefix(r.Title, "who answers") {
			t.Errorf("got %q offered, want it left out: nobody could open connections", r.Title)
		}
		if !r.Intent.EachNode {
			continue
		}
		if _, err := w.PlanFor(r.Intent); err == nil || !strings.Contains(err.Error(), "no Pod runs here") {
			t.Errorf("%s: got %v, want what to do", r.Title, err)
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
