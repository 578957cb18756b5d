package e2e_test

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"podpath/e2e/cluster"
)

// place is where somebody looks out of a namespace of the cluster.
type place struct {
	c         *cluster.Cluster
	namespace string
}

// now is the place as a subtest sees it: what that changes is undone when it ends.
func (p place) now(t *testing.T) place { return place{cluster.Use(t), p.namespace} }

// get is what kubectl says about an object.
func (p place) get(object, path string) string {
	return p.c.Kubectl("--namespace", p.namespace, "get", object, "--output=jsonpath="+path)
}

// url is where a Service is, without DNS.
func (p place) url(service string) string {
	return "http://" + p.get("service/"+service, "{.spec.clusterIP}:{.spec.ports[0].port}")
}

// in runs a command in a Pod.
func (p place) in(t *testing.T, pod string, command ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return try(t, p.c.In(ctx, p.namespace, pod, nil, command...))
}

// on runs curl on a machine.
func (p place) on(t *testing.T, machine string, args ...string) (string, error) {
	t.Helper()
	return try(t, p.c.On(t.Context(), machine, append(curl, args...)...))
}

// What curl calls the ways to fail.
const (
	noName  = 6
	refused = 7
	silence = 28
	reset   = 56
)

// fails is nil if curl ended with this code.
func fails(out string, err error, code int) error {
	exit, ok := err.(*exec.ExitError)
	switch {
	case err == nil:
		return fmt.Errorf("got %q, want curl to fail with %d", out, code)
	case !ok || exit.ExitCode() != code:
		return fmt.Errorf("%w: %s; want curl's code %d", err, out, code)
	default:
		return nil
	}
}

// answers is nil if the command succeeded and printed this.
func answers(out string, err error, want string) error {
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return contains(out, want)
}

// check reports an error of what was looked at.
func check(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func TestClusterToolboxesReachAServiceWithTheirOwnTool(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	p := place{c, c.Namespace()}
	c.ApplyToolboxes(p.namespace)

	const (
		url     = "http://scratch-service"
		request = `GET / HTTP/1.0\r\n\r\n`
	)
	for pod, command := range map[string][]string{
		"bash":    {"bash", "-c", `exec 3<>/dev/tcp/scratch-service/80; printf '` + request + `' >&3; cat <&3`},
		"busybox": {"wget", "-q", "-O-", url},
		"python":  {"python3", "-c", `import ssl, urllib.request; print(urllib.request.urlopen("` + url + `").read())`},
		"perl":    {"perl", "-MIO::Socket::INET", "-e", `$s = IO::Socket::INET->new("scratch-service:80") or die $@; print $s "` + request + `"; print <$s>`},
		"curl":    {"curl", "--silent", "--insecure", url, "https://scratch-service"},
	} {
		c.Eventually("an answer in "+pod, soon, func() error {
			out, err := p.in(t, pod, command...)
			return answers(out, err, "scratch")
		})
	}
	for pod, shell := range map[string]bool{"bash": true, "busybox": true, "python": false, "perl": false, "curl": false, "scratch": false} {
		if out, err := p.in(t, pod, "sh", "-c", "true"); (err == nil) != shell {
			t.Errorf("a shell in %s: %v %s; want one: %v", pod, err, out, shell)
		}
	}
	for service, want := range map[string]string{"busybox": "busybox", "perl": "perl", "python": "Directory listing", "scratch": "scratch"} {
		out, err := p.on(t, cluster.Master, p.url(service+"-service"))
		check(t, "the answer of "+service, answers(out, err, want))
	}
}

func TestClusterScratchPodIsReadyWhenTold(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	p := place{c, c.Namespace()}
	c.ApplyToolboxes(p.namespace)
	for state, want := range map[string]string{"no": "False", "yes": "True"} {
		out, err := p.on(t, cluster.Master, "--request", "POST", "http://"+p.get("pod/scratch", "{.status.podIP}")+":8080/readyz/"+state)
		check(t, "a change of readiness", answers(out, err, ""))
		c.Eventually("the Pod to hear "+state, soon, func() error {
			return contains(p.get("pod/scratch", `{.status.conditions[?(@.type=="Ready")].status}`), want)
		})
	}
}

func TestClusterBrokenServicesFailAsTheirNamesSay(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	p := place{c, c.Namespace()}
	c.ApplyBroken(p.namespace)

	for service, code := range map[string]int{
		"selects-nothing": refused, "none-ready": refused, "port-name-missing": refused, "wrong-target-port": refused,
		"loopback-only": refused, "slice-missing": refused, "resets": reset,
	} {
		c.Eventually(service+" to fail", soon, func() error {
			out, err := p.on(t, cluster.Master, p.url(service))
			return fails(out, err, code)
		})
	}
	for service, pod := range map[string]string{
		"healthy": "web-", "unnamed-port": "web-", "loadbalancer-pending": "web-", "policy-not-enforced": "guarded-",
	} {
		out, err := p.on(t, cluster.Master, p.url(service))
		check(t, service, answers(out, err, pod))
	}
	const tries = 60 // that one of three is never, or always, chosen: 1 in 10 billion
	out, err := try(t, c.On(t.Context(), cluster.Master, "sh", "-c",
		fmt.Sprintf("for i in $(seq %d); do %s %s 2>/dev/null || echo refused $?; done", tries, strings.Join(curl, " "), p.url("one-dead"))))
	good, bad := strings.Count(out, "half-alive-"), strings.Count(out, fmt.Sprintf("refused %d\n", refused))
	if err != nil || good == 0 || bad == 0 || good+bad < tries-1 { // the last line has no end
		t.Errorf("one-dead answered %d times and refused %d times, want both and nothing else (%v):\n%s", good, bad, err, out)
	}
	for service, code := range map[string]string{"tls-expired": "certificate has expired", "tls-wrong-name": "no alternative certificate subject name matches"} {
		address := p.get("service/"+service, "{.spec.clusterIP}")
		ca := p.certificate(t, service, address)
		out, err := p.on(t, cluster.Master, "--cacert", ca, "--resolve", service+":443:"+address, "https://"+service)
		if err == nil {
			t.Errorf("%s answered %s", service, out)
		}
		check(t, service, contains(out, code))
	}
}

// certificate is a file with the certificate that a Service shows.
func (p place) certificate(t *testing.T, name, address string) string {
	t.Helper()
	file := t.TempDir() + "/" + name
	must(t, p.c.On(t.Context(), cluster.Master, "sh", "-c", "openssl s_client -connect "+address+":443 </dev/null 2>/dev/null | openssl x509 >"+file))
	return file
}

func TestClusterNamesOfBrokenServicesInDNS(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	p := place{c, c.Namespace()}
	c.ApplyToolboxes(p.namespace)
	c.ApplyBroken(p.namespace)
	domain := "." + p.namespace + ".svc.cluster.local"

	for question, want := range map[string]int{
		"-type=a healthy":                   1,
		"-type=srv _http._tcp.healthy":      1,
		"-type=a headless-unready":          2,
		"-type=srv _http._tcp.unnamed-port": 0,
	} {
		words := strings.Fields(question)
		mark := "Address: 10."
		if words[0] == "-type=srv" {
			mark = "service = "
		}
		c.Eventually(question, soon, func() error {
			out, _ := p.in(t, "busybox", "nslookup", words[0], words[1]+domain)
			_, answer, _ := strings.Cut(out, "\n\n") // before it is the name server
			if got := strings.Count(answer, mark); got != want {
				return fmt.Errorf("%d answers, want %d:\n%s", got, want, out)
			}
			return nil
		})
	}
}

func TestClusterNodePortWithLocalPolicyAnswersOnTheNodeOfItsPod(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	p := place{c, c.Namespace()}
	c.ApplyBroken(p.namespace)
	port := p.get("service/nodeport-local", "{.spec.ports[0].nodePort}")
	c.Eventually("an answer of "+cluster.Worker2, soon, func() error {
		out, err := p.on(t, cluster.Outside, "http://"+cluster.NodeAddress(cluster.Worker2)+":"+port)
		return answers(out, err, "corner-")
	})
	out, err := p.on(t, cluster.Outside, "http://"+cluster.NodeAddress(cluster.Worker)+":"+port)
	check(t, "a node without the Pod", fails(out, err, silence))
}

func TestClusterIngressSaysWhatIsBroken(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	p := place{c, c.Namespace()}
	c.ApplyBroken(p.namespace)
	address := p.get("ingress/healthy", "{.status.loadBalancer.ingress[0].ip}")
	for url, want := range map[string]string{
		"http://healthy/":            "200",
		"https://healthy/deep/path":  "200",
		"http://backend-missing/":    "200",
		"http://backend-missing/api": "503",
		"http://port-missing/":       "503",
		"http://class-unknown/":      "404",
	} {
		scheme, rest, _ := strings.Cut(url, "://")
		name, path, _ := strings.Cut(rest, "/")
		host := name + "." + p.namespace + ".example.test"
		c.Eventually(url+" to answer "+want, soon, func() error {
			out, err := p.on(t, cluster.Outside, "--insecure", "--output", "/dev/null", "--write-out", "%{http_code}",
				"--resolve", host+":80:"+address, "--resolve", host+":443:"+address, scheme+"://"+host+"/"+path)
			return answers(out, err, want)
		})
	}
	if at := p.get("ingress/class-unknown", "{.status.loadBalancer}"); at != "{}" {
		t.Errorf("the Ingress of an unknown class has the status %s, want none", at)
	}
}

// onePodEach is a place with a Pod with curl on each worker, called after it, and a Pod that answers on raspi003.
func onePodEach(t *testing.T, c *cluster.Cluster) (p place, target string) {
	t.Helper()
	p = place{c, c.Namespace()}
	for _, node := range []string{cluster.Worker, cluster.Worker2} {
		p.run(node, node, "curl")
	}
	p.run("target", cluster.Worker2, "echo")
	c.Kubectl("--namespace", p.namespace, "expose", "pod", "target", "--port=80", "--target-port=8080", "--name=target-service")
	c.Kubectl("--namespace", p.namespace, "wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s")
	return p, p.get("pod/target", "{.status.podIP}")
}

func (p place) run(name, node, image string) {
	p.c.Kubectl("--namespace", p.namespace, "run", name, "--image=example.test/"+image+":1", "--labels=app="+name,
		`--overrides={"spec": {"nodeName": "`+node+`", "terminationGracePeriodSeconds": 1}}`)
}

// curl runs curl in a Pod of onePodEach.
func (p place) curl(t *testing.T, pod, url string) (string, error) {
	t.Helper()
	return p.in(t, pod, append(curl, url)...)
}

func TestFaultRouteMissingCutsPodsOfTwoNodes(t *testing.T) {
	c := cluster.Use(t)
	p, target := onePodEach(t, c)
	url := "http://" + target + ":8080"
	t.Run("missing", func(t *testing.T) {
		p := p.now(t)
		p.c.RemoveRoute(cluster.Worker, cluster.Worker2)
		out, err := p.curl(t, cluster.Worker, url)
		check(t, "across", fails(out, err, silence))
		out, err = p.curl(t, cluster.Worker2, url)
		check(t, "on the same node", answers(out, err, "target"))
		out, err = p.on(t, cluster.Worker, url)
		check(t, "from the node without the route", fails(out, err, silence))
		out, err = p.on(t, cluster.Master, url)
		check(t, "from the third node", answers(out, err, "target"))
	})
	t.Run("back the way there is none", func(t *testing.T) {
		p := p.now(t)
		p.c.RemoveRoute(cluster.Worker2, cluster.Worker)
		out, err := p.curl(t, cluster.Worker, url)
		check(t, "from a Pod", fails(out, err, silence))
		out, err = p.on(t, cluster.Worker, url)
		check(t, "from the node itself", answers(out, err, "target"))
	})
	out, err := p.curl(t, cluster.Worker, url)
	check(t, "afterwards", answers(out, err, "target"))
}

func TestFaultKubeProxyStoppedTakesServicesFromOneNode(t *testing.T) {
	c := cluster.Use(t)
	p, target := onePodEach(t, c)
	service, pod := p.url("target-service"), "http://"+target+":8080"
	c.Eventually("the Service", soon, func() error {
		out, err := p.curl(t, cluster.Worker, service)
		return answers(out, err, "target")
	})
	t.Run("stopped", func(t *testing.T) {
		p := p.now(t)
		p.c.StopKubeProxy(cluster.Worker)
		out, err := p.curl(t, cluster.Worker, service)
		check(t, "the ClusterIP there", fails(out, err, silence))
		out, err = p.curl(t, cluster.Worker, "http://target-service."+p.namespace)
		check(t, "its name there", fails(out, err, silence))
		out, err = p.curl(t, cluster.Worker, pod)
		check(t, "the Pod", answers(out, err, "target"))
		out, err = p.curl(t, cluster.Worker2, service)
		check(t, "the ClusterIP elsewhere", answers(out, err, "target"))
		out, err = p.on(t, cluster.Master, "http://"+cluster.NodeAddress(cluster.Worker)+":10256/healthz")
		check(t, "kube-proxy's own answer", fails(out, err, refused))
	})
	out, err := p.curl(t, cluster.Worker, service)
	check(t, "afterwards", answers(out, err, "target"))
}

func TestFaultCoreDNSGoneTakesNames(t *testing.T) {
	c := cluster.Use(t)
	p, target := onePodEach(t, c)
	name := "http://target-service." + p.namespace
	t.Run("gone", func(t *testing.T) {
		p := p.now(t)
		p.c.ScaleCoreDNS(0)
		p.c.Eventually("no name", soon, func() error {
			out, err := p.curl(t, cluster.Worker, name)
			return fails(out, err, noName)
		})
		out, err := p.curl(t, cluster.Worker, "http://"+target+":8080")
		check(t, "an address", answers(out, err, "target"))
	})
	c.Eventually("names", soon, func() error {
		out, err := p.curl(t, cluster.Worker, name)
		return answers(out, err, "target")
	})
}

func TestFaultDropMakesOnePodSilentFromOneNode(t *testing.T) {
	c := cluster.Use(t)
	p, target := onePodEach(t, c)
	url := "http://" + target + ":8080"
	c.Eventually("the Service", soon, func() error {
		out, err := p.curl(t, cluster.Worker, p.url("target-service"))
		return answers(out, err, "target")
	})
	t.Run("dropped", func(t *testing.T) {
		p := p.now(t)
		p.c.Drop(cluster.Worker, target)
		for _, to := range []string{url, p.url("target-service")} {
			out, err := p.curl(t, cluster.Worker, to)
			check(t, "through the node", fails(out, err, silence))
		}
		out, err := p.curl(t, cluster.Worker2, url)
		check(t, "elsewhere", answers(out, err, "target"))
	})
	t.Run("dropped on its own node", func(t *testing.T) {
		p := p.now(t)
		p.c.Drop(cluster.Worker2, target)
		out, err := p.curl(t, cluster.Worker, url)
		check(t, "from another node", fails(out, err, silence))
		out, err = p.curl(t, cluster.Worker2, url)
		check(t, "from the same node", fails(out, err, silence))
	})
	out, err := p.curl(t, cluster.Worker, url)
	check(t, "afterwards", answers(out, err, "target"))
}

func TestFaultKubeletKilledMakesTheNodeNotReadyWhileItsPodsAnswer(t *testing.T) {
	c := cluster.Use(t)
	p, target := onePodEach(t, c)
	t.Run("killed", func(t *testing.T) {
		p := p.now(t)
		p.c.Kill(cluster.Worker2, "kubelet")
		p.c.Eventually("a node that is not ready", time.Minute, func() error {
			return contains(p.get("node/"+cluster.Worker2, `{.status.conditions[?(@.type=="Ready")].status}`), "Unknown")
		})
		out, err := p.curl(t, cluster.Worker, "http://"+target+":8080")
		check(t, "its Pod", answers(out, err, "target"))
		out, err = p.curl(t, cluster.Worker2, "http://"+target+":8080")
		if err == nil || !strings.Contains(out, ":10250: connect: connection refused") {
			t.Errorf("exec on the node: %v %s; want that the API server cannot reach the kubelet", err, out)
		}
	})
	c.Eventually("exec on the node", soon, func() error { // the kubelet is Ready before it knows its Pods
		out, err := p.curl(t, cluster.Worker2, "http://"+target+":8080")
		return answers(out, err, "target")
	})
}
