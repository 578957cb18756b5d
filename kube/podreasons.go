package kube

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// notReady is the list of reasons of one Pod while it is made.
type notReady struct {
	in      interner
	pod     *corev1.Pod
	reasons []Reason
}

// podReasons says why the Pod is not ready. It goes the way of the kubelet:
// what comes behind a step that is not done has not been tried, and is no reason.
// The rules are those of GeneratePodReadyCondition in
// kubernetes/pkg/kubelet/status.
func podReasons(in interner, o *corev1.Pod) []Reason {
	if hasCondition(o, corev1.PodReady) {
		return nil
	}
	r := &notReady{in: in, pod: o}
	if o.Status.Phase == corev1.PodSucceeded || o.Status.Phase == corev1.PodFailed {
		r.add(Finished, "", finished(o))
		return r.reasons
	}
	if o.DeletionTimestamp != nil {
		r.add(Terminating, "", "it is being deleted")
	}
	if o.Spec.NodeName == "" {
		r.add(Unscheduled, "", unscheduled(o))
		return r.reasons
	}
	if nodeLost(o) {
		r.add(NodeLost, "", fmt.Sprintf("its Node %s has stopped reporting", o.Spec.NodeName))
	}
	if !hasAddress(o) {
		r.add(NoAddress, "", "it has no IP address yet")
	}
	if r.initialized() {
		r.containers()
	}
	for _, gate := range openGates(o) {
		r.add(GateMissing, "", gate)
	}
	return r.reasons
}

func (r *notReady) add(code ReasonCode, container, message string) {
	r.reasons = append(r.reasons, Reason{Code: code, Message: r.in.text(message), Container: r.in.text(container)})
}

func finished(o *corev1.Pod) string {
	words := "it has ended for good"
	if o.Status.Phase == corev1.PodFailed {
		words = "it has failed for good"
	}
	return withDetail(withDetail(words, o.Status.Reason), o.Status.Message)
}

func unscheduled(o *corev1.Pod) string {
	if len(o.Spec.SchedulingGates) > 0 {
		gates := make([]string, len(o.Spec.SchedulingGates))
		for i, g := range o.Spec.SchedulingGates {
			gates[i] = g.Name
		}
		return "it is held back from every Node by its scheduling gates " + strings.Join(gates, ", ")
	}
	if c := findCondition(o, corev1.PodScheduled); c != nil && c.Status == corev1.ConditionFalse {
		return withDetail("no Node takes it", c.Message)
	}
	return "no Node is chosen for it yet"
}

// withDetail goes on after a colon with what the cluster says, as long as it
// says something.
func withDetail(words, detail string) string {
	detail = strings.TrimRight(strings.TrimSpace(detail), ".")
	if detail == "" {
		return words
	}
	return words + ": " + detail
}

// nodeLost reports that the control plane, not the kubelet, has made the Pod
// not ready. Today it changes nothing but the Ready condition (MarkPodsNotReady
// in kubernetes/pkg/controller/util/node), so one that is not True though all
// that the kubelet goes by is.
func nodeLost(o *corev1.Pod) bool {
	const lost, unknown = "NodeLost", "NodeStatusUnknown" // as older control planes word it
	c := findCondition(o, corev1.PodReady)
	switch {
	case o.Status.Reason == lost:
		return true
	case c == nil:
		return false
	case c.Status == corev1.ConditionUnknown, c.Reason == unknown, c.Reason == lost:
		return true
	default:
		return hasCondition(o, corev1.ContainersReady) && len(openGates(o)) == 0
	}
}

func hasAddress(o *corev1.Pod) bool { return len(o.Status.PodIPs) > 0 || o.Status.PodIP != "" }

// initialized adds the init container that the Pod waits for, and reports
// whether it waits for none.
func (r *notReady) initialized() bool {
	if hasCondition(r.pod, corev1.PodInitialized) {
		return true
	}
	for i := range r.pod.Spec.InitContainers {
		c := &r.pod.Spec.InitContainers[i]
		kind, done := "init container", "ended"
		if isSidecar(c) {
			kind, done = "sidecar", "started"
		}
		s := statusOf(r.pod.Status.InitContainerStatuses, c.Name)
		switch {
		case s == nil, notBegun(s.State.Waiting):
			if hasAddress(r.pod) { // else that is why
				r.add(InitWaiting, c.Name, fmt.Sprintf("%s %s has not begun", kind, c.Name))
			}
		case isSidecar(c) && s.Started != nil && *s.Started:
			continue
		case !isSidecar(c) && s.State.Terminated != nil && s.State.Terminated.ExitCode == 0:
			continue
		default:
			r.add(InitWaiting, c.Name, withDetail(fmt.Sprintf("%s %s has not %s", kind, c.Name, done), stopped(s)))
		}
		return false
	}
	return true
}

// stopped says why a container does not run; nothing of one that runs.
func stopped(s *corev1.ContainerStatus) string {
	switch waiting, ended := s.State.Waiting, s.State.Terminated; {
	case ended != nil:
		return end(ended)
	case waiting == nil:
		return ""
	case waiting.Reason == crashLoop && s.LastTerminationState.Terminated != nil:
		return waiting.Reason + ", the last end: " + end(s.LastTerminationState.Terminated)
	case pullsImage(waiting.Reason):
		return withDetail(waiting.Reason, s.Image) // the message is long, and repeats it
	default:
		return withDetail(waiting.Reason, waiting.Message)
	}
}

// Reasons that the kubelet gives for a container that waits.
const crashLoop = "CrashLoopBackOff"

func pullsImage(reason string) bool { return reason == "ImagePullBackOff" || reason == "ErrImagePull" }

// notBegun reports that the kubelet has not come to the container yet.
func notBegun(w *corev1.ContainerStateWaiting) bool {
	return w != nil && (w.Reason == "ContainerCreating" || w.Reason == "PodInitializing")
}

// containers adds those sidecars and app containers that are not ready.
func (r *notReady) containers() {
	for i := range r.pod.Spec.InitContainers {
		if c := &r.pod.Spec.InitContainers[i]; isSidecar(c) {
			r.container("sidecar", c, statusOf(r.pod.Status.InitContainerStatuses, c.Name))
		}
	}
	for i := range r.pod.Spec.Containers {
		c := &r.pod.Spec.Containers[i]
		r.container("container", c, statusOf(r.pod.Status.ContainerStatuses, c.Name))
	}
}

func (r *notReady) container(kind string, c *corev1.Container, s *corev1.ContainerStatus) {
	name := kind + " " + c.Name
	switch {
	case s == nil:
		if hasAddress(r.pod) { // else that is why
			r.add(ContainerWaiting, c.Name, name+" has not begun")
		}
	case notBegun(s.State.Waiting) && !hasAddress(r.pod):
	case s.State.Waiting != nil && s.State.Waiting.Reason == crashLoop:
		r.add(Crashing, c.Name, withDetail(name+" ends again and again", stopped(s)))
	case s.State.Waiting != nil:
		r.add(ContainerWaiting, c.Name, withDetail(name+" waits", stopped(s)))
	case s.State.Terminated != nil:
		r.add(ContainerEnded, c.Name, withDetail(name+" has ended", stopped(s)))
	case s.State.Running == nil || s.Ready:
	case c.StartupProbe != nil && s.Started != nil && !*s.Started:
		r.add(StartupProbe, c.Name, name+" has not passed its startup probe")
	case c.ReadinessProbe != nil:
		r.add(ProbeFailing, c.Name, name+" does not pass its readiness probe")
	}
}

// openGates says of each readiness gate that is not True that it is not.
func openGates(o *corev1.Pod) (open []string) {
	for _, gate := range o.Spec.ReadinessGates {
		switch c := findCondition(o, gate.ConditionType); {
		case c == nil:
			open = append(open, fmt.Sprintf("its readiness gate %s is not True: nothing has set it", gate.ConditionType))
		case c.Status != corev1.ConditionTrue:
			open = append(open, fmt.Sprintf("its readiness gate %s is not True", gate.ConditionType))
		}
	}
	return open
}

func statusOf(all []corev1.ContainerStatus, name string) *corev1.ContainerStatus {
	i := slices.IndexFunc(all, func(s corev1.ContainerStatus) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return &all[i]
}
