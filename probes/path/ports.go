package path

import (
	"fmt"
	"slices"
	"strconv"

	"podpath/kube"
)

// noSuchPort is a port that the Service, or any Service at the Node's address,
// does not have. The port that it would be is named.
func (k kase) noSuchPort() *Cause {
	if k.Error == NoError || k.Stage == StageResolve {
		return nil
	}
	if n := k.Node(k.Path.Node); n != nil && k.Path.Entry == NoEntry && k.Path.Pod.Name == "" && nodePorts(k.Ask.Port) {
		return k.noSuchNodePort(n)
	}
	if n := k.Node(k.Path.Node); n != nil && k.Path.Entry == NoEntry && k.Path.Pod.Name == "" && k.Stage == StageConnect {
		return k.hostPortElsewhere(n)
	}
	svc := k.service(k.Path)
	if svc == nil || k.Path.Port.Port != 0 || k.Ask.Port == 0 || len(svc.Ports) == 0 || k.Kind == Status {
		return nil
	}
	switch k.Path.Entry {
	case AtClusterIP:
	case AtExternalIP, AtLoadBalancer: // something else may answer there
		if k.Stage != StageConnect {
			return nil
		}
	case AtHeadless: // any port that something listens on would do
		if k.endpointPort(svc, k.Ask.Port) {
			return nil
		}
	default:
		return nil
	}
	c := &Cause{
		Summary: fmt.Sprintf("Service %s has no %s port %d; it has %s%s.", svc.Name, k.Kind.transport(), k.Ask.Port, list(names(svc.Ports, kube.ServicePort.String)), k.insteadOfPort(svc)),
		Evidence: []Evidence{
			{What: k.Address, Where: k.Source.Label, Seen: string(k.Error)},
			{What: "svc/" + svc.Name, Where: svc.Namespace, Seen: "ports " + list(names(svc.Ports, kube.ServicePort.String))},
		},
		Next: describe(svc),
	}
	if len(svc.Ports) == 1 && svc.Ports[0].Protocol == k.Kind.transport() {
		c.Next = run("", "podpath", "probe", "-n", k.Home, k.Source.Label, fmt.Sprintf("svc/%s:%d", k.name(svc.Key()), svc.Ports[0].Port))
	}
	return c
}

// nodePorts is the range that most API servers take node ports from
// (--service-node-port-range).
func nodePorts(port int) bool { return port >= 30000 && port <= 32767 }

func (k kase) noSuchNodePort(n *kube.Node) *Cause {
	type near struct {
		svc  *kube.Service
		port kube.ServicePort
	}
	var all []near
	for _, svc := range k.Services {
		for _, sp := range svc.Ports {
			if sp.NodePort != 0 {
				all = append(all, near{svc, sp})
			}
		}
	}
	distance := func(port int) int { return max(port-k.Ask.Port, k.Ask.Port-port) }
	slices.SortStableFunc(all, func(a, b near) int { return distance(a.port.NodePort) - distance(b.port.NodePort) })
	c := &Cause{
		Summary:  fmt.Sprintf("No Service that podpath sees has the node port %d.", k.Ask.Port),
		Evidence: []Evidence{{What: k.Address, Where: k.Source.Label, Seen: string(k.Error)}},
		Next:     run("", "kubectl", "get", "services", "-A"),
	}
	if len(all) > 0 {
		c.Summary = fmt.Sprintf("No Service that podpath sees has the node port %d; Service %s has %d.", k.Ask.Port, k.name(all[0].svc.Key()), all[0].port.NodePort)
		c.Next = run("", "podpath", "probe", "-n", k.Home, k.Source.Label, fmt.Sprintf("node/%s:%d", n.Name, all[0].port.NodePort))
	}
	for _, a := range all[:min(len(all), 3)] {
		c.Evidence = append(c.Evidence, Evidence{What: "svc/" + k.name(a.svc.Key()), Seen: a.port.String()})
	}
	return c
}

// hostPortElsewhere is a port of a Node that Pods on other Nodes have as their
// hostPort: only the Node of such a Pod leads to it.
func (k kase) hostPortElsewhere(n *kube.Node) *Cause {
	for _, pod := range k.Pods {
		has := slices.ContainsFunc(pod.Ports(), func(c kube.ContainerPort) bool {
			return c.Protocol == k.Kind.transport() && (c.HostPort == k.Ask.Port || pod.HostNetwork && c.Port == k.Ask.Port)
		})
		if !has || pod.Finished || pod.Node == "" || pod.Node == n.Name {
			continue
		}
		return &Cause{
			Summary:  fmt.Sprintf("No Pod that podpath sees has the port %d of Node %s; Pod %s has it on Node %s, and a hostPort is there on the Node of its Pod only.", k.Ask.Port, n.Name, k.name(pod.Key()), pod.Node),
			Evidence: []Evidence{{What: k.Address, Where: k.Source.Label, Seen: string(k.Error)}, {What: "pod/" + k.name(pod.Key()), Seen: fmt.Sprintf("has port %d of Node %s", k.Ask.Port, pod.Node)}},
			Next:     run("", "podpath", "probe", "-n", k.Home, k.Source.Label, fmt.Sprintf("node/%s:%d", pod.Node, k.Ask.Port)),
		}
	}
	return nil
}

// insteadOfPort says what a port is where it is one of another kind: the target
// port, the node port, or one of another protocol.
func (k kase) insteadOfPort(svc *kube.Service) string {
	for _, sp := range svc.Ports {
		switch {
		case sp.Port == k.Ask.Port:
			return fmt.Sprintf(": %d is a port for %s there", sp.Port, sp.Protocol)
		case sp.TargetPort == strconv.Itoa(k.Ask.Port) || slices.ContainsFunc(svc.Endpoints, func(e kube.Endpoint) bool { return e.PortName == sp.Name && e.Port == k.Ask.Port }):
			return fmt.Sprintf(": %d is the port of its Pods, and clients of the Service use %d", k.Ask.Port, sp.Port)
		case sp.NodePort == k.Ask.Port:
			return fmt.Sprintf(": %d is its node port, for the addresses of Nodes, and clients of the Service use %d", k.Ask.Port, sp.Port)
		}
	}
	return ""
}

func (k kase) endpointPort(svc *kube.Service, port int) bool {
	return slices.ContainsFunc(svc.Endpoints, func(e kube.Endpoint) bool { return e.Port == port })
}

// headlessPort is the port of a headless Service that has another target port:
// nobody translates it.
func (k kase) headlessPort() *Cause {
	svc := k.service(k.Path)
	if svc == nil || k.Path.Entry != AtHeadless || k.Kind == DNS || k.Error == NoError || k.Stage == StageResolve || k.Path.Port.Port == 0 {
		return nil
	}
	at := translated(svc, k.Path.Port)
	if at == 0 || at == k.Ask.Port {
		return nil
	}
	return &Cause{
		Summary: headlessPortSays(svc, k.Path.Port, at),
		Evidence: []Evidence{
			{What: k.Address, Where: k.Source.Label, Seen: string(k.Error)},
			{What: "svc/" + svc.Name, Where: svc.Namespace, Seen: "clusterIP: None, " + k.Path.Port.String()},
		},
		Next: run("", "podpath", "probe", "-n", k.Home, k.Source.Label, fmt.Sprintf("%s:%d", k.Path.Name.Text, at)),
	}
}

func headlessPortSays(svc *kube.Service, sp kube.ServicePort, at int) string {
	return fmt.Sprintf("Service %s is headless: its name leads to the Pods themselves, so that port %d is not translated, and clients use %d.", svc.Name, sp.Port, at)
}

// translated is the port of the endpoints that a Service's port leads to; 0
// for none, or several.
func translated(svc *kube.Service, sp kube.ServicePort) int {
	at := 0
	for _, e := range endpointsOf(svc, sp) {
		if at != 0 && at != e.Port {
			return 0
		}
		at = e.Port
	}
	return at
}
