package network

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

// meant is an endpoint with a hint for Nodes or zones: "forNodes: [{name: x}]".
func meant(ip, hint string) string {
	return strings.TrimSuffix(endpointYAML(ip, "ready: true"), "}") + ", hints: {" + hint + "}}"
}

func slice(service, more, endpoints string) string {
	return fmt.Sprintf("{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: %s-y, namespace: shop, labels: {kubernetes.io/service-name: %s}}, %s, endpoints: [%s]}", service, service, more, endpoints)
}

// reached are those that answer in some connections, and the errors of others.
func (l *lab) reached(from, address string) string {
	seen := map[string]bool{}
	for range 20 {
		answer, _, _ := strings.Cut(l.dial(from, address), " ")
		seen[answer] = true
	}
	var all []string
	for _, who := range []string{"a", "b", "c", "refused", "timeout"} {
		if seen[who] {
			all = append(all, who)
		}
	}
	return strings.Join(all, " ")
}

func TestKubeProxyLeadsWhereItsRulesSay(t *testing.T) {
	const (
		node1, node2 = "forNodes: [{name: raspi001}]", "forNodes: [{name: raspi002}]"
		east, west   = "forZones: [{name: east}]", "forZones: [{name: west}]"
		inEast       = "{apiVersion: v1, kind: Node, metadata: {name: raspi002, labels: {topology.kubernetes.io/zone: east}}, spec: {podCIDR: 10.244.2.0/24}, status: {addresses: [{type: InternalIP, address: 192.168.100.12}]}}"
		twoAddresses = "{apiVersion: v1, kind: Node, metadata: {name: raspi002}, spec: {podCIDR: 10.244.2.0/24}, status: {addresses: [{type: InternalIP, address: 192.168.100.12}, {type: ExternalIP, address: 198.51.100.12}]}}"
		local        = vip + ", externalTrafficPolicy: Local"
		balancer     = vip + ", type: LoadBalancer, loadBalancerSourceRanges: [192.168.100.100/32, 10.244.1.0/24]}, status: {loadBalancer: {ingress: [{ip: 192.168.100.60}]}"
	)
	onA, onB, onC := endpointYAML("10.244.1.2", "ready: true"), endpointYAML("10.244.2.2", "ready: true"), endpointYAML("10.244.2.3", "ready: true")
	ports := "addressType: IPv4, ports: [{name: http, port: 80}]"
	for name, test := range map[string]struct {
		objects        []string
		from, to, want string
	}{
		"a port that a Service lacks": {service("s", vip, onA), "b", "10.96.0.80:80", "timeout"},
		"a port that a Node lacks":    {service("s", vip, onA), "b", "192.168.100.11:30081", "refused"},
		"a port of the slice by another name": {
			append(service("s", vip, ""), slice("s", "addressType: IPv4, ports: [{name: https, port: 80}]", onA)), "b", "10.96.0.80:8080", "refused",
		},
		"a slice of names": {
			append(service("s", vip, ""), slice("s", "addressType: FQDN, ports: [{name: http, port: 80}]", `{addresses: ["a.example.com"]}`)), "b", "10.96.0.80:8080", "refused",
		},
		"an address that nobody has": {
			append(service("s", vip, onA), slice("s", ports, endpointYAML("10.244.1.250", "ready: true"))), "b", "10.96.0.80:8080", "a timeout",
		},
		"the address of another Service": {
			append(service("s", vip, `{addresses: ["10.96.0.81"]}`), service("t", "clusterIP: 10.96.0.81", onA)...), "b", "10.96.0.80:8080", "timeout",
		},

		"hints for the Node":                {service("s", vip, meant("10.244.1.2", node1)+", "+meant("10.244.2.2", node2)), "c", "10.96.0.80:8080", "b"},
		"hints for another Node":            {service("s", vip, meant("10.244.1.2", node1)), "c", "10.96.0.80:8080", "a"},
		"hints that one lacks":              {service("s", vip, onA+", "+meant("10.244.2.2", node2)), "c", "10.96.0.80:8080", "a b"},
		"hints by a node port":              {service("s", vip, meant("10.244.1.2", node1)+", "+meant("10.244.2.2", node2)), Outside, "192.168.100.11:30080", "a"},
		"hints for the zone":                {append(service("s", vip, meant("10.244.1.2", west)+", "+meant("10.244.2.2", east)), inEast), "c", "10.96.0.80:8080", "b"},
		"hints for the zone, of no Node":    {append(service("s", vip, meant("10.244.1.2", west+", "+node1)+", "+meant("10.244.2.2", east)), inEast), "c", "10.96.0.80:8080", "b"},
		"hints for a zone, from without":    {service("s", vip, meant("10.244.1.2", west)+", "+meant("10.244.2.2", east)), "c", "10.96.0.80:8080", "a b"},
		"hints of one that is not ready":    {service("s", vip, meant("10.244.1.2", node1)+", "+endpointYAML("10.244.2.2", "ready: false")), "a", "10.96.0.80:8080", "a"},
		"hints do not matter to Local":      {service("s", vip+", internalTrafficPolicy: Local", meant("10.244.1.2", node1)+", "+meant("10.244.2.2", node1)), "c", "10.96.0.80:8080", "b"},
		"an external IP, as it is brought":  {service("s", vip+", externalIPs: [192.0.2.7]", onB), Outside, "192.0.2.7:8080", "b"},
		"an external IP, local, elsewhere":  {service("s", local+", externalIPs: [192.0.2.7]", onB), Outside, "192.0.2.7:8080", "timeout"},
		"an external IP, local, there":      {service("s", local+", externalIPs: [192.0.2.7]", onA), Outside, "192.0.2.7:8080", "a"},
		"an external IP, local, from a Pod": {service("s", local+", externalIPs: [192.0.2.7]", onB), "a", "192.0.2.7:8080", "b"},
		"that of a Node, local, elsewhere":  {append(service("s", local+", externalIPs: [198.51.100.12]", onA), twoAddresses), Outside, "198.51.100.12:8080", "timeout"},
		"that of a Node, local, there":      {append(service("s", local+", externalIPs: [198.51.100.12]", onB), twoAddresses), Outside, "198.51.100.12:8080", "b"},
		"another address of a Node":         {append(service("s", vip, onA), twoAddresses), Outside, "198.51.100.12:30080", "a"},
		"a balancer, from where it may":     {service("s", balancer, onA), Outside, "192.168.100.60:8080", "a"},
		"a balancer, from a Pod that may":   {service("s", balancer, onC), "a", "192.168.100.60:8080", "c"},
		"a balancer, from a Pod that may not": {
			service("s", balancer, onA), "b", "192.168.100.60:8080", "timeout",
		},
		"a balancer, by a node port": {service("s", balancer, onA), "raspi002", "192.168.100.11:30080", "a"},
	} {
		synctest.Test(t, func(t *testing.T) {
			if got := newLab(t, test.objects...).reached(test.from, test.to); got != test.want {
				t.Errorf("%s: got %q, want %q", name, got, test.want)
			}
		})
	}
}
