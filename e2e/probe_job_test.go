package e2e_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"podpath/e2e/cluster"
)

func TestProbeAsAJobInTheCluster(t *testing.T) {
	t.Parallel()
	p, _ := sample(t)
	p.c.Pack("example.test/podpath:1", os.Getenv("PODPATH"))
	manifest, err := os.ReadFile("../assets/deploy/probe.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(manifest), "args: [probe]", "command: [/podpath, probe]") // the test's image has no ENTRYPOINT
	p.c.ApplyText(p.namespace, text)
	end, said := p.jobEnds("podpath-probe-once")
	for _, want := range []string{"PATHS", "SPREAD", " 0 fail, 0 inconclusive,"} {
		if end != "Complete" || !strings.Contains(said, want) {
			t.Fatalf("the Job is %s and says\n%s\nwant it complete, and %q", end, said, want)
		}
	}

	p.c.Kubectl("--namespace", p.namespace, "create", "service", "clusterip", "broken", "--tcp=80")
	p.c.Kubectl("--namespace", p.namespace, "create", "job", "by-schedule", "--from=cronjob/podpath-probe")
	if end, said := p.jobEnds("by-schedule"); end != "Failed" || !strings.Contains(said, "selector-matches-nothing") {
		t.Errorf("the Job of the schedule is %s and says\n%s\nwant it failed, and why", end, said)
	}
}

// jobEnds waits for the end of a Job and returns how it ended, and what it said.
func (p place) jobEnds(name string) (end, said string) {
	p.c.Eventually("the end of the Job "+name, time.Minute, func() error {
		for _, end = range strings.Fields(p.get("job/"+name, "{.status.conditions[*].type}")) {
			if end == "Complete" || end == "Failed" {
				return nil
			}
		}
		return fmt.Errorf("it has not ended")
	})
	return end, p.c.Kubectl("--namespace", p.namespace, "logs", "job/"+name)
}

func TestRulesThatPodpathPrintsAreEnough(t *testing.T) {
	t.Parallel()
	p, pod := sample(t)
	p.c.ApplyText(p.namespace, "{apiVersion: v1, kind: Pod, metadata: {name: scratch}, spec: {nodeName: raspi002, containers: [{name: echo, image: 'example.test/echo:1'}]}}")
	p.c.Kubectl("--namespace", p.namespace, "wait", "--for=condition=Ready", "--timeout=60s", "pod/scratch")
	user := p.c.User(p.namespace)
	grant := func(features ...string) {
		rules := run(t, command(t, "", append([]string{"rbac"}, features...)...))
		if rules.code != 0 || rules.err != "" {
			t.Fatalf("podpath rbac %v: exit code %d, stderr %q", features, rules.code, rules.err)
		}
		p.c.ApplyText(p.namespace, rules.out, "--dry-run=server")
		p.c.ApplyText(p.namespace, rules.out)
	}
	grant("view", "probe")
	p.c.Kubectl("--namespace", p.namespace, "create", "rolebinding", "podpath", "--role=podpath", "--serviceaccount="+p.namespace+":user")
	target := "svc/sample-clusterip:8080"
	all := run(t, command(t, user.Kubeconfig, "probe", "--only", "paths,services,spread,discovery"))
	if all.code != 3 || strings.Count(all.err, "\n") != 0 { // scratch cannot be looked out of
		t.Errorf("podpath probe: exit code %d, stdout %q, stderr %q; want 3 and nothing missing", all.code, all.out, all.err)
	}
	probe(t, user.Kubeconfig, p.namespace, "pod/"+pod, target).by(t, "tools: ")

	probe(t, user.Kubeconfig, p.namespace, "pod/scratch", target, "--allow-ephemeral=busybox:1.35").blind(t, "may not patch pods/ephemeralcontainers")
	grant("view", "probe", "ephemeral")
	probe(t, user.Kubeconfig, p.namespace, "pod/scratch", target, "--allow-ephemeral=busybox:1.35").by(t, "ephemeral: nc in ")

	user.AllowEverywhere(cluster.Rule{Verbs: "list,watch", Resource: "nodes"})
	fromNode := append(fromNode, "--timeout=5s", target)
	probe(t, user.Kubeconfig, p.namespace, fromNode...).blind(t, "may not create pods")
	grant("view", "probe", "ephemeral", "helper-pods")
	probe(t, user.Kubeconfig, p.namespace, fromNode...).by(t, "helper: nc in ")
	check(t, "what is left", empty(p.helpers()))
	cleanup := run(t, command(t, user.Kubeconfig, "cleanup"))
	if cleanup.code != 0 {
		t.Errorf("podpath cleanup: exit code %d, stderr %q", cleanup.code, cleanup.err)
	}
}
