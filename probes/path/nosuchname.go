package path

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"podpath/kube"
)

// noSuchService is a name of a Service that there is not: the Pod's resolver
// completes a short name with the Pod's own namespace, and with no other.
func (k kase) noSuchService() *Cause {
	m := k.meant()
	if !k.unresolved() || !m.OfCluster() || k.Service(m.Service) != nil || !k.knowsServices(m.Service.Namespace) {
		return nil
	}
	beginning := m.Service.Name + "." + m.Service.Namespace + ".svc."
	if m.Host != "" {
		beginning = m.Host + "." + beginning
	}
	if !k.unknownName(beginning) && !k.unknownName(k.asked()) {
		return nil
	}
	where := "in namespace " + m.Service.Namespace
	if k.noNamespace(m.Service.Namespace) {
		where += ", and no such namespace"
	}
	instead, right := k.instead(m)
	c := &Cause{
		Summary:  fmt.Sprintf("There is no Service %s %s%s.", m.Service.Name, where, instead),
		Evidence: k.answers(), Next: run("", "kubectl", "get", "services", "-A", "--field-selector", "metadata.name="+m.Service.Name),
	}
	if right != "" && k.asker(k.Source).Name != "" {
		c.Next = k.askFor(right)
	}
	return c
}

// meant is what the name of a case means. NAME.NAMESPACE may be a name of the
// world outside as well; where NAME is a Service, it was meant for that, and
// where the two are a Service and its Pod, they were turned round.
func (k kase) meant() Meaning {
	m := k.Path.Name
	first, second, two := strings.Cut(strings.ToLower(m.Text), ".")
	if m.Service.Name != "" || !two || second == "" || strings.Contains(second, ".") {
		return m
	}
	own := kube.Key{Namespace: cmp.Or(k.asker(k.Source).Namespace, k.Home), Name: second}
	switch {
	case k.Pod(own) != nil && k.Service(kube.Key{Namespace: own.Namespace, Name: first}) != nil:
		m.Service, m.Host = own, first
	case slices.ContainsFunc(k.Services, func(svc *kube.Service) bool { return svc.Name == first }):
		m.Service = kube.Key{Namespace: second, Name: first}
	}
	return m
}

// knowsServices reports whether podpath would see a Service of a namespace,
// also because there is no such namespace.
func (k kase) knowsServices(namespace string) bool {
	return k.knows(kube.Services, namespace) || k.noNamespace(namespace)
}

// noNamespace reports that there is no namespace of a name.
func (k kase) noNamespace(name string) bool {
	return slices.Contains(k.Absent, name) || k.State(kube.Namespaces).Listed && !k.namespace(name)
}

// instead says where there is a Service of the name, which one is called nearly
// so, or which there are in the namespace; and the name that it would be, if
// that is known.
func (k kase) instead(m Meaning) (says, right string) {
	if pod := k.Pod(m.Service); pod != nil {
		if own := k.nameOf(pod); own != "" {
			return ", but a Pod of that name, and its name is " + own, own
		}
		return ", but a Pod of that name: Pods have no DNS names by themselves, Services have", ""
	}
	if n := k.Node(m.Service.Name); n != nil && m.Host == "" {
		return fmt.Sprintf(", but a Node of that name: the cluster's DNS knows no Nodes, and its address is %s", n.InternalIP()), ""
	}
	if turned := (kube.Key{Namespace: m.Service.Namespace, Name: m.Host}); m.Host != "" && k.Service(turned) != nil {
		return fmt.Sprintf(", but a Service %s: the name of a Pod comes before that of the Service", m.Host), ""
	}
	for _, svc := range k.Services {
		if svc.Name == m.Service.Name {
			right = svc.Name + "." + svc.Namespace
			return fmt.Sprintf(", but one in %s: its name from here is %s", svc.Namespace, right), right
		}
	}
	if near := closest(m.Service.Name, k.servicesIn(m.Service.Namespace)); near != "" {
		right = near + "." + m.Service.Namespace
		if m.Host != "" {
			right = m.Host + "." + right
		}
	}
	return k.called(m.Service), right
}

// called says which Service of the namespace is called nearly so, or which there
// are; without a namespace those of all.
func (w *World) called(key kube.Key) string {
	if key.Namespace == "" {
		return kube.Among(names(w.Services, func(svc *kube.Service) string { return w.name(svc.Key()) }))
	}
	there := w.servicesIn(key.Namespace)
	if near := closest(key.Name, there); near != "" {
		return ", but one called " + near
	}
	return kube.Among(there)
}

// servicesIn are the names of the Services of a namespace.
func (w *World) servicesIn(namespace string) []string {
	var out []string
	for _, svc := range w.Services {
		if svc.Namespace == namespace {
			out = append(out, svc.Name)
		}
	}
	return out
}

// nameOf is the name that a Pod has below its Service, or "".
func (w *World) nameOf(pod *kube.Pod) string {
	service := kube.Key{Namespace: pod.Namespace, Name: pod.Subdomain}
	if pod.Hostname == "" || pod.Subdomain == "" || w.Service(service) == nil {
		return ""
	}
	return pod.Hostname + "." + pod.Subdomain
}

// askFor is the command that looks another name up from the same source.
func (k kase) askFor(name string) Next {
	return run("", "podpath", "probe", "-n", k.Home, k.Source.Label, "dns:"+name)
}

// noSuchName is a name of the world outside that nobody knows: the DNS server
// asked others, and they say that it does not exist.
func (k kase) noSuchName() *Cause {
	m := k.meant()
	name := strings.TrimSuffix(m.Text, ".")
	denied := slices.ContainsFunc(k.Answers, func(a NameAnswer) bool { return a.Name == name+"." && a.Error == NXDomain })
	if !k.unresolved() || k.Error != NXDomain || m.Service.Name != "" || !denied {
		return nil
	}
	c := &Cause{
		Summary:  fmt.Sprintf("%s knows no name %s, nor does anybody that it asks.", k.server(), name),
		Evidence: k.answers(), Next: advise("look for a typo in it, or make a record of that name in the DNS that its domain belongs to"),
	}
	if says := k.ingressOf(name); says != "" {
		c.Summary = fmt.Sprintf("No DNS knows the name %s; %s.", name, says)
		c.Next = run("which address should it lead to?", "kubectl", "get", "ingresses", "-A")
	}
	return c
}

// server is who answered, at the beginning of a sentence.
func (k kase) server() string {
	at := serverName(k.Address)
	if at == "" {
		return "The DNS of " + k.Source.Label
	}
	return fmt.Sprintf("The DNS of %s (%s)", k.Source.Label, at)
}

// ingressOf says which Ingress is for a host, or nearly: that makes no record
// of it in any DNS.
func (k kase) ingressOf(host string) string {
	var hosts []string
	for _, i := range k.Ingresses {
		for _, r := range i.Rules {
			if r.Host != "" && fits(r.Host, host) {
				return fmt.Sprintf("Ingress %s is for it, and an Ingress makes no record: "+
					"somebody has to make the name lead to %s", k.name(i.Key()), addressesOf(i))
			}
			hosts = append(hosts, strings.ToLower(r.Host))
		}
	}
	slices.Sort(hosts)
	if near := closest(strings.ToLower(host), slices.Compact(hosts)); near != "" {
		return "there is an Ingress for " + near
	}
	return ""
}

// addressesOf are where the controller of an Ingress listens.
func addressesOf(i *kube.Ingress) string {
	if len(i.Addresses) == 0 {
		return "its controller, which has given it no address yet"
	}
	return list(i.Addresses)
}
