package demo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"podpath/kube"
	"podpath/kube/demo"
	"podpath/kube/demo/api"
	"podpath/kube/demo/network"
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

func deployment(c *demo.Cluster, namespace, name string) *api.Deployment {
	o, _ := c.Store().Get("deployments", namespace, name)
	return o.(*api.Deployment)
}

// clock is a clock that a test turns on.
type clock struct {
	at   atomic.Int64
	tick chan time.Time
}

func newClock() *clock {
	c := &clock{tick: make(chan time.Time)}
	c.at.Store(time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time { return time.Unix(0, c.at.Load()).UTC() }

func (c *clock) advance(d time.Duration) {
	c.at.Add(int64(d))
	c.tick <- c.now()
}

// until lets time pass, as fast as the cluster takes it in, until something is
// true.
func (c *clock) until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	until(t, what, func() bool {
		if ok() {
			return true
		}
		c.advance(time.Second)
		return false
	})
}

func podsOf(c *demo.Cluster, namespace, prefix string) (out []*corev1.Pod) {
	for _, o := range c.Store().List("pods", namespace) {
		if strings.HasPrefix(o.GetName(), prefix) {
			out = append(out, o.(*corev1.Pod))
		}
	}
	return out
}

func readyEndpoints(c *demo.Cluster, namespace, service string) (n int) {
	for _, o := range c.Store().List("endpointslices", namespace) {
		if s := o.(*discoveryv1.EndpointSlice); s.Labels[discoveryv1.LabelServiceName] == service {
			for _, e := range s.Endpoints {
				if *e.Conditions.Ready {
					n++
				}
			}
		}
	}
	return n
}

func TestLifeRollsOutAndScales(t *testing.T) {
	hands := newClock()
	c := start(t, demo.Options{Now: hands.now, Tick: hands.tick})
	before := podsOf(c, "default", "web-")
	scales, rolled, least := map[int32]bool{}, false, 3
	for range 240 { // eight minutes
		hands.advance(2 * time.Second)
		least = min(least, readyEndpoints(c, "default", "web"))
		scales[*deployment(c, "shop", "cart").Spec.Replicas] = true
		now := podsOf(c, "default", "web-")
		rolled = rolled || !slices.ContainsFunc(before, func(p *corev1.Pod) bool {
			return slices.ContainsFunc(now, func(q *corev1.Pod) bool { return p.UID == q.UID })
		})
	}
	if !rolled || len(scales) < 2 {
		t.Errorf("rolled out: %v, scales %v; want all Pods replaced, and several scales", rolled, scales)
	}
	if least < 3 {
		t.Errorf("got down to %d ready endpoints, want a rollout that keeps 3", least)
	}
	mailer := podsOf(c, "shop", "mailer-")
	if len(mailer) != 1 || mailer[0].Status.ContainerStatuses[0].RestartCount < 100 {
		t.Errorf("got %v, want a Pod that has crashed for a day", mailer)
	}
	crashed := false
	for _, o := range c.Store().List("events", "shop") {
		crashed = crashed || o.(*corev1.Event).Reason == "BackOff"
	}
	if !crashed {
		t.Error("got no event of the crash loop")
	}
}

func TestASeedRepeatsACluster(t *testing.T) {
	names := func() (out []string) {
		hands := newClock()
		c := start(t, demo.Options{Now: hands.now, Tick: hands.tick})
		for _, p := range podsOf(c, "", "") {
			out = append(out, p.Name, p.Status.PodIP, p.Spec.NodeName)
		}
		return out
	}
	if first, second := names(), names(); !slices.Equal(first, second) {
		t.Errorf("got %q and %q", first, second)
	}
}

func TestAStillClusterIsIdle(t *testing.T) {
	hands := newClock()
	c := start(t, demo.Options{Now: hands.now, Tick: hands.tick, Still: true})
	hands.advance(0)
	changed := c.Store().Changed()
	for range 20 {
		hands.advance(time.Second)
	}
	select {
	case <-changed:
		t.Error("something has changed, want a cluster at rest")
	default:
	}
}

func TestPodsThatAreAddedRunAndThoseThatAreDeletedLeave(t *testing.T) {
	hands := newClock()
	c := start(t, demo.Options{Now: hands.now, Tick: hands.tick, Still: true})
	undo, err := c.Apply([]byte(strings.Replace(client, "raspi002", `""`, 1) + "---" + strings.Replace(client, "client", "picky", 1) + "  nodeSelector: {disk: tape}\n"))
	must(t, err)
	until(t, "the Pod is ready", func() bool { return ready(c, "default", "client") })
	picky := podsOf(c, "default", "picky")[0]
	if picky.Spec.NodeName != "raspi002" {
		t.Errorf("got it on %q, want a Pod that names its Node there", picky.Spec.NodeName)
	}
	_, err = c.Apply([]byte("{apiVersion: v1, kind: Pod, metadata: {name: lost}, spec: {nodeSelector: {disk: tape}, containers: [{name: app, image: nginx}]}}"))
	must(t, err)
	until(t, "the Pod cannot be scheduled", func() bool {
		p := podsOf(c, "default", "lost")[0]
		return len(p.Status.Conditions) > 0 && p.Status.Conditions[0].Reason == corev1.PodReasonUnschedulable
	})
	web := podsOf(c, "default", "web-")[0].DeepCopy()
	web.DeletionGracePeriodSeconds, web.DeletionTimestamp = new(int64(5)), new(metav1.NewTime(hands.now().Add(5*time.Second)))
	_, err = c.Store().Put(web)
	must(t, err)
	until(t, "the endpoint is terminating, and another Pod is made", func() bool { return len(podsOf(c, "default", "web-")) == 4 })
	hands.until(t, "the Pod is replaced", func() bool { return readyEndpoints(c, "default", "web") == 3 && len(podsOf(c, "default", "web-")) == 3 })
	must(t, undo())
	if len(podsOf(c, "default", "client")) > 0 {
		t.Error("got the Pod after the undo, want it gone")
	}
}

// connect returns podpath's own client of a cluster.
func connect(t testing.TB, c *demo.Cluster) *kube.Client {
	t.Helper()
	text, err := c.Kubeconfig()
	must(t, err)
	file := filepath.Join(t.TempDir(), "kubeconfig")
	must(t, os.WriteFile(file, text, 0o600))
	config, err := kube.Load(kube.Options{Kubeconfig: file})
	must(t, err)
	client, err := kube.NewClient(config)
	must(t, err)
	return client
}

// exec runs a command in a container.
func exec(t testing.TB, c *kube.Client, pod, container string, command ...string) (out string, err error) {
	var stdout, stderr bytes.Buffer
	err = c.Exec(t.Context(), kube.Exec{Pod: kube.Key{Namespace: "default", Name: pod}, Container: container, Command: command, Stdout: &stdout, Stderr: &stderr})
	return stdout.String() + stderr.String(), err
}

func TestWhatOneTypesByHandWorks(t *testing.T) {
	c := start(t, demo.Options{Still: true})
	_, err := c.Apply([]byte(client))
	must(t, err)
	until(t, "the client is ready", func() bool { return ready(c, "default", "client") })
	client := connect(t, c)
	sample := podsOf(c, "default", "sample-deployment")[0]
	for line, want := range map[string]string{
		"client toolbox curl -s http://sample-clusterip:8080/":     "<h1>Welcome to nginx!</h1>",
		"client toolbox wget -qO- http://web/who":                  "GET /who",
		"client toolbox curl http://sample-clusterip:81":           "(28)",
		"client toolbox curl http://nowhere":                       "(6) Could not resolve host",
		"client toolbox curl http://" + sample.Status.PodIP + ":9": "(7) Failed to connect",
		"client toolbox nc -zv sample-clusterip 8080":              "open",
		"client toolbox getent hosts sample-clusterip":             "10.96.42.80",
		"client toolbox nslookup sample-clusterip.default.svc":     "10.96.42.80",
		"client toolbox cat /etc/resolv.conf":                      "search default.svc.cluster.local",
		"client toolbox sh -c cat_/etc/hostname":                   "client",
		"client toolbox env":                                       "SAMPLE_CLUSTERIP_SERVICE_HOST=10.96.42.80",
		"client toolbox sh -c frobnicate":                          "not found",
		sample.Name + " redis-container hostname":                  sample.Name,
		sample.Name + " redis-container curl localhost":            "no program curl",
		"client toolbox sh -c exit_3":                              "exit code 3",
	} {
		words := strings.Fields(line)
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], "_", " ")
		}
		out, err := exec(t, client, words[0], words[1], words[2:]...)
		if !strings.Contains(out+fmt.Sprint(err), want) {
			t.Errorf("%s: got %q, %v; want %q", line, out, err, want)
		}
	}
}

func TestMachines(t *testing.T) {
	c := start(t, demo.Options{Still: true})
	if err := c.SetMachine("raspi004"); err == nil || !strings.Contains(err.Error(), "raspi004") {
		t.Errorf("got %v, want an error that names it", err)
	}
	pod := podsOf(c, "default", "web-")[0].Status.PodIP
	get := func(url string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		request, _ := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		reply, err := (&http.Transport{DialContext: c.Machine().DialContext, DisableKeepAlives: true}).RoundTrip(request)
		if err != nil {
			return "", err
		}
		defer func() { _ = reply.Body.Close() }()
		text, err := io.ReadAll(reply.Body)
		return string(text), err
	}
	if text, err := get("http://" + pod + ":8000/"); err != nil || !strings.Contains(text, "RemoteAddr: 192.168.100.11:") {
		t.Errorf("got %q, %v from the master to a Pod", text, err)
	}
	name := podsOf(c, "default", "web-")[0].Name
	for port, want := range map[int]error{8000: nil, 8001: syscall.ECONNREFUSED} {
		conn, err := c.Dial(t.Context(), "default", name, port)
		if !errors.Is(err, want) {
			t.Errorf("port %d: got %v, want %v", port, err, want)
		}
		if err == nil {
			must(t, conn.Close())
		}
	}
	must(t, c.SetMachine(network.Outside))
	if text, err := get("http://" + pod + ":8000/"); err == nil {
		t.Errorf("got %q from outside to a Pod, want nothing", text)
	}
	if got := c.Machine().Addresses()[0].String(); got != "192.168.100.100" {
		t.Errorf("got address %s", got)
	}
}

func TestConnectionsEndWithTheirPodThoughNobodyDials(t *testing.T) {
	c := start(t, demo.Options{Still: true})
	pod := podsOf(c, "default", "web-")[0]
	conn, err := c.Machine().DialContext(t.Context(), "tcp", pod.Status.PodIP+":8000")
	must(t, err)
	must(t, conn.SetReadDeadline(time.Now().Add(patience)))
	c.Store().Delete("pods", "default", pod.Name)
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
	must(t, conn.Close())
}
