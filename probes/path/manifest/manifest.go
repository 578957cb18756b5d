// Package manifest writes the clusters of tests as YAML.
package manifest

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Noon is when everything in the fixtures was made; Pods start a minute later.
var Noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// Pod is a Pod to be written as a manifest.
type Pod struct {
	Namespace, Name, Node string // the namespace is shop unless said otherwise
	IPs                   []string
	App, Owner            string // Owner is KIND/NAME
	Ports                 string // the YAML of containerPorts; HTTP on 80 unless said otherwise
	Started               time.Time
	NotReady, Host, Old   bool // Old: it has finished
	Links                 bool // enableServiceLinks: false
	DNS                   string
}

// YAML writes the Pod.
func (p Pod) YAML() string {
	ready, phase, owners, ips := "True", "Running", "", make([]string, len(p.IPs))
	if p.NotReady {
		ready = "False"
	}
	if p.Old {
		phase = "Succeeded"
	}
	if kind, name, ok := strings.Cut(p.Owner, "/"); ok {
		owners = fmt.Sprintf("{apiVersion: v1, kind: %s, name: %s, uid: x, controller: true}", kind, name)
	}
	for i, ip := range p.IPs {
		ips[i] = fmt.Sprintf("{ip: %q}", ip)
	}
	return fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {namespace: %s, name: %s, labels: {app: %q}, ownerReferences: [%s], creationTimestamp: "2026-03-14T12:00:00Z"}
spec:
  {nodeName: %q, hostNetwork: %t, dnsPolicy: %s, enableServiceLinks: %t, containers: [{name: nginx, ports: [%s]}, {name: redis}]}
status:
  phase: %s
  podIPs: [%s]
  conditions: [{type: Ready, status: %q}]
  containerStatuses: [{name: nginx, ready: true, state: {running: {startedAt: %q}}}]
`, cmp.Or(p.Namespace, "shop"), p.Name, p.App, owners, p.Node, p.Host, cmp.Or(p.DNS, "ClusterFirst"), !p.Links,
		cmp.Or(p.Ports, "{name: http, containerPort: 80, protocol: TCP}"), phase, strings.Join(ips, ", "), ready,
		cmp.Or(p.Started, Noon.Add(time.Minute)).Format(time.RFC3339))
}

// Node writes the Node raspi00N with a status of its Ready condition.
func Node(n int, status string) string {
	return fmt.Sprintf(`
{apiVersion: v1, kind: Node, metadata: {name: raspi00%d}, spec: {podCIDRs: [10.244.%d.0/24]},
 status: {addresses: [{type: InternalIP, address: 198.51.100.1%d}], conditions: [{type: Ready, status: %q}]}}
`, n, n-1, n, status)
}

// Nodes are three of them, all ready.
func Nodes() string { return Join(Node(1, "True"), Node(2, "True"), Node(3, "True")) }

// Service writes a Service of namespace shop, made at Noon.
func Service(name, spec, status string) string {
	return fmt.Sprintf(`
{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: %s, creationTimestamp: "2026-03-14T12:00:00Z"}, spec: {%s}, status: {%s}}
`, name, spec, status)
}

// Slice writes an EndpointSlice of a Service, with endpoints of one port, as the
// EndpointSlice controller does.
func Slice(service, portName string, port int, endpoints ...string) string {
	return slice(service, portName, port, ", endpointslice.kubernetes.io/managed-by: endpointslice-controller.k8s.io", endpoints)
}

// SliceByHand writes one as a person does: no controller keeps it up to date.
func SliceByHand(service, portName string, port int, endpoints ...string) string {
	return slice(service, portName, port, "", endpoints)
}

func slice(service, portName string, port int, managed string, endpoints []string) string {
	family, hand := "IPv4", ""
	if strings.Contains(strings.Join(endpoints, ""), "fd00:") {
		family = "IPv6"
	}
	if managed == "" {
		hand = "-by-hand"
	}
	return fmt.Sprintf(`
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {namespace: shop, name: "%s-%s-%d%s", labels: {kubernetes.io/service-name: %s%s}}
addressType: %s
ports: [{name: %q, port: %d, protocol: TCP}]
endpoints: [%s]
`, service, strings.ToLower(family), port, hand, service, managed, family, portName, port, strings.Join(endpoints, ", "))
}

// Endpoint writes one endpoint of a slice.
func Endpoint(pod, ip, node string, conditions ...string) string {
	target := ""
	if pod != "" {
		target = fmt.Sprintf("targetRef: {kind: Pod, name: %s}, ", pod)
	}
	return fmt.Sprintf(`{addresses: [%q], %snodeName: %s, conditions: {%s}}`, ip, target, node, strings.Join(conditions, ", "))
}

// Join writes documents behind each other.
func Join(documents ...string) string { return strings.Join(documents, "\n---\n") }

// Story is the cluster of DESIGN section 1: three Pods on two Nodes, so that
// there are both kinds of way, and the Service in front of them.
func Story() string {
	const web = "ReplicaSet/web-5d4f"
	return Join(Nodes(),
		Pod{Name: "web-1", Node: "raspi002", IPs: []string{"10.244.1.5"}, App: "web", Owner: web}.YAML(),
		Pod{Name: "web-2", Node: "raspi002", IPs: []string{"10.244.1.6"}, App: "web", Owner: web}.YAML(),
		Pod{Name: "web-3", Node: "raspi003", IPs: []string{"10.244.2.5"}, App: "web", Owner: web}.YAML(),
		Service("web", `clusterIP: 10.96.0.7, clusterIPs: [10.96.0.7], selector: {app: web}, ports: [{name: http, port: 8080, targetPort: 80, protocol: TCP}]`, ""),
		WebSlice("web"),
	)
}

// WebSlice gives a Service the three Pods of the story.
func WebSlice(service string) string {
	return Slice(service, "http", 80,
		Endpoint("web-1", "10.244.1.5", "raspi002"), Endpoint("web-2", "10.244.1.6", "raspi002"), Endpoint("web-3", "10.244.2.5", "raspi003"))
}
