package e2e_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"podpath/e2e/cluster"
)

// wait starts a run that has seen target answer soon and then waits so long for what never comes.
func (p place) wait(t *testing.T, pod string, timeout time.Duration) *started {
	t.Helper()
	run := start(t, command(t, p.c.Kubeconfig, "probe", "-n", p.namespace, "-o", "json", "pod/"+pod, "pod/target:8080", nowhere, "--timeout="+timeout.String()))
	p.c.Eventually("a prober in "+pod, soon, func() error { // it has read its requests as soon as it runs
		return contains(p.c.Kubectl("--namespace", p.namespace, "exec", pod, "--", "sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null || true"), strings.TrimSuffix(nowhere, ":80"))
	})
	return run
}

// wantCut checks a run that was cut short: it ended in time, what it had seen counts, and the rest is inconclusive.
func wantCut(t *testing.T, got result) {
	t.Helper()
	r := report{code: got.code, stderr: got.err}
	if err := json.Unmarshal([]byte(got.out), &r); err != nil || len(r.Results) != 2 {
		t.Fatalf("got stdout %q, stderr %q (%v), want a report of two results", got.out, got.err, err)
	}
	r.want(t, 3)
	if seen, lost := r.Results[0], r.Results[1]; seen.Verdict != "pass" || lost.Verdict != "inconclusive" || lost.Detail == "" {
		t.Errorf("got %s\nand %s\nwant the first to pass, and the other to be inconclusive with a reason", seen, lost)
	}
}

func TestPodThatIsDeletedDuringARunIsInconclusive(t *testing.T) {
	t.Parallel()
	p := rungs(t)
	p.c.Kubectl("--namespace", p.namespace, "run", "source", "--image=busybox:1.35", "--image-pull-policy=Never", "--", "sleep", "1000")
	p.c.Kubectl("--namespace", p.namespace, "wait", "--for=condition=Ready", "--timeout=60s", "pod/source")
	run := p.wait(t, "source", time.Minute)
	p.c.Kubectl("--namespace", p.namespace, "delete", "pod", "source", "--now")
	wantCut(t, run.ends(soon))
}

func TestCtrlCDuringARunEndsItAtOnceAndReportsWhatWasSeen(t *testing.T) {
	t.Parallel()
	p := rungs(t)
	wantCut(t, p.wait(t, "target", 6*time.Second).signal(syscall.SIGINT, 2*time.Second))
	p.c.Eventually("the end of the prober", soon, func() error {
		if running := p.processes("target"); strings.Contains(running, "\nnc\n") {
			return fmt.Errorf("got the processes %q", running)
		}
		return nil
	})
}

func TestAPIServerThatDiesDuringARunLeavesTheRestInconclusive(t *testing.T) {
	c := cluster.Use(t)
	p := place{c, c.Namespace()}
	c.ApplyRungs(p.namespace)
	run := p.wait(t, "target", time.Minute)
	c.Kill(cluster.Master, "kube-apiserver")
	wantCut(t, run.ends(20*time.Second))
}
