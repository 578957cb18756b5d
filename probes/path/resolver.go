package path

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"podpath/kube"
)

// asksCluster reports whether the resolver of a Pod asks the cluster's DNS,
// by its dnsPolicy.
func asksCluster(p *kube.Pod) bool {
	switch p.DNSPolicy {
	case "Default", "None":
		return false
	case "ClusterFirstWithHostNet":
		return true
	default:
		return !p.HostNetwork
	}
}

// asked is the name that a check looks up, or "".
func (k kase) asked() string {
	if k.Ask.DNS != nil {
		return k.Ask.DNS.Name
	}
	return k.Ask.Host
}

// unresolved reports that the name of a check had no answer of use, and that a
// server said so or nobody answered.
func (k kase) unresolved() bool {
	return k.Stage == StageResolve && k.Error != NoError && k.Kind != Env && k.Kind != Status
}

// hostNetworkDNS is a Pod in the network of its Node whose dnsPolicy is the
// default: it looks names up as the Node does.
func (k kase) hostNetworkDNS() *Cause {
	pod := k.Pod(k.asker(k.Source))
	if pod == nil || !pod.HostNetwork || !k.unresolved() || !k.Path.Name.OfCluster() || asksCluster(pod) || pod.DNSPolicy == "None" || pod.DNSPolicy == "Default" {
		return nil
	}
	return &Cause{
		Summary:  fmt.Sprintf("Pod %s uses the network of its Node and asks the Node's DNS, which knows no names of the cluster: its dnsPolicy is %s.", pod.Name, cmp.Or(pod.DNSPolicy, "ClusterFirst")),
		Evidence: append([]Evidence{{What: "pod/" + pod.Name, Seen: "hostNetwork: true, dnsPolicy: " + cmp.Or(pod.DNSPolicy, "ClusterFirst")}}, k.answers()...),
		Next:     run("set dnsPolicy: ClusterFirstWithHostNet in what makes the Pod", "kubectl", "explain", "pod.spec.dnsPolicy"),
	}
}

// dnsPolicy is a Pod that says itself whom it asks, and it is not the
// cluster's DNS, or not for the whole name.
func (k kase) dnsPolicy() *Cause {
	pod := k.Pod(k.asker(k.Source))
	if pod == nil || !k.unresolved() || !k.Path.Name.OfCluster() || asksCluster(pod) {
		return nil
	}
	c := &Cause{
		Summary:  fmt.Sprintf("Pod %s has dnsPolicy %s and does not ask the cluster's DNS, so that it knows no names of Services.", pod.Name, pod.DNSPolicy),
		Evidence: append([]Evidence{{What: "pod/" + pod.Name, Seen: "dnsPolicy: " + pod.DNSPolicy}}, k.answers()...),
		Next:     run("set dnsPolicy: ClusterFirst, or name the cluster's DNS in dnsConfig", "kubectl", "get", "pod", "-n", pod.Namespace, pod.Name, "-o", "jsonpath={.spec.dnsPolicy} {.spec.dnsConfig}"),
	}
	if pod.DNSPolicy != "None" {
		return c
	}
	whole := k.wholeName()
	asked := func(a NameAnswer) bool { return strings.HasPrefix(a.Name, whole) }
	switch {
	case whole != "" && len(k.Answers) > 0 && !slices.ContainsFunc(k.Answers, asked):
		c.Summary = fmt.Sprintf("Pod %s has dnsPolicy None, and the search list of its dnsConfig does not complete %s to %s%s, so that nobody was asked for that.", pod.Name, k.Path.Name.Text, whole, k.domain())
		c.Next = k.askFor(whole + k.domain())
	case k.asksService():
		return nil // it does ask the cluster's DNS
	}
	return c
}

// wholeName is the name of the Service or its member that was asked for, up to
// the cluster's domain; "" where there is no such Service.
func (k kase) wholeName() string {
	m := k.Path.Name
	if k.Service(m.Service) == nil {
		return ""
	}
	whole := m.Service.Name + "." + m.Service.Namespace + ".svc."
	if m.Host != "" {
		whole = m.Host + "." + whole
	}
	return whole
}

// asksService reports that the DNS server that was asked is a Service of this
// cluster.
func (k kase) asksService() bool { return len(k.addresses()[serverName(k.Address)].services) > 0 }

// policyDeniesDNS is a Pod that may not ask: a policy that limits what it
// sends permits nobody at port 53.
func (k kase) policyDeniesDNS() *Cause {
	pod := k.Pod(k.asker(k.Source))
	if pod == nil || !k.unresolved() || !lost(k.Error) && k.Error != Refused || k.answered() {
		return nil
	}
	walk := k.egressTo(pod, dnsPort, "UDP")
	if walk.Ruling != Denied {
		return k.policyKeepsFromDNS(pod)
	}
	return &Cause{
		Summary: fmt.Sprintf("NetworkPolicy %s limits what %s sends and permits nothing to port 53, so that it cannot look up any name.", list(walk.Names()), pod.Name),
		Evidence: []Evidence{
			{What: k.Address, Seen: "no answer to a lookup: " + string(k.Error)},
			{What: "networkpolicy/" + walk.Names()[0], Where: pod.Namespace, Seen: "no egress rule has port 53 for UDP"},
		},
		Next: run("permit UDP and TCP 53 to the cluster's DNS", "kubectl", "edit", "networkpolicy", "-n", pod.Namespace, walk.Names()[0]),
	}
}

// answered reports whether any name that was asked for had an answer, be it
// that there is no such name.
func (k kase) answered() bool {
	return slices.ContainsFunc(k.Answers, func(a NameAnswer) bool { return !lost(a.Error) && a.Error != Refused })
}

// answers are what was asked and answered, as evidence.
func (k kase) answers() []Evidence {
	out := make([]Evidence, 0, len(k.Answers))
	for _, a := range k.Answers {
		seen := a.Says
		if a.Error != NoError {
			seen = strings.TrimSpace(string(a.Error) + " " + a.Says)
		}
		out = append(out, Evidence{What: a.Name + " " + a.Type, Where: k.Address, Seen: seen})
	}
	return out
}

// dnsLosesAAAA is a lookup of which the answer for IPv6 never comes, while that
// for IPv4 does: a C library asks for both and waits for both.
func (k kase) dnsLosesAAAA() *Cause {
	silent := slices.ContainsFunc(k.Answers, func(a NameAnswer) bool { return a.Type == "AAAA" && a.Error == TimedOut })
	four := func(answers []NameAnswer) bool {
		return slices.ContainsFunc(answers, func(a NameAnswer) bool { return a.Type == "A" && !lost(a.Error) })
	}
	if !k.unresolved() || !silent {
		return nil
	}
	beside := k.others(k.all.from[k.Source.Label], func(r *Result) bool { return r.Kind == DNS && four(r.Answers) })
	if !four(k.Answers) && len(beside) == 0 {
		return nil
	}
	c := &Cause{
		Summary:  fmt.Sprintf("The DNS at %s answers A questions, and answers to AAAA get lost: programs that ask for both wait for seconds at each lookup.", k.Address),
		Evidence: k.answers(),
		Next:     run("compare the answers of the two types there; until then the option single-request in dnsConfig helps", "kubectl", "logs", "-n", "kube-system", "-l", "k8s-app=kube-dns", "--tail", "20"),
	}
	for _, r := range beside[:min(len(beside), 1)] {
		c.Evidence = append(c.Evidence, Evidence{What: r.Target, Where: r.Source.Label, Seen: list(r.Values)})
	}
	return c
}

// SilentServers are the addresses of the DNS servers that did not answer, and
// of which it is not known what they are.
func (w *World) SilentServers(results []Result) []string {
	var out []string
	for _, r := range results {
		address := serverName(r.Address)
		if r.Verdict == Fail && r.Stage == StageResolve && lost(r.Error) && address != "" && !slices.Contains(out, address) && len(w.addresses()[address].services) == 0 {
			out = append(out, address)
		}
	}
	return out[:min(len(out), mostStrangers)]
}

// dnsDown is a DNS server that does not answer at all.
func (k kase) dnsDown() *Cause {
	down := func(e ErrorKind) bool { return lost(e) || e == Refused }
	if !k.unresolved() || !down(k.Error) || k.answered() {
		return nil
	}
	lookups := k.others(k.all.at[k.Address], func(r *Result) bool { return r.Kind == DNS && r.Ask.DNS.Type != "AAAA" })
	if slices.ContainsFunc(lookups, func(r *Result) bool { return !down(r.Error) }) {
		return nil
	}
	c := &Cause{
		Summary:  fmt.Sprintf("The cluster's DNS at %s does not answer any question.", k.Address),
		Evidence: []Evidence{{What: fmt.Sprintf("%d of %d lookups there failed", len(lookups)+1, len(lookups)+1), Where: k.Source.Label, Seen: string(k.Error)}},
		Next:     run("", "kubectl", "get", "pods", "-n", "kube-system", "-l", "k8s-app=kube-dns"),
	}
	if svc := k.Service(kube.Key{Namespace: "kube-system", Name: "kube-dns"}); svc != nil {
		c.Evidence = append(c.Evidence, Evidence{What: "svc/kube-system/kube-dns", Seen: fmt.Sprintf("%d of %d endpoints ready", svc.Counts.Ready, svc.Counts.Total)})
	}
	return c
}

// unknownName reports that the DNS server knows no name that begins like this,
// and said so. What comes last in the search list is for the world outside, and
// may fail in another way.
func (k kase) unknownName(beginning string) bool {
	return slices.ContainsFunc(k.Answers, func(a NameAnswer) bool {
		return strings.HasPrefix(a.Name, beginning) && (a.Error == NXDomain || a.Error == NoData)
	})
}
