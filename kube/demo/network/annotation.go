package network

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Annotations of the practice cluster.
const (
	// ListensAnnotation of a Pod says what it serves: KIND:[ADDRESS:]PORT, for
	// example "http:80 redis:127.0.0.1:6379". Kinds are http, https, h2c, ingress,
	// redis, dns, echo, and for what goes wrong reset, close, hang and full. With
	// udp- before it, it is over UDP.
	ListensAnnotation = "demo.podpath/listens"
	// FaultAnnotation of a Pod is refuse, drop, reset, delay=DURATION, not-ready
	// or crash-loop; of a Node down, kube-proxy-down or no-route=NODE. Several
	// are separated by blanks.
	FaultAnnotation = "demo.podpath/fault"
	// PoliciesAnnotation of a Namespace with the value "ignored" has the CNI not
	// enforce its NetworkPolicies.
	PoliciesAnnotation = "demo.podpath/policies"
	// UpstreamAnnotation of a Service has the names that the DNS of the world
	// outside knows: NAME=ADDRESS.
	UpstreamAnnotation = "demo.podpath/upstream"
)

// proxyLabel is the value of the label k8s-app of the Pods of kube-proxy.
const proxyLabel = "kube-proxy"

// Fault returns the value of a fault that the FaultAnnotation of an object asks
// for, and whether it does.
func Fault(annotations map[string]string, name string) (value string, ok bool) {
	for word := range strings.FieldsSeq(annotations[FaultAnnotation]) {
		if key, value, _ := strings.Cut(word, "="); key == name {
			return value, true
		}
	}
	return "", false
}

func down(n *corev1.Node) bool {
	if n == nil {
		return false
	}
	_, is := Fault(n.Annotations, "down")
	return is
}

// proxied reports whether kube-proxy does its work on a Node.
func (v *view) proxied(n *corev1.Node) bool {
	return slices.ContainsFunc(v.hosts[n.Name].listeners, func(l listener) bool { return l.pod.Labels["k8s-app"] == proxyLabel })
}
