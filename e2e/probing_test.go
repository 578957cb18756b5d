package e2e_test

import (
	"strings"
	"testing"
	"time"

	"podpath/e2e/cluster"
	"podpath/e2e/screen"
)

// probesAll presses what probes everything in the namespace, and waits for the end.
func (u *user) probesAll() {
	u.t.Helper()
	u.sees("live")
	u.press("3")
	u.sees("Nothing is probed yet.")
	u.press("a")
	u.seesWithin(20*time.Second, "done  ")
}

// copies waits until the clipboard holds what begins so.
func (u *user) copies(text string) {
	u.t.Helper()
	u.sees("copied to the clipboard")
	if copied := u.State().Clipboard; !strings.HasPrefix(copied, text) {
		u.t.Errorf("got %q copied, want %q", copied, text)
	}
}

func TestPaneOfProbesFillsAndShowsTheEvidence(t *testing.T) {
	t.Parallel()
	p, _ := sample(t)
	u := admin(t, p.c, p.namespace, screen.Options{Cols: 120, Rows: 40})
	u.probesAll()
	u.sees("everything in "+p.namespace, "pod/sample-deploym", "local", "3 Probes ✓", "samp…erip", "✓ 23  ✗ 0  ")
	u.press(screen.Enter)
	u.sees("Probes › pod/sample-deployment-", "✓ listen", "Verdict", "✓ pass", "Expected", "reached: ", "Way", "tools: ", "connect")
	u.press("e")
	u.copies("kubectl exec -i -n " + p.namespace + " sample-deployment-")
	u.press(screen.Escape, "2")
	u.sees("PROBE", "sample-clusterip")
	u.press("q")
	u.leaves()
}

func TestServiceIsProbedWithPAndABrokenOneSaysWhy(t *testing.T) {
	t.Parallel()
	p, _ := sample(t)
	p.c.Kubectl("--namespace", p.namespace, "create", "service", "clusterip", "astray", "--tcp=80")
	u := admin(t, p.c, p.namespace, screen.Options{Cols: 120, Rows: 40})
	u.sees("live")
	u.press("2")
	u.filter("sample-clusterip")
	u.press("p")
	u.sees("› Probe sample-clusterip", "from one Pod on each Node", "who answers 120 connections")
	u.press("j", screen.Enter)
	u.seesWithin(20*time.Second, "each Node → svc/sample-clusterip", "done  ", "✓ 8  ✗ 0  ")
	u.press("2", screen.Escape)
	u.filter("astray")
	u.press("p", screen.Enter)
	u.seesWithin(20*time.Second, "everything about svc/astray", "done  ", "✗", "selector-matches-nothing", "next: kubectl ")
	u.press(screen.Enter)
	u.sees("✗ selector-matches-nothing", "✗ translate", "– speak", "not reached", "next  kubectl get pods", "✗ fail", "refused")
	u.press("c")
	u.copies("kubectl get pods")
	u.press("2")
	u.sees("astray", "✗")
}

func TestCtrlCInThePaneCancelsARunAndTheNextQuits(t *testing.T) {
	t.Parallel()
	p := rungs(t)
	u := admin(t, p.c, p.namespace, screen.Options{Cols: 120, Rows: 40})
	u.sees("live")
	u.press("3", "t")
	u.sees("permit helper Pods")
	u.press("j", "j", screen.Enter)
	u.press(":", "probe node/"+cluster.Worker+" pod/target:8080 "+nowhere, screen.Enter)
	p.c.Eventually("a helper Pod", soon, func() error { return contains(p.helpers(), "podpath-") })
	u.sees("running  1/2")
	u.press(screen.Ctrl('c'))
	u.seesWithin(2*time.Second, "cancelled")
	u.sees("cancelled  1/2", "ctrl-c quits")
	u.press(screen.Ctrl('c'))
	if code := u.leaves(); code != 0 {
		t.Errorf("got exit code %d, want 0", code)
	}
	check(t, "what is left", empty(p.helpers()))
}

func TestClosedTerminalLeavesNoHelperPod(t *testing.T) {
	t.Parallel()
	p := rungs(t)
	u := admin(t, p.c, p.namespace, screen.Options{Cols: 120, Rows: 40})
	u.sees("live")
	u.press("3", "t")
	u.sees("permit helper Pods")
	u.press("j", "j", screen.Enter)
	u.press(":", "probe node/"+cluster.Worker+" pod/target:8080 "+nowhere, screen.Enter)
	u.sees("running  1/2")
	check(t, "the helper Pod", contains(p.helpers(), "podpath-"))
	if err := u.HangUp(); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Wait(5 * time.Second); err != nil {
		t.Error(err)
	}
	check(t, "what is left", empty(p.helpers()))
}

func TestFurtherWaysArePermittedOnceAndScratchPassesThen(t *testing.T) {
	t.Parallel()
	p := rungs(t)
	u := admin(t, p.c, p.namespace, screen.Options{Cols: 120, Rows: 40})
	u.sees("live")
	u.press(":", "probe pod/scratch pod/target", screen.Enter)
	u.seesWithin(20*time.Second, "done  1/1", "? ", "could not look for want of tools", "t offers other ways")
	if made := p.guests("scratch"); len(made) > 0 {
		t.Errorf("got ephemeral containers %v before the user was asked", made)
	}
	u.press("t")
	u.sees("permit ephemeral containers", "permit uploads of its prober", "permit helper Pods", "Kubernetes cannot remove it")
	u.press(screen.Enter)
	u.seesWithin(20*time.Second, "done  1/1", "✓ ")
	u.press(screen.Enter)
	u.sees("ephemeral: nc in podpath-")
	if made := p.guests("scratch"); len(made) != 1 {
		t.Errorf("got ephemeral containers %v, want one", made)
	}
}

func TestReadOnlyProbesNothing(t *testing.T) {
	t.Parallel()
	p, _ := sample(t)
	asked, kubeconfig := record(t, p.c.Kubeconfig)
	u := open(t, command(t, kubeconfig, "-n", p.namespace, "--readonly"), screen.Options{Cols: 120})
	u.sees("live")
	u.press("3", "a")
	u.sees("podpath was started with --readonly")
	u.press("2", "p")
	u.sees("podpath was started with --readonly")
	for _, call := range asked.all() {
		if strings.HasSuffix(call, "/exec") {
			t.Errorf("got %s, want no exec", call)
		}
	}
}

func TestPaneOfProbesInASmallTerminal(t *testing.T) {
	t.Parallel()
	p, _ := sample(t)
	u := admin(t, p.c, p.namespace, screen.Options{Cols: 40, Rows: 10})
	u.press("3")
	u.sees("Nothing is probed yet")
	u.press("a")
	u.seesWithin(20*time.Second, "done", "✓")
	u.press("j", "l", screen.Enter)
	u.sees("✓ pass")
	u.press(screen.Escape)
	u.sees("done")
	if err := u.Resize(120, 40); err != nil {
		t.Fatal(err)
	}
	u.sees("everything in "+p.namespace, "pod/sample-deploym")
}

func TestPaneOfProbesIsSilentAfterARun(t *testing.T) {
	p, _ := sample(t)
	u := admin(t, p.c, p.namespace, screen.Options{Cols: 120, Rows: 40})
	u.probesAll()
	time.Sleep(2 * time.Second)
	before := u.Received()
	time.Sleep(10 * time.Second)
	if wrote := u.Output()[before:]; len(wrote) > 0 {
		t.Errorf("a pane of probes that is done wrote %d bytes: %q", len(wrote), wrote)
	}
}
