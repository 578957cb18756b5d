package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"

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

func TestConnectionsShowInTheTablesAndEndWithTheirPods(t *testing.T) {
	l := newLab(t)
	c, err := l.place("a").DialContext(t.Context(), "tcp", "10.244.2.2:80")
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		f, err := l.place(name).Open("/proc/net/tcp")
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(f)
		return string(text)
	}
	port := fmt.Sprintf("%04X", c.LocalAddr().(*net.TCPAddr).Port)
	if got, want := read("b"), "0202F40A:0050 0201F40A:"+port+" 01"; !strings.Contains(got, want) || !strings.Contains(got, "00000000:0050 00000000:0000 0A") {
		t.Errorf("got\n%swant %s and the listener", got, want)
	}
	if got, want := read("a"), "0201F40A:"+port+" 0202F40A:0050 01"; !strings.Contains(got, want) {
		t.Errorf("got\n%swant %s", got, want)
	}
	l.store.Delete("pods", "shop", "b")
	_ = read("c") // whoever looks next
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v after the Pod was gone, want a reset", err)
	}
}

func TestDNSAnswersAsTheSpecificationHasIt(t *testing.T) {
	objects := service("s", vip, endpointYAML("10.244.1.2", "ready: true"))
	objects = append(objects, service("h", "clusterIP: None", endpointYAML("10.244.1.2", "ready: true")+", "+endpointYAML("10.244.2.2", "ready: false"))...)
	objects = append(objects, "{apiVersion: v1, kind: Service, metadata: {name: x, namespace: shop, annotations: {demo.podpath/upstream: www.example.com=203.0.113.80}}, spec: {type: ExternalName, externalName: www.example.com}}")
	loop := "{apiVersion: v1, kind: Service, metadata: {name: loop, namespace: shop}, spec: {type: ExternalName, externalName: loop.shop.svc.cluster.local}}"
	v := newLab(t, append(objects, loop)...).view()
	for question, want := range map[string]string{
		"s.shop.svc.cluster.local. A":                        "10.96.0.80",
		"S.Shop.svc.cluster.local. A":                        "10.96.0.80",
		"s.shop.svc.cluster.local. AAAA":                     "nothing",
		"_http._tcp.s.shop.svc.cluster.local. SRV":           "8080 s.shop.svc.cluster.local.",
		"_dns._tcp.s.shop.svc.cluster.local. SRV":            "NXDOMAIN",
		"80.0.96.10.in-addr.arpa. PTR":                       "s.shop.svc.cluster.local.",
		"81.0.96.10.in-addr.arpa. PTR":                       "NXDOMAIN",
		"h.shop.svc.cluster.local. A":                        "10.244.1.2",
		"10-244-1-2.h.shop.svc.cluster.local. A":             "10.244.1.2",
		"10-244-2-2.h.shop.svc.cluster.local. A":             "NXDOMAIN",
		"_http._tcp.h.shop.svc.cluster.local. SRV":           "80 10-244-1-2.h.shop.svc.cluster.local.",
		"x.shop.svc.cluster.local. A":                        "www.example.com. 203.0.113.80",
		"x.shop.svc.cluster.local. CNAME":                    "www.example.com.",
		"loop.shop.svc.cluster.local. A":                     strings.TrimSpace(strings.Repeat("loop.shop.svc.cluster.local. ", maxAliases)),
		"none.shop.svc.cluster.local. A":                     "NXDOMAIN",
		"shop.svc.cluster.local. A":                          "nothing",
		"hop.svc.cluster.local. A":                           "NXDOMAIN",
		"svc.cluster.local. A":                               "nothing",
		"www.example.com. A":                                 "203.0.113.80",
		"www.example.net. A":                                 "NXDOMAIN",
		"s.shop.svc.cluster.local.shop.svc.cluster.local. A": "NXDOMAIN",
	} {
		name, kind, _ := strings.Cut(question, " ")
		types := map[string]dnsmessage.Type{"A": dnsmessage.TypeA, "AAAA": dnsmessage.TypeAAAA, "SRV": dnsmessage.TypeSRV, "PTR": dnsmessage.TypePTR, "CNAME": dnsmessage.TypeCNAME}
		m := dnsmessage.Message{Header: dnsmessage.Header{ID: 7}, Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: types[kind], Class: dnsmessage.ClassINET}}}
		query, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Unpack(v.clusterNames().answer(query, true)); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range m.Answers {
			switch body := a.Body.(type) {
			case *dnsmessage.AResource:
				got = append(got, netip.AddrFrom4(body.A).String())
			case *dnsmessage.SRVResource:
				got = append(got, fmt.Sprint(body.Port, " ", body.Target))
			case *dnsmessage.PTRResource:
				got = append(got, body.PTR.String())
			case *dnsmessage.CNAMEResource:
				got = append(got, body.CNAME.String())
			}
		}
		text := strings.Join(got, " ")
		if text == "" {
			text = "nothing"
		}
		if m.RCode == dnsmessage.RCodeNameError {
			text = "NXDOMAIN"
		}
		if text != want || m.ID != 7 {
			t.Errorf("%s: got %s, want %s", question, text, want)
		}
	}
}

func TestTheWorldOutsideKnowsNoNamesOfTheCluster(t *testing.T) {
	l := newLab(t, append(clusterDNS(""), service("s", vip, endpointYAML("10.244.1.2", "ready: true"))...)...)
	for from, want := range map[string]string{"b": "a to 10.244.2.2", "raspi001": "no such host", Outside: "no such host"} {
		for _, name := range []string{"S.shop.svc.cluster.local:8080", "s.shop.svc.cluster.local.:8080"} {
			if got := l.dial(from, name); !strings.Contains(got, want) {
				t.Errorf("%s: got %s to %s, want %s", from, got, name, want)
			}
		}
		if got := l.dial(from, "www.example.com:8080"); !strings.HasPrefix(got, "imac to ") {
			t.Errorf("%s: got %s, want the world outside", from, got)
		}
	}
	if got, want := l.dial("a", "s:8080"), "a to 192.168.100.11"; got != want {
		t.Errorf("got %s by the search list, want %s", got, want)
	}
}

func TestDNSIsSilentAboutWhatIsNoQuestion(t *testing.T) {
	l := newLab(t, clusterDNS("")...)
	m := dnsmessage.Message{Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("x."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}}
	query, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	for network, head := range map[string]int{"udp": 0, "tcp": 2} {
		c, err := l.place("a").DialContext(t.Context(), network, "10.244.1.53:53")
		if err != nil {
			t.Fatal(err)
		}
		for _, message := range []string{"what?", string(query)} {
			length := []byte{0, byte(len(message))}
			if _, err := c.Write(append(length[:head], message...)); err != nil {
				t.Fatal(err)
			}
		}
		answer := make([]byte, maxPacket)
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		n, err := c.Read(answer)
		if errUnpack := m.Unpack(answer[min(n, head):n]); err != nil || errUnpack != nil || !m.Response {
			t.Errorf("%s: got %x, %v; want the answer to the question", network, answer[:n], err)
		}
		_ = c.Close()
	}
}

func TestPodsOnTheNetworkOfTheirNodeHaveItsName(t *testing.T) {
	l := newLab(t)
	place, err := l.Pod("kube-system", "proxy-2")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, command := range []string{"hostname", "env"} {
		if exit, err := place.Exec(t.Context(), "busybox", []string{command}, nil, &out, io.Discard); exit != 0 || err != nil {
			t.Errorf("%s: got %d, %v", command, exit, err)
		}
	}
	if got := out.String(); !strings.HasPrefix(got, "raspi002\n") || !strings.Contains(got, "HOSTNAME=raspi002\n") {
		t.Errorf("got %q, want the name of the Node", got)
	}
}

func TestListenersThatCannotBeAreNone(t *testing.T) {
	l := newLab(t, pod("b", "10.244.2.2", `annotations: {demo.podpath/listens: "http http:99999 http:::1:80 http:[::1]:80 : http:81"}`))
	f, err := l.place("b").Open("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(f)
	if strings.Count(string(text), " 0A ") != 1 || !strings.Contains(string(text), "00000000:0051 ") {
		t.Errorf("got\n%swant port 81 alone", text)
	}
}

func TestPodsRunOnNodesOnly(t *testing.T) {
	l := newLab(t, strings.NewReplacer("raspi001", Outside, "proxy-1", "proxy-3").Replace(proxy(1)))
	if _, err := l.Pod("kube-system", "proxy-3"); !errors.Is(err, syscall.ENETDOWN) {
		t.Errorf("got %v for a Pod on a machine outside, want that it has no network", err)
	}
}

func TestLongAnswersOfDNSAreCutOverUDP(t *testing.T) {
	var ends []string
	for i := range 60 {
		ends = append(ends, endpointYAML(fmt.Sprintf("10.244.1.%d", i+10), "ready: true"))
	}
	v := newLab(t, service("h", "clusterIP: None", strings.Join(ends, ", "))...).view()
	m := dnsmessage.Message{Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("h.shop.svc.cluster.local."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}}
	query, _ := m.Pack()
	for _, packet := range []bool{true, false} {
		reply := v.clusterNames().answer(query, packet)
		if err := m.Unpack(reply); err != nil || m.Truncated != packet || packet && len(reply) > 512 || !packet && len(m.Answers) != 60 {
			t.Errorf("packet %v: got %d bytes, %d answers, cut %v, %v", packet, len(reply), len(m.Answers), m.Truncated, err)
		}
	}
}

func TestVariablesAreThoseOfOlderServices(t *testing.T) {
	links := pod("b", "10.244.2.2", "creationTimestamp: 2026-03-14T12:00:00Z")
	links = strings.Replace(links, "running: {}", "running: {startedAt: 2026-03-14T12:00:02Z}", 1)
	at := func(name, time string) string {
		return fmt.Sprintf("{apiVersion: v1, kind: Service, metadata: {name: %s, namespace: shop, creationTimestamp: %s}, spec: {clusterIP: 10.96.0.9, ports: [{name: web-ui, port: 80}]}}", name, time)
	}
	l := newLab(t, links, at("my-old", "2026-03-14T12:00:02Z"), at("young", "2026-03-14T12:00:03Z"))
	f, err := l.place("b").Open("/proc/self/environ")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(f)
	got := strings.Split(string(text), "\x00")
	for _, want := range []string{"HOSTNAME=b", "MY_OLD_SERVICE_HOST=10.96.0.9", "MY_OLD_SERVICE_PORT=80", "MY_OLD_SERVICE_PORT_WEB_UI=80"} {
		if !slices.Contains(got, want) {
			t.Errorf("got %q, want %s", got, want)
		}
	}
	if strings.Contains(string(text), "YOUNG") {
		t.Errorf("got %q, want nothing of a Service that came later", got)
	}
}

func TestRedisAndUDP(t *testing.T) {
	l := newLab(t, pod("b", "10.244.2.2", `annotations: {demo.podpath/listens: "redis:6379 echo:7"}`))
	c, err := l.place("a").DialContext(t.Context(), "tcp", "10.244.2.2:6379")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, "*1\r\n$4\r\nPING\r\nwhat\r\n")
	_ = c.(*conn).CloseWrite()
	if got, _ := io.ReadAll(c); string(got) != "+PONG\r\n-ERR unknown command\r\n" {
		t.Errorf("got %q", got)
	}
	l.put(strings.Replace(pod("c", "10.244.2.3", ""), "containerPort: 80", "containerPort: 7, protocol: UDP", 1))
	u, err := l.place("a").DialContext(t.Context(), "udp", "10.244.2.3:7")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = u.Write([]byte("echo"))
	_ = u.SetDeadline(time.Now().Add(5 * time.Second))
	answer := make([]byte, 9)
	if n, err := u.Read(answer); string(answer[:n]) != "echo" {
		t.Errorf("got %q, %v", answer[:n], err)
	}
	_ = u.Close()
	for address, want := range map[string]error{"10.244.2.2:9": syscall.ECONNREFUSED, "10.244.2.99:9": os.ErrDeadlineExceeded} {
		c, err := l.place("a").DialContext(t.Context(), "udp", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Millisecond))
		_, errWrite := c.Write([]byte("x"))
		if _, err := c.Read(make([]byte, 9)); !errors.Is(err, want) || errWrite != nil {
			t.Errorf("%s: got %v, %v; want %v", address, errWrite, err, want)
		}
		_ = c.Close()
	}
}
