package path

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"podpath/kube"
)

// clusterDomain is what nearly all clusters call themselves; a name that ends
// in another one is not taken for a name of the cluster, unless a source's
// search list says so.
const clusterDomain = "cluster.local"

// Meaning is what a name means where it is asked, by the DNS specification for
// Kubernetes 1.1.0. The zero value is a name of somebody else, or no name.
type Meaning struct {
	// Text is the name as it was written.
	Text string
	// Service is the one that the name means; it need not exist.
	Service kube.Key
	// Host is the member of the Service that the name means, as in
	// HOST.SERVICE; "" for the Service itself.
	Host string
	// Zone is the domain that is written behind .svc; "" for none.
	Zone string
}

// OfCluster reports whether the name is one of this cluster: what is written
// as one of a cluster with another domain may be of somebody else.
func (m Meaning) OfCluster() bool {
	return m.Service.Name != "" && (m.Zone == "" || m.Zone == clusterDomain)
}

// Mean finds what a name means where it is asked: NAME of the Pod's own
// namespace, NAME.NAMESPACE, NAME.NAMESPACE.svc or NAME.NAMESPACE.svc.ZONE,
// each with HOST. before it for a member, or _PORT._PROTOCOL. for SRV
// (RFC 2782). The Service need not exist.
func (w *World) Mean(s Source, name string) Meaning {
	m := Meaning{Text: name}
	if _, err := netip.ParseAddr(name); err == nil {
		return m
	}
	labels := strings.Split(strings.ToLower(strings.TrimSuffix(name, ".")), ".") // case does not matter (RFC 4343)
	for len(labels) > 1 && strings.HasPrefix(labels[0], "_") {
		labels = labels[1:]
	}
	if slices.Contains(labels, "") {
		return m
	}
	complete := strings.HasSuffix(name, ".") // no search list is tried
	own := cmp.Or(w.asker(s).Namespace, w.Home)
	if i := slices.Index(labels, "svc"); i == 2 || i == 3 {
		m.Zone = strings.Join(labels[i+1:], ".")
		if complete && m.Zone == "" {
			return m
		}
		m.Service = kube.Key{Namespace: labels[i-1], Name: labels[i-2]}
		if i == 3 {
			m.Host = labels[0]
		}
		return m
	}
	if complete {
		return m
	}
	switch len(labels) {
	case 1:
		m.Service = kube.Key{Namespace: own, Name: labels[0]}
	case 2:
		m.meanTwo(w, own, labels)
	case 3: // HOST.SERVICE.NAMESPACE
		if key := (kube.Key{Namespace: labels[2], Name: labels[1]}); w.Service(key) != nil {
			m.Service, m.Host = key, labels[0]
		}
	}
	return m
}

// meanTwo tells NAME.NAMESPACE from HOST.SERVICE, of which the search list
// tries the second first.
func (m *Meaning) meanTwo(w *World, own string, labels []string) {
	member := kube.Key{Namespace: own, Name: labels[1]}
	service := kube.Key{Namespace: labels[1], Name: labels[0]}
	switch pod := w.Pod(kube.Key{Namespace: own, Name: labels[0]}); {
	case w.Service(member) != nil && (w.Service(service) == nil || w.member(member, labels[0]) != nil):
		m.Service, m.Host = member, labels[0]
	case w.Service(service) != nil:
		m.Service = service
	case pod != nil && !w.namespace(labels[1]):
		m.Service, m.Host = member, labels[0]
	case w.namespace(labels[1]):
		m.Service = service
	}
}

// namespace reports whether podpath knows that there is a namespace.
func (w *World) namespace(name string) bool {
	return name != "" && (name == w.Home || slices.Contains(w.Namespaces, name) || w.Looked[name] != nil)
}

// asker is the Pod whose resolver is asked; its Name is empty on a machine.
func (w *World) asker(s Source) kube.Key {
	if s.Kind == FromLocal {
		return w.LocalPod
	}
	return s.Pod
}

// ruleOfName is the rule for names of the cluster: a Pod asks the cluster's
// DNS, and a machine asks another server. That the Pod's own dnsPolicy keeps it
// from that is no rule but a fault, for whoever asked for the name.
func (w *World) ruleOfName(s Source, m Meaning, asked bool) Expectation {
	asker := w.asker(s)
	switch pod := w.Pod(asker); {
	case !m.OfCluster():
		return reached("you asked for it")
	case asker.Name == "" && w.Service(m.Service) == nil && w.knows(kube.Services, m.Service.Namespace):
		return reached("you asked for it, and no Service is called that")
	case asker.Name == "":
		return fromMachine(s)
	case pod != nil && !asksCluster(pod) && !asked:
		return either(fmt.Sprintf("Pod %s has dnsPolicy %s: it need not ask the cluster's DNS", pod.Name, pod.DNSPolicy))
	default:
		return reached("the cluster's DNS answers Pods for the names of Services")
	}
}

// fromMachine is the rule for a Node, and for podpath on any machine: somebody
// may have pointed its resolv.conf at the cluster's DNS.
func fromMachine(s Source) Expectation {
	e := either("only the cluster's DNS knows the names of Services; Pods ask it, and a machine asks the server in its /etc/resolv.conf")
	e.Cause = &Cause{
		Code: OutsideDNS, ByDesign: true,
		Summary: s.Label + " does not ask the cluster's DNS, and no other one knows the names of Services.",
		Next:    advise("ask from a Pod: podpath probe pod/NAME and the same target"),
	}
	return e
}

const dnsPort = 53

// domain is that of the cluster, as the search list of the source has it.
func (k kase) domain() string {
	if k.Resolver == nil {
		return clusterDomain
	}
	return cmp.Or(k.Resolver.ClusterDomain(), clusterDomain)
}

// otherDomain is a name of which the beginning means a Service of the cluster,
// and the end is none of its domain. The name that it would be is said.
func (k kase) otherDomain() *Cause {
	m, here := k.Path.Name, k.domain()
	text := strings.TrimSuffix(m.Text, ".")
	if !k.unresolved() || !k.unknownName(text) || strings.HasSuffix(text, ".svc."+here) {
		return nil
	}
	first, rest, _ := strings.Cut(text, ".")
	second, end, _ := strings.Cut(rest, ".")
	meant := kube.Key{Namespace: second, Name: first}
	c := &Cause{Evidence: k.answers()}
	right := text
	switch {
	case m.Zone != "" && m.Zone != here:
		right = strings.TrimSuffix(strings.ToLower(text), "."+m.Zone) + "." + here
		c.Summary = fmt.Sprintf("The name ends in %s, and this cluster's domain is %s: the name would be %s.", m.Zone, here, right)
	case k.Service(meant) != nil && end != "" && !m.OfCluster():
		right = first + "." + second + ".svc." + here
		c.Summary = fmt.Sprintf("The name goes on with .%s, and names of Services here go on with .svc.%s: the name would be %s.", end, here, right)
	case text != m.Text && k.Service(k.Mean(k.Source, text).Service) != nil && !m.OfCluster():
		c.Summary = fmt.Sprintf("The name ends with a dot and so is complete: the search list, which would lead to a Service, is not tried. Without the dot it is %s.", right)
	default:
		return nil
	}
	c.Next = k.askFor(right)
	return c
}
