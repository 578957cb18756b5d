package demo

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"podpath/kube/demo/api"
	"podpath/kube/demo/network"
)

const (
	// startTime is how long the containers of a new Pod take to start, readyTime
	// how long it takes to be ready after that, and endTime to be gone once it
	// was deleted.
	startTime, readyTime, endTime = time.Second, time.Second, 4 * time.Second
	// crashEvery is the longest pause of the kubelet between two starts, and
	// crashAfter how long a container runs that crashes.
	crashEvery, crashAfter = 5 * time.Minute, 10 * time.Second
	// evictAfter is how long Pods wait for a Node that is down until others are
	// made in their place (the toleration that all Pods are given).
	evictAfter = 5 * time.Minute
)

// pods does what the scheduler and the kubelets do.
func (c *Cluster) pods() {
	nodes := map[string]*corev1.Node{}
	for _, n := range api.ListOf[*corev1.Node](c.store, "nodes") {
		nodes[n.Name] = n
	}
	all := api.ListOf[*corev1.Pod](c.store, "pods")
	living := map[string]bool{}
	for i, old := range all {
		living[string(old.UID)] = true
		p := old.DeepCopy()
		all[i] = p
		complete(p)
		if c.gone(p, nodes[p.Spec.NodeName]) {
			c.store.Delete("pods", p.Namespace, p.Name)
			continue
		}
		if p.Spec.NodeName == "" {
			c.schedule(p, nodes, all)
		}
		if n := nodes[p.Spec.NodeName]; n != nil && len(p.Spec.Containers) > 0 {
			c.run(p, n, all)
		}
		c.put(p)
	}
	for _, e := range api.ListOf[*corev1.Event](c.store, "events") {
		if e.InvolvedObject.Kind == "Pod" && !living[string(e.InvolvedObject.UID)] {
			c.store.Delete("events", e.Namespace, e.Name)
		}
	}
}

// gone reports whether a Pod has ended that was deleted, or whose Node was. A Node
// that is down does not say that a Pod has.
func (c *Cluster) gone(p *corev1.Pod, n *corev1.Node) bool {
	if n == nil && p.Spec.NodeName != "" {
		return true
	}
	if p.DeletionTimestamp == nil || n != nil && !nodeReady(n) {
		return false
	}
	grace := time.Duration(0)
	if s := p.DeletionGracePeriodSeconds; s != nil {
		grace = time.Duration(*s) * time.Second
	}
	return !c.now().Time.Before(p.DeletionTimestamp.Add(min(grace, endTime) - grace))
}

// complete gives a Pod the defaults that somebody looks at.
func complete(p *corev1.Pod) {
	for _, container := range p.Spec.Containers {
		for i := range container.Ports {
			container.Ports[i].Protocol = cmp.Or(container.Ports[i].Protocol, corev1.ProtocolTCP)
		}
	}
}

// schedule binds a Pod to the ready Node with the fewest of its like.
func (c *Cluster) schedule(p *corev1.Pod, nodes map[string]*corev1.Node, all []*corev1.Pod) {
	best, bestLoad := "", 0
	for _, n := range nodes {
		fits := nodeReady(n) && !n.Spec.Unschedulable && labels.SelectorFromSet(p.Spec.NodeSelector).Matches(labels.Set(n.Labels)) &&
			!slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool {
				return !slices.ContainsFunc(p.Spec.Tolerations, func(o corev1.Toleration) bool {
					return o.Operator == corev1.TolerationOpExists && (o.Key == "" || o.Key == t.Key)
				})
			})
		load, count, most := 0, int64(0), n.Status.Allocatable.Pods().Value()
		for _, other := range all {
			if other.Spec.NodeName == n.Name {
				count++
			}
			if other.Spec.NodeName == n.Name && other.DeletionTimestamp == nil {
				load++
				if controllerOf(other).Name != "" && controllerOf(other).Name == controllerOf(p).Name {
					load += 1000
				}
			}
		}
		if fits && (most == 0 || count < most) && (best == "" || cmp.Or(cmp.Compare(load, bestLoad), cmp.Compare(n.Name, best)) < 0) {
			best, bestLoad = n.Name, load
		}
	}
	bound := corev1.PodCondition{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: p.CreationTimestamp}
	p.Spec.NodeName = best
	if best == "" {
		bound.Status, bound.Reason = corev1.ConditionFalse, corev1.PodReasonUnschedulable
		bound.Message = fmt.Sprintf("0/%d nodes are available: none is ready, matches the Pod's node selector and taints, and has room.", len(nodes))
		c.event(p, corev1.EventTypeWarning, "FailedScheduling", bound.Message, p.CreationTimestamp, 1)
	} else {
		c.event(p, corev1.EventTypeNormal, "Scheduled", fmt.Sprintf("Successfully assigned %s/%s to %s", p.Namespace, p.Name, best), p.CreationTimestamp, 1)
	}
	p.Status.Phase, p.Status.Conditions = corev1.PodPending, []corev1.PodCondition{bound}
}

// run does what the kubelet does for a Pod of its Node. Nothing is remembered
// but addresses: how far a Pod is follows from its age.
func (c *Cluster) run(p *corev1.Pod, n *corev1.Node, all []*corev1.Pod) {
	if !nodeReady(n) { // the kubelet says nothing; the control plane notes that
		setReady(p, false, c.now(), "NodeNotReady")
		long := slices.ContainsFunc(n.Status.Conditions, func(d corev1.NodeCondition) bool { return c.now().Sub(d.LastTransitionTime.Time) > evictAfter })
		if long && p.DeletionTimestamp == nil && controllerOf(p).Name != "" {
			c.terminate(p)
		}
		return
	}
	if p.Status.PodIP == "" {
		p.Status.PodIP = network.NodeAddress(n)
		if !p.Spec.HostNetwork {
			p.Status.PodIP = c.freeAddress(n, all)
		}
		p.Status.PodIPs = []corev1.PodIP{{IP: p.Status.PodIP}}
		p.Status.HostIP, p.Status.HostIPs = network.NodeAddress(n), []corev1.HostIP{{IP: network.NodeAddress(n)}}
		p.Status.StartTime = new(p.CreationTimestamp)
	}
	start, settle := startTime, readyTime
	if controllerOf(p).Name == "" {
		start, settle = 0, 0
	}
	age := c.now().Sub(p.CreationTimestamp.Time)
	state := corev1.ContainerStatus{Image: "", Started: new(age >= start), Ready: age >= start}
	switch {
	case age < start:
		state.State.Waiting = &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}
	case has(p.Annotations, "crash-loop"):
		c.crash(p, &state, age-start)
	default:
		state.State.Running = &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(p.CreationTimestamp.Add(start))}
	}
	if has(p.Annotations, "not-ready") && age >= start {
		state.Ready = false
		c.event(p, corev1.EventTypeWarning, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", c.now(), 1)
	}
	p.Status.Phase = corev1.PodPending
	if age >= start {
		p.Status.Phase = corev1.PodRunning
	}
	p.Status.ContainerStatuses, p.Status.EphemeralContainerStatuses = nil, ephemeral(p, c.now())
	for _, container := range p.Spec.Containers {
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, named(state, container.Name, container.Image))
	}
	setReady(p, state.Ready && age >= start+settle, metav1.NewTime(p.CreationTimestamp.Add(start+settle)), "ContainersNotReady")
}

func named(s corev1.ContainerStatus, name, image string) corev1.ContainerStatus {
	s.Name, s.Image, s.ImageID, s.ContainerID = name, image, image, "containerd://"+name
	return s
}

// ephemeral are the states of the containers that were added to a Pod. They
// start at once.
func ephemeral(p *corev1.Pod, now metav1.Time) (out []corev1.ContainerStatus) {
	for _, e := range p.Spec.EphemeralContainers {
		s := named(corev1.ContainerStatus{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}}}, e.Name, e.Image)
		for _, old := range p.Status.EphemeralContainerStatuses {
			if old.Name == e.Name {
				s = old
			}
		}
		out = append(out, s)
	}
	return out
}

// crash is a container that ends soon after each start.
func (c *Cluster) crash(p *corev1.Pod, s *corev1.ContainerStatus, age time.Duration) {
	restarts := int32(age / crashEvery)
	started := p.CreationTimestamp.Add(age - age%crashEvery)
	if s.RestartCount, s.Ready = restarts, false; age%crashEvery < crashAfter {
		s.State.Running = &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(started)}
		started = started.Add(-crashEvery)
	} else {
		s.State.Waiting = &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 5m0s restarting failed container=" + p.Spec.Containers[0].Name}
		s.Started = new(false)
	}
	ended := metav1.NewTime(started.Add(crashAfter))
	if restarts > 0 || s.State.Waiting != nil {
		s.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", StartedAt: metav1.NewTime(started), FinishedAt: ended}
		c.event(p, corev1.EventTypeWarning, "BackOff", "Back-off restarting failed container "+p.Spec.Containers[0].Name, ended, restarts+1)
	}
}

// freeAddress is the next address in the range of the Node that no Pod has.
func (c *Cluster) freeAddress(n *corev1.Node, all []*corev1.Pod) string {
	block, err := netip.ParsePrefix(n.Spec.PodCIDR)
	if err != nil || !block.Addr().Is4() {
		return ""
	}
	b := block.Addr().As4()
	for range 253 {
		c.last[n.Name] = c.last[n.Name]%253 + 1
		b[3] = byte(c.last[n.Name] + 1)
		ip := netip.AddrFrom4(b).String()
		if !slices.ContainsFunc(all, func(p *corev1.Pod) bool { return p.Status.PodIP == ip }) {
			return ip
		}
	}
	return ""
}

func podReady(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// setReady writes the conditions of a Pod that was bound.
func setReady(p *corev1.Pod, ready bool, since metav1.Time, why string) {
	status := corev1.ConditionFalse
	if ready {
		status, why = corev1.ConditionTrue, ""
	}
	was := p.Status.Conditions
	p.Status.Conditions = nil
	for kind, s := range map[corev1.PodConditionType]corev1.ConditionStatus{
		corev1.PodScheduled: corev1.ConditionTrue, corev1.PodInitialized: corev1.ConditionTrue, corev1.ContainersReady: status, corev1.PodReady: status,
	} {
		next := corev1.PodCondition{Type: kind, Status: s, LastTransitionTime: p.CreationTimestamp}
		if kind == corev1.PodReady || kind == corev1.ContainersReady {
			next.Reason, next.LastTransitionTime = why, since
		}
		for _, old := range was {
			if old.Type == kind && old.Status == s {
				next.LastTransitionTime = old.LastTransitionTime
			}
		}
		p.Status.Conditions = append(p.Status.Conditions, next)
	}
	slices.SortFunc(p.Status.Conditions, func(a, b corev1.PodCondition) int { return cmp.Compare(a.Type, b.Type) })
}

// event says what happened to a Pod. What happens again is counted.
func (c *Cluster) event(p *corev1.Pod, kind, reason, message string, at metav1.Time, count int32) {
	name := p.Name + "." + hash(p.Namespace+"/"+p.Name+reason)
	if _, there := c.store.Get("events", p.Namespace, name); there && count == 1 {
		return
	}
	source := corev1.EventSource{Component: "kubelet", Host: p.Spec.NodeName}
	if reason == "Scheduled" || reason == "FailedScheduling" {
		source = corev1.EventSource{Component: "default-scheduler"}
	}
	c.put(&corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: p.Namespace, Name: name, CreationTimestamp: at},
		InvolvedObject: corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: p.Namespace, Name: p.Name, UID: p.UID},
		Type:           kind, Reason: reason, Message: message, Count: count, FirstTimestamp: at, LastTimestamp: at,
		Source: source,
	})
}
