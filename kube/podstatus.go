package kube

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// status is what kubectl get pods says of a Pod. The rules are those of
// printPod in kubernetes/pkg/printers/internalversion, which the API server
// itself uses, so that podpath and kubectl never word the same Pod
// differently.
type status struct {
	reason       string
	ready, total int
	restarts     int
	lastRestart  time.Time
}

func podStatus(o *corev1.Pod) status {
	s := status{reason: string(o.Status.Phase), total: len(o.Spec.Containers)}
	if o.Status.Reason != "" {
		s.reason = o.Status.Reason
	}
	for _, c := range o.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Reason == corev1.PodReasonSchedulingGated {
			s.reason = corev1.PodReasonSchedulingGated
		}
	}
	sidecars, initializing := s.readInit(o)
	if !initializing || hasCondition(o, corev1.PodInitialized) {
		s.restarts, s.lastRestart = sidecars.restarts, sidecars.lastRestart
		s.readContainers(o)
	}
	if o.DeletionTimestamp != nil {
		switch {
		case o.Status.Reason == "NodeLost":
			s.reason = "Unknown"
		case o.Status.Phase != corev1.PodFailed && o.Status.Phase != corev1.PodSucceeded:
			s.reason = "Terminating"
		}
	}
	return s
}

// readInit reads the init containers in order, up to the one that the Pod
// waits for. It returns the restarts of sidecars apart: once the Pod is
// initialized, only those count.
func (s *status) readInit(o *corev1.Pod) (sidecars status, initializing bool) {
	isSidecarNamed := map[string]bool{}
	for i := range o.Spec.InitContainers {
		if isSidecar(&o.Spec.InitContainers[i]) {
			isSidecarNamed[o.Spec.InitContainers[i].Name] = true
			s.total++
		}
	}
	for i, c := range o.Status.InitContainerStatuses {
		s.addRestarts(c)
		if isSidecarNamed[c.Name] {
			sidecars.addRestarts(c)
		}
		terminated, waiting := c.State.Terminated, c.State.Waiting
		switch {
		case terminated != nil && terminated.ExitCode == 0:
			continue
		case isSidecarNamed[c.Name] && c.Started != nil && *c.Started:
			if c.Ready {
				s.ready++
			}
			continue
		case terminated != nil:
			s.reason = "Init:" + terminatedReason(terminated)
		case waiting != nil && waiting.Reason != "" && waiting.Reason != "PodInitializing":
			s.reason = "Init:" + waiting.Reason
		default:
			s.reason = fmt.Sprintf("Init:%d/%d", i, len(o.Spec.InitContainers))
		}
		return sidecars, true
	}
	return sidecars, false
}

// readContainers lets the first container that is not running name the Pod's
// status.
func (s *status) readContainers(o *corev1.Pod) {
	running := false
	for i := len(o.Status.ContainerStatuses) - 1; i >= 0; i-- {
		c := o.Status.ContainerStatuses[i]
		s.addRestarts(c)
		switch {
		case c.State.Waiting != nil && c.State.Waiting.Reason != "":
			s.reason = c.State.Waiting.Reason
		case c.State.Terminated != nil:
			s.reason = terminatedReason(c.State.Terminated)
		case c.Ready && c.State.Running != nil:
			running = true
			s.ready++
		}
	}
	if s.reason == "Completed" && running {
		s.reason = "NotReady"
		if hasCondition(o, corev1.PodReady) {
			s.reason = "Running"
		}
	}
}

func (s *status) addRestarts(c corev1.ContainerStatus) {
	s.restarts += int(c.RestartCount)
	if t := c.LastTerminationState.Terminated; t != nil && t.FinishedAt.After(s.lastRestart) {
		s.lastRestart = t.FinishedAt.Time
	}
}

func terminatedReason(t *corev1.ContainerStateTerminated) string {
	switch {
	case t.Reason != "":
		return t.Reason
	case t.Signal != 0:
		return fmt.Sprintf("Signal:%d", t.Signal)
	default:
		return fmt.Sprintf("ExitCode:%d", t.ExitCode)
	}
}
