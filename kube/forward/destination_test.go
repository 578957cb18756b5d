package forward

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"podpath/kube"
	"podpath/kube/demo/fixture"
)

// shop is a namespace with Services and Pods of each sort.
const shop = `
{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: web}, spec: {clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1], selector: {app: web}, ports: [{name: http, port: 8080, targetPort: 80, protocol: TCP}, {name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]}}
---
{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: headless}, spec: {clusterIP: None, selector: {app: web}, ports: [{name: http, port: 8080, targetPort: 80, protocol: TCP}]}}
---
{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: manual}, spec: {clusterIP: 10.96.0.2, clusterIPs: [10.96.0.2], ports: [{port: 5432, protocol: TCP}]}}
---
{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: outside}, spec: {type: ExternalName, externalName: db.example.com}}
---
{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: empty}, spec: {clusterIP: 10.96.0.3, selector: {app: nobody}, ports: [{port: 80, protocol: TCP}]}}
---
{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: sctp}, spec: {clusterIP: 10.96.0.4, selector: {app: web}, ports: [{port: 36412, protocol: SCTP}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {namespace: shop, name: web-1, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: 80, protocol: TCP}, {name: dns, port: 5353, protocol: UDP}, {name: dns-tcp, port: 5353, protocol: TCP}]
endpoints:
- {addresses: [10.244.1.5], targetRef: {kind: Pod, name: web-5d4f-a}, nodeName: raspi002, conditions: {}}
- {addresses: [10.244.1.6], targetRef: {kind: Pod, name: web-5d4f-b}, nodeName: raspi003, conditions: {ready: false, serving: true, terminating: true}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {namespace: shop, name: web-6, labels: {kubernetes.io/service-name: web}}
addressType: IPv6
ports: [{name: http, port: 80, protocol: TCP}]
endpoints: [{addresses: ["fd00::5"], targetRef: {kind: Pod, name: web-5d4f-a}, conditions: {}}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {namespace: shop, name: headless-1, labels: {kubernetes.io/service-name: headless}}
addressType: IPv4
ports: [{name: http, port: 80, protocol: TCP}, {name: more, port: 81, protocol: TCP}]
endpoints: [{addresses: [10.244.1.5], targetRef: {kind: Pod, name: web-5d4f-a}, conditions: {}}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {namespace: shop, name: manual-1, labels: {kubernetes.io/service-name: manual}}
addressType: IPv4
ports: [{port: 5432, protocol: TCP}]
endpoints: [{addresses: [198.51.100.9], conditions: {}}]
---
apiVersion: v1
kind: Pod
metadata: {namespace: shop, name: web-5d4f-a, labels: {app: web}, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-5d4f, uid: x, controller: true}]}
spec: {nodeName: raspi002, containers: [{name: nginx, ports: [{name: http, containerPort: 80, protocol: TCP}, {name: dns, containerPort: 5353, protocol: UDP}]}]}
status: {phase: Running, podIPs: [{ip: 10.244.1.5}], conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Pod
metadata: {namespace: shop, name: web-5d4f-b, labels: {app: web}, deletionTimestamp: "2026-03-14T12:00:00Z", ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-5d4f, uid: x, controller: true}]}
spec: {nodeName: raspi003, containers: [{name: nginx, ports: [{name: http, containerPort: 80, protocol: TCP}]}]}
status: {phase: Running, podIPs: [{ip: 10.244.1.6}], conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Pod
metadata: {namespace: shop, name: slow, labels: {app: slow}, ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: slow, uid: x, controller: true}]}
spec: {nodeName: raspi003, containers: [{name: app}]}
status: {phase: Running, podIPs: [{ip: 10.244.1.7}], conditions: [{type: Ready, status: "False"}]}
`

func look(t testing.TB) *kube.Snapshot {
	t.Helper()
	return fixture.Snapshot(t, kube.Scope{Namespace: "shop"}, noon, shop)
}

// short writes an endpoint with its conditions.
func short(e Endpoint) string { return fmt.Sprintf("%s %s", e.HostPort(), e.state()) }

func TestDestinationsAreFound(t *testing.T) {
	s := look(t)
	for word, want := range map[string]struct {
		port      int
		protocol  string
		endpoints []string
		why       string
	}{
		"svc/web:8080":           {8080, "TCP", []string{"10.244.1.5:80 ready", "10.244.1.6:80 terminating"}, ""},
		"svc/web:http":           {8080, "TCP", []string{"10.244.1.5:80 ready", "10.244.1.6:80 terminating"}, ""},
		"service/shop/web:8080":  {8080, "TCP", []string{"10.244.1.5:80 ready", "10.244.1.6:80 terminating"}, ""},
		"svc/web:53":             {53, "TCP", []string{"10.244.1.5:5353 ready", "10.244.1.6:5353 terminating"}, ""},
		"svc/web:53/udp":         {53, "UDP", []string{"10.244.1.5:5353 ready", "10.244.1.6:5353 terminating"}, ""},
		"svc/web:dns":            {53, "UDP", []string{"10.244.1.5:5353 ready", "10.244.1.6:5353 terminating"}, ""},
		"svc/headless:http":      {8080, "TCP", []string{"10.244.1.5:80 ready"}, ""},
		"svc/headless:9090":      {9090, "TCP", []string{"10.244.1.5:9090 ready"}, ""},
		"svc/manual:5432":        {5432, "TCP", []string{"198.51.100.9:5432 ready"}, ""},
		"svc/empty:80":           {80, "TCP", nil, "The selector app=nobody matches no Pod"},
		"pod/web-5d4f-a:http":    {80, "TCP", []string{"10.244.1.5:80 ready"}, ""},
		"pod/web-5d4f-a:9999":    {9999, "TCP", []string{"10.244.1.5:9999 ready"}, ""},
		"pod/web-5d4f-a:dns":     {5353, "UDP", []string{"10.244.1.5:5353 ready"}, ""},
		"pod/slow:80":            {80, "TCP", []string{"10.244.1.7:80 ready"}, ""}, // asked for by name
		"sts/slow:80":            {80, "TCP", []string{"10.244.1.7:80 not ready"}, "Pod slow is Running"},
		"deploy/web:http":        {80, "TCP", []string{"10.244.1.5:80 ready", "10.244.1.6:80 terminating"}, ""},
		"rs/web-5d4f:80":         {80, "TCP", []string{"10.244.1.5:80 ready", "10.244.1.6:80 terminating"}, ""},
		"deployment/web:853/udp": {853, "UDP", []string{"10.244.1.5:853 ready", "10.244.1.6:853 terminating"}, ""},
	} {
		d, err := ParseDestination(word, "shop")
		if err != nil {
			t.Errorf("%s: %v", word, err)
			continue
		}
		v, err := d.Find(s)
		if err != nil {
			t.Error(err)
			continue
		}
		var got []string
		for _, e := range v.Endpoints {
			got = append(got, short(e))
		}
		if v.Port != want.port || v.Protocol != want.protocol || !slices.Equal(got, want.endpoints) || !strings.HasPrefix(v.Why, want.why) || (v.Why == "") != (want.why == "") {
			t.Errorf("%s: got %d/%s %q %q, want %+v", word, v.Port, v.Protocol, got, v.Why, want)
		}
	}
}

func TestDestinationsThatCannotBeSayWhy(t *testing.T) {
	s := look(t)
	for word, want := range map[string]string{
		"svc/nope:80":         `there is no Service "nope" in namespace shop; there are svc/empty, svc/headless`,
		"svc/outside:80":      "of type ExternalName: it is another name for db.example.com",
		"svc/web:81":          `the Service has no port "81"; there are http:8080/TCP`,
		"svc/web":             "say which port; there are http:8080/TCP",
		"svc/web:8080/udp":    `no port "8080"`,
		"svc/sctp:36412":      "podpath forwards TCP and UDP, not SCTP",
		"pod/nope:80":         `there is no Pod "nope" in namespace shop; there are pod/slow`,
		"pod/web-5d4f-a":      "say which port; there are http:80/TCP, dns:5353/UDP",
		"pod/web-5d4f-a:smtp": `no Pod declares a port "smtp"`,
		"deploy/nope:80":      "no Pod in namespace shop is owned by it",
		"ingress/web:80":      `"ingress/web:80" is nothing that podpath forwards to: write svc/NAME:PORT`,
		"web:80":              "is nothing that podpath forwards to",
		"svc/:80":             "names no object",
		"svc/a/b/c:80":        "names no object",
		"svc//b:80":           "names no object",
		"svc/web:":            "is no port",
		"svc/web:70000":       "there is no port 70000",
		"svc/web:53/sctp":     "is no port",
	} {
		d, err := ParseDestination(word, "shop")
		if err == nil {
			_, err = d.Find(s)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", word, err, want)
		}
	}
	if _, err := ParseDestination("svc/web:80", ""); err == nil || !strings.Contains(err.Error(), "svc/NAMESPACE/web") {
		t.Errorf("got %v without a namespace", err)
	}
}

func TestPortsAreListedWhereNoneIsGiven(t *testing.T) {
	s := look(t)
	for word, want := range map[string]string{
		"svc/web":        "svc/web:8080 svc/web:53/udp svc/web:53",
		"pod/web-5d4f-a": "pod/web-5d4f-a:80 pod/web-5d4f-a:5353/udp",
		"deploy/web":     "deploy/web:80 deploy/web:5353/udp",
		"svc/sctp":       "",
		"svc/nope":       "",
	} {
		d, err := ParseDestination(word, "shop")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range d.Ports(s) {
			got = append(got, p.Label)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
}

func TestAPodThatIsGoneIsTold(t *testing.T) {
	s := look(t)
	target := Target{Address: "10.244.1.5", Namespace: "shop", Pod: "web-5d4f-a"}
	for name, c := range map[string]struct {
		target   Target
		snapshot *kube.Snapshot
		want     bool
	}{
		"it is there":                {target, s, true},
		"it has another address":     {Target{Address: "10.244.9.9", Namespace: "shop", Pod: "web-5d4f-a"}, s, false},
		"it is gone":                 {Target{Address: "10.244.1.8", Namespace: "shop", Pod: "web-5d4f-z"}, s, false},
		"nobody knows which it is":   {Target{Address: "198.51.100.9"}, s, true},
		"Pods are not known now":     {Target{Address: "1.2.3.4", Namespace: "shop", Pod: "x"}, fixture.WithState(s, kube.Pods, kube.State{Phase: kube.Stale, Listed: true}), true},
		"Pods are nobody's business": {Target{Address: "1.2.3.4", Namespace: "shop", Pod: "x"}, fixture.WithState(s, kube.Pods, kube.State{Phase: kube.Forbidden}), true},
	} {
		if got := podExists(c.snapshot, c.target); got != c.want {
			t.Errorf("%s: got %t, want %t", name, got, c.want)
		}
	}
}
