package demo_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"podpath/kube/demo"
	"podpath/kube/demo/api"
)

// replicaSets are those of a Deployment.
func replicaSets(c *demo.Cluster, namespace, name string) (out []*api.ReplicaSet) {
	for _, o := range c.Store().List("replicasets", namespace) {
		if strings.HasPrefix(o.GetName(), name+"-") {
			out = append(out, o.(*api.ReplicaSet))
		}
	}
	return out
}

func TestReplicaSetsStandBetweenDeploymentsAndPods(t *testing.T) {
	hands := newClock()
	c := start(t, demo.Options{Now: hands.now, Tick: hands.tick, Still: true})
	sets := replicaSets(c, "default", "web")
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
	for range 30 {
		hands.advance(time.Second)
	}
	until(t, "the old ReplicaSet is gone", func() bool {
		now := replicaSets(c, "default", "web")
		return len(now) == 1 && now[0].UID != before.UID && now[0].Status.ReadyReplicas == 3
	})
	if generation := deployment(c, "default", "web").Generation; generation != 2 {
		t.Errorf("got generation %d, want 2 after one change of what is wanted", generation)
	}
	c.Store().Delete("deployments", "default", "web")
	until(t, "nothing is left of the Deployment", func() bool {
		pods := podsOf(c, "default", "web-")
		return len(replicaSets(c, "default", "web")) == 0 && len(pods) > 0 && pods[0].DeletionTimestamp != nil
	})
}
