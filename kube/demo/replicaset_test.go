package demo_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"podpath/kube/demo"
	"podpath/kube/demo/api"
)

// replicaSets are those of the Deployment web.
func replicaSets(c *demo.Cluster) (out []*api.ReplicaSet) {
	for _, o := range c.Store().List("replicasets", "default") {
		if strings.HasPrefix(o.GetName(), "web-") {
			out = append(out, o.(*api.ReplicaSet))
		}
	}
	return out
}

func TestReplicaSetsStandBetweenDeploymentsAndPods(t *testing.T) {
	hands := newClock()
	c := start(t, demo.Options{Now: hands.now, Tick: hands.tick, Still: true})
	sets := replicaSets(c)
	if len(sets) != 1 || *sets[0].Spec.Replicas != 3 || sets[0].Status.ReadyReplicas != 3 {
		t.Fatalf("got %+v, want one with three Pods", sets)
	}
	before := sets[0]
	if d := deployment(c, "default", "web"); !metav1.IsControlledBy(before, d) || before.Labels["pod-template-hash"] == "" {
		t.Errorf("got %+v, want that Deployment %s owns it", before.ObjectMeta, d.UID)
	}
	for _, p := range podsOf(c, "default", "web-") {
		if !metav1.IsControlledBy(p, before) || !strings.HasPrefix(p.Name, before.Name+"-") {
			t.Errorf("%s: got the owners %+v, want %s", p.Name, p.OwnerReferences, before.Name)
		}
	}
	_, err := c.Apply([]byte(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {template: {metadata: {annotations: {version: "2"}}}}}`))
	must(t, err)
	hands.until(t, "the old ReplicaSet is gone", func() bool {
		now := replicaSets(c)
		return len(now) == 1 && now[0].UID != before.UID && now[0].Status.ReadyReplicas == 3
	})
	if generation := deployment(c, "default", "web").Generation; generation != 2 {
		t.Errorf("got generation %d, want 2 after one change of what is wanted", generation)
	}
	c.Store().Delete("deployments", "default", "web")
	until(t, "nothing is left of the Deployment", func() bool {
		pods := podsOf(c, "default", "web-")
		return len(replicaSets(c)) == 0 && len(pods) > 0 && pods[0].DeletionTimestamp != nil
	})
}

func TestADeploymentThatIsMadeAnewMakesOnlyPodsThatStay(t *testing.T) {
	hands := newClock() // which stands still: what terminates stays to be seen
	c := start(t, demo.Options{Now: hands.now, Tick: hands.tick, Still: true})
	before := map[string]bool{}
	for _, p := range podsOf(c, "default", "web-") {
		before[p.Name] = true
	}
	anew := deployment(c, "default", "web").DeepCopy()
	anew.UID, anew.ResourceVersion = "", ""
	c.Store().Delete("deployments", "default", "web")
	_, err := c.Store().Put(anew) // before the controllers have looked
	must(t, err)
	until(t, "the new ReplicaSet has its Pods", func() bool {
		sets := replicaSets(c)
		return len(sets) == 1 && metav1.IsControlledBy(sets[0], deployment(c, "default", "web")) && sets[0].Status.Replicas == 3
	})
	for _, p := range podsOf(c, "default", "web-") {
		if !before[p.Name] && p.DeletionTimestamp != nil {
			t.Errorf("the new Pod %s terminates", p.Name)
		}
	}
}

func TestADeploymentSaysWhetherItIsAvailable(t *testing.T) {
	hands := newClock()
	c := start(t, demo.Options{Now: hands.now, Tick: hands.tick, Still: true})
	scale := func(replicas int32) {
		d := deployment(c, "default", "web").DeepCopy()
		d.Spec.Replicas, d.ResourceVersion = &replicas, ""
		_, err := c.Store().Put(d)
		must(t, err)
	}
	available := func(want bool) func() bool {
		return func() bool {
			d := deployment(c, "default", "web")
			return d.Status.ObservedGeneration == d.Generation && meta.IsStatusConditionTrue(d.Status.Conditions, "Available") == want
		}
	}
	until(t, "it is available", available(true))
	scale(4)
	until(t, "it is not, for the new Pod starts", available(false))
	hands.until(t, "it is again", available(true))
}
