// Package detail shows everything that podpath knows of one object: facts from
// the snapshot, flags in sentences, and what only the object itself tells:
// conditions, annotations, events, YAML.
package detail

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"podpath/kube"
	"podpath/tui/page"
	"podpath/tui/style"
	"podpath/tui/words"
)

// text collects the lines of a description.
type text struct{ page.Text }

func (t *text) flags(flags []kube.Flag) {
	for _, f := range flags {
		t.Lines = append(t.Lines, page.Line{Text: "⚑ " + f.Message, Role: style.Bad, Indent: 2})
	}
	if len(flags) > 0 {
		t.Lines = append(t.Lines, page.Line{})
	}
}

func (t *text) labels(heading string, labels kube.Labels) {
	if len(labels) == 0 {
		return
	}
	t.Heading(heading)
	for _, l := range labels {
		t.Line(style.Text, "%s: %s", l.Key, strings.ReplaceAll(l.Value, "\n", " "))
	}
}

// when says a time as a date and as an age.
func when(now, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s (%s ago)", t.Local().Format(time.DateTime), words.Age(now, t))
}

func podFacts(s *kube.Snapshot, p *kube.Pod, now time.Time) *text {
	t := &text{}
	if n := s.Node(p.Node); n != nil {
		t.flags(n.Flags)
	}
	t.Fact("Pod", p.Key().String())
	t.Fact("Status", p.Status)
	t.Fact("Message", p.Message, style.Warn)
	t.Fact("Ready", fmt.Sprintf("%d of %d containers; the Pod is %s", p.Ready, p.Total, map[bool]string{true: "ready", false: "not ready"}[p.IsReady]))
	t.Fact("Restarts", words.Restarts(now, p))
	t.Fact("Node", p.Node)
	t.Fact("Pod IP", strings.Join(p.IPs, ", "))
	if p.HostNetwork {
		t.Fact("Network", "of the Node (hostNetwork): the Pod has the Node's addresses and ports")
	}
	t.Fact("Owner", p.Owner)
	t.Fact("Account", p.ServiceAccount)
	t.Fact("Created", when(now, p.Created))
	t.Fact("Deleted", when(now, p.Deleted), style.Warn)
	t.services(s, p)
	t.Heading("Containers")
	for _, c := range p.Containers {
		t.Line(containerRole(c), "%s", containerLine(c))
		t.Line(style.Dim, "  %s", c.Image)
	}
	t.labels("Labels", p.Labels)
	return t
}

func containerLine(c kube.Container) string {
	parts := []string{c.Name}
	if c.Kind != kube.AppContainer {
		parts = append(parts, "("+string(c.Kind)+")")
	}
	parts = append(parts, words.OrNone(c.State))
	if judgedReady(c) && c.State == "running" && !c.Ready {
		parts = append(parts, "not ready")
	}
	if c.Restarts > 0 {
		parts = append(parts, kube.Count(c.Restarts, "restart"))
	}
	if c.LastEnd != "" {
		parts = append(parts, "last ended with "+c.LastEnd)
	}
	for _, p := range c.Ports {
		parts = append(parts, p.String())
	}
	return strings.Join(parts, "  ")
}

// judgedReady reports whether a container can become ready at all.
func judgedReady(c kube.Container) bool {
	return c.Kind == kube.AppContainer || c.Kind == kube.SidecarContainer
}

func containerRole(c kube.Container) style.Role {
	if c.Ready || !judgedReady(c) {
		return style.Text
	}
	return style.Warn
}

// services says by which Services a Pod is reached, and whether each sends it
// traffic.
func (t *text) services(s *kube.Snapshot, p *kube.Pod) {
	t.Heading("Services")
	of := s.ServicesOf(p)
	switch {
	case !s.State(kube.Services).Listed:
		t.Line(style.Warn, "not known: they are not listed, :status says why")
	case len(of) == 0:
		t.Line(style.Dim, "none selects this Pod")
	}
	for _, svc := range of {
		state := "not an endpoint"
		if !s.State(kube.EndpointSlices).Listed {
			state = words.Unknown
		}
		for _, e := range svc.Endpoints {
			if e.Pod == p.Name {
				state = e.State()
				if e.Port == 0 {
					state += ", but without a port"
				}
			}
		}
		role := style.Text
		if state != "ready" {
			role = style.Warn
		}
		t.Line(role, "%s  %s  %s  %s", svc.Name, svc.Kind, words.ServicePorts(svc.Ports), state)
	}
}

func nodeFacts(s *kube.Snapshot, n *kube.Node, now time.Time) *text {
	t := &text{}
	t.flags(n.Flags)
	pods := 0
	for _, p := range s.Pods {
		if p.Node == n.Name {
			pods++
		}
	}
	t.Fact("Node", n.Name)
	t.Fact("Status", n.Status)
	t.Fact("Roles", strings.Join(n.Roles, ", "))
	t.Fact("Internal IP", strings.Join(n.InternalIPs, ", "))
	t.Fact("External IP", strings.Join(n.ExternalIPs, ", "))
	t.Fact("Pod CIDR", strings.Join(n.PodCIDRs, ", "))
	t.Fact("Pods", fmt.Sprintf("%d in %s; the Node takes %d", pods, words.Scope(s.Scope), n.PodsCapacity))
	t.Fact("Zone", n.Zone)
	t.Fact("Kubelet", n.Version)
	t.Fact("System", strings.Join([]string{n.Arch, n.OS, n.Kernel, n.Runtime}, "  "))
	t.Fact("Taints", strings.Join(n.Taints, ", "))
	t.Fact("Created", when(now, n.Created))
	t.labels("Labels", n.Labels)
	return t
}

func serviceFacts(s *kube.Snapshot, svc *kube.Service, now time.Time) *text {
	t := &text{}
	t.flags(svc.Flags)
	t.Fact("Service", svc.Key().String())
	t.Fact("Kind", string(svc.Kind))
	t.Fact("Cluster IP", strings.Join(svc.ClusterIPs, ", "))
	t.Fact("External", words.External(svc))
	t.Fact("DNS name", fmt.Sprintf("%s.%s.svc", svc.Name, svc.Namespace))
	if svc.Kind != kube.ExternalName {
		t.Fact("Endpoints", endpoints(s, svc))
		t.Fact("Selector", selector(s, svc))
	}
	if svc.ClientIPAffinity {
		t.Fact("Affinity", "ClientIP: a client stays with the endpoint it got first")
	}
	if svc.LocalExternal {
		t.Fact("From outside", "externalTrafficPolicy Local: a Node answers only if an endpoint runs on it")
	}
	if svc.LocalInternal {
		t.Fact("From inside", "internalTrafficPolicy Local: only endpoints on the client's own Node are used")
	}
	if svc.PublishNotReady {
		t.Fact("Not ready", "published: DNS names Pods that are not ready, too")
	}
	t.Fact("Created", when(now, svc.Created))
	ports(t, svc)
	t.labels("Labels", svc.Labels)
	return t
}

func endpoints(s *kube.Snapshot, svc *kube.Service) string {
	if !s.State(kube.EndpointSlices).Listed {
		return words.Unknown
	}
	return words.Endpoints(svc.Counts)
}

func selector(s *kube.Snapshot, svc *kube.Service) string {
	if len(svc.Selector) == 0 {
		return "none: its EndpointSlices are written by hand or by a controller"
	}
	return fmt.Sprintf("%s (%s)", svc.Selector, kube.Count(len(s.PodsOf(svc)), "Pod"))
}

func ports(t *text, svc *kube.Service) {
	if len(svc.Ports) == 0 {
		return
	}
	t.Heading("Ports")
	for _, p := range svc.Ports {
		line := fmt.Sprintf("%s  port %d/%s to target port %s of the Pods", words.OrNone(p.Name), p.Port, p.Protocol, p.TargetPort)
		if p.NodePort != 0 {
			line += ", node port " + strconv.Itoa(p.NodePort)
		}
		t.Line(style.Text, "%s", line)
	}
}

// read adds what only the object itself tells; nil while it is being read.
func (t *text) read(r *objectRead, now time.Time) {
	if r == nil {
		t.Heading("Events")
		t.Line(style.Dim, "reading …")
		return
	}
	t.conditions(r.object.Conditions, r.objectErr)
	t.labels("Annotations", slices.DeleteFunc(slices.Clone(r.object.Annotations), func(l kube.Label) bool { return l.Key == lastApplied }))
	t.events(r.events, r.eventsErr, now)
}

// lastApplied is a copy of the whole object that kubectl apply keeps in an
// annotation: the YAML has it.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

func (t *text) conditions(conditions []kube.Condition, err error) {
	if len(conditions) > 0 || err != nil {
		t.Heading("Conditions")
	}
	if err != nil {
		t.Line(style.Warn, "%s", err)
	}
	for _, c := range conditions {
		t.Line(style.Text, "%s", strings.TrimRight(fmt.Sprintf("%s=%s  %s  %s", c.Type, c.Status, c.Reason, c.Message), " "))
	}
}

func (t *text) events(events []kube.Event, err error, now time.Time) {
	t.Heading("Events")
	switch {
	case err != nil:
		t.Line(style.Warn, "%s", err)
	case len(events) == 0:
		t.Line(style.Dim, "none; the cluster keeps them for an hour, unless set otherwise")
	}
	for _, e := range events {
		role := style.Text
		if e.Type == "Warning" {
			role = style.Warn
		}
		times := ""
		if e.Count > 1 {
			times = fmt.Sprintf(" (%d times)", e.Count)
		}
		t.Line(role, "%s ago  %s%s  %s", words.Age(now, e.Last), e.Reason, times, e.Message)
	}
}
