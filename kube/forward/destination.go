package forward

import (
	"fmt"
	"strconv"
	"strings"

	"podpath/kube"
)

// DestinationKind is what a user forwards to.
type DestinationKind string

// The kinds of destination. A workload is whatever makes Pods: all its Pods
// are endpoints.
const (
	ToService  DestinationKind = "svc"
	ToPod      DestinationKind = "pod"
	ToWorkload DestinationKind = "workload"
)

// Destination is what a user writes to say where connections go.
type Destination struct {
	Kind DestinationKind
	// Owner is the kind of object that owns the Pods of a workload, such as
	// ReplicaSet; its name may have a suffix where Suffixed is set.
	Owner    string
	Suffixed bool
	kube.Key
	// Port is a number or a name; "" where none was given.
	Port string
	// Protocol is TCP or UDP, or "" for what the port is: TCP where it is both.
	Protocol string
	// Label is the destination as the user wrote it.
	Label string
}

const destinationWords = "write svc/NAME:PORT, pod/NAME:PORT or deploy/NAME:PORT (also sts, ds, rs); NAMESPACE/ may precede NAME, and /udp follow PORT"

// destinationKinds are the words before the slash. The ReplicaSets of a
// Deployment have its name and a suffix.
var destinationKinds = map[string]Destination{
	"svc": {Kind: ToService}, "service": {Kind: ToService}, "services": {Kind: ToService},
	"pod": {Kind: ToPod}, "po": {Kind: ToPod}, "pods": {Kind: ToPod},
	"deploy": deployment, "deployment": deployment, "deployments": deployment,
	"rs": {Kind: ToWorkload, Owner: "ReplicaSet"}, "replicaset": {Kind: ToWorkload, Owner: "ReplicaSet"},
	"sts": {Kind: ToWorkload, Owner: "StatefulSet"}, "statefulset": {Kind: ToWorkload, Owner: "StatefulSet"},
	"ds": {Kind: ToWorkload, Owner: "DaemonSet"}, "daemonset": {Kind: ToWorkload, Owner: "DaemonSet"},
}

var deployment = Destination{Kind: ToWorkload, Owner: "ReplicaSet", Suffixed: true}

// ParseDestination reads KIND/[NAMESPACE/]NAME[:PORT[/PROTOCOL]]. The
// namespace is used where the word names none. Whether such an object exists
// is not looked at.
func ParseDestination(word, namespace string) (Destination, error) {
	kind, rest, _ := strings.Cut(word, "/")
	d, known := destinationKinds[kind]
	if !known {
		return Destination{}, fmt.Errorf("%q is nothing that podpath forwards to: %s", word, destinationWords)
	}
	name, port, hasPort := strings.Cut(rest, ":")
	d.Namespace, d.Name, d.Label = namespace, name, kind+"/"+name
	if ns, n, ok := strings.Cut(name, "/"); ok {
		d.Namespace, d.Name = ns, n
		if ns == "" {
			d.Name = ""
		}
	}
	switch {
	case d.Name == "" || strings.Contains(d.Name, "/"):
		return Destination{}, fmt.Errorf("%q names no object: %s", word, destinationWords)
	case d.Namespace == "":
		return Destination{}, fmt.Errorf("%q: with all namespaces in view write which one is meant: %s/NAMESPACE/%s", word, kind, d.Name)
	case !hasPort:
		return d, nil
	}
	return d.WithPort(port)
}

// WithPort returns the destination with a port: 80, http or 53/udp.
func (d Destination) WithPort(word string) (Destination, error) {
	port, protocol, hasProtocol := strings.Cut(word, "/")
	d.Port, d.Protocol = port, strings.ToUpper(protocol)
	n, err := strconv.Atoi(port)
	switch {
	case port == "" || hasProtocol && d.Protocol != "TCP" && d.Protocol != "UDP":
		return Destination{}, fmt.Errorf("%s: %q is no port: write a number or a name, and /udp behind it where that is meant", d.Label, word)
	case err == nil && (n < 1 || n > 65535):
		return Destination{}, fmt.Errorf("%s: there is no port %d: ports go from 1 to 65535", d.Label, n)
	}
	d.Label, _, _ = strings.Cut(d.Label, ":")
	d.Label += ":" + word
	return d, nil
}

// owns reports whether the workload owns the Pod.
func (d Destination) owns(p *kube.Pod) bool {
	kind, name, _ := strings.Cut(p.Owner, "/")
	if i := strings.LastIndexByte(name, '-'); d.Suffixed && i > 0 {
		name = name[:i]
	}
	return kind == d.Owner && name == d.Name && p.Namespace == d.Namespace
}
