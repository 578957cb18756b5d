package path

import (
	"slices"
	"strings"
	"testing"

	"podpath/kube"
	"podpath/kube/demo/fixture"
	"podpath/probes/path/manifest"
)

// lookAt makes the World of a namespace; all of them when it is "".
func lookAt(t testing.TB, namespace string, documents ...string) *World {
	t.Helper()
	scope := kube.Scope{Namespace: namespace}
	return &World{Snapshot: fixture.Snapshot(t, scope, manifest.Noon, documents...), Home: namespace, NamespaceLabels: map[string]kube.Labels{}}
}

func storyWorld(t testing.TB, more ...string) *World {
	t.Helper()
	return lookAt(t, "shop", append([]string{manifest.Story()}, more...)...)
}

// fresh is a World like another one, of the same cluster, to be changed.
func fresh(w *World) *World {
	snapshot := *w.Snapshot
	return &World{Snapshot: &snapshot, Home: w.Home, LocalNode: w.LocalNode, NamespaceLabels: w.NamespaceLabels, Policies: w.Policies, Ingresses: w.Ingresses}
}

// clusters are those that a test has looked at already, by their manifests.
type clusters map[string]*World

func (c clusters) lookAt(t testing.TB, namespace string, documents ...string) *World {
	t.Helper()
	id := namespace + strings.Join(documents, "")
	if c[id] == nil {
		c[id] = lookAt(t, namespace, documents...)
	}
	return fresh(c[id])
}

func (c clusters) storyWorld(t testing.TB, more ...string) *World {
	t.Helper()
	return c.lookAt(t, "shop", append([]string{manifest.Story()}, more...)...)
}

func (c clusters) onMaster(t testing.TB, more ...string) *World {
	t.Helper()
	w := c.storyWorld(t, more...)
	w.LocalNode = "raspi001"
	return w
}

// clientPod belongs to no Service.
var clientPod = manifest.Pod{Name: "client", Node: "raspi003", IPs: []string{"10.244.2.20"}, App: "client", Owner: "Job/client"}.YAML()

// onMaster is the World of the story, seen from its master.
func onMaster(t testing.TB, more ...string) *World {
	t.Helper()
	w := storyWorld(t, more...)
	w.LocalNode = "raspi001"
	return w
}

func key(name string) kube.Key {
	namespace, name, _ := strings.Cut(name, "/")
	return kube.Key{Namespace: namespace, Name: name}
}

// changed replaces a Service of the World by one that differs.
func changed(t testing.TB, w *World, name string, change func(*kube.Service)) {
	t.Helper()
	for i, svc := range w.Services {
		if svc.Key() == key(name) {
			next := *svc
			change(&next)
			w.Services = slices.Clone(w.Services)
			w.Services[i] = &next
			return
		}
	}
	t.Fatalf("there is no Service %s", name)
}

// changedPod replaces a Pod of the World by one that differs.
func changedPod(t testing.TB, w *World, name string, change func(*kube.Pod)) {
	t.Helper()
	for i, pod := range w.Pods {
		if pod.Key() == key(name) {
			next := *pod
			next.Containers = slices.Clone(pod.Containers)
			change(&next)
			w.Pods = slices.Clone(w.Pods)
			w.Pods[i] = &next
			return
		}
	}
	t.Fatalf("there is no Pod %s", name)
}

// changedNode replaces a Node of the World by one that differs.
func changedNode(t testing.TB, w *World, name string, change func(*kube.Node)) {
	t.Helper()
	for i, n := range w.Nodes {
		if n.Name == name {
			next := *n
			change(&next)
			w.Nodes = slices.Clone(w.Nodes)
			w.Nodes[i] = &next
			return
		}
	}
	t.Fatalf("there is no Node %s", name)
}

// notReady takes the Ready condition from a Node.
func notReady(t testing.TB, w *World, name string) {
	t.Helper()
	changedNode(t, w, name, func(n *kube.Node) {
		n.Ready, n.Flags = false, []kube.Flag{{Code: kube.NodeNotReadyFlag, Message: "Node " + name + " is not ready: it is silent"}}
	})
}

// source finds exactly one source.
func source(t testing.TB, w *World, word string) Source {
	t.Helper()
	found, err := w.FindSources(word)
	if err != nil || len(found) != 1 {
		t.Fatalf("FindSources(%q): got %v, %v, want one", word, found, err)
	}
	return found[0]
}

// planFor plans what somebody asks for, from a word to words.
func planFor(t testing.TB, w *World, from string, to ...string) []Check {
	t.Helper()
	return planWith(t, w, PlanOptions{}, from, to...)
}

func planWith(t testing.TB, w *World, o PlanOptions, from string, to ...string) []Check {
	t.Helper()
	checks, err := tryPlan(w, o, from, to...)
	if err != nil {
		t.Fatal(err)
	}
	return checks
}

func tryPlan(w *World, o PlanOptions, from string, to ...string) ([]Check, error) {
	return w.PlanFor(Intent{Sources: []string{from}, Targets: to, Options: o})
}

// ids are those of checks, a line each.
func ids(checks []Check) string {
	return strings.Join(names(checks, func(c Check) string { return c.ID }), "\n")
}

// find returns the check of an ID.
func find(t testing.TB, checks []Check, id string) Check {
	t.Helper()
	for _, c := range checks {
		if c.ID == id {
			return c
		}
	}
	t.Fatalf("there is no check %q in\n%s", id, ids(checks))
	return Check{}
}

// has reports whether an error says all of the words.
func has(err error, words ...string) bool {
	for _, word := range words {
		if err == nil || !strings.Contains(err.Error(), word) {
			return false
		}
	}
	return err != nil
}
