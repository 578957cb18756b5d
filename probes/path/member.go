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

// podNameElsewhere is a Pod whose name stands under another Service: that is
// the one that its spec.subdomain says, for a StatefulSet its serviceName.
func (k kase) podNameElsewhere() *Cause {
	pod, svc := k.memberPod()
	if pod == nil || pod.Subdomain == "" || svc == nil || pod.Subdomain == svc.Name {
		return nil
	}
	there := fmt.Sprintf("its name is %s.%s", cmp.Or(pod.Hostname, pod.Name), pod.Subdomain)
	if other := (kube.Key{Namespace: pod.Namespace, Name: pod.Subdomain}); k.Service(other) == nil && k.knows(kube.Services, pod.Namespace) {
		there += fmt.Sprintf(", and there is no Service %s that would give it that", pod.Subdomain)
	}
	next := run("its serviceName must be the name of the headless Service; it cannot be changed, so make the Service", "kubectl", "get", "services", "-n", pod.Namespace)
	if strings.HasPrefix(pod.Owner, "StatefulSet/") {
		next = run("its serviceName is fixed: make a headless Service of that name", "kubectl", "get", "statefulset", "-n", pod.Namespace, strings.TrimPrefix(pod.Owner, "StatefulSet/"), "-o", "jsonpath={.spec.serviceName}")
	}
	return &Cause{
		Summary:  fmt.Sprintf("Pod %s has no name under Service %s: its subdomain is %s; %s.", pod.Name, svc.Name, pod.Subdomain, there),
		Evidence: append([]Evidence{{What: "pod/" + pod.Name, Seen: "spec.subdomain: " + pod.Subdomain}}, k.answers()...), Next: next,
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

// noSuchMember is a name HOST.SERVICE of a Pod that there is not.
func (k kase) noSuchMember() *Cause {
	m := k.Path.Name
	pod, _ := k.memberPod()
	svc := k.service(k.Path)
	if m.Host == "" || svc == nil || pod != nil || k.member(m.Service, m.Host) != nil || !k.unknownName(m.Host+".") || !k.knows(kube.Pods, m.Service.Namespace) {
		return nil
	}
	hosts := names(svc.Endpoints, func(e kube.Endpoint) string { return e.Hostname })
	hosts = slices.DeleteFunc(slices.Compact(hosts), func(h string) bool { return h == "" })
	return &Cause{
		Summary:  fmt.Sprintf("Service %s has no member %s%s.", svc.Name, m.Host, kube.Among(hosts)),
		Evidence: k.answers(), Next: run("", "kubectl", "get", "pods", "-n", svc.Namespace, "-l", svc.Selector.String()),
	}
}
