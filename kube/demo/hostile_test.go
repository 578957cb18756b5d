package demo_test

import (
	"strings"
	"testing"
	"time"

	"podpath/kube/demo"
)

// hostile are objects that a real API server would refuse in part; this one
// takes them all.
const hostile = `
{apiVersion: v1, kind: Node, metadata: {name: six}, spec: {podCIDR: "fd00::/64"}, status: {addresses: [{type: InternalIP, address: 192.168.100.14}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: tiny, annotations: {demo.podpath/fault: "no-route= = delay"}}, spec: {podCIDR: 10.244.9.0/32}, status: {addresses: [{type: InternalIP, address: "fd00::1"}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: on-six}, spec: {nodeName: six, containers: [{name: app, image: ":"}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: on-tiny}, spec: {nodeName: tiny, containers: [{name: app, image: ""}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: empty, annotations: {demo.podpath/listens: "http::::x http:99999 :"}}, spec: {}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: negative}, spec: {replicas: -5}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: wild, annotations: {demo.podpath/life: "scale=-2147483648-2147483647 every=1ns"}},
 spec: {template: {metadata: {labels: {pod-template-hash: mine}}, spec: {nodeSelector: {"/": "?"}}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: odd}, spec: {clusterIP: elsewhere, type: NodePort, selector: {app: sample-app}, ports: [{port: -1, targetPort: x}, {port: 99999}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: odd, labels: {kubernetes.io/service-name: odd}}, addressType: IPv4, endpoints: [{addresses: [x, ""]}], ports: [{}]}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: odd}, spec: {podSelector: {matchExpressions: [{key: "", operator: "No"}]}, ingress: [{from: [{ipBlock: {cidr: x}}], ports: [{}]}], egress: [{}]}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: odd}, spec: {ingressClassName: nginx, defaultBackend: {}, rules: [{}, {host: "*", http: {paths: [{path: "", backend: {}}]}}]}}
`

func TestOddObjectsAreNoCrash(t *testing.T) {
	hands := newClock()
	c := start(t, demo.Options{Now: hands.now, Tick: hands.tick})
	undo, err := c.Apply([]byte(hostile))
	must(t, err)
	for range 5 {
		hands.advance(time.Second)
	}
	for _, address := range []string{"odd:80", "odd:1", "192.168.100.14:1", "192.168.100.12:80"} {
		if conn, err := c.Machine().DialContext(t.Context(), "udp", address); err == nil {
			must(t, conn.Close())
		}
	}
	until(t, "the cluster goes on", func() bool { return readyEndpoints(c, "default", "web") == 3 })
	if pods := podsOf(c, "default", "negative"); len(pods) > 0 {
		t.Errorf("got %d Pods of less than none", len(pods))
	}
	must(t, undo())
}

func TestPodsLeaveANodeThatStaysDown(t *testing.T) {
	hands := newClock()
	c := start(t, demo.Options{Now: hands.now, Tick: hands.tick, Still: true})
	undo, err := c.Apply([]byte("{apiVersion: v1, kind: Node, metadata: {name: raspi002, annotations: {demo.podpath/fault: down}}}"))
	must(t, err)
	on := func(leaving bool) (n int) {
		for _, p := range podsOf(c, "default", "web-") {
			if p.Spec.NodeName == "raspi002" && (p.DeletionTimestamp != nil) == leaving {
				n++
			}
		}
		return n
	}
	until(t, "its Pods are not ready", func() bool { return readyEndpoints(c, "default", "web") < 3 })
	if hands.advance(4 * time.Minute); on(true) > 0 || on(false) == 0 {
		t.Error("its Pods leave within five minutes")
	}
	hands.advance(2 * time.Minute)
	until(t, "its Pods leave", func() bool { return on(false) == 0 })
	for range 10 {
		hands.advance(time.Second)
	}
	until(t, "others take their place", func() bool { return readyEndpoints(c, "default", "web") == 3 })
	if on(true) == 0 {
		t.Error("its Pods are gone, want them to stay until the Node says so")
	}
	must(t, undo())
	until(t, "its Pods are gone", func() bool { return on(true) == 0 })
}

func TestAServiceWithoutPodsHasAnEmptySlice(t *testing.T) {
	c := start(t, demo.Options{Still: true})
	slices := 0
	for _, o := range c.Store().List("endpointslices", "broken") {
		if strings.HasPrefix(o.GetName(), "selects-nothing-") {
			slices++
		}
	}
	if slices != 1 || readyEndpoints(c, "broken", "selects-nothing") > 0 || readyEndpoints(c, "broken", "healthy") != 2 {
		t.Errorf("got %d slices, want one, which is empty", slices)
	}
}

func TestANodeTakesItsNumberOfPods(t *testing.T) {
	c := start(t, demo.Options{Still: true})
	for _, manifest := range []string{
		`{apiVersion: v1, kind: Node, metadata: {name: raspi003}, status: {allocatable: {pods: "25"}}}`,
		"{apiVersion: apps/v1, kind: Deployment, metadata: {name: crowd}, spec: {replicas: 20, template: {spec: {nodeSelector: {kubernetes.io/hostname: raspi003}, containers: [{name: app, image: nginx}]}}}}",
	} {
		_, err := c.Apply([]byte(manifest))
		must(t, err)
	}
	until(t, "all Pods are made", func() bool { return len(podsOf(c, "default", "crowd-")) == 20 })
	on := map[string]int{}
	for _, p := range podsOf(c, "", "") {
		on[p.Spec.NodeName]++
	}
	if on["raspi003"] != 25 || on[""] == 0 {
		t.Errorf("got %v Pods by Node, want 25 on raspi003, and others waiting", on)
	}
}
