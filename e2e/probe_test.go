package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"podpath/e2e/cluster"
)

// report is what podpath probe -o json prints.
type report struct {
	Results []probed
	Summary struct{ Pass, Fail, Inconclusive, Skipped int }

	code   int
	stderr string
}

type probed struct {
	ID, Source, Target, Kind, Expected, ExpectedWhy string
	Verdict, Stage, Error, Detail, Via, Body        string
	Values                                          []string
	Tries                                           int
	Certificate                                     *struct{ Problem string }
	Spread                                          *struct {
		Connections, Errors int
		Shares              []struct {
			Endpoint string
			Count    *int
		}
	}
	Cause *struct {
		Code, Summary, Next string
		Evidence            []string
	}
}

func (p probed) String() string {
	cause := "no cause"
	if p.Cause != nil {
		cause = p.Cause.Code + ": " + p.Cause.Summary
	}
	return fmt.Sprintf("%s %s → %s: %s %s (%s) by %s; %s", p.Verdict, p.Source, p.Target, p.Stage, p.Error, p.Detail, p.Via, cause)
}

// probe runs podpath probe on the master.
func probe(t *testing.T, kubeconfig, namespace string, args ...string) report {
	t.Helper()
	return reported(t, command(t, kubeconfig, append([]string{"probe", "-n", namespace, "-o", "json"}, args...)...))
}

func reported(t *testing.T, cmd *exec.Cmd) report {
	t.Helper()
	got := run(t, cmd)
	r := report{code: got.code, stderr: got.err}
	if err := json.Unmarshal([]byte(got.out), &r); err != nil {
		t.Fatalf("%s: %v\nstdout %q\nstderr %q", cmd, err, got.out, got.err)
	}
	return r
}

// want checks the exit code, and says all that is not as it should be.
func (r report) want(t *testing.T, code int) {
	t.Helper()
	if r.code == code {
		return
	}
	t.Errorf("got exit code %d, want %d; stderr %q", r.code, code, r.stderr)
	for _, p := range r.Results {
		if p.Verdict != "pass" {
			t.Log(p)
		}
	}
}

// causes are the codes of the causes of one verdict, once each.
func (r report) causes(verdict string) map[string]bool {
	codes := map[string]bool{}
	for _, p := range r.Results {
		if p.Cause != nil && p.Verdict == verdict {
			codes[p.Cause.Code] = true
		}
	}
	return codes
}

// names checks that a target failed for this cause, and for it alone.
func (r report) names(t *testing.T, target, code string) {
	t.Helper()
	found := false
	for _, p := range r.Results {
		if p.Target != target {
			continue
		}
		found = true
		if p.Verdict != "fail" || p.Cause == nil || p.Cause.Code != code || p.Cause.Next == "" || len(p.Cause.Evidence) == 0 {
			t.Errorf("got %s; want it to fail for %s, with evidence and what to do next", p, code)
		}
	}
	if !found {
		t.Errorf("got no result for %s in %v", target, r.Results)
	}
}

func TestProbeOfTheStory(t *testing.T) {
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplySample(namespace)
	asked, kubeconfig := record(t, c.User(namespace, append(cluster.View, cluster.Probe...)...).Kubeconfig)
	r := probe(t, kubeconfig, namespace)
	r.want(t, 0)

	kinds := map[string]int{}
	for _, p := range r.Results {
		kinds[p.Kind]++
		if p.Cause != nil || p.Tries > 1 {
			t.Errorf("got %s after %d tries, want neither a cause nor a second try on a healthy cluster", p, p.Tries)
		}
		if p.Spread != nil {
			taken := 0
			for _, share := range p.Spread.Shares {
				taken += *share.Count
			}
			if len(p.Spread.Shares) != 3 || taken != 120 {
				t.Errorf("got %+v, want 120 connections accounted for over three Pods", p.Spread)
			}
		}
	}
	if kinds["tcp"] < 12 || kinds["spread"] != 1 || kinds["env"] != 1 || kinds["dns"] < 4 {
		t.Errorf("got %v, want paths, a spread, variables and names", kinds)
	}
	execs := 0
	for _, call := range asked.all() {
		if strings.HasSuffix(call, "/exec") {
			execs++
		}
	}
	if execs > 5 { // a look into each of the two images, and one for each Pod
		t.Errorf("got %d execs for three Pods of two images, want at most 5", execs)
	}
}

func TestProbeFromOutsidePassesBecauseNothingIsReached(t *testing.T) {
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplySample(namespace)
	cmd := c.On(t.Context(), cluster.Outside, os.Getenv("PODPATH"), "--kubeconfig", c.Kubeconfig, "-n", namespace, "probe", "local", "svc/sample-clusterip", "-o", "json")
	r := reported(t, cmd)
	r.want(t, 0)
	for _, p := range r.Results {
		if p.Error != "timeout" && p.Error != "unreachable" || p.Cause == nil || p.Cause.Code != "outside-cluster" {
			t.Errorf("got %s, want it not reached, and why that is right", p)
		}
	}
}

func TestProbeLooksOutOfEveryImage(t *testing.T) {
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplyToolboxes(namespace)
	targets := []string{
		"svc/python-service:80", "svc/scratch-service:443", "http://scratch-service/", "https://scratch-service/", "pod/perl:8080", "pod/bash:1",
		"dns:python-service", "dns:_http._tcp.python-service." + namespace + ".svc/SRV",
	}
	for pod, tool := range map[string]string{"bash": "bash", "busybox": "nc", "python": "python3", "perl": "perl"} {
		t.Run(pod, func(t *testing.T) {
			r := probe(t, c.Kubeconfig, namespace, append([]string{"pod/" + pod}, targets...)...)
			for _, p := range r.Results {
				refused := p.Target == "pod/bash:1"
				if !strings.Contains(p.Via, "tools: "+tool+" in ") || refused != (p.Error == "refused") || !refused && p.Verdict != "pass" {
					t.Errorf("got %s, want it reached by %s (port 1 refused)", p, tool)
				}
				if p.Kind == "https" && (p.Certificate == nil || !strings.Contains(p.Certificate.Problem, "unknown authority")) {
					t.Errorf("got certificate %+v, want one that nobody knows", p.Certificate)
				}
			}
		})
	}
	t.Run("scratch", func(t *testing.T) {
		r := probe(t, c.Kubeconfig, namespace, "pod/scratch", "svc/python-service:80")
		r.want(t, 3)
		if !r.causes("inconclusive")["no-tools"] {
			t.Errorf("got %v, want no-tools", r.Results)
		}
		r = probe(t, c.Kubeconfig, namespace, "pod/scratch", "svc/python-service:80", "http://scratch-service/", "--allow-ephemeral=busybox:1.35")
		r.want(t, 0)
		if via := r.Results[0].Via; !strings.HasPrefix(via, "ephemeral: ") {
			t.Errorf("got it by %s, want an ephemeral container", via)
		}
	})
}

func TestProbeNamesTheCauseOfWhatIsBroken(t *testing.T) {
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplyBroken(namespace)
	c.Apply(namespace, "clients.yaml")
	c.WaitForDaemonSet(namespace, "client")
	c.WaitForRollout(namespace, "open")
	c.WaitForRollout(namespace, "quiet")
	client := clientOn(c, namespace, cluster.Worker)

	for service, code := range map[string]string{
		"selects-nothing": "selector-matches-nothing", "none-ready": "no-ready-endpoint", "port-name-missing": "target-port-missing",
		"slice-missing": "manual-slice-missing", "wrong-port": "wrong-target-port", "loopback": "loopback-only",
		"policy-not-enforced": "policy-not-enforced",
	} {
		t.Run(service, func(t *testing.T) {
			r := probe(t, c.Kubeconfig, namespace, client, "svc/"+service+":80")
			r.want(t, 1)
			r.names(t, "svc/"+service+":80", code)
		})
	}
	t.Run("one dead endpoint", func(t *testing.T) {
		r := probe(t, c.Kubeconfig, namespace, client, "svc/one-dead:80")
		if got := r.causes("fail"); len(got) != 1 || !got["dead-endpoint"] {
			t.Errorf("got %v in %v, want dead-endpoint alone", got, r.Results)
		}
	})
	t.Run("load balancer", func(t *testing.T) {
		probe(t, c.Kubeconfig, namespace, client, "svc/loadbalancer-pending:80").names(t, "svc/loadbalancer-pending:80@loadbalancer", "load-balancer-pending")
	})
	t.Run("ingress", func(t *testing.T) {
		host := "." + namespace + ".example.test"
		r := probe(t, c.Kubeconfig, namespace, client, "ingress/healthy", "ingress/backend-missing", "ingress/port-missing", "ingress/class-unknown")
		r.names(t, "http://backend-missing"+host+"/api", "ingress-backend-missing")
		r.names(t, "http://port-missing"+host+"/", "ingress-backend-missing")
		r.names(t, "ingress/class-unknown", "ingress-no-address")
		if r.Summary.Pass != 2 { // healthy, and the other path of backend-missing
			t.Errorf("got %d passes in %v, want 2", r.Summary.Pass, r.Results)
		}
	})
	t.Run("a name of another namespace", func(t *testing.T) {
		r := probe(t, c.Kubeconfig, "", "--all-namespaces", strings.Replace(client, "pod/", "pod/"+namespace+"/", 1), "dns:kube-dns", "dns:kube-dns.kube-system")
		r.names(t, "dns:kube-dns", "no-such-service")
		if cause := r.Results[0].Cause; cause == nil || !strings.Contains(cause.Summary, "kube-dns.kube-system") || r.Summary.Pass != 1 {
			t.Errorf("got %v, want the whole name said, and found", r.Results)
		}
	})
	t.Run("by design", func(t *testing.T) {
		r := probe(t, c.Kubeconfig, namespace, client, "svc/headless-unready", "dns:healthy")
		if got := r.causes("pass"); !got["headless-not-ready"] || len(r.causes("fail")) > 0 {
			t.Errorf("got %v in %v, want headless-not-ready and no failure", got, r.Results)
		}
		all := probe(t, c.Kubeconfig, namespace, "--only", "discovery")
		if got := all.causes("pass"); !got["srv-port-unnamed"] {
			t.Errorf("got %v, want srv-port-unnamed", got)
		}
		named := probe(t, c.Kubeconfig, namespace, "local", "dns:healthy")
		if got := named.causes("pass"); !got["outside-dns"] {
			t.Errorf("got %v in %v, want outside-dns", got, named.Results)
		}
		local := probe(t, c.Kubeconfig, namespace, "local", "svc/nodeport-local")
		if got := local.causes("pass"); !got["external-traffic-local"] {
			t.Errorf("got %v in %v, want external-traffic-local", got, local.Results)
		}
	})
}

func TestProbeNamesEnvironmentsThatAreTooOld(t *testing.T) {
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplySample(namespace)
	time.Sleep(1500 * time.Millisecond) // times of objects have whole seconds
	c.Kubectl("--namespace", namespace, "create", "service", "clusterip", "younger", "--tcp=80:80")
	r := probe(t, c.Kubeconfig, namespace, "--only", "discovery")
	if got := r.causes("pass"); !got["env-pod-older"] {
		t.Errorf("got %v in %v, want env-pod-older", got, r.Results)
	}
}

func TestProbeNamesTheFaultsOfTheCluster(t *testing.T) {
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplySample(namespace)
	c.Apply(namespace, "clients.yaml")
	c.WaitForDaemonSet(namespace, "client")
	client, other := clientOn(c, namespace, cluster.Worker), clientOn(c, namespace, cluster.Worker2)
	dns := "dns:kubernetes.default"

	t.Run("kube-proxy", func(t *testing.T) {
		cluster.Use(t).StopKubeProxy(cluster.Worker)
		r := probe(t, c.Kubeconfig, namespace, client, "svc/sample-clusterip:8080")
		r.names(t, "svc/sample-clusterip:8080", "kube-proxy")
		probe(t, c.Kubeconfig, namespace, other, "svc/sample-clusterip:8080").want(t, 0)
	})
	t.Run("route", func(t *testing.T) {
		cluster.Use(t).RemoveRoute(cluster.Worker, cluster.Worker2)
		r := probe(t, c.Kubeconfig, namespace, "--only", "paths")
		r.want(t, 1)
		if got := r.causes("fail"); len(got) != 1 || !got["cross-node-route"] {
			t.Errorf("got %v, want cross-node-route alone", got)
			r.want(t, 0)
		}
	})
	t.Run("DNS", func(t *testing.T) {
		cluster.Use(t).ScaleCoreDNS(0)
		r := probe(t, c.Kubeconfig, namespace, client, dns)
		r.names(t, dns, "dns-down")
	})
	t.Run("kubelet", func(t *testing.T) {
		now := cluster.Use(t)
		now.Kill(cluster.Worker2, "kubelet")
		r := probe(t, c.Kubeconfig, namespace, other, "svc/sample-clusterip:8080")
		r.want(t, 3)
		if got := r.causes("inconclusive"); !got["kubelet-away"] {
			t.Errorf("got %v in %v, want kubelet-away", got, r.Results)
		}
	})
	t.Run("Node", func(t *testing.T) {
		now := cluster.Use(t)
		target := now.Kubectl("--namespace", namespace, "get", "pods", "--selector=app=sample-app", "--field-selector=spec.nodeName="+cluster.Worker2, "--output=jsonpath=pod/{.items[0].metadata.name}:80")
		now.Unplug(cluster.Worker2)
		now.Eventually("the Node to be found missing", time.Minute, func() error {
			return contains(now.Kubectl("get", "node", cluster.Worker2, "--no-headers"), "NotReady")
		})
		r := probe(t, c.Kubeconfig, namespace, client, target)
		r.want(t, 1)
		r.names(t, target, "node-not-ready")
	})
	t.Run("healthy again", func(t *testing.T) {
		r := probe(t, c.Kubeconfig, namespace, client, "svc/sample-clusterip:8080", dns)
		r.want(t, 0)
	})
}

func TestProbeWithoutTheRightToExecIsInconclusive(t *testing.T) {
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplySample(namespace)
	viewer := c.User(namespace, cluster.View...)
	r := probe(t, viewer.Kubeconfig, namespace, "deploy/sample-deployment", "svc/sample-clusterip:8080")
	r.want(t, 3)
	if got := r.causes("inconclusive"); len(got) != 1 || !got["exec-denied"] {
		t.Errorf("got %v in %v, want exec-denied alone", got, r.Results)
	}
}

// clientOn is the client of clients.yaml on a node, as a source.
func clientOn(c *cluster.Cluster, namespace, node string) string {
	return "pod/" + c.Kubectl("--namespace", namespace, "get", "pods", "--selector=app=client", "--field-selector=spec.nodeName="+node, "--output=jsonpath={.items[0].metadata.name}")
}
