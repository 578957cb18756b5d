package probes_test

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"podpath/kube"
	"podpath/kube/demo/fixture"
	"podpath/probes"
	"podpath/probes/path"
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
	const patience = time.Minute
	for end := time.Now().Add(patience); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still not so: %s", what)
		}
	}
}

func ready(c *fixture.Cluster, namespace, pod string) bool {
	o, there := c.Store().Get("pods", namespace, pod)
	return there && slices.ContainsFunc(o.(*corev1.Pod).Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

func pods(c *fixture.Cluster, namespace, prefix string) (out []string) {
	for _, o := range c.Store().List("pods", namespace) {
		if strings.HasPrefix(o.GetName(), prefix) {
			out = append(out, o.GetName())
		}
	}
	return out
}

// healthy checks that the client reaches a Service and finds a name.
func healthy(t *testing.T, c *fixture.Cluster) {
	t.Helper()
	for _, r := range visit(t, c, "default").probe(nil, "pod/client", "svc/sample-clusterip", "dns:kubernetes.default") {
		if r.Verdict != path.Pass {
			t.Errorf("got %s when all is well", say(r))
		}
	}
}

func TestFaultsOfTheClusterHaveTheirCausesAndEndWithTheirUndo(t *testing.T) {
	const proxy = "kube-proxy-vq9rd" // on raspi003
	for name, test := range map[string]struct {
		manifest string
		settled  func(c *fixture.Cluster) bool
		groups   []path.Group // or words
		words    []string
		id, want string // without an ID, the cause of all that fails
		evidence string
	}{
		"kube-proxy down": {
			manifest: fault("raspi002", "kube-proxy-down"),
			words:    []string{"pod/client", "svc/sample-clusterip"},
			id:       "pod/client tcp svc/sample-clusterip:8080", want: "fail kube-proxy", evidence: "192.168.100.12:10256: refused",
		},
		"kube-proxy down, and so no lookup": {
			manifest: fault("raspi002", "kube-proxy-down"),
			words:    []string{"pod/client", "dns:kubernetes.default"},
			id:       "pod/client dns dns:kubernetes.default", want: "fail kube-proxy", evidence: "2 of 2 endpoints",
		},
		"a policy that leads to no DNS server": {
			manifest: `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: out}, spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}]}}`,
			words:    []string{"pod/client", "dns:kubernetes.default"},
			id:       "pod/client dns dns:kubernetes.default", want: "fail policy-denies-dns", evidence: "of namespace default",
		},
		"no route": {
			manifest: fault("raspi002", "no-route=raspi003"),
			groups:   []path.Group{path.Paths},
			want:     "cross-node-route",
		},
		"Node down": {
			manifest: fault("raspi003", "down"),
			settled:  func(c *fixture.Cluster) bool { return !ready(c, "kube-system", proxy) },
			groups:   []path.Group{path.Paths},
			want:     "node-not-ready",
		},
		"DNS down": {
			manifest: "{apiVersion: apps/v1, kind: Deployment, metadata: {name: coredns, namespace: kube-system}, spec: {replicas: 0}}",
			settled:  func(c *fixture.Cluster) bool { return len(pods(c, "kube-system", "coredns-")) == 0 },
			words:    []string{"pod/client", "dns:kubernetes.default"},
			id:       "pod/client dns dns:kubernetes.default", want: "fail dns-down",
		},
	} {
		t.Run(name, func(t *testing.T) {
			practice(t, func(t *testing.T, c *fixture.Cluster) {
				_, err := c.Apply([]byte(client))
				must(t, err)
				until(t, "the client is ready", func() bool { return ready(c, "default", "client") })
				healthy(t, c)
				undo, err := c.Apply([]byte(test.manifest))
				must(t, err)
				if test.settled != nil {
					until(t, name, func() bool { return test.settled(c) })
				}
				found := visit(t, c, "default").probe(test.groups, test.words...)
				if test.id == "" {
					wantsAlone(t, found, test.want)
				} else {
					wants(t, found, test.id, test.want)
				}
				if test.evidence != "" && !strings.Contains(say(found[test.id]), test.evidence) {
					t.Errorf("got %s, want evidence %s", say(found[test.id]), test.evidence)
				}
				must(t, undo())
				until(t, "all is well again", func() bool {
					servers := pods(c, "kube-system", "coredns-")
					allReady := !slices.ContainsFunc(servers, func(name string) bool { return !ready(c, "kube-system", name) })
					return len(servers) == 2 && allReady && ready(c, "kube-system", proxy)
				})
				healthy(t, c)
			})
		})
	}
}

// wantsAlone checks that something fails, and all that does for one cause.
func wantsAlone(t testing.TB, found map[string]path.Result, code string) {
	t.Helper()
	failures := 0
	for _, r := range found {
		if r.Verdict != path.Fail {
			continue
		}
		if failures++; r.Cause == nil || string(r.Cause.Code) != code {
			t.Errorf("got %s, want %s alone", say(r), code)
		}
	}
	if failures == 0 {
		t.Errorf("got no failure, want %s", code)
	}
}

func fault(node, fault string) string {
	return strings.NewReplacer("NODE", node, "FAULT", fault).Replace(nodeFault)
}

func TestPodpathMayAddContainersAndPods(t *testing.T) {
	practice(t, func(t *testing.T, c *fixture.Cluster) {
		l := visit(t, c, "broken")
		l.options.AllowEphemeral, l.options.Image = true, "busybox"
		silent := pods(c, "broken", "silent-")[0]
		wants(t, l.probe(nil, "pod/"+silent, "svc/healthy"), "pod/"+silent+" tcp svc/healthy:80", "pass")
		for _, r := range l.probe(nil, "pod/client", "svc/nobody-listens") {
			if r.Verdict == path.Fail && (r.Cause == nil || r.Cause.Code != path.WrongTargetPort) {
				t.Errorf("got %s, want that podpath looked where it listens", say(r))
			}
		}
		l = visit(t, c, "lawless") // no Pod of kube-system is seen from here
		l.options.AllowHelperPods, l.options.Image, l.options.Namespace = true, "busybox", "lawless"
		wants(t, l.probe(nil, "node/raspi003", "pod/vault:8000"), "node/raspi003 tcp pod/vault:8000", "pass")
		until(t, "the helper Pod is gone", func() bool { return len(pods(c, "lawless", "podpath")) == 0 })
	})
}

// cutting is a cluster that ends each prober after some lines of output.
type cutting struct {
	probes.Cluster
	lines int
}

func (c cutting) Exec(ctx context.Context, e kube.Exec) error {
	if e.Stdin != nil { // what only looks around has none
		e.Stdout = &cut{e.Stdout, c.lines}
	}
	return c.Cluster.Exec(ctx, e)
}

type cut struct {
	io.Writer
	lines int // that still pass
}

// Write passes on what is written in one piece, which may be several lines.
func (c *cut) Write(p []byte) (int, error) {
	if c.lines -= bytes.Count(p, []byte("\n")); c.lines < 0 {
		return 0, io.ErrClosedPipe
	}
	return c.Writer.Write(p)
}

func TestWhatIsCutIsAskedAgainAndNeverGuessed(t *testing.T) {
	practice(t, func(t *testing.T, c *fixture.Cluster) {
		l := visit(t, c, "default")
		l.cluster = cutting{l.cluster, 6}
		found := l.probe([]path.Group{path.Paths, path.Services, path.Discovery})
		conclusive := 0
		for _, r := range found {
			switch {
			case r.Verdict == path.Pass:
				conclusive++
			case r.Verdict != path.Inconclusive || r.Blind == nil:
				t.Error(say(r))
			}
		}
		if conclusive < len(found)*2/3 || conclusive == len(found) || l.execs < 12 {
			t.Errorf("got %d results of %d with %d execs, want at least two thirds, not all, and more execs than sources", conclusive, len(found), l.execs)
		}
	})
}
