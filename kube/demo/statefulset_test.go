package demo_test

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"podpath/kube/demo"
	"podpath/kube/demo/api"
)

const stateful = `
{apiVersion: v1, kind: Service, metadata: {name: db}, spec: {clusterIP: None, selector: {app: db}, ports: [{name: redis, port: 6379}]}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: redis, image: "docker.io/library/redis:3.2", ports: [{name: redis, containerPort: 6379}]}]}
`

// hostnames are those of the endpoints of a Service.
func hostnames(c *demo.Cluster, service string) (names []string) {
	for _, s := range slicesOf(c, "default", service) {
		for _, e := range s.Endpoints {
			if e.Hostname != nil {
				names = append(names, *e.Hostname)
			}
		}
	}
	return names
}

func TestPodsOfAStatefulSetHaveNamesThatStay(t *testing.T) {
	hands := newClock()
	c := start(t, demo.Options{Now: hands.now, Tick: hands.tick, Still: true})
	_, err := c.Apply([]byte(stateful))
	must(t, err)
	until(t, "the first Pod is made", func() bool { return len(podsOf(c, "default", "db-")) == 1 })
	if p := podsOf(c, "default", "db-")[0]; p.Name != "db-0" || p.Spec.Hostname != "db-0" || p.Spec.Subdomain != "db" || p.Labels["statefulset.kubernetes.io/pod-name"] != "db-0" {
		t.Errorf("got %+v, want db-0 with its names", p)
	}
	set := func() *api.StatefulSet {
		o, _ := c.Store().Get("statefulsets", "default", "db")
		return o.(*api.StatefulSet)
	}
	hands.until(t, "both are ready", func() bool { return set().Status.ReadyReplicas == 2 && readyEndpoints(c, "default", "db") == 2 })
	if got := strings.Join(hostnames(c, "db"), " "); got != "db-0 db-1" || set().Generation != 1 {
		t.Errorf("got the endpoints %q of generation %d", got, set().Generation)
	}
	before := map[string]corev1.Pod{}
	for _, p := range podsOf(c, "default", "db-") {
		before[p.Name] = *p
	}
	_, err = c.Apply([]byte(`{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {serviceName: db-headless, template: {metadata: {annotations: {version: "2"}}}}}`))
	must(t, err)
	hands.until(t, "both are of the new version", func() bool {
		s := set().Status
		replaced := !slices.ContainsFunc(podsOf(c, "default", "db-"), func(p *corev1.Pod) bool { return before[p.Name].UID == p.UID })
		return replaced && s.UpdatedReplicas == 2 && s.ReadyReplicas == 2 && s.CurrentRevision == s.UpdateRevision && readyEndpoints(c, "default", "db") == 2
	})
	if got := hostnames(c, "db"); len(got) > 0 {
		t.Errorf("got the names %q below a Service that is not the set's", got)
	}
	scaled := set().DeepCopy()
	*scaled.Spec.Replicas, scaled.ResourceVersion = 1, ""
	_, err = c.Store().Put(scaled)
	must(t, err)
	hands.until(t, "the last one is gone", func() bool { pods := podsOf(c, "default", "db-"); return len(pods) == 1 && pods[0].Name == "db-0" })
	c.Store().Delete("statefulsets", "default", "db")
	hands.until(t, "all are gone", func() bool { return len(podsOf(c, "default", "db-")) == 0 })
}
