package e2e_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"podpath/e2e/cluster"
	"podpath/e2e/screen"
)

// backAgain is how soon after the API server is back the screen must be live.
const backAgain = 10 * time.Second

func TestDataStaysWhileTheAPIServerIsGone(t *testing.T) {
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplySample(namespace)
	u := admin(t, c, namespace, screen.Options{})
	u.sees("1 Pods 3", "live")

	c.Kill(cluster.Master, "kube-apiserver")
	u.sees("stale since", "1 Pods 3", "▾ raspi002")
	time.Sleep(20 * time.Second) // long enough for the pauses between the tries to have grown, if they did
	u.sees("stale since", "1 Pods 3")
	c.Start(cluster.Master, "kube-apiserver")
	c.Eventually("the API server", 30*time.Second, func() error { return ready(c) })
	if err := u.WaitFor("a live screen", func(text string) bool { return strings.Contains(strings.Split(text, "\n")[1], " live") }, backAgain); err != nil {
		t.Fatal(err)
	}
	c.Kubectl("--namespace", namespace, "create", "service", "clusterip", "news", "--tcp=80")
	u.sees("2 Services 2")
}

func ready(c *cluster.Cluster) error {
	_, err := c.API.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(context.Background())
	return err
}

func TestUserIsToldThatTheAPIServerCannotBeReached(t *testing.T) {
	c := cluster.Use(t)
	kubeconfig := edited(t, c.Kubeconfig, regexp.MustCompile(`:6443`), ":6444")
	u := open(t, command(t, kubeconfig, "-n", "default"), screen.Options{})
	u.sees("unreachable", "connection refused", "podpath keeps trying")

	got := run(t, command(t, kubeconfig, "pods"))
	if got.code != 2 || !strings.Contains(got.err, "connection refused") || strings.Count(got.err, "\n") != 1 {
		t.Errorf("podpath pods: exit code %d, stderr %q; want 2 and one line that says connection refused", got.code, got.err)
	}
}

func TestCutOffMachineSeesStaleDataAndRecovers(t *testing.T) {
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplySample(namespace)
	cmd := command(t, c.Kubeconfig, "-n", namespace)
	outside := c.On(t.Context(), cluster.Outside, cmd.Args...)
	outside.Env = append(cmd.Env, "XDG_CACHE_HOME="+t.TempDir())
	u := open(t, outside, screen.Options{})
	u.sees("1 Pods 3", "live")

	c.Unplug(cluster.Outside)
	u.seesWithin(30*time.Second, "stale since", "1 Pods 3")
	c.Plug(cluster.Outside)
	if err := u.WaitFor("a live screen", func(text string) bool { return strings.Contains(strings.Split(text, "\n")[1], " live") }, backAgain); err != nil {
		t.Fatal(err)
	}
}

func TestNodeThatGoesSilentIsNamed(t *testing.T) {
	c := cluster.Use(t)
	u := admin(t, c, "kube-system", screen.Options{})
	u.sees("▾ raspi003  Ready")
	c.Unplug(cluster.Worker2)
	u.seesWithin(60*time.Second, "▾ raspi003  NotReady")
	u.filter("coredns")
	u.press("G", screen.Enter)
	u.sees("Node raspi003 is not ready")
	c.Plug(cluster.Worker2)
	u.press("1", screen.Escape)
	u.seesWithin(60*time.Second, "▾ raspi003  Ready")
}
