package e2e_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"podpath/e2e/cluster"
)

// helpers are the Pods in a namespace that podpath has made.
func (p place) helpers() string {
	return p.c.Kubectl("--namespace", p.namespace, "get", "pods", "--selector=app.kubernetes.io/managed-by=podpath", "--output=name")
}

// fromNode looks from a node with a Pod that is made for that. The image is that of the target, which runs on another node.
var fromNode = []string{"node/" + cluster.Worker2, "--allow-helper-pods", "--allow-ephemeral=busybox:1.35"}

func TestHelperPodIsMadeForANodeAndDeleted(t *testing.T) {
	t.Parallel()
	p := rungs(t)
	asked, kubeconfig := record(t, p.c.Kubeconfig)
	probe(t, kubeconfig, p.namespace, append(fromNode, "pod/target:8080", p.get("pod/target", "{.status.podIP}")+":8080")...).by(t, "helper: nc in probe of pod/"+p.namespace+"/podpath-")
	if got, want := asked.changes(), []string{"POST pods", "DELETE pods/podpath-"}; len(got) != 2 || got[0] != want[0] || !strings.HasPrefix(got[1], want[1]) {
		t.Errorf("got %q, want one helper Pod made and deleted", got)
	}
	check(t, "what is left", empty(p.helpers()))
	probe(t, p.c.Kubeconfig, p.namespace, "node/"+cluster.Worker, "pod/target:8080", "--allow-helper-pods").by(t, "helper: nc in ") // the image of a Pod there
	check(t, "what is left", empty(p.helpers()))
}

func TestNodeThatNeedsNoHelperPodGetsNone(t *testing.T) {
	t.Parallel()
	p := rungs(t)
	asked, kubeconfig := record(t, p.c.Kubeconfig)
	probe(t, kubeconfig, p.namespace, "node/"+cluster.Master, "pod/target:8080", "--allow-helper-pods").by(t, "local")
	p.c.Kubectl("--namespace", p.namespace, "run", "resident", "--image=busybox:1.35", "--image-pull-policy=Never",
		`--overrides={"spec": {"hostNetwork": true, "nodeName": "`+cluster.Worker2+`", "terminationGracePeriodSeconds": 0}}`)
	p.c.Kubectl("--namespace", p.namespace, "wait", "--for=condition=Ready", "--timeout=60s", "pod/resident")
	probe(t, kubeconfig, p.namespace, "node/"+cluster.Worker2, "pod/target:8080", "--allow-helper-pods").by(t, "tools: nc in resident of ")
	if got := asked.changes(); len(got) > 0 {
		t.Errorf("got %q, want nothing created", got)
	}
}

func TestHelperPodIsGoneWhateverEndsTheRun(t *testing.T) {
	t.Parallel()
	p := rungs(t)
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			p := p.now(t)
			run := p.hold(t)
			if got := run.signal(signal, 4*time.Second); got.code != 3 {
				t.Errorf("got exit code %d, stdout %q, stderr %q; want 3: it could not look", got.code, got.out, got.err)
			}
			check(t, "what is left", empty(p.helpers()))
		})
	}
	t.Run("it does not start", func(t *testing.T) {
		p := p.now(t)
		probe(t, p.c.Kubeconfig, p.namespace, "node/"+cluster.Worker2, "pod/target:8080", "--allow-helper-pods", "--allow-ephemeral="+absent).
			blind(t, "helper: ", "it does not start: ErrImagePull: ")
		check(t, "what is left", empty(p.helpers()))
	})
	t.Run("the user may not exec", func(t *testing.T) {
		p := p.now(t)
		few := p.c.User(p.namespace, append([]cluster.Rule{{Verbs: "create,delete", Resource: "pods"}}, cluster.View...)...)
		few.AllowEverywhere(cluster.Rule{Verbs: "list,watch", Resource: "nodes"})
		r := probe(t, few.Kubeconfig, p.namespace, append(fromNode, "pod/target:8080")...)
		r.blind(t, "may not create pods/exec")
		check(t, "what is left", empty(p.helpers()))
	})
}

// hold starts a run with a helper Pod that waits for what never comes, and waits until the Pod runs.
func (p place) hold(t *testing.T) *started {
	t.Helper()
	args := append([]string{"probe", "-n", p.namespace}, append(fromNode, nowhere, "--timeout=60s")...)
	run := start(t, command(t, p.c.Kubeconfig, args...))
	p.c.Eventually("a helper Pod that runs", 20*time.Second, func() error {
		return contains(p.c.Kubectl("--namespace", p.namespace, "get", "pods", "--selector=app.kubernetes.io/managed-by=podpath"), "Running")
	})
	return run
}

func TestHelperPodOfAKilledRunIsReportedAndCleanedUp(t *testing.T) {
	t.Parallel()
	p := rungs(t)
	p.hold(t).signal(syscall.SIGKILL, time.Second)
	left := strings.TrimPrefix(p.helpers(), "pod/")
	if left == "" {
		t.Fatal("got nothing left, want the helper Pod of the killed run")
	}
	next := run(t, command(t, p.c.Kubeconfig, "probe", "-n", p.namespace, "local", "pod/target:8080"))
	if want := fmt.Sprintf("podpath: Pod %s/%s is of another run, which may have been killed: podpath cleanup deletes it\n", p.namespace, left); next.code != 0 || next.err != want {
		t.Errorf("got exit code %d and stderr %q, want 0 and %q", next.code, next.err, want)
	}
	cleanup := run(t, command(t, p.c.Kubeconfig, "cleanup", "-n", p.namespace))
	if want := "deleted Pod " + p.namespace + "/" + left + "\n"; cleanup.code != 0 || cleanup.out != want {
		t.Errorf("got exit code %d, stdout %q and stderr %q; want 0 and %q", cleanup.code, cleanup.out, cleanup.err, want)
	}
	check(t, "what is left", empty(p.helpers()))
	cleanup = run(t, command(t, p.c.Kubeconfig, "cleanup", "-n", p.namespace))
	if want := "nothing is left behind in namespace " + p.namespace + "\n"; cleanup.code != 0 || cleanup.out != want {
		t.Errorf("got exit code %d and stdout %q; want 0 and %q", cleanup.code, cleanup.out, want)
	}
}

func TestProbeChangesNothingUnlessItIsAllowedTo(t *testing.T) {
	t.Parallel()
	p := rungs(t)
	p.c.ApplySample(p.namespace)
	before := p.objects()
	asked, kubeconfig := record(t, p.c.Kubeconfig)
	probe(t, kubeconfig, p.namespace)
	probe(t, kubeconfig, p.namespace, "pod/scratch", "pod/target:8080").want(t, 3)
	probe(t, kubeconfig, p.namespace, "node/"+cluster.Worker2, "pod/target:8080").want(t, 3)
	if got := asked.changes(); len(got) > 0 {
		t.Errorf("got %q, want no request that changes anything", got)
	}
	if after := p.objects(); after != before {
		t.Errorf("got the objects\n%s\nwant them as before:\n%s", after, before)
	}
	for _, pod := range []string{"shell", "readonly-shell"} {
		check(t, "files in "+pod, empty(p.uploads(pod, "shell")))
	}
}

// objects are the versions of all Pods, Services, Deployments, ConfigMaps, Secrets, Jobs and the like of a namespace.
func (p place) objects() string {
	kinds := "pods,services,endpointslices,configmaps,secrets,serviceaccounts,deployments,replicasets,daemonsets,statefulsets,jobs,cronjobs,roles,rolebindings,ingresses,networkpolicies"
	return p.c.Kubectl("--namespace", p.namespace, "get", kinds, `--output=jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.generation} {.spec.ephemeralContainers}{"\n"}{end}`)
}
