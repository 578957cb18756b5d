package probes

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"podpath/kube"
)

// clusterDomain is what nearly all clusters call themselves; a name that ends
// in another one is not taken for a name of the cluster.
const clusterDomain = "cluster.local"

// meant is the Service that a name means where it is asked: NAME of the Pod's
// own namespace, NAME.NAMESPACE, NAME.NAMESPACE.svc or NAME.NAMESPACE.svc.ZONE,
// each after _PORT._PROTOCOL where it is for SRV (RFC 2782). The Service need
// not exist. Names that may be of somebody else are none.
func (w *World) meant(s Source, name string) (kube.Key, bool) {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	for len(labels) > 1 && strings.HasPrefix(labels[0], "_") {
		labels = labels[1:]
	}
	key, rest := kube.Key{Namespace: cmp.Or(w.asker(s).Namespace, w.Home), Name: labels[0]}, labels[1:]
	if _, err := netip.ParseAddr(name); err == nil || labels[0] == "" {
		return key, false
	}
	short := !strings.HasSuffix(name, ".") // the search list completes it
	switch {
	case len(rest) == 0:
		return key, short
	case len(rest) == 1: // or a Pod of a headless Service, HOST.SERVICE
		host := w.Service(kube.Key{Namespace: key.Namespace, Name: rest[0]}) != nil
		known := rest[0] == w.Home || slices.Contains(w.Namespaces, rest[0])
		key.Namespace = rest[0]
		return key, short && (w.Service(key) != nil || known && !host)
	}
	key.Namespace = rest[0]
	return key, rest[1] == "svc" && (len(rest) == 2 && short || strings.Join(rest[2:], ".") == clusterDomain)
}

// asker is the Pod whose resolver is asked; its Name is empty on a machine.
func (w *World) asker(s Source) kube.Key {
	if s.Kind == FromLocal {
		return w.LocalPod
	}
	return s.Pod
}

// aboutName finds the Service that a name of the cluster means.
func (w *World) aboutName(s Source, name string) About {
	if key, ok := w.meant(s, name); ok && w.Service(key) != nil {
		return About{Service: key}
	}
	return About{}
}

// expectNamed is the rule for what the cluster's DNS has to be asked about, when
// e is that for what lies behind.
func (w *World) expectNamed(s Source, about About, e Expectation) Expectation {
	if about.Service == (kube.Key{}) || e.Outcome != Reached {
		return e
	}
	return w.expectName(s, e)
}

// expectName is the rule for names of the cluster: a Pod asks the cluster's
// DNS unless its dnsPolicy says otherwise, and a machine asks another server.
func (w *World) expectName(s Source, e Expectation) Expectation {
	asker := w.asker(s)
	pod := w.Pod(asker)
	switch {
	case asker.Name == "":
		return fromMachine(s)
	case pod == nil: // in another namespace than podpath looks at
		return e
	}
	// Where the DNS server is is not known here: it counts as somebody unknown.
	if why := w.denied(traffic{from: pod, fromIP: pod.IP(), port: dnsPort, protocol: "UDP"}); why != "" && e.Outcome == Reached {
		return either(why + ", unless the cluster's DNS is among those whom a rule permits")
	}
	if pod.DNSPolicy == "" || pod.DNSPolicy == "ClusterFirst" && !pod.HostNetwork || pod.DNSPolicy == "ClusterFirstWithHostNet" {
		return e
	}
	return either(fmt.Sprintf("Pod %s has dnsPolicy %s: it need not ask the cluster's DNS", pod.Name, pod.DNSPolicy))
}

// fromMachine is the rule for a Node, and for podpath on any machine: somebody
// may have pointed its resolv.conf at the cluster's DNS.
func fromMachine(s Source) Expectation {
	e := either("only the cluster's DNS knows the names of Services; Pods ask it, and a machine asks the server in its /etc/resolv.conf")
	e.Cause = &Cause{
		Code: OutsideDNS, ByDesign: true,
		Summary: s.Label + " does not ask the cluster's DNS, and no other one knows the names of Services.",
		Next:    "ask from a Pod: podpath probe pod/NAME and the same target",
	}
	return e
}

// noSuchService is a name of a Service that there is not: the Pod's resolver
// completes a short name with the Pod's own namespace, and with no other.
func (k kase) noSuchService() *Cause {
	name := k.Ask.Host
	if k.Ask.DNS != nil {
		name = k.Ask.DNS.Name
	}
	key, ok := k.meant(k.Source, name)
	listed := k.State(kube.Services).Listed && (k.Scope.All() || k.Scope.Namespace == key.Namespace)
	if !ok || !listed || k.Service(key) != nil || k.Stage != StageResolve || k.Error == NoError || !k.unknown(key.Name+"."+key.Namespace+".svc.") {
		return nil
	}
	return &Cause{
		Code: NoSuchService, Summary: fmt.Sprintf("There is no Service %s in namespace %s%s.", key.Name, key.Namespace, k.instead(key)),
		Evidence: k.Asked, Next: "kubectl get services -A --field-selector metadata.name=" + key.Name,
	}
}

// unknown reports whether the DNS server was asked for a name that begins like
// this, and knew none. What comes last in the search list is for the world
// outside, and may fail in another way.
func (k kase) unknown(beginning string) bool {
	return slices.ContainsFunc(k.Asked, func(said string) bool {
		name, answer, _ := strings.Cut(said, " ")
		return strings.HasPrefix(name, beginning) && strings.HasPrefix(answer, string(NXDomain))
	})
}

// instead says where there is a Service of the name, or which there are in the
// namespace.
func (k kase) instead(key kube.Key) string {
	var there []string
	for _, svc := range k.Services {
		switch {
		case svc.Name == key.Name:
			return fmt.Sprintf(", but one in %s: its name from here is %s.%s", svc.Namespace, svc.Name, svc.Namespace)
		case svc.Namespace == key.Namespace:
			there = append(there, svc.Name)
		}
	}
	return kube.Among(there)
}
