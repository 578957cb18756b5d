package path

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"podpath/kube"
)

// member is the endpoint that has a name of its own under a Service, or nil.
func (w *World) member(service kube.Key, host string) *kube.Endpoint {
	svc := w.Service(service)
	if svc == nil || host == "" {
		return nil
	}
	for _, e := range svc.Endpoints {
		if e.Hostname == host || e.Hostname == "" && strings.ReplaceAll(e.Address, ".", "-") == host {
			return &e
		}
	}
	return nil
}

// memberPod is the Pod that a name HOST.SERVICE was meant for.
func (k kase) memberPod() (pod *kube.Pod, svc *kube.Service) {
	m := k.Path.Name
	if m.Host == "" || !k.unresolved() || k.Error != NXDomain && k.Error != NoData && !k.unknownName(m.Host+".") || k.member(m.Service, m.Host) != nil && k.member(m.Service, m.Host).Ready {
		return nil, nil
	}
	pod = k.Pod(kube.Key{Namespace: m.Service.Namespace, Name: m.Host})
	for _, p := range k.Pods {
		if pod == nil && p.Namespace == m.Service.Namespace && p.Hostname == m.Host {
			pod = p
		}
	}
	return pod, k.service(k.Path)
}

// podNameElsewhere is a Pod that has another name: it stands under the Service
// that its spec.subdomain says, for a StatefulSet its serviceName, and begins
// with its spec.hostname.
func (k kase) podNameElsewhere() *Cause {
	pod, svc := k.memberPod()
	if pod == nil || pod.Subdomain == "" || svc == nil {
		return nil
	}
	why, seen := "subdomain is "+pod.Subdomain, "spec.subdomain: "+pod.Subdomain
	if pod.Subdomain == svc.Name {
		if pod.Hostname == "" || pod.Hostname == k.Path.Name.Host {
			return nil
		}
		why, seen = "hostname is "+pod.Hostname, "spec.hostname: "+pod.Hostname
	}
	there := fmt.Sprintf("its name is %s.%s", cmp.Or(pod.Hostname, pod.Name), pod.Subdomain)
	if other := (kube.Key{Namespace: pod.Namespace, Name: pod.Subdomain}); k.Service(other) == nil && k.knows(kube.Services, pod.Namespace) {
		there += fmt.Sprintf(", and there is no Service %s that would give it that", pod.Subdomain)
	}
	next := run("set subdomain: "+svc.Name+" in what makes the Pod", "kubectl", "get", "pod", "-n", pod.Namespace, pod.Name, "-o", "jsonpath={.spec.hostname}.{.spec.subdomain}")
	set, inSet := strings.CutPrefix(pod.Owner, "StatefulSet/")
	switch own := k.nameOf(pod); {
	case own != "":
		next = k.askFor(own)
	case inSet:
		next = run("its serviceName is fixed: make a headless Service of that name", "kubectl", "get", "statefulset", "-n", pod.Namespace, set, "-o", "jsonpath={.spec.serviceName}")
	}
	return &Cause{
		Summary:  fmt.Sprintf("Pod %s has no name %s under Service %s: its %s; %s.", pod.Name, k.Path.Name.Host, svc.Name, why, there),
		Evidence: append([]Evidence{{What: "pod/" + pod.Name, Seen: seen}}, k.answers()...), Next: next,
	}
}

// podNameMissing is a Pod without a name of its own, though a Service selects
// it: it has no hostname or no subdomain, as most Pods.
func (k kase) podNameMissing() *Cause {
	pod, svc := k.memberPod()
	if pod == nil || svc == nil || pod.Subdomain != "" && pod.Hostname != "" {
		return nil
	}
	lacks := "neither a hostname nor a subdomain"
	switch {
	case pod.Hostname != "":
		lacks = "no subdomain"
	case pod.Subdomain != "":
		lacks = "no hostname"
	}
	return &Cause{
		Summary:  fmt.Sprintf("Pod %s has no DNS name of its own under Service %s: its spec has %s. Only Pods with both have one, such as those of a StatefulSet.", pod.Name, svc.Name, lacks),
		Evidence: append([]Evidence{{What: "pod/" + pod.Name, Seen: lacks}}, k.answers()...),
		Next:     run("set hostname and subdomain: "+svc.Name, "kubectl", "get", "pod", "-n", pod.Namespace, pod.Name, "-o", "jsonpath={.spec.hostname}.{.spec.subdomain}"),
	}
}

// podNameNotReady is a member whose name is left out while it is not ready.
func (k kase) podNameNotReady() *Cause {
	pod, svc := k.memberPod()
	if pod == nil || svc == nil || pod.Subdomain != svc.Name || pod.IsReady || svc.PublishNotReady {
		return nil
	}
	return &Cause{
		Summary:  fmt.Sprintf("Pod %s is not ready, and only ready Pods have a name under Service %s: publishNotReadyAddresses is false. %s", pod.Name, svc.Name, k.whyNotReady(pod)),
		Evidence: append([]Evidence{{What: "pod/" + pod.Name, Seen: pod.Status}}, k.answers()...),
		Next:     run("", "kubectl", "describe", "pod", "-n", pod.Namespace, pod.Name),
	}
}

// noSuchMember is a name HOST.SERVICE of a Pod that there is not, or that the
// Service does not select.
func (k kase) noSuchMember() *Cause {
	m := k.Path.Name
	pod, _ := k.memberPod()
	svc := k.service(k.Path)
	if m.Host == "" || svc == nil || k.member(m.Service, m.Host) != nil || !k.unknownName(m.Host+".") || !k.knows(kube.Pods, m.Service.Namespace) {
		return nil
	}
	c := &Cause{Evidence: k.answers(), Next: run("", "kubectl", "get", "pods", "-n", svc.Namespace, "-l", svc.Selector.String())}
	switch hosts := members(svc); {
	case pod != nil && (len(svc.Selector) == 0 || svc.Selector.Select(pod.Labels) || len(hosts) == 0):
		return nil // it should be one, or the Service has none at all
	case pod != nil:
		c.Summary = fmt.Sprintf("Service %s has no member %s: its selector %s does not match Pod %s, which has %s.", svc.Name, m.Host, svc.Selector, pod.Name, pod.Labels)
		c.Next = run("", "kubectl", "get", "pods", "-n", svc.Namespace, "--show-labels")
	case k.namespace(m.Host):
		right := svc.Name + "." + m.Host
		c.Summary = fmt.Sprintf("Service %s has no member %s, and there is a namespace of that name: it comes behind the Service, as in %s.", svc.Name, m.Host, right)
		if k.Service(kube.Key{Namespace: m.Host, Name: svc.Name}) != nil {
			c.Next = k.askFor(right)
		}
	default:
		c.Summary = fmt.Sprintf("Service %s has no member %s%s.", svc.Name, m.Host, kube.Among(hosts))
	}
	return c
}

// members are the names below that of a Service.
func members(svc *kube.Service) []string {
	hosts := names(svc.Endpoints, func(e kube.Endpoint) string { return e.Hostname })
	return slices.DeleteFunc(slices.Compact(hosts), func(h string) bool { return h == "" })
}

// noSuchRecord is an SRV name of a port that the Service does not have
// (_PORT._PROTOCOL.SERVICE).
func (k kase) noSuchRecord() *Cause {
	labels := strings.Split(strings.ToLower(k.Path.Name.Text), ".")
	svc := k.service(k.Path)
	if svc == nil || !k.unresolved() || len(labels) < 3 || !strings.HasPrefix(labels[0], "_") || !strings.HasPrefix(labels[1], "_") || k.Path.Name.Host != "" {
		return nil
	}
	name, protocol := labels[0][1:], strings.ToUpper(labels[1][1:])
	has := slices.ContainsFunc(svc.Ports, func(p kube.ServicePort) bool { return p.Name == name && p.Protocol == protocol })
	if has || !k.unknownName(labels[0]+"."+labels[1]+".") {
		return nil
	}
	of := names(svc.Ports, func(p kube.ServicePort) string {
		return fmt.Sprintf("%s of %s (%d)", quoted(p.Name), p.Protocol, p.Port)
	})
	return &Cause{
		Summary:  fmt.Sprintf("Service %s has no %s port called %s; it has %s.", svc.Name, protocol, name, list(of)),
		Evidence: k.answers(), Next: describe(svc),
	}
}
