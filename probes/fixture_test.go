package probes

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"podpath/kube"
	"podpath/kube/demo/fixture"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is when everything in the fixtures was made; Pods start a minute later.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// podSpec is a Pod to be written as a manifest.
type podSpec struct {
	namespace, name, node string // the namespace is shop unless said otherwise
	ips                   []string
	app, owner            string // owner is KIND/NAME
	ports                 string // the YAML of containerPorts; HTTP on 80 unless said otherwise
	started               time.Time
	notReady, host, old   bool // old: it has finished
	links                 bool // enableServiceLinks: false
	dns                   string
}

func (p podSpec) yaml() string {
	ready, phase, owners, ips := "True", "Running", "", make([]string, len(p.ips))
	if p.notReady {
		ready = "False"
	}
	if p.old {
		phase = "Succeeded"
	}
	if kind, name, ok := strings.Cut(p.owner, "/"); ok {
		owners = fmt.Sprintf("{apiVersion: v1, kind: %s, name: %s, uid: x, controller: true}", kind, name)
	}
	for i, ip := range p.ips {
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
`, cmp.Or(p.namespace, "shop"), p.name, p.app, owners, p.node, p.host, cmp.Or(p.dns, "ClusterFirst"), !p.links,
		cmp.Or(p.ports, "{name: http, containerPort: 80, protocol: TCP}"), phase, strings.Join(ips, ", "), ready,
		cmp.Or(p.started, noon.Add(time.Minute)).Format(time.RFC3339))
}

func nodeYAML(n int, status string) string {
	return fmt.Sprintf(`
{apiVersion: v1, kind: Node, metadata: {name: raspi00%d}, spec: {podCIDRs: [10.244.%d.0/24]},
 status: {addresses: [{type: InternalIP, address: 198.51.100.1%d}], conditions: [{type: Ready, status: %q}]}}
`, n, n-1, n, status)
}

func nodesYAML() string { return join(nodeYAML(1, "True"), nodeYAML(2, "True"), nodeYAML(3, "True")) }

// serviceYAML writes a Service of namespace shop, made at noon.
func serviceYAML(name, spec, status string) string {
	return fmt.Sprintf(`
{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: %s, creationTimestamp: "2026-03-14T12:00:00Z"}, spec: {%s}, status: {%s}}
`, name, spec, status)
}

// sliceYAML writes an EndpointSlice of a Service, with endpoints of one port.
func sliceYAML(service, portName string, port int, endpoints ...string) string {
	family := "IPv4"
	if strings.Contains(strings.Join(endpoints, ""), "fd00:") {
		family = "IPv6"
	}
	return fmt.Sprintf(`
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {namespace: shop, name: "%s-%s-%d", labels: {kubernetes.io/service-name: %s}}
addressType: %s
ports: [{name: %q, port: %d, protocol: TCP}]
endpoints: [%s]
`, service, strings.ToLower(family), port, service, family, portName, port, strings.Join(endpoints, ", "))
}

func endpointYAML(pod, ip, node string, conditions ...string) string {
	target := ""
	if pod != "" {
		target = fmt.Sprintf("targetRef: {kind: Pod, name: %s}, ", pod)
	}
	return fmt.Sprintf(`{addresses: [%q], %snodeName: %s, conditions: {%s}}`, ip, target, node, strings.Join(conditions, ", "))
}

func join(documents ...string) string { return strings.Join(documents, "\n---\n") }

// lookAt makes the World of a namespace; all of them when it is "".
func lookAt(t testing.TB, namespace string, documents ...string) *World {
	t.Helper()
	scope := kube.Scope{Namespace: namespace}
	return &World{Snapshot: fixture.Snapshot(t, scope, noon, documents...), Home: namespace, NamespaceLabels: map[string]kube.Labels{}}
}

// story is the cluster of DESIGN section 1: three Pods on two Nodes, so that
// there are both kinds of way, and the Service in front of them.
func story() string {
	const web = "ReplicaSet/web-5d4f"
	return join(nodesYAML(),
		podSpec{name: "web-1", node: "raspi002", ips: []string{"10.244.1.5"}, app: "web", owner: web}.yaml(),
		podSpec{name: "web-2", node: "raspi002", ips: []string{"10.244.1.6"}, app: "web", owner: web}.yaml(),
		podSpec{name: "web-3", node: "raspi003", ips: []string{"10.244.2.5"}, app: "web", owner: web}.yaml(),
		serviceYAML("web", `clusterIP: 10.96.0.7, clusterIPs: [10.96.0.7], selector: {app: web}, ports: [{name: http, port: 8080, targetPort: 80, protocol: TCP}]`, ""),
		webSlice("web"),
	)
}

// webSlice gives a Service the three Pods of the story.
func webSlice(service string) string {
	return sliceYAML(service, "http", 80,
		endpointYAML("web-1", "10.244.1.5", "raspi002"), endpointYAML("web-2", "10.244.1.6", "raspi002"), endpointYAML("web-3", "10.244.2.5", "raspi003"))
}

func storyWorld(t testing.TB, more ...string) *World {
	t.Helper()
	return lookAt(t, "shop", append([]string{story()}, more...)...)
}

// source finds exactly one source.
func source(t testing.TB, w *World, word string) Source {
	t.Helper()
	found, err := w.FindSources(word)
	if err != nil || len(found) != 1 {
		t.Fatalf("FindSources(%q): got %v, %v, want one", word, found, err)
	}
	return found[0]
}

// planFor plans from words to words.
func planFor(t testing.TB, w *World, count int, from string, to ...string) []Check {
	t.Helper()
	checks, err := tryPlan(w, count, from, to...)
	if err != nil {
		t.Fatal(err)
	}
	return checks
}

func tryPlan(w *World, count int, from string, to ...string) ([]Check, error) {
	sources, err := w.FindSources(from)
	if err != nil {
		return nil, err
	}
	var targets []Target
	for _, word := range to {
		target, err := ParseTarget(word)
		if err != nil {
			return nil, err
		}
		targets = append(targets, target)
	}
	return w.PlanFor(sources, targets, count)
}

// ids are those of checks, a line each.
func ids(checks []Check) string {
	return strings.Join(names(checks, func(c Check) string { return c.ID }), "\n")
}

// find returns the check of an ID.
func find(t testing.TB, checks []Check, id string) Check {
	t.Helper()
	for _, c := range checks {
		if c.ID == id {
			return c
		}
	}
	t.Fatalf("there is no check %q in\n%s", id, ids(checks))
	return Check{}
}

// has reports whether an error says all of the words.
func has(err error, words ...string) bool {
	for _, word := range words {
		if err == nil || !strings.Contains(err.Error(), word) {
			return false
		}
	}
	return err != nil
}
