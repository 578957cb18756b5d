package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"podpath/e2e/cluster"
	"podpath/e2e/screen"
)

func TestUserSeesPodsByNodeAndFollowsAServiceToItsPodsAndBack(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplySample(namespace)
	u := admin(t, c, namespace, screen.Options{})

	u.sees("▾ raspi001  Ready  0 Pods  control-plane  198.51.100.11", "▾ raspi002  Ready", "1 Pods 3", "2 Services 1", "live")
	pod := c.Kubectl("--namespace", namespace, "get", "pod", "--output=jsonpath={.items[0].metadata.name}")
	tail := pod[len(pod)-8:] // a name is cut in its middle
	u.sees(tail, "2/2", "Running")

	u.press("2")
	u.sees("sample-clusterip", "8080→80/TCP", "3/3")
	u.press(screen.Enter)
	u.sees("Services › sample-clusterip", "selects app=sample-app", "ADDRESS", "READY", tail)

	u.press(screen.Enter)
	u.sees("Services › sample-clusterip › Pods", "NAME")
	u.press("s")
	u.sees("› Services of sample-deployment-")
	u.press(screen.Enter)
	u.sees("› Pods › Services of sample-deployment-", " › sample-clusterip live")

	for _, place := range []string{"› Pods › Services of sample-deployment-", "Services › sample-clusterip › Pods", "Services › sample-clusterip", "Services"} {
		u.press(screen.Escape)
		u.seesNo(place + " › ")
	}
	u.press("1")
	u.sees("▾ raspi001")
	u.press("q")
	if code := u.leaves(); code != 0 {
		t.Errorf("exit code %d after q, want 0", code)
	}
}

func TestScreenFollowsTheClusterLive(t *testing.T) {
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplySample(namespace)
	u := admin(t, c, namespace, screen.Options{})
	u.sees("1 Pods 3", "live")

	c.Kubectl("--namespace", namespace, "scale", "deployment", "sample-deployment", "--replicas=5")
	u.sees("1 Pods 5")
	u.press("2")
	u.sees("5/5")
	c.Kubectl("--namespace", namespace, "scale", "deployment", "sample-deployment", "--replicas=0")
	u.sees("0/0", "selector-")
	c.Kubectl("cordon", cluster.Worker)
	t.Cleanup(func() { c.Kubectl("uncordon", cluster.Worker) })
	u.press("1")
	u.sees("Ready,SchedulingDisabled")
}

func TestEveryKindAndFlagIsShown(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplyKinds(namespace)
	u := admin(t, c, namespace, screen.Options{Cols: 200, Rows: 60})

	u.press("2")
	u.sees("Headless", "NodePort", "LoadBalancer", "ExternalName", "outside.example.test", "<pending>", "203.0.113.10", "198.51.100.200",
		"selector-matches-no-pod", "no-ready-endpoint", "target-port-missing", "no-selector-no-slice", "load-balancer-pending", "0/1 (1 not ready)")
	for service, sentence := range map[string]string{
		"flag-selects-nothing":      "matches no Pod in namespace " + namespace,
		"flag-not-ready":            "The only endpoint is not ready",
		"flag-port-missing":         `targets the port named "metrics", which 2 of the 2 Pods`,
		"flag-noselector-noslice":   "no EndpointSlice gives it an endpoint",
		"kind-loadbalancer-pending": "No load balancer has given this Service an address",
	} {
		u.press("2")
		u.filter(service)
		u.press("d")
		u.sees("› "+service, sentence)
		u.press(screen.Escape, screen.Escape)
	}
	u.press("1")
	u.sees("ErrImageNeverPull", "Completed", "no Node yet  1 Pod", "3/3", "unschedulable")
	u.seesWithin(time.Minute, "CrashLoopBackOff") // between two crashes it is an Error
}

func TestDetailYAMLAndSearch(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplyKinds(namespace)
	u := admin(t, c, namespace, screen.Options{Cols: 80, Rows: 40})

	u.sees("init-and-sidecar")
	u.filter("init-and")
	u.press(screen.Enter)
	u.sees("Pods › init-and-sidecar", "(sidecar)", "(init)", "Conditions", "Events", "Scheduled")
	u.press("y")
	u.sees("init-and-sidecar YAML", "apiVersion: v1")
	u.press("/", "schedulerName", screen.Enter)
	u.sees("/schedulerName  1 time")
	u.press("g")
	u.sees("apiVersion: v1")
	u.press("n")
	u.sees("schedulerName: default-scheduler")

	u.press("1", screen.Escape)
	u.sees("raspi001")
	u.press("g", screen.Enter)
	u.sees("Pods › raspi001", "control-plane:NoSchedule", "Conditions", "Ready=True  KubeletReady")
	u.press("y")
	u.sees("raspi001 YAML", "kind: Node")
}

func TestTextFromTheClusterIsHarmless(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplyKinds(namespace)
	u := admin(t, c, namespace, screen.Options{Cols: 80, Rows: 60})

	u.sees("hostile")
	u.filter("hostile")
	u.press("d")
	u.sees("example.test/escape: [31m]0;owned", "日本語のラベル")
	u.press("y")
	u.sees("example.test/escape", "owned")
	if title := u.State().Title; strings.Contains(title, "owned") {
		t.Errorf("the title of the terminal is %q: an annotation set it", title)
	}
	if bytes := string(u.Output()); strings.Contains(bytes, "\x1b]0;owned") || strings.ContainsAny(bytes, "\u009b\u202e") {
		t.Error("an escape sequence of an annotation reached the terminal")
	}
	col, row, found := u.Find("[31m]0;owned")
	if !found || row < 2 || col == 0 {
		t.Errorf("the annotation is at column %d, row %d (found: %v), want it in its place in the text", col, row, found)
	}
}

func TestFilterSortFoldWideAndCopy(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplyKinds(namespace)
	u := admin(t, c, namespace, screen.Options{})

	u.sees("host-network", "web-")
	u.filter("-l app=web")
	u.seesNo("host-network")
	u.filter("!web")
	u.sees("host-network")
	u.seesNo("web-")
	u.press(screen.Escape)
	u.sees("web-", "host-network")

	u.press("S")
	u.sees("STATUS↑")
	u.press("S")
	u.sees("STATUS↓")
	u.press(screen.Ctrl('w'))
	u.sees("RESTARTS")
	for range 20 {
		u.press(screen.Right)
	}
	u.sees("OWNER")
	u.press(screen.Ctrl('w'))
	u.seesNo("OWNER")

	u.press("z")
	u.sees("▸ raspi002", "▸ no Node yet")
	u.seesNo("host-network")
	u.press("g", "j", " ")
	u.sees("▾ raspi002", "host-network")
	u.press("z") // unfolds all
	u.sees("unschedulable")

	u.filter("host-network")
	u.press("G", "c")
	u.sees("copied")
	if got := u.State().Clipboard; got != "host-network" {
		t.Errorf("the clipboard holds %q, want the name of the Pod", got)
	}
}

func TestNamespaceAndContextSwitch(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplySample(namespace)
	u := admin(t, c, "kube-system", screen.Options{Cols: 120, Rows: 40})

	u.sees("pi › kube-system", "coredns-")
	u.press("0")
	u.sees("pi › all namespaces", "NAMESPACE", "coredns-", "sample-deployment-")
	u.press("0")
	u.sees("pi › kube-system")
	u.press(":", "ns "+namespace, screen.Enter)
	u.sees("pi › "+namespace, "1 Pods 3")
	u.press(":", "ns", screen.Enter)
	u.sees("› Namespaces", "kube-system", "current")
	u.filter("kube-system")
	u.press(screen.Enter)
	u.sees("pi › kube-system", "coredns-")
	u.press(":", "ctx", screen.Enter)
	u.sees("› Contexts")
	u.press(screen.Enter)
	u.sees("pi › default")
	u.press(":", "ns", screen.Enter)
	u.sees("› Namespaces", "kube-system") // they are known from now on
	u.press(screen.Escape)
	u.seesNo("› Namespaces")
	u.press(":", "ns nowhere", screen.Enter)
	u.sees("There is no namespace \"nowhere\"; there are ", "pi › default")
	u.press(":", "nonsense", screen.Enter)
	u.sees("no command :nonsense")
	u.press(":", "q", screen.Enter)
	u.leaves()
}

func TestEverySizeWorks(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplyKinds(namespace)
	u := admin(t, c, namespace, screen.Options{Cols: 40, Rows: 10})

	u.sees("▾ raspi001  Ready", "live", "? help")
	u.press("2")
	u.sees("ENDPOINTS", "flag-not-ready")
	u.press(screen.Enter)
	u.sees("Services › ")
	u.press(screen.Escape)
	for _, size := range [][2]int{{200, 60}, {80, 24}, {20, 5}, {1, 1}, {3, 2}, {120, 40}} {
		if err := u.Resize(size[0], size[1]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	u.sees("kind-clusterip", "FLAGS", fmt.Sprintf("pi › %s", namespace))
	u.press("1")
	u.sees("▾ raspi003")
}
