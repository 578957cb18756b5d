package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"

	"podpath/kube"
	"podpath/kube/demo"
	"podpath/kube/demo/api"
	"podpath/kube/demo/fixture"
)

// practice is a practice cluster in memory as podpath sees it. It knows what
// podpath did to it, and a test can let some of that fail.
type practice struct {
	*fixture.Client
	cluster  *fixture.Cluster
	snapshot *kube.Snapshot
	denied   atomic.Value                                 // a string: VERB RESOURCE that the user may not do
	fails    func(ctx context.Context, e kube.Exec) error // of an exec that is not to run; nil for none
	disk     disk

	mu      sync.Mutex
	reviews int
	surveys int      // with a shell
	deleted []string // the UIDs of helper Pods
}

// errOver makes an exec end without an error, in fails.
var errOver = errors.New("over")

// Images of the practice cluster, by what is in them.
const (
	withBash, withPython, withPerl, withNC = "redis:3.2", "python:3.13", "perl:5", "busybox"
	withShell, withNothing                 = "nginx:1.12", "traefik/whoami"
)

// somewhere is what all practice clusters have: where Pods are, and one that
// sends everything back. podpath runs on raspi001.
const somewhere = `
apiVersion: v1
kind: Namespace
metadata: {name: default}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {namespace: far, name: echo}
spec: {nodeName: raspi002, containers: [{name: echo, image: busybox, ports: [{containerPort: 7}]}]}
---
apiVersion: v1
kind: Node
metadata: {name: raspi001}
spec: {podCIDR: 10.244.1.0/24}
status: {addresses: [{type: InternalIP, address: 192.168.0.1}], nodeInfo: {architecture: arm64}}
---
apiVersion: v1
kind: Node
metadata: {name: raspi002}
spec: {podCIDR: 10.244.2.0/24}
status: {addresses: [{type: InternalIP, address: 192.168.0.2}], nodeInfo: {architecture: arm}}
---
apiVersion: v1
kind: Node
metadata: {name: raspi003}
spec: {podCIDR: 10.244.3.0/24}
status: {addresses: [{type: InternalIP, address: 192.168.0.3}], nodeInfo: {architecture: arm64}}
`

// container is one of a Pod in a manifest.
type container struct{ name, image string }

// podYAML is a Pod on a Node.
func podYAML(name, node string, containers ...container) string {
	spec := ""
	for _, c := range containers {
		spec += fmt.Sprintf("{name: %s, image: %s}, ", c.name, c.image)
	}
	return fmt.Sprintf(`
---
apiVersion: v1
kind: Pod
metadata: {namespace: shop, name: %s}
spec: {nodeName: %s, containers: [%s]}
`, name, node, spec)
}

var web = kube.Key{Namespace: "shop", Name: "web"}

// startPractice starts a cluster with the objects of the manifests, and looks
// at it.
func startPractice(t *testing.T, manifests string) *practice {
	t.Helper()
	c := &practice{disk: disk{files: map[string]bool{}}}
	c.deny("")
	c.cluster = fixture.Start(t, demo.Options{
		Manifests: fstest.MapFS{"test.yaml": {Data: []byte(somewhere + manifests)}}, Still: true,
		Tick: time.Tick(10 * time.Second), // tests wait for minutes, and little happens in them
		API: api.Options{Denies: func(verb, resource, _ string) bool {
			return slices.Contains(strings.Split(c.denied.Load().(string), ", "), verb+" "+resource)
		}},
	})
	var scope kube.Scope
	c.Client, scope = c.cluster.Client(kube.Options{AllNamespaces: true})
	c.snapshot = fixture.Read(t, c.Client.Client, scope)
	return c
}

// inPractice runs a test in a bubble with such a cluster: there time passes at
// once, and whatever the test has started must end.
func inPractice(t *testing.T, manifests string, test func(t *testing.T, c *practice)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, startPractice(t, manifests)) })
}

// deny is what the user may not do from now on.
func (c *practice) deny(what string) { c.denied.Store(what) }

func (c *practice) note(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

func (c *practice) Allowed(ctx context.Context, a kube.Access) (bool, error) {
	c.note(func() { c.reviews++ })
	return c.Client.Allowed(ctx, a)
}

func (c *practice) Exec(ctx context.Context, e kube.Exec) error {
	if in, ok := e.Stdin.(io.Closer); ok {
		defer func() { _ = in.Close() }()
	}
	if len(e.Command) > 2 && strings.Contains(e.Command[2], "podpath-survey 1") {
		c.note(func() { c.surveys++ })
	}
	if c.fails != nil {
		switch err := c.fails(ctx, e); {
		case errors.Is(err, errOver):
			return nil
		case err != nil:
			return err
		}
	}
	if uses(e) {
		place, err := c.cluster.Network().Pod(e.Pod.Namespace, e.Pod.Name)
		if err != nil {
			return err
		}
		return c.disk.exec(ctx, e, place)
	}
	return c.Client.Exec(ctx, e)
}

func (c *practice) DeleteHelper(ctx context.Context, h kube.HelperPod) error {
	c.note(func() { c.deleted = append(c.deleted, h.UID) })
	return c.Client.DeleteHelper(ctx, h)
}

func (c *practice) ladder(o Options) *Ladder {
	if o.RunID == "" {
		o.RunID = "r1"
	}
	o.Machine = c.cluster.Machine()
	l := New(c, o)
	l.prober = func(arch string) ([]byte, error) { return []byte("prober for " + arch), nil }
	return l
}

// check asks something through a link, checks how it came to be, and ends it.
func (c *practice) check(t *testing.T, link Link, err error, want Via) {
	t.Helper()
	address := c.snapshot.Pod(kube.Key{Namespace: "far", Name: "echo"}).IPs[0]
	checkLink(t, link, err, want, netip.AddrPortFrom(netip.MustParseAddr(address), 7))
}

// pod is a Pod as it is now; nil when there is none.
func (c *practice) pod(key kube.Key) *corev1.Pod {
	o, found := c.cluster.Store().Get("pods", key.Namespace, key.Name)
	if !found {
		return nil
	}
	return o.(*corev1.Pod)
}

// helpers are the Pods of a run of podpath.
func (c *practice) helpers(run string) (out []*corev1.Pod) {
	for _, o := range c.cluster.Store().List("pods", "") {
		if o.GetLabels()[kube.ManagedByLabel] == kube.ManagedBy && o.GetLabels()[kube.RunLabel] == run {
			out = append(out, o.(*corev1.Pod))
		}
	}
	return out
}
