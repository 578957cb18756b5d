package kube

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// containerStatus is built up by the functions below, so that a test case
// reads like a line of kubectl describe.
type containerStatus = corev1.ContainerStatus

func running(restarts int32, last time.Time) containerStatus {
	return restarted(containerStatus{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}, restarts, last)
}

func ready(c containerStatus) containerStatus {
	c.Ready = true
	return c
}

func waiting(reason string) containerStatus {
	return containerStatus{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}}
}

func terminated(reason string, exit, signal int32) containerStatus {
	return containerStatus{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: reason, ExitCode: exit, Signal: signal}}}
}

func restarted(c containerStatus, restarts int32, last time.Time) containerStatus {
	c.RestartCount = restarts
	if !last.IsZero() {
		c.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{FinishedAt: metav1.NewTime(last)}
	}
	return c
}

// sidecar is the status of the i-th init container, which restarts always.
func sidecar(i int, started bool, c containerStatus) containerStatus {
	c.Name, c.Started = fmt.Sprintf("sidecar-%d", i), &started
	return c
}

func condition(kind corev1.PodConditionType, status corev1.ConditionStatus, reason string) corev1.PodCondition {
	return corev1.PodCondition{Type: kind, Status: status, Reason: reason}
}

// The cases are those of TestPrintPod and TestPrintPodWithRestartableInitContainer
// in kubernetes/pkg/printers/internalversion/printers_test.go (v1.34.4), and
// some that it lacks.
func TestPodStatusIsWordedAsInKubectl(t *testing.T) {
	var never time.Time
	recently := time.Now().Add(-10 * time.Second).Truncate(time.Second)
	before, longAgo := recently.Add(-time.Minute), recently.Add(-480*time.Hour)
	type statuses = []containerStatus
	for _, test := range []struct {
		name           string
		containers     int
		init, sidecars int
		deleted        bool
		status         corev1.PodStatus
		want           status
	}{
		{
			name: "phase while a container has no state", containers: 2,
			status: corev1.PodStatus{Phase: "phase", ContainerStatuses: statuses{ready(running(3, never)), restarted(containerStatus{}, 3, never)}},
			want:   status{"phase", 1, 2, 6, never},
		},
		{
			name: "waiting container names the status", containers: 2,
			status: corev1.PodStatus{Phase: "phase", ContainerStatuses: statuses{ready(running(0, never)), waiting("CrashLoopBackOff")}},
			want:   status{"CrashLoopBackOff", 1, 2, 0, never},
		},
		{
			name: "first container wins", containers: 2,
			status: corev1.PodStatus{Phase: "phase", ContainerStatuses: statuses{waiting("ImagePullBackOff"), terminated("Error", 1, 0)}},
			want:   status{"ImagePullBackOff", 0, 2, 0, never},
		},
		{
			name: "ready without running does not count", containers: 2,
			status: corev1.PodStatus{Phase: "phase", Reason: "reason", ContainerStatuses: statuses{ready(running(0, never)), ready(containerStatus{})}},
			want:   status{"reason", 1, 2, 0, never},
		},
		{
			name: "waiting without a reason", containers: 1,
			status: corev1.PodStatus{Phase: "Pending", ContainerStatuses: statuses{waiting("")}},
			want:   status{"Pending", 0, 1, 0, never},
		},
		{
			name: "completed beside running, Pod not ready", containers: 2,
			status: corev1.PodStatus{Phase: "Running", ContainerStatuses: statuses{ready(terminated("Completed", 0, 0)), ready(running(0, never))}},
			want:   status{"NotReady", 1, 2, 0, never},
		},
		{
			name: "completed beside running, Pod ready", containers: 2,
			status: corev1.PodStatus{
				Phase: "Running", ContainerStatuses: statuses{terminated("Completed", 0, 0), ready(running(0, never))},
				Conditions: []corev1.PodCondition{condition(corev1.PodReady, "True", "")},
			},
			want: status{"Running", 1, 2, 0, never},
		},
		{
			name: "killed by a signal", containers: 1,
			status: corev1.PodStatus{Phase: "Failed", ContainerStatuses: statuses{terminated("", 137, 9)}},
			want:   status{"Signal:9", 0, 1, 0, never},
		},
		{
			name: "exit code without a reason", containers: 1,
			status: corev1.PodStatus{Phase: "Failed", ContainerStatuses: statuses{terminated("", 3, 0)}},
			want:   status{"ExitCode:3", 0, 1, 0, never},
		},
		{
			name: "succeeded", containers: 1,
			status: corev1.PodStatus{Phase: "Succeeded", ContainerStatuses: statuses{terminated("Completed", 0, 0)}},
			want:   status{"Completed", 0, 1, 0, never},
		},
		{
			name: "evicted", containers: 1,
			status: corev1.PodStatus{Phase: "Failed", Reason: "Evicted"},
			want:   status{"Evicted", 0, 1, 0, never},
		},
		{
			name: "scheduling gated", containers: 2,
			status: corev1.PodStatus{Phase: "Pending", Conditions: []corev1.PodCondition{condition(corev1.PodScheduled, "False", "SchedulingGated")}},
			want:   status{"SchedulingGated", 0, 2, 0, never},
		},

		{
			name: "deleted while running", containers: 1, deleted: true,
			status: corev1.PodStatus{Phase: "Running", ContainerStatuses: statuses{running(0, never)}},
			want:   status{"Terminating", 0, 1, 0, never},
		},
		{
			name: "deleted after it succeeded", containers: 1, deleted: true,
			status: corev1.PodStatus{Phase: "Succeeded", ContainerStatuses: statuses{terminated("Completed", 0, 0)}},
			want:   status{"Completed", 0, 1, 0, never},
		},
		{
			name: "deleted on a lost Node", containers: 1, deleted: true,
			status: corev1.PodStatus{Phase: "Running", Reason: "NodeLost", ContainerStatuses: statuses{ready(running(0, never))}},
			want:   status{"Unknown", 1, 1, 0, never},
		},

		{
			name: "latest restart of several", containers: 2,
			status: corev1.PodStatus{Phase: "Running", ContainerStatuses: statuses{ready(running(6, before)), ready(running(3, longAgo))}},
			want:   status{"Running", 2, 2, 9, before},
		},
		{
			name: "first of two init containers runs", containers: 1, init: 2,
			status: corev1.PodStatus{Phase: "Pending", InitContainerStatuses: statuses{running(3, recently), waiting("")}, ContainerStatuses: statuses{waiting("")}},
			want:   status{"Init:0/2", 0, 1, 3, recently},
		},
		{
			name: "second of two init containers runs", containers: 1, init: 2,
			status: corev1.PodStatus{Phase: "Pending", InitContainerStatuses: statuses{restarted(terminated("", 0, 0), 2, before), running(3, recently)}, ContainerStatuses: statuses{waiting("PodInitializing")}},
			want:   status{"Init:1/2", 0, 1, 5, recently},
		},
		{
			name: "restarts of finished init containers are forgotten", containers: 1, init: 1,
			status: corev1.PodStatus{Phase: "Running", InitContainerStatuses: statuses{restarted(terminated("", 0, 0), 2, recently)}, ContainerStatuses: statuses{running(4, before)}},
			want:   status{"Running", 0, 1, 4, before},
		},
		{
			name: "init container waits", containers: 1, init: 1,
			status: corev1.PodStatus{Phase: "Pending", InitContainerStatuses: statuses{waiting("ErrImagePull")}},
			want:   status{"Init:ErrImagePull", 0, 1, 0, never},
		},
		{
			name: "Pod initializing is no reason", containers: 1, init: 1,
			status: corev1.PodStatus{Phase: "Pending", InitContainerStatuses: statuses{waiting("PodInitializing")}},
			want:   status{"Init:0/1", 0, 1, 0, never},
		},
		{
			name: "init container failed", containers: 1, init: 1,
			status: corev1.PodStatus{Phase: "Pending", InitContainerStatuses: statuses{terminated("Error", 1, 0)}},
			want:   status{"Init:Error", 0, 1, 0, never},
		},
		{
			name: "init container failed with an exit code", containers: 1, init: 1,
			status: corev1.PodStatus{Phase: "Pending", InitContainerStatuses: statuses{terminated("", 2, 0)}},
			want:   status{"Init:ExitCode:2", 0, 1, 0, never},
		},
		{
			name: "init container killed", containers: 1, init: 1,
			status: corev1.PodStatus{Phase: "Pending", InitContainerStatuses: statuses{terminated("", 137, 9)}},
			want:   status{"Init:Signal:9", 0, 1, 0, never},
		},

		{
			name: "first sidecar has not started", containers: 1, sidecars: 2,
			status: corev1.PodStatus{
				Phase: "Pending", InitContainerStatuses: statuses{sidecar(0, false, running(3, recently)), sidecar(1, false, waiting(""))},
				Conditions: []corev1.PodCondition{condition(corev1.PodInitialized, "False", "")},
			},
			want: status{"Init:0/2", 0, 3, 3, recently},
		},
		{
			name: "second sidecar has not started", containers: 1, sidecars: 2,
			status: corev1.PodStatus{Phase: "Pending", InitContainerStatuses: statuses{sidecar(0, true, running(3, recently)), sidecar(1, false, running(0, never))}},
			want:   status{"Init:1/2", 0, 3, 3, recently},
		},
		{
			name: "sidecars count, with their restarts", containers: 1, sidecars: 2,
			status: corev1.PodStatus{
				Phase: "Running", InitContainerStatuses: statuses{sidecar(0, true, ready(running(3, recently))), sidecar(1, true, running(0, never))},
				ContainerStatuses: statuses{ready(running(4, before))},
			},
			want: status{"Running", 2, 3, 7, recently},
		},
		{
			name: "sidecars killed after the Pod completed", containers: 1, sidecars: 2,
			status: corev1.PodStatus{
				Phase: "Succeeded", InitContainerStatuses: statuses{sidecar(0, false, restarted(terminated("Error", 137, 0), 3, recently)), sidecar(1, false, terminated("Error", 137, 0))},
				ContainerStatuses: statuses{restarted(terminated("Completed", 0, 0), 4, before)}, Conditions: []corev1.PodCondition{condition(corev1.PodInitialized, "True", "")},
			},
			want: status{"Completed", 0, 3, 7, recently},
		},
		{
			name: "status of containers that do not exist", containers: 1, init: 1, sidecars: 1,
			status: corev1.PodStatus{Phase: "Running", InitContainerStatuses: statuses{{Name: "invalid"}, {Name: "sidecar-0"}}, ContainerStatuses: statuses{{Name: "invalid"}}},
			want:   status{"Init:0/2", 0, 2, 0, never},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: make([]corev1.Container, test.containers), InitContainers: make([]corev1.Container, test.init)}, Status: test.status}
			always := corev1.ContainerRestartPolicyAlways
			for i := range test.sidecars {
				pod.Spec.InitContainers = append(pod.Spec.InitContainers, corev1.Container{Name: fmt.Sprintf("sidecar-%d", i), RestartPolicy: &always})
			}
			if test.deleted {
				pod.DeletionTimestamp = &metav1.Time{Time: recently}
			}
			if got := podStatus(pod); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}
