package launch

import (
	"context"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	corev1 "k8s.io/api/core/v1"

	"podpath/kube"
	"podpath/kube/demo"
	"podpath/kube/demo/api"
)

// practice is a practice cluster, and how podpath sees it.
type practice struct {
	*demo.Cluster
	client   *kube.Client
	snapshot *kube.Snapshot
	denied   atomic.Value // a string: VERB RESOURCE that the user may not do
}

// Images of the practice cluster, by what is in them.
const (
	withBash, withPython, withPerl, withNC = "redis:3.2", "python:3.13", "perl:5", "busybox"
	withShell, withNothing                 = "nginx:1.12", "traefik/whoami"
)

// somewhere is what all practice clusters have: where Pods are, and one that
// sends everything back.
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
`

// startPractice starts a cluster with the objects of the manifests, and looks
// at it. podpath runs on raspi001.
func startPractice(t *testing.T, manifests string) *practice {
	t.Helper()
	p := &practice{}
	p.deny("")
	var err error
	p.Cluster, err = demo.Start(t.Context(), demo.Options{
		Manifests: fstest.MapFS{"test.yaml": {Data: []byte(somewhere + nodesYAML + manifests)}}, Still: true,
		API: api.Options{Denies: func(verb, resource, _ string) bool {
			return strings.Contains(p.denied.Load().(string), verb+" "+resource)
		}},
	})
	must(t, err)
	t.Cleanup(func() { must(t, p.Close()) })
	text, err := p.Kubeconfig()
	must(t, err)
	config, err := kube.Load(kube.Options{Inline: text, AllNamespaces: true})
	must(t, err)
	p.client, err = kube.NewClient(config)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	store, ended := kube.NewStore(p.client, config.Scope), make(chan error, 1)
	go func() { ended <- store.Run(ctx) }()
	defer func() { cancel(); must(t, <-ended) }()
	p.snapshot, err = kube.Await(ctx, store.Next, store.Resources(), store.Resources())
	must(t, err)
	return p
}

// deny is what the user may not do from now on.
func (p *practice) deny(what string) { p.denied.Store(what) }

func (p *practice) ladder(o Options) *Ladder {
	if o.RunID == "" {
		o.RunID = "r1"
	}
	o.Machine = p.Machine()
	return New(p.client, o)
}

// check asks something through a link, as checkLink does.
func (p *practice) check(t *testing.T, link Link, err error, want Via) {
	t.Helper()
	address := p.snapshot.Pod(kube.Key{Namespace: "far", Name: "echo"}).IPs[0]
	checkLinkTo(t, link, err, want, netip.AddrPortFrom(netip.MustParseAddr(address), 7))
}

// pod is a Pod as it is now; nil when there is none.
func (p *practice) pod(key kube.Key) *corev1.Pod {
	o, found := p.Store().Get("pods", key.Namespace, key.Name)
	if !found {
		return nil
	}
	return o.(*corev1.Pod)
}

// helpers are the Pods of a run of podpath.
func (p *practice) helpers(run string) (out []*corev1.Pod) {
	for _, o := range p.Store().List("pods", "") {
		if o.GetLabels()[kube.ManagedByLabel] == kube.ManagedBy && o.GetLabels()[kube.RunLabel] == run {
			out = append(out, o.(*corev1.Pod))
		}
	}
	return out
}
