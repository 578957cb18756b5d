package cluster

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// RemoveRoute lets a node forget the way to the Pods of another node. What it sends to them goes to the default route and
// is lost there. The other node still knows the way back, but as answers need a way too, Pods of the two nodes cannot
// connect to each other in either direction; the other node itself, whose address is known to all, still reaches the
// Pods of this one.
func (c *Cluster) RemoveRoute(node, toNode string) {
	c.t.Helper()
	c.run("unroute", node, toNode)
	c.t.Cleanup(func() { c.run("route", node, toNode) })
}

// Drop throws away all packets to a Pod that pass a node or start there, also those sent to it through a Service. On the
// Pod's own node this stops the kubelet's readiness probes too.
func (c *Cluster) Drop(node, podIP string) {
	c.t.Helper()
	c.run("drop", node, podIP)
	c.t.Cleanup(func() { c.run("pass", node, podIP) })
}

// StopKubeProxy ends kube-proxy on a node and removes the rules that it has made, as if it had not started since boot: no
// ClusterIP and no NodePort works there, and nothing answers on port 10256. For rules that stay and grow old, use Kill.
func (c *Cluster) StopKubeProxy(node string) {
	c.t.Helper()
	c.run("kill", node, "kube-proxy")
	c.t.Cleanup(func() {
		c.run("start", node, "kube-proxy")
		c.Eventually("kube-proxy on "+node, 30*time.Second, func() error { return c.servesClusterIPs(node) })
	})
	c.run("flush", node)
}

// servesClusterIPs asks the API server by its ClusterIP. The answer of kube-proxy itself comes before its first rules.
func (c *Cluster) servesClusterIPs(node string) error {
	out, err := c.output("on", node, "curl", "--silent", "--show-error", "--insecure", "--max-time", "1", "https://10.96.0.1/readyz")
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// StopForwarding makes a node keep what is for others: its Pods reach each other, and nothing comes in or goes out.
func (c *Cluster) StopForwarding(node string) {
	c.t.Helper()
	c.t.Cleanup(func() { c.run("on", node, "sysctl", "-qw", "net.ipv4.ip_forward=1") })
	c.run("on", node, "sysctl", "-qw", "net.ipv4.ip_forward=0")
}

// StopHairpins makes the bridge of a node send nothing back to where it came from: a Pod that asks a Service and is chosen to answer
// gets no answer.
func (c *Cluster) StopHairpins(node string) {
	c.t.Helper()
	c.t.Cleanup(func() { c.hairpins(node, "on") })
	c.hairpins(node, "off")
}

// hairpins sets the mode of all Pods that are there. The plugin sets it for those that come.
func (c *Cluster) hairpins(node, mode string) {
	c.t.Helper()
	for _, line := range strings.Split(c.run("on", node, "bridge", "link", "show"), "\n") {
		if fields := strings.Fields(line); strings.Contains(line, " master cni0 ") {
			device, _, _ := strings.Cut(strings.TrimSuffix(fields[1], ":"), "@")
			_, err := c.output("on", node, "bridge", "link", "set", "dev", device, "hairpin", mode)
			if err != nil && strings.Contains(c.run("on", node, "bridge", "link", "show"), device) { // its Pod may be gone
				c.t.Errorf("hairpin %s on %s of %s: %v", mode, device, node, err)
			}
		}
	}
}

// NodeAddress is the address of a node.
func NodeAddress(node string) string { return "198.51.100.1" + node[len(node)-1:] }

// coreDNS is how many Pods answer for DNS; see coredns.yaml.
const coreDNS = 2

// ScaleCoreDNS makes it as many Pods that answer for DNS, and waits until it is so.
func (c *Cluster) ScaleCoreDNS(replicas int) {
	c.t.Helper()
	c.t.Cleanup(func() { c.scaleCoreDNS(coreDNS) })
	c.scaleCoreDNS(replicas)
}

func (c *Cluster) scaleCoreDNS(replicas int) {
	c.t.Helper()
	c.Kubectl("--namespace", "kube-system", "scale", "deployment/coredns", "--replicas="+strconv.Itoa(replicas))
	c.WaitForRollout("kube-system", "coredns")
	c.Eventually(fmt.Sprintf("%d Pods of CoreDNS", replicas), long, func() error {
		ready := c.Kubectl("--namespace", "kube-system", "get", "endpointslices", "--selector=kubernetes.io/service-name=kube-dns",
			"--output=go-template={{range .items}}{{range .endpoints}}.{{end}}{{end}}")
		if len(ready) != replicas {
			return fmt.Errorf("the Service has %d endpoints", len(ready))
		}
		return nil
	})
}
