package kube

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Pod is what podpath keeps of a Pod.
type Pod struct {
	Namespace, Name, UID string
	// Node is the name of the Node it is bound to; empty while unscheduled.
	Node        string
	IPs         []string
	HostNetwork bool
	// Status is worded as in the STATUS column of kubectl get pods.
	Status string
	// Message is the reason in words that the cluster gives for the status,
	// such as that of an eviction.
	Message string
	// Ready of Total containers are ready, counted as kubectl does: sidecars
	// (init containers that restart always, KEP-753) count, init containers
	// do not.
	Ready, Total int
	// IsReady is the Pod's Ready condition, which EndpointSlices follow.
	IsReady bool
	// Reasons say why it is not ready, in the order in which the kubelet would
	// get over them; none when IsReady. There may be none for a moment as well:
	// when a container has just started, the kubelet has yet to call it ready.
	Reasons     []Reason
	Restarts    int
	LastRestart time.Time
	Containers  []Container
	Labels      Labels
	// Owner is the controller of the Pod as kind/name, such as
	// ReplicaSet/web-6d4b75cb6d.
	Owner          string
	ServiceAccount string
	Created        time.Time
	// Started is the newest start among the app containers that run, or zero.
	// Their environment is as old as that.
	Started time.Time
	// DNSPolicy is where the Pod's resolv.conf comes from, such as ClusterFirst.
	DNSPolicy string
	// Hostname and Subdomain are spec.hostname and spec.subdomain: with both, the
	// Pod has a name of its own below that of the headless Service called like
	// the subdomain. They are empty when not set; then the host name inside the
	// Pod is the Pod's name.
	Hostname, Subdomain string
	// Deleted is when deletion was asked for; zero when it was not.
	Deleted time.Time
	// Finished is set when every container has ended for good: such a Pod is
	// no longer an endpoint of anything.
	Finished bool
	// EnableServiceLinks is set when containers get environment variables for
	// the Services of their namespace, which is the default.
	EnableServiceLinks bool
}

// Key returns the Pod's namespace and name.
func (p *Pod) Key() Key { return Key{p.Namespace, p.Name} }

// IP returns the Pod's primary address, or "" while it has none.
func (p *Pod) IP() string {
	if len(p.IPs) == 0 {
		return ""
	}
	return p.IPs[0]
}

// Ports lists the ports that the Pod's running kinds of container declare.
func (p *Pod) Ports() []ContainerPort {
	var ports []ContainerPort
	for _, c := range p.Containers {
		if c.Kind != InitContainer {
			ports = append(ports, c.Ports...)
		}
	}
	return ports
}

// ContainerKind says what part a container plays in its Pod.
type ContainerKind string

// The kinds of container.
const (
	AppContainer       ContainerKind = "container"
	InitContainer      ContainerKind = "init"
	SidecarContainer   ContainerKind = "sidecar" // an init container with restartPolicy Always (KEP-753)
	EphemeralContainer ContainerKind = "ephemeral"
)

// Container is one container of a Pod.
type Container struct {
	Name  string
	Image string
	Kind  ContainerKind
	Ports []ContainerPort
	Ready bool
	// State is running, or waiting or terminated with its reason.
	State string
	// LastEnd is how it ended the last time: the reason and the exit code.
	LastEnd  string
	Restarts int
	// Readiness is set when it has a readiness probe. One without is ready as
	// soon as it has started.
	Readiness bool
}

// ContainerPort is a port that a container declares. Declaring is not
// listening: the list is documentation, except that named target ports of
// Services resolve against it.
type ContainerPort struct {
	Name     string
	Protocol string
	Port     int
	// HostPort is the port of the Node that leads to it, by the network plugin;
	// 0 for none. In a Pod on the host network it is Port itself.
	HostPort int
	// HostIP is the one address of the Node that HostPort is bound to; empty for
	// all of them.
	HostIP string
}

// String writes a port as http:80/TCP, or 80/TCP when it has no name.
func (p ContainerPort) String() string {
	if p.Name == "" {
		return fmt.Sprintf("%d/%s", p.Port, p.Protocol)
	}
	return fmt.Sprintf("%s:%d/%s", p.Name, p.Port, p.Protocol)
}

func newPod(in interner, o *corev1.Pod) *Pod {
	status := podStatus(o)
	p := &Pod{
		Namespace:      in.text(o.Namespace),
		Name:           Clean(o.Name),
		UID:            Clean(string(o.UID)),
		Node:           in.text(o.Spec.NodeName),
		HostNetwork:    o.Spec.HostNetwork,
		Status:         in.text(status.reason),
		Message:        Clean(o.Status.Message),
		Ready:          status.ready,
		Total:          status.total,
		IsReady:        hasCondition(o, corev1.PodReady),
		Reasons:        podReasons(in, o),
		Restarts:       status.restarts,
		LastRestart:    status.lastRestart,
		Containers:     containers(in, o),
		Labels:         newLabels(in, o.Labels),
		ServiceAccount: in.text(o.Spec.ServiceAccountName),
		Created:        o.CreationTimestamp.Time,
		Started:        started(o),
		DNSPolicy:      in.text(string(o.Spec.DNSPolicy)),
		Hostname:       Clean(o.Spec.Hostname),
		Subdomain:      in.text(o.Spec.Subdomain),
		Finished:       o.Status.Phase == corev1.PodSucceeded || o.Status.Phase == corev1.PodFailed,

		EnableServiceLinks: o.Spec.EnableServiceLinks == nil || *o.Spec.EnableServiceLinks,
	}
	if o.DeletionTimestamp != nil {
		p.Deleted = o.DeletionTimestamp.Time
	}
	for _, ip := range o.Status.PodIPs {
		p.IPs = append(p.IPs, Clean(ip.IP))
	}
	if len(p.IPs) == 0 && o.Status.PodIP != "" {
		p.IPs = []string{Clean(o.Status.PodIP)}
	}
	for _, owner := range o.OwnerReferences {
		if owner.Controller != nil && *owner.Controller {
			p.Owner = in.text(owner.Kind + "/" + owner.Name)
		}
	}
	return p
}

func containers(in interner, o *corev1.Pod) []Container {
	out := make([]Container, 0, len(o.Spec.InitContainers)+len(o.Spec.Containers)+len(o.Spec.EphemeralContainers))
	add := func(c corev1.Container, kind ContainerKind, statuses []corev1.ContainerStatus) {
		kept := Container{Name: in.text(c.Name), Image: in.text(c.Image), Kind: kind, Readiness: c.ReadinessProbe != nil}
		for _, p := range c.Ports {
			kept.Ports = append(kept.Ports, newContainerPort(in, p))
		}
		for _, s := range statuses {
			if s.Name == c.Name {
				kept.Ready, kept.Restarts, kept.State = s.Ready, int(s.RestartCount), in.text(containerState(s.State))
				if last := s.LastTerminationState.Terminated; last != nil {
					kept.LastEnd = in.text(end(last))
				}
			}
		}
		out = append(out, kept)
	}
	for _, c := range o.Spec.InitContainers {
		kind := InitContainer
		if isSidecar(&c) {
			kind = SidecarContainer
		}
		add(c, kind, o.Status.InitContainerStatuses)
	}
	for _, c := range o.Spec.Containers {
		add(c, AppContainer, o.Status.ContainerStatuses)
	}
	for _, c := range o.Spec.EphemeralContainers {
		add(corev1.Container(c.EphemeralContainerCommon), EphemeralContainer, o.Status.EphemeralContainerStatuses)
	}
	return out
}

func newContainerPort(in interner, o corev1.ContainerPort) ContainerPort {
	return ContainerPort{
		Name: in.text(o.Name), Protocol: in.text(string(o.Protocol)), Port: int(o.ContainerPort),
		HostPort: int(o.HostPort), HostIP: in.text(o.HostIP),
	}
}

// started returns the newest start among the app containers that run.
func started(o *corev1.Pod) (newest time.Time) {
	for _, s := range o.Status.ContainerStatuses {
		if s.State.Running != nil && s.State.Running.StartedAt.After(newest) {
			newest = s.State.Running.StartedAt.Time
		}
	}
	return newest
}

func containerState(s corev1.ContainerState) string {
	switch {
	case s.Running != nil:
		return "running"
	case s.Waiting != nil:
		return strings.TrimSpace("waiting " + s.Waiting.Reason)
	case s.Terminated != nil:
		return "terminated " + end(s.Terminated)
	default:
		return ""
	}
}

// end says how a container ended: OOMKilled, exit 137.
func end(t *corev1.ContainerStateTerminated) string {
	if t.Reason == "" {
		return fmt.Sprintf("exit %d", t.ExitCode)
	}
	return fmt.Sprintf("%s, exit %d", t.Reason, t.ExitCode)
}

func isSidecar(c *corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

func hasCondition(o *corev1.Pod, kind corev1.PodConditionType) bool {
	c := findCondition(o, kind)
	return c != nil && c.Status == corev1.ConditionTrue
}

// findCondition returns the condition, or nil while nobody has set it.
func findCondition(o *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range o.Status.Conditions {
		if o.Status.Conditions[i].Type == kind {
			return &o.Status.Conditions[i]
		}
	}
	return nil
}
