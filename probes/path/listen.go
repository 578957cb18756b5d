package path

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"podpath/kube"
)

// ruleOfListening is what a Pod's state says of whether it can be reached.
func (w *World) ruleOfListening(to *kube.Pod, asked bool) Expectation {
	n := w.Node(to.Node)
	switch {
	case n != nil && !n.Ready: // that is why the Pod is not ready either
		return reached("every Pod reaches every other one; Node " + n.Name + " is not ready")
	case to.IsReady:
		return reached("a Pod that is ready listens on its ports")
	case asked:
		return reached(fmt.Sprintf("you asked for it; Pod %s is not ready (%s)", to.Name, to.Status))
	default:
		return either(fmt.Sprintf("Pod %s is not ready (%s)", to.Name, to.Status))
	}
}

// listening are the sockets of the Pod at the end of a path, when they were
// read because it failed, and where it was asked.
func (k kase) listening() (pod *kube.Pod, sockets []Listener, at netip.AddrPort, known bool) {
	if pod = k.targetPod(); pod == nil || k.Path.Virtual() && len(k.ends(k.Source, k.Path, k.Ask)) != 1 {
		return nil, nil, at, false
	}
	sockets, known = k.looks.Sockets[pod.Key()]
	at, err := netip.ParseAddrPort(k.Address)
	if err != nil {
		return pod, sockets, at, false
	}
	if k.Path.Virtual() {
		end := k.ends(k.Source, k.Path, k.Ask)[0]
		address, err := netip.ParseAddr(end.Address)
		return pod, sockets, netip.AddrPortFrom(address, uint16(end.Port)), known && err == nil
	}
	if k.Path.Entry == AtHostPort {
		address, err := netip.ParseAddr(pod.IP())
		return pod, sockets, netip.AddrPortFrom(address, uint16(k.inPod(k.Check))), known && err == nil
	}
	return pod, sockets, at, known
}

// inPod is the port at which a check asks a Pod: behind a hostPort that of the
// container.
func (w *World) inPod(c Check) int {
	if pod := w.Pod(c.Path.Pod); pod != nil && c.Path.Entry == AtHostPort {
		for _, p := range pod.Ports() {
			if p.HostPort == c.Ask.Port && p.Protocol == c.Kind.transport() {
				return p.Port
			}
		}
	}
	return c.Ask.Port
}

// hostPortNotLed is a hostPort that the Node refuses, of a Pod that listens.
func (k kase) hostPortNotLed() *Cause {
	pod, sockets, at, known := k.listening()
	takes := slices.ContainsFunc(sockets, func(l Listener) bool {
		return l.Protocol == k.Kind.transport() && l.takes(at.Addr(), int(at.Port()))
	})
	if !known || !takes || k.Path.Entry != AtHostPort || k.Error != Refused || k.Stage != StageConnect {
		return nil
	}
	return &Cause{
		Summary: fmt.Sprintf("Node %s refuses on port %d, the hostPort of Pod %s, which listens on port %d: nothing on the Node leads there.",
			k.Path.Node, k.Ask.Port, pod.Name, at.Port()),
		Evidence: []Evidence{k.seenAs("refuses"), tableOf(pod, sockets)},
		Next: run("hostPorts take the CNI plugin portmap, or a network plugin that has them itself; a Service of type NodePort takes neither",
			"kubectl", "get", "pods", "-n", "kube-system", "-o", "wide"),
	}
}

// refusing is listening, of a Pod that refuses: nothing takes what comes to
// that address and port. A packet that nobody answers counts too, where nobody
// could have.
func (k kase) refusing() (pod *kube.Pod, sockets []Listener, at netip.AddrPort, ok bool) {
	pod, sockets, at, known := k.listening()
	if !known || k.Error != Refused && !silent(k.Error) {
		return nil, nil, at, false
	}
	taken := slices.ContainsFunc(sockets, func(l Listener) bool { return l.Protocol == k.Kind.transport() && l.takes(at.Addr(), int(at.Port())) })
	ipv6 := k.Error == Refused && at.Addr().Is4() // a :: that takes IPv6 only looks like one for both
	if taken && !(ipv6 && !slices.ContainsFunc(sockets, func(l Listener) bool {
		return l.Protocol == k.Kind.transport() && l.Address.Is4() && l.takes(at.Addr(), int(at.Port()))
	})) {
		return nil, nil, at, false
	}
	return pod, sockets, at, true
}

// here are the listeners at the port that was asked, of the same transport.
func (k kase) here(sockets []Listener, at netip.AddrPort) []Listener {
	return slices.DeleteFunc(slices.Clone(sockets), func(l Listener) bool { return l.Protocol != k.Kind.transport() || l.Port != int(at.Port()) })
}

// tableOf says what a Pod's socket table shows.
func tableOf(pod *kube.Pod, sockets []Listener) Evidence {
	return table(pod, "it listens on "+listenerList(sockets))
}

// waiting says that nobody has taken connections from a listener's queue.
func waiting(pod *kube.Pod, l Listener) Evidence {
	return table(pod, fmt.Sprintf("%s has %d connections that nobody took", l, l.Queue))
}

func table(pod *kube.Pod, seen string) Evidence {
	return Evidence{What: "/proc/net of pod/" + pod.Name, Where: pod.Namespace, Seen: seen, Table: true}
}

func listenerList(sockets []Listener) string {
	if len(sockets) == 0 {
		return "no port"
	}
	out := names(sockets, Listener.String)
	slices.Sort(out)
	return list(slices.Compact(out))
}

// podNotReady is a Pod that was asked for though it does not run.
func (k kase) podNotReady() *Cause {
	pod := k.targetPod()
	if pod == nil || k.Path.Virtual() || pod.IsReady || k.Error == NoError || k.Stage == StageResolve || len(pod.Reasons) == 0 {
		return nil
	}
	if _, sockets, _, known := k.listening(); known && len(sockets) > 0 {
		return nil // something runs there: where it listens says more
	}
	c := &Cause{
		Summary:  fmt.Sprintf("Pod %s is not ready: %s.", pod.Name, pod.Reasons[0].Message),
		Evidence: []Evidence{k.seenAs(string(k.Error))}, Next: run("", "kubectl", "describe", "pod", "-n", pod.Namespace, pod.Name),
	}
	for _, r := range pod.Reasons {
		c.Evidence = append(c.Evidence, Evidence{What: "pod/" + pod.Name, Where: pod.Namespace, Seen: r.Message})
		if r.Code == kube.Crashing {
			c.Next = k.podLogs(pod, "")
		}
	}
	return c
}

func (k kase) loopbackOnly() *Cause {
	pod, sockets, at, ok := k.refusing()
	if !ok || at.Addr().IsLoopback() {
		return nil
	}
	here := k.here(sockets, at)
	if !slices.ContainsFunc(here, func(l Listener) bool { return l.Address.IsLoopback() }) {
		return nil
	}
	return &Cause{
		Summary:  fmt.Sprintf("The app in Pod %s listens on port %d for localhost only, so that nobody else reaches it.", pod.Name, at.Port()),
		Evidence: []Evidence{k.seenAs("refuses"), tableOf(pod, sockets)},
		Next:     run("looks again, once the app's listen address is 0.0.0.0 (or ::)", k.again()...),
	}
}

// podAddressOnly is an app that listens on the Pod's address and not on
// localhost: others reach it, and its own containers and kubectl port-forward,
// which asks localhost, do not.
func (k kase) podAddressOnly() *Cause {
	pod, sockets, at, ok := k.refusing()
	if !ok || !at.Addr().IsLoopback() {
		return nil
	}
	own := slices.ContainsFunc(k.here(sockets, at), func(l Listener) bool { return slices.Contains(pod.IPs, l.Address.String()) })
	if !own {
		return nil
	}
	return &Cause{
		Summary:  fmt.Sprintf("The app in Pod %s listens on port %d of the Pod's address only: other Pods and Services reach it, localhost and kubectl port-forward do not.", pod.Name, at.Port()),
		Evidence: []Evidence{k.seenAs("refuses"), tableOf(pod, sockets)},
		Next:     run("reaches it at the Pod's address", "podpath", "probe", "-n", pod.Namespace, k.Source.Label, net.JoinHostPort(pod.IP(), strconv.Itoa(int(at.Port())))),
		ByDesign: !k.Asked,
	}
}

// ipv6Only is an app that listens on :: and does not take IPv4 there.
func (k kase) ipv6Only() *Cause {
	pod, sockets, at, ok := k.refusing()
	if !ok {
		return nil
	}
	here := k.here(sockets, at)
	other := func(l Listener) bool { return l.Address.Is6() != at.Addr().Is6() && !l.Address.IsLoopback() }
	if len(here) == 0 || slices.ContainsFunc(here, func(l Listener) bool { return !other(l) }) {
		return nil
	}
	family, asked := "IPv6", "IPv4"
	if at.Addr().Is6() {
		family, asked = asked, family
	}
	return &Cause{
		Summary:  fmt.Sprintf("The app in Pod %s listens on port %d for %s only, and was asked over %s.", pod.Name, at.Port(), family, asked),
		Evidence: []Evidence{k.seenAs("refuses"), tableOf(pod, sockets)},
		Next:     k.podLogs(pod, "and let it listen on both families"),
	}
}

// otherProtocol is a port where the app listens with the other transport.
func (k kase) otherProtocol() *Cause {
	pod, sockets, at, ok := k.refusing()
	if !ok || len(k.here(sockets, at)) > 0 {
		return nil
	}
	i := slices.IndexFunc(sockets, func(l Listener) bool {
		return l.Protocol != k.Kind.transport() && l.Port == int(at.Port()) && !l.Address.IsLoopback()
	})
	if i < 0 {
		return nil
	}
	c := &Cause{
		Summary:  fmt.Sprintf("The app in Pod %s takes %s on port %d, and it was asked over %s.", pod.Name, sockets[i].Protocol, at.Port(), k.Kind.transport()),
		Evidence: []Evidence{k.seenAs(string(k.Error)), tableOf(pod, sockets)}, Next: run("", "kubectl", "describe", "pod", "-n", pod.Namespace, pod.Name),
	}
	if svc, _, found := k.servicePort(); found {
		c.Next = run("set the port's protocol to "+sockets[i].Protocol, "kubectl", "edit", "service", "-n", svc.Namespace, svc.Name)
	}
	return c
}

// templateHash is the label by which a Deployment tells the Pods of its
// revisions apart.
const templateHash = "pod-template-hash"

// wrongTargetPort is a Pod where nothing listens on the port, but something on
// another one that would be it.
func (k kase) wrongTargetPort() *Cause {
	pod, sockets, at, ok := k.refusing()
	if !ok || len(k.here(sockets, at)) > 0 {
		return nil
	}
	other := k.undeclared(pod, sockets)
	declares := slices.ContainsFunc(pod.Ports(), func(c kube.ContainerPort) bool { return c.Port == int(at.Port()) && c.Protocol == k.Kind.transport() })
	svc, port, served := k.servicePort()
	switch {
	case declares && len(other) == 0: // it says that it would listen there, and nothing says where else
		return nil
	case declares && ports(other) <= anonymous(pod, k.Kind.transport()): // another container's, which says nothing of it
		return nil
	case declares && served && count(k.siblings(svc, port), connected) > 0: // where the others of its kind do
		return nil
	case len(sockets) == 0 && !served:
		return nil
	case len(sockets) == 0 && len(pod.Ports()) == 0:
		return nil
	}
	what, next := fmt.Sprintf("Nothing in Pod %s listens on port %d", pod.Name, at.Port()), run("", "kubectl", "describe", "pod", "-n", pod.Namespace, pod.Name)
	if served {
		would := k.wouldBe(pod, sockets)
		what += fmt.Sprintf(", the target port of Service %s (%s)", svc.Name, port)
		next = run(cmp.Or(would, "set targetPort to the port that the app listens on"), "kubectl", "edit", "service", "-n", svc.Namespace, svc.Name)
	}
	return &Cause{
		Summary:  what + fmt.Sprintf("; it listens on %s and declares %s.", listenerList(sockets), declared(pod)),
		Evidence: []Evidence{k.seenAs(string(k.Error)), tableOf(pod, sockets), {What: "pod/" + pod.Name, Where: pod.Namespace, Seen: "declares " + declared(pod)}}, Next: next,
	}
}

// anonymous counts the containers of a Pod of several that declare no port: a
// listener that nobody declares may be of one of them.
func anonymous(pod *kube.Pod, transport string) int {
	apps, silent := 0, 0
	for _, c := range pod.Containers {
		if c.Kind != kube.AppContainer && c.Kind != kube.SidecarContainer {
			continue
		}
		apps++
		if !slices.ContainsFunc(c.Ports, func(p kube.ContainerPort) bool { return p.Protocol == transport }) {
			silent++
		}
	}
	if apps < 2 {
		return 0
	}
	return silent
}

// undeclared are the listeners for others that no container of the Pod
// declares: of those that are declared it is known whose they are.
func (k kase) undeclared(pod *kube.Pod, sockets []Listener) []Listener {
	return slices.DeleteFunc(slices.Clone(sockets), func(l Listener) bool {
		return l.Protocol != k.Kind.transport() || l.Address.IsLoopback() ||
			slices.ContainsFunc(pod.Ports(), func(c kube.ContainerPort) bool { return c.Port == l.Port && c.Protocol == l.Protocol })
	})
}

// ports counts the ports of listeners.
func ports(of []Listener) int {
	seen := map[int]bool{}
	for _, l := range of {
		seen[l.Port] = true
	}
	return len(seen)
}

// wouldBe names the only port that a target port can be meant for.
func (k kase) wouldBe(pod *kube.Pod, sockets []Listener) string {
	ports := map[int]bool{}
	for _, l := range sockets {
		if l.Protocol == k.Kind.transport() && !l.Address.IsLoopback() {
			ports[l.Port] = true
		}
	}
	if len(sockets) == 0 { // it has not opened any yet: what it declares counts
		for _, c := range pod.Ports() {
			if c.Protocol == k.Kind.transport() {
				ports[c.Port] = true
			}
		}
	}
	if len(ports) != 1 {
		return ""
	}
	for port := range ports {
		return fmt.Sprintf("set targetPort to %d", port)
	}
	return ""
}

// nothingListens is a Pod where the app has not opened its port: it is still
// starting, or has failed, and no readiness probe keeps clients away meanwhile.
func (k kase) nothingListens() *Cause {
	pod, sockets, at, ok := k.refusing()
	if !ok || len(k.here(sockets, at)) > 0 {
		return nil
	}
	c := &Cause{
		Summary:  fmt.Sprintf("Nothing in Pod %s listens on port %d yet, or any more: it is ready, and its app has not opened the port.", pod.Name, at.Port()),
		Evidence: []Evidence{k.seenAs(string(k.Error)), tableOf(pod, sockets)},
		Next:     k.podLogs(pod, "what does the app wait for?"),
	}
	meant := slices.ContainsFunc(pod.Ports(), func(p kube.ContainerPort) bool {
		return p.Port == int(at.Port()) && p.Protocol == k.Kind.transport()
	})
	if _, _, served := k.servicePort(); !meant && !served {
		c.Summary = fmt.Sprintf("Nothing in Pod %s listens on port %d: it listens on %s and declares %s.",
			pod.Name, at.Port(), listenerList(sockets), declared(pod))
		c.Next = run("is it the right Pod, and the right port?", "kubectl", "describe", "pod", "-n", pod.Namespace, pod.Name)
	}
	for _, container := range pod.Containers {
		if slices.ContainsFunc(container.Ports, func(p kube.ContainerPort) bool { return p.Port == int(at.Port()) }) && !container.Readiness {
			c.Evidence = append(c.Evidence, Evidence{What: "container " + container.Name, Seen: "no readiness probe: it counts as ready from its start on"})
		}
	}
	if !pod.Started.IsZero() {
		c.Evidence = append(c.Evidence, Evidence{What: "pod/" + pod.Name, Where: pod.Namespace, Seen: "its containers run since " + pod.Started.UTC().Format("15:04:05") + " UTC"})
	}
	return c
}

// notListening is a Pod that refuses, and into which podpath cannot look.
func (k kase) notListening() *Cause {
	pod := k.targetPod()
	if _, _, _, known := k.listening(); known || k.Error != Refused || pod == nil || k.Stage == StageResolve {
		return nil
	}
	if svc, port, ok := k.servicePort(); ok && k.Path.Virtual() && count(k.siblings(svc, port), connected) > 0 {
		return nil // it takes connections
	}
	return &Cause{
		Summary:  fmt.Sprintf("Pod %s refuses connections: its app listens on another port, or on localhost only.", pod.Name),
		Evidence: []Evidence{k.seenAs("refuses"), {What: "pod/" + pod.Name, Where: pod.Namespace, Seen: "no container of it has a tool to see where it listens"}},
		Next:     run("looks where it listens", k.again("--allow-ephemeral")...),
	}
}

// queueFull is an app that takes no connections any more, until its listener's
// queue is full and the kernel drops what comes.
func (k kase) queueFull() *Cause {
	pod, sockets, at, known := k.listening()
	if !known || k.Error != TimedOut || k.Stage != StageConnect {
		return nil
	}
	for _, l := range k.here(sockets, at) {
		if l.Queue == 0 || !l.takes(at.Addr(), int(at.Port())) {
			continue
		}
		return &Cause{
			Summary:  fmt.Sprintf("The app in Pod %s takes no connections: %d wait at port %d, its accept queue is full, and the kernel drops what else comes.", pod.Name, l.Queue, at.Port()),
			Evidence: []Evidence{k.seenAs(string(k.Error)), waiting(pod, l)},
			Next:     k.podLogs(pod, "the app hangs, or has a backlog that is too small"),
		}
	}
	return nil
}
