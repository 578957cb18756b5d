package demo_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"

	"podpath/kube/demo"
	"podpath/kube/demo/api"
	"podpath/kube/demo/network"
)

// reported are faults of the kinds that people report, as they would be written
// for any cluster: without a word to the practice cluster.
const reported = `
# A busybox to look from.
{apiVersion: v1, kind: Pod, metadata: {name: asks}, spec: {nodeName: raspi002, containers: [{name: sh, image: "docker.io/library/busybox:1.35", command: [sh, -c, sleep 1000000]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: agent}, spec: {nodeName: raspi002, hostNetwork: true, containers: [{name: sh, image: "docker.io/library/busybox:1.35", command: [sh, -c, sleep 1000000]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: near, labels: {app: pair}}, spec: {nodeName: raspi002, containers: [{name: nginx, image: nginx, ports: [{containerPort: 80}]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: far, labels: {app: pair}}, spec: {nodeName: raspi003, containers: [{name: nginx, image: nginx, ports: [{containerPort: 80}]}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: pair}, spec: {trafficDistribution: PreferSameNode, selector: {app: pair}, ports: [{name: http, port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: close}, spec: {trafficDistribution: PreferClose, selector: {app: pair}, ports: [{name: http, port: 80}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: stopped, labels: {app: stopped}}, spec: {nodeName: raspi003, containers: [{name: redis, image: redis, command: [bash, -c, "redis-server & p=$!; sleep 5; kill -STOP $p; sleep 1000000"], ports: [{containerPort: 6379}]}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: stopped}, spec: {selector: {app: stopped}, ports: [{port: 6379}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: late, labels: {app: late}}, spec: {nodeName: raspi003, containers: [{name: nginx, image: nginx, command: [bash, -c, "sleep 600; exec nginx"], ports: [{containerPort: 80}]}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: late}, spec: {selector: {app: late}, ports: [{port: 80}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: bound, labels: {app: bound}}
spec:
  nodeName: raspi003
  containers:
  - name: httpd
    image: docker.io/library/busybox:1.35
    command: [sh, -c, "exec httpd -f -p $(POD_IP):8080 -h /etc"]
    env: [{name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]
    ports: [{name: http, containerPort: 8080}]
    resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 32Mi}}
---
{apiVersion: v1, kind: Service, metadata: {name: bound}, spec: {selector: {app: bound}, ports: [{name: http, port: 8080}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: metrics, labels: {app: metrics}}, spec: {nodeName: raspi003, containers: [{name: sh, image: busybox, command: [sh, -c, sleep 1000000], ports: [{name: metrics, containerPort: 8125, protocol: UDP}]}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: metrics}, spec: {selector: {app: metrics}, ports: [{name: metrics, port: 8125, targetPort: 9125, protocol: UDP}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: number}, spec: {type: ExternalName, externalName: 198.51.100.11, ports: [{name: https, port: 443}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: nodeport}, spec: {type: NodePort, externalTrafficPolicy: Local, externalIPs: [198.51.100.12], selector: {app: pair}, ports: [{name: http, port: 8014, targetPort: 80, nodePort: 30403}]}}
`

// try says how a connection ends: that it is open, or the error.
func try(t *testing.T, c *demo.Cluster, from, kind, address string) string {
	t.Helper()
	place, err := c.Network().Pod("default", from)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	conn, err := place.DialContext(ctx, kind, address)
	if err == nil {
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(100 * time.Millisecond))
		_, _ = conn.Write([]byte("GET / HTTP/1.0\r\n\r\n"))
		_, err = conn.Read(make([]byte, 1))
	}
	var missing *net.DNSError
	switch {
	case err == nil:
		return "answers"
	case errors.As(err, &missing) && missing.IsNotFound:
		return "no such name"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, os.ErrDeadlineExceeded) && conn != nil:
		return "opens"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	}
	return err.Error()
}

func TestFaultsThatPeopleReportShowFromTheirManifests(t *testing.T) {
	hands := newClock()
	c := start(t, demo.Options{Now: hands.now, Tick: hands.tick, Still: true})
	_, err := c.Apply([]byte(reported))
	must(t, err)
	until(t, "all have started", func() bool {
		for _, name := range []string{"pair", "stopped", "late", "bound", "metrics"} {
			if readyEndpoints(c, "default", name) == 0 {
				return false
			}
		}
		return readyEndpoints(c, "default", "pair") == 2
	})
	for to, want := range map[string]string{
		"asks tcp pair:80": "answers", "asks tcp pair:8080": "timeout", "asks tcp 192.168.100.13:30403": "answers", "asks tcp 192.168.100.13:30400": "refused",
		"asks tcp stopped:6379": "opens", "asks tcp late:80": "refused", "asks tcp bound:8080": "answers", "bound tcp localhost:8080": "refused",
		"asks udp metrics:8125": "refused", "asks tcp number:443": "no such name", "asks tcp 198.51.100.12:8014": "answers",
		"agent tcp pair.default.svc.cluster.local:80": "no such name",
	} {
		words := strings.Fields(to)
		if got := try(t, c, words[0], words[1], words[2]); got != want {
			t.Errorf("%s: got %s, want %s", to, got, want)
		}
	}
	outside, err := c.Network().Machine(network.Outside)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if conn, err := outside.DialContext(ctx, "tcp", "198.51.100.12:8014"); err == nil {
		t.Errorf("got %v from outside to a Node without an endpoint, want no answer", conn.RemoteAddr())
	}
	hands.advance(11 * time.Minute)
	if got := try(t, c, "asks", "tcp", "late:80"); got != "answers" {
		t.Errorf("got %s ten minutes later, want an answer", got)
	}
}

func TestEndpointsAreMeantForWhomTheServiceSays(t *testing.T) {
	c := start(t, demo.Options{Still: true})
	_, err := c.Apply([]byte(reported + "---\n{apiVersion: v1, kind: Node, metadata: {name: raspi003, labels: {topology.kubernetes.io/zone: attic}}}\n"))
	must(t, err)
	hints := func(service string) (found []string) {
		for _, s := range slicesOf(c, "default", service) {
			for _, e := range s.Endpoints {
				if h := e.Hints; h != nil {
					for _, n := range h.ForNodes {
						found = append(found, n.Name)
					}
					for _, z := range h.ForZones {
						found = append(found, z.Name)
					}
				}
			}
		}
		return found
	}
	for service, want := range map[string]string{"pair": "raspi003 attic raspi002", "close": "attic", "late": ""} {
		until(t, service+" has hints "+want, func() bool { return strings.Join(hints(service), " ") == want })
	}
}

// slicesOf are the EndpointSlices of a Service.
func slicesOf(c *demo.Cluster, namespace, service string) (found []*discoveryv1.EndpointSlice) {
	for _, s := range api.ListOf[*discoveryv1.EndpointSlice](c.Store(), "endpointslices") {
		if s.Namespace == namespace && s.Labels[discoveryv1.LabelServiceName] == service {
			found = append(found, s)
		}
	}
	return found
}
