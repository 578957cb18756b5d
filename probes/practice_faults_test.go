package probes_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"podpath/kube/demo"
	"podpath/probes"
)

// client is a Pod with tools on raspi002.
const client = `
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  nodeName: raspi002
  containers: [{name: toolbox, image: nicolaka/netshoot}]
`

const nodeFault = `
---
apiVersion: v1
kind: Node
metadata: {name: NODE, annotations: {demo.podpath/fault: FAULT}}
`

// until waits for something to become true.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still not so: %s", what)
		}
	}
}

func ready(c *demo.Cluster, namespace, pod string) bool {
	o, there := c.Store().Get("pods", namespace, pod)
	if !there {
		return false
	}
	for _, condition := range o.(*corev1.Pod).Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func pods(c *demo.Cluster, namespace, prefix string) (out []string) {
	for _, o := range c.Store().List("pods", namespace) {
		if strings.HasPrefix(o.GetName(), prefix) {
			out = append(out, o.GetName())
		}
	}
	return out
}

func TestFaultsOfTheClusterHaveTheirCausesAndEndWithTheirUndo(t *testing.T) {
	c := practice(t)
	_, err := c.Apply([]byte(client))
	must(t, err)
	until(t, "the client is ready", func() bool { return ready(c, "default", "client") })
	healthy := func(t *testing.T) {
		l := visit(t, c, "default")
		for _, r := range l.probe(nil, "pod/client", "svc/sample-clusterip", "dns:kubernetes.default") {
			if r.Verdict != probes.Pass {
				t.Errorf("got %s when all is well", say(r))
			}
		}
	}
	t.Run("before", healthy)
	for name, test := range map[string]struct {
		manifest string
		settled  func() bool
		probe    func(l *learner) map[string]probes.Result
		want     map[string]string // or for "any", a cause that something must have
	}{
		"kube-proxy down": {
			manifest: fault("raspi002", "kube-proxy-down"),
			probe:    func(l *learner) map[string]probes.Result { return l.probe(nil, "pod/client", "svc/sample-clusterip") },
			want:     map[string]string{"pod/client tcp svc/sample-clusterip:8080": "fail kube-proxy"},
		},
		"no route": {
			manifest: fault("raspi002", "no-route=raspi003"),
			probe:    func(l *learner) map[string]probes.Result { return l.probe([]probes.Group{probes.Paths}) },
			want:     map[string]string{"any": "cross-node-route"},
		},
		"Node down": {
			manifest: fault("raspi003", "down"),
			settled:  func() bool { return !ready(c, "kube-system", "kube-proxy-vq9rd") },
			probe:    func(l *learner) map[string]probes.Result { return l.probe([]probes.Group{probes.Paths}) },
			want:     map[string]string{"any": "node-not-ready"},
		},
		"DNS down": {
			manifest: "{apiVersion: apps/v1, kind: Deployment, metadata: {name: coredns, namespace: kube-system}, spec: {replicas: 0}}",
			settled:  func() bool { return len(pods(c, "kube-system", "coredns-")) == 0 },
			probe:    func(l *learner) map[string]probes.Result { return l.probe(nil, "pod/client", "dns:kubernetes.default") },
			want:     map[string]string{"pod/client dns dns:kubernetes.default": "fail dns-down"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			undo, err := c.Apply([]byte(test.manifest))
			must(t, err)
			if test.settled != nil {
				until(t, name, test.settled)
			}
			found := test.probe(visit(t, c, "default"))
			if code, oneOf := test.want["any"]; oneOf {
				causes := map[string]bool{}
				for _, r := range found {
					if r.Verdict == probes.Fail && (r.Cause == nil || string(r.Cause.Code) != code) {
						t.Errorf("got %s, want %s alone", say(r), code)
					} else if r.Cause != nil {
						causes[string(r.Cause.Code)] = true
					}
				}
				if !causes[code] {
					t.Errorf("got causes %v, want %s", causes, code)
				}
			} else {
				for id, want := range test.want {
					wants(t, found, id, want)
				}
			}
			must(t, undo())
			until(t, "all is well again", func() bool {
				servers := pods(c, "kube-system", "coredns-")
				allReady := !slices.ContainsFunc(servers, func(name string) bool { return !ready(c, "kube-system", name) })
				return len(servers) == 2 && allReady && ready(c, "kube-system", "kube-proxy-vq9rd")
			})
		})
	}
	t.Run("after", healthy)
}

func fault(node, fault string) string {
	return strings.NewReplacer("NODE", node, "FAULT", fault).Replace(nodeFault)
}

func TestPodpathMayAddContainersAndPods(t *testing.T) {
	c := practice(t)
	l := visit(t, c, "broken")
	l.options.AllowEphemeral, l.options.Image = true, "busybox"
	silent := pods(c, "broken", "silent-")[0]
	wants(t, l.probe(nil, "pod/"+silent, "svc/healthy"), "pod/"+silent+" tcp svc/healthy:80", "pass")
	for _, r := range l.probe(nil, "pod/client", "svc/nobody-listens") {
		if r.Verdict == probes.Fail && (r.Cause == nil || r.Cause.Code != probes.WrongTargetPort) {
			t.Errorf("got %s, want that podpath looked where it listens", say(r))
		}
	}
	l = visit(t, c, "lawless") // no Pod of kube-system is seen from here
	l.options.AllowHelperPods, l.options.Image, l.options.Namespace = true, "busybox", "lawless"
	wants(t, l.probe(nil, "node/raspi003", "pod/vault:8000"), "node/raspi003 tcp pod/vault:8000", "pass")
	until(t, "the helper Pod is gone", func() bool { return len(pods(c, "lawless", "podpath")) == 0 })
}
