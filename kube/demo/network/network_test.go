package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"podpath/kube/demo/api"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lab is a network with two Nodes, a Pod on the first and two on the second, and
// objects of a test.
type lab struct {
	*Network
	t     testing.TB
	store *api.Store
}

func node(n int, more string) string {
	return fmt.Sprintf(`{apiVersion: v1, kind: Node, metadata: {name: raspi00%d, annotations: {%s}}, spec: {podCIDR: 10.244.%d.0/24}, status: {addresses: [{type: InternalIP, address: 192.168.100.1%d}]}}`, n, more, n, n)
}

func pod(name, ip, meta string) string {
	at := "raspi00" + strings.Split(ip, ".")[2]
	return fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: shop, uid: %s, %s}, spec: {nodeName: %s, containers: [{name: app, image: nginx, ports: [{name: http, containerPort: 80}]}]}, `+
		`status: {phase: Running, podIP: %s, containerStatuses: [{name: app, state: {running: {}}}]}}`, name, name, meta, at, ip)
}

func proxy(n int) string {
	return fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: proxy-%d, namespace: kube-system, labels: {k8s-app: kube-proxy}, annotations: {%s: "http:10256"}}, spec: {hostNetwork: true, nodeName: raspi00%d, `+
		`containers: [{name: app, image: kube-proxy}]}, status: {phase: Running, podIP: 192.168.100.1%d, containerStatuses: [{name: app, state: {running: {}}}]}}`, n, ListensAnnotation, n, n)
}

// service is a Service and its slice.
func service(name, spec, endpoints string) []string {
	return []string{
		fmt.Sprintf(`{apiVersion: v1, kind: Service, metadata: {name: %s, namespace: shop}, spec: {ports: [{name: http, port: 8080, nodePort: 30080}], %s}}`, name, spec),
		fmt.Sprintf(`{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: %s-x, namespace: shop, labels: {kubernetes.io/service-name: %s}}, addressType: IPv4, ports: [{name: http, port: 80, protocol: TCP}], endpoints: [%s]}`, name, name, endpoints),
	}
}

func endpointYAML(ip, conditions string) string {
	return fmt.Sprintf("{addresses: [%s], nodeName: raspi00%s, conditions: {%s}}", ip, strings.Split(ip, ".")[2], conditions)
}

const vip = "clusterIP: 10.96.0.80"

// clusterDNS is the Service kube-dns and the Pod behind it, with a fault.
func clusterDNS(fault string) []string {
	return []string{
		fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: dns, namespace: kube-system, annotations: {demo.podpath/listens: "dns:53", demo.podpath/fault: "%s"}}, spec: {nodeName: raspi001, containers: [{name: app, image: coredns}]}, `+
			`status: {phase: Running, podIP: 10.244.1.53, containerStatuses: [{name: app, state: {running: {}}}]}}`, fault),
		"{apiVersion: v1, kind: Service, metadata: {name: kube-dns, namespace: kube-system, annotations: {demo.podpath/upstream: www.example.com=192.168.100.100}}, spec: {clusterIP: 10.96.0.10, ports: [{port: 53, protocol: UDP}]}}",
		"{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: dns, namespace: kube-system, labels: {kubernetes.io/service-name: kube-dns}}, addressType: IPv4, ports: [{port: 53, protocol: UDP}], endpoints: [{addresses: [10.244.1.53]}]}",
	}
}

func newLab(t testing.TB, objects ...string) *lab {
	t.Helper()
	l := &lab{t: t, store: api.NewStore(time.Now)}
	base := []string{
		node(1, ""), node(2, ""), proxy(1), proxy(2), pod("a", "10.244.1.2", "labels: {app: a}"), pod("b", "10.244.2.2", "labels: {app: b}"),
		pod("c", "10.244.2.3", "labels: {app: c}"),
	}
	for _, o := range append(base, objects...) {
		l.put(o)
	}
	l.Network = New(l.store, 1)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func (l *lab) put(object string) {
	l.t.Helper()
	if err := l.store.Load([]byte(object)); err != nil {
		l.t.Fatalf("%v in %s", err, object)
	}
}

func (l *lab) place(name string) *Place {
	l.t.Helper()
	p, err := l.Machine(name)
	if len(name) == 1 {
		p, err = l.Pod("shop", name)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return p
}

// dial says how a connection goes: what the client is told, or "who answers to
// whom".
func (l *lab) dial(from, address string) string {
	ctx, cancel := context.WithTimeout(l.t.Context(), time.Second)
	defer cancel()
	c, err := l.place(from).DialContext(ctx, "tcp", address)
	for text, is := range map[string]error{"refused": syscall.ECONNREFUSED, "timeout": os.ErrDeadlineExceeded} {
		if errors.Is(err, is) {
			return text
		}
	}
	if err != nil {
		return err.Error()
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	_, err = io.WriteString(c, "GET /who HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	text, errRead := io.ReadAll(c)
	if err = errors.Join(err, errRead); err != nil {
		return err.Error()
	}
	var host, client string
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "Hostname: "); ok {
			host = strings.TrimSpace(value)
		}
		if value, ok := strings.CutPrefix(line, "RemoteAddr: "); ok {
			client, _, _ = net.SplitHostPort(strings.TrimSpace(value))
		}
	}
	return host + " to " + client
}

func TestPacketsFindTheirWay(t *testing.T) {
	both := endpointYAML("10.244.1.2", "ready: true") + ", " + endpointYAML("10.244.2.2", "ready: false")
	leaving := endpointYAML("10.244.1.2", "ready: false, serving: true, terminating: true") + ", " + endpointYAML("10.244.2.2", "ready: true")
	onB, onC := endpointYAML("10.244.2.2", "ready: true"), endpointYAML("10.244.2.3", "ready: true")
	noWayBack := node(2, "demo.podpath/fault: no-route=raspi001")
	const door = ", externalIPs: [192.168.100.50]"
	deny := `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {podSelector: {matchLabels: {app: b}}, %s}}`
	for name, test := range map[string]struct {
		objects            []string
		from, to, wantText string
	}{
		"to itself over localhost":          {nil, "a", "127.0.0.1:80", "a to 127.0.0.1"},
		"to a Pod on another Node":          {nil, "a", "10.244.2.2:80", "b to 10.244.1.2"},
		"to a Pod on the same Node":         {nil, "b", "10.244.2.3:80", "c to 10.244.2.2"},
		"to a port where nobody listens":    {nil, "a", "10.244.2.2:81", "refused"},
		"to an address that nobody has":     {nil, "a", "10.244.2.9:80", "timeout"},
		"from a Node":                       {nil, "raspi001", "10.244.2.2:80", "b to 192.168.100.11"},
		"from a Pod to another Node":        {nil, "a", "192.168.100.12:10256", "raspi002 to 192.168.100.11"},
		"from outside to a Pod":             {nil, Outside, "10.244.2.2:80", "timeout"},
		"from outside to a Node":            {nil, Outside, "192.168.100.12:10256", "raspi002 to 192.168.100.100"},
		"from a Pod to the world":           {nil, "a", "192.168.100.100:8080", "imac to 192.168.100.11"},
		"a virtual address":                 {service("s", vip, both), "b", "10.96.0.80:8080", "a to 10.244.2.2"},
		"a Pod that reaches itself by it":   {service("s", vip, both), "a", "10.96.0.80:8080", "a to 192.168.100.11"},
		"it has no such port":               {service("s", vip, both), "b", "10.96.0.80:81", "timeout"},
		"it has no endpoint":                {service("s", vip, ""), "b", "10.96.0.80:8080", "refused"},
		"none is ready":                     {service("s", vip, endpointYAML("10.244.1.2", "ready: false")), "b", "10.96.0.80:8080", "refused"},
		"it serves while it terminates":     {service("s", vip, endpointYAML("10.244.1.2", "ready: false, serving: true, terminating: true")), "b", "10.96.0.80:8080", "a to 10.244.2.2"},
		"a virtual address from outside":    {service("s", vip, both), Outside, "10.96.0.80:8080", "timeout"},
		"internal traffic stays local":      {service("s", vip+", internalTrafficPolicy: Local", both), "b", "10.96.0.80:8080", "timeout"},
		"kube-proxy is down":                {append(service("s", vip, both), node(2, "demo.podpath/fault: kube-proxy-down")), "b", "10.96.0.80:8080", "timeout"},
		"kube-proxy is down on another":     {append(service("s", vip, both), node(1, "demo.podpath/fault: kube-proxy-down")), "b", "10.96.0.80:8080", "a to 10.244.2.2"},
		"a node port":                       {service("s", vip, both), Outside, "192.168.100.12:30080", "a to 192.168.100.12"},
		"a node port, local, there":         {service("s", vip+", externalTrafficPolicy: Local", both), Outside, "192.168.100.11:30080", "a to 192.168.100.100"},
		"a node port, local, elsewhere":     {service("s", vip+", externalTrafficPolicy: Local", both), Outside, "192.168.100.12:30080", "timeout"},
		"a node port without kube-proxy":    {append(service("s", vip, both), node(2, "demo.podpath/fault: kube-proxy-down")), Outside, "192.168.100.12:30080", "refused"},
		"an external address":               {service("s", vip+", externalIPs: [192.168.100.50]", both), Outside, "192.168.100.50:8080", "a to 192.168.100.11"},
		"an external address, inside":       {service("s", vip+", externalIPs: [192.168.100.50]", both), "b", "192.168.100.50:8080", "a to 192.168.100.12"},
		"a node port, local, terminating":   {service("s", vip+", externalTrafficPolicy: Local", leaving), Outside, "192.168.100.11:30080", "a to 192.168.100.100"},
		"a node port, local, from a Pod":    {service("s", vip+", externalTrafficPolicy: Local", onC), "a", "192.168.100.12:30080", "c to 192.168.100.11"},
		"an external address, one proxy":    {append(service("s", vip+door, both), node(1, "demo.podpath/fault: kube-proxy-down")), Outside, "192.168.100.50:8080", "a to 192.168.100.12"},
		"a Node that is down":               {[]string{node(2, "demo.podpath/fault: down")}, "a", "10.244.2.2:80", "timeout"},
		"a route that is missing":           {[]string{node(1, "demo.podpath/fault: no-route=raspi002")}, "a", "10.244.2.2:80", "timeout"},
		"the answer's route is missing":     {[]string{node(2, "demo.podpath/fault: no-route=raspi001")}, "a", "10.244.2.2:80", "timeout"},
		"that matters not to Nodes":         {[]string{node(2, "demo.podpath/fault: no-route=raspi001")}, "raspi001", "10.244.2.2:80", "b to 192.168.100.11"},
		"nor to Pods that look like one":    {[]string{noWayBack}, "a", "192.168.100.12:10256", "raspi002 to 192.168.100.11"},
		"not by a node port either":         {append(service("s", vip, onC), noWayBack), "a", "192.168.100.12:30080", "c to 192.168.100.12"},
		"a Pod that drops":                  {[]string{pod("b", "10.244.2.2", "annotations: {demo.podpath/fault: drop}")}, "a", "10.244.2.2:80", "timeout"},
		"a Pod that refuses":                {[]string{pod("b", "10.244.2.2", "annotations: {demo.podpath/fault: refuse}")}, "a", "10.244.2.2:80", "refused"},
		"a Pod that is too late":            {[]string{pod("b", "10.244.2.2", "annotations: {demo.podpath/fault: delay=2s}")}, "a", "10.244.2.2:80", "timeout"},
		"loopback only, from elsewhere":     {[]string{pod("b", "10.244.2.2", `annotations: {demo.podpath/listens: "http:127.0.0.1:80"}`)}, "a", "10.244.2.2:80", "refused"},
		"loopback only, from itself":        {[]string{pod("b", "10.244.2.2", `annotations: {demo.podpath/listens: "http:127.0.0.1:80"}`)}, "b", "127.0.0.1:80", "b to 127.0.0.1"},
		"a policy denies all":               {[]string{fmt.Sprintf(deny, "ingress: []")}, "a", "10.244.2.2:80", "timeout"},
		"but not a Pod to itself":           {[]string{fmt.Sprintf(deny, "ingress: []")}, "b", "10.244.2.2:80", "b to 10.244.2.2"},
		"nor its Node":                      {[]string{fmt.Sprintf(deny, "ingress: []")}, "raspi002", "10.244.2.2:80", "b to 192.168.100.12"},
		"a policy permits the Pod":          {[]string{fmt.Sprintf(deny, "ingress: [{from: [{podSelector: {matchLabels: {app: a}}}], ports: [{port: http}]}]")}, "a", "10.244.2.2:80", "b to 10.244.1.2"},
		"a policy permits another port":     {[]string{fmt.Sprintf(deny, "ingress: [{ports: [{port: 90, endPort: 99}]}]")}, "a", "10.244.2.2:80", "timeout"},
		"a policy permits another one":      {[]string{fmt.Sprintf(deny, "ingress: [{from: [{podSelector: {matchLabels: {app: c}}}]}]")}, "a", "10.244.2.2:80", "timeout"},
		"a policy permits the block":        {[]string{fmt.Sprintf(deny, "ingress: [{from: [{ipBlock: {cidr: 10.244.1.0/24}}]}]")}, "a", "10.244.2.2:80", "b to 10.244.1.2"},
		"a policy excepts the address":      {[]string{fmt.Sprintf(deny, "ingress: [{from: [{ipBlock: {cidr: 10.244.0.0/16, except: [10.244.1.2/32]}}]}]")}, "a", "10.244.2.2:80", "timeout"},
		"a policy of egress":                {[]string{fmt.Sprintf(deny, "policyTypes: [Egress]")}, "b", "10.244.1.2:80", "timeout"},
		"its rules say that it is one":      {[]string{fmt.Sprintf(deny, "egress: [{ports: [{port: 99}]}]")}, "b", "10.244.1.2:80", "timeout"},
		"a policy of egress lets others in": {[]string{fmt.Sprintf(deny, "policyTypes: [Egress]")}, "a", "10.244.2.2:80", "b to 10.244.1.2"},
		"egress to another Node":            {[]string{fmt.Sprintf(deny, "policyTypes: [Egress]")}, "b", "192.168.100.11:10256", "timeout"},
		"egress by an external address":     {append(service("s", vip+door, both), fmt.Sprintf(deny, "policyTypes: [Egress]")), "b", "192.168.100.50:8080", "timeout"},
		"egress by the own node port":       {append(service("s", vip, both), fmt.Sprintf(deny, "policyTypes: [Egress]")), "b", "192.168.100.12:30080", "timeout"},
		"egress that a policy permits": {
			append(service("s", vip+door, both), fmt.Sprintf(deny, "egress: [{to: [{podSelector: {matchLabels: {app: a}}}]}]")), "b", "192.168.100.50:8080", "a to 192.168.100.12",
		},
		"ingress by an external address": {append(service("s", vip+door, onB), fmt.Sprintf(deny, "ingress: []")), "c", "192.168.100.50:8080", "timeout"},
		"ingress that a policy permits": {
			append(service("s", vip+door, onB), fmt.Sprintf(deny, "ingress: [{from: [{podSelector: {matchLabels: {app: c}}}]}]")), "c", "192.168.100.50:8080", "b to 192.168.100.12",
		},
		"a policy selects namespaces": {[]string{
			fmt.Sprintf(deny, "ingress: [{from: [{namespaceSelector: {matchLabels: {team: x}}}]}]"), "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: x}}}",
		}, "a", "10.244.2.2:80", "b to 10.244.1.2"},
		"nobody enforces policies": {[]string{
			fmt.Sprintf(deny, "ingress: []"), "{apiVersion: v1, kind: Namespace, metadata: {name: shop, annotations: {demo.podpath/policies: ignored}}}",
		}, "a", "10.244.2.2:80", "b to 10.244.1.2"},
	} {
		synctest.Test(t, func(t *testing.T) { // its clock waits for nobody
			if got := newLab(t, test.objects...).dial(test.from, test.to); got != test.wantText {
				t.Errorf("%s: got %s, want %s", name, got, test.wantText)
			}
		})
	}
}

func TestAPodThatResetsTakesTheConnectionFirst(t *testing.T) {
	l := newLab(t, pod("b", "10.244.2.2", "annotations: {demo.podpath/fault: reset}"))
	if got := l.dial("a", "10.244.2.2:80"); !strings.Contains(got, "reset by peer") {
		t.Errorf("got %s, want a reset", got)
	}
}

func TestAClientWithAffinityKeepsItsEndpoint(t *testing.T) {
	ends := endpointYAML("10.244.1.2", "ready: true") + ", " + endpointYAML("10.244.2.2", "ready: true")
	for affinity, want := range map[string]int{"ClientIP": 1, "None": 2} {
		l := newLab(t, service("s", vip+", sessionAffinity: "+affinity, ends)...)
		seen := map[string]bool{}
		for range 30 {
			seen[l.dial("c", "10.96.0.80:8080")] = true
		}
		if len(seen) != want {
			t.Errorf("%s: got %v, want %d endpoints", affinity, seen, want)
		}
	}
}
