package kube

import (
	"reflect"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// waitingPod is one that the kubelet has taken and given an address, with one
// container app that is not ready.
func waitingPod(edits ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		Spec: corev1.PodSpec{NodeName: "raspi002", Containers: []corev1.Container{{Name: "app"}}},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, PodIP: "10.0.0.1",
			Conditions: []corev1.PodCondition{condition(corev1.PodReady, "False", "ContainersNotReady")},
		},
	}
	for _, edit := range edits {
		edit(p)
	}
	return p
}

// app gives the container app its status.
func app(s containerStatus) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		s.Name = "app"
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, s)
	}
}

// before puts an init container in front, with its status if it has one.
func before(name string, policy *corev1.ContainerRestartPolicy, s ...containerStatus) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.InitContainers = append(p.Spec.InitContainers, corev1.Container{Name: name, RestartPolicy: policy})
		for _, status := range s {
			status.Name = name
			p.Status.InitContainerStatuses = append(p.Status.InitContainerStatuses, status)
		}
	}
}

func with(conditions ...corev1.PodCondition) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Status.Conditions = append(p.Status.Conditions, conditions...) }
}

func withMessage(message string, s containerStatus) containerStatus {
	s.State.Waiting.Message = message
	return s
}

func gated(gates ...corev1.PodConditionType) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		for _, g := range gates {
			p.Spec.ReadinessGates = append(p.Spec.ReadinessGates, corev1.PodReadinessGate{ConditionType: g})
		}
	}
}

func TestAPodSaysWhyItIsNotReady(t *testing.T) {
	isRunning := running(0, time.Time{})
	unstarted := isRunning
	unstarted.Started = new(false)
	always := new(corev1.ContainerRestartPolicyAlways)
	probed := func(p *corev1.Pod) { p.Spec.Containers[0].ReadinessProbe = &corev1.Probe{} }
	starting := func(p *corev1.Pod) { p.Spec.Containers[0].StartupProbe = &corev1.Probe{} }
	nowhere := func(p *corev1.Pod) { p.Spec.NodeName, p.Status.PodIP = "", "" }
	homeless := func(p *corev1.Pod) { p.Status.PodIP = "" }
	deleted := func(p *corev1.Pod) { p.DeletionTimestamp = new(metav1.Now()) }
	ended := func(phase corev1.PodPhase, reason, message string) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Status.Phase, p.Status.Reason, p.Status.Message = phase, reason, message }
	}
	readyIs := func(status corev1.ConditionStatus, reason string) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Status.Conditions[0].Status, p.Status.Conditions[0].Reason = status, reason }
	}
	crashing := waiting("CrashLoopBackOff")
	crashing.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{Reason: "OOMKilled", ExitCode: 137}
	for name, test := range map[string]struct {
		pod  *corev1.Pod
		want []Reason
	}{
		"ready":               {waitingPod(app(isRunning), probed, readyIs("True", "")), nil},
		"ready while it goes": {waitingPod(app(isRunning), readyIs("True", ""), deleted), nil},
		"no Node chosen yet":  {waitingPod(nowhere), []Reason{{Unscheduled, "no Node is chosen for it yet", ""}}},
		"no Node takes it": {
			waitingPod(nowhere, with(corev1.PodCondition{Type: corev1.PodScheduled, Status: "False", Reason: "Unschedulable", Message: "0/3 nodes are available: 3 Insufficient memory."})),
			[]Reason{{Unscheduled, "no Node takes it: 0/3 nodes are available: 3 Insufficient memory", ""}},
		},
		"scheduling gates": {
			waitingPod(nowhere, func(p *corev1.Pod) { p.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "a"}, {Name: "b"}} }),
			[]Reason{{Unscheduled, "it is held back from every Node by its scheduling gates a, b", ""}},
		},
		"Node lost, by what only the control plane does": {
			waitingPod(app(ready(isRunning)), with(condition(corev1.ContainersReady, "True", ""))),
			[]Reason{{NodeLost, "its Node raspi002 has stopped reporting", ""}},
		},
		"Node lost, by the condition Unknown": {
			waitingPod(app(ready(isRunning)), readyIs("Unknown", "")),
			[]Reason{{NodeLost, "its Node raspi002 has stopped reporting", ""}},
		},
		"Node lost, by the reason of the condition": {
			waitingPod(app(ready(isRunning)), readyIs("False", "NodeStatusUnknown")),
			[]Reason{{NodeLost, "its Node raspi002 has stopped reporting", ""}},
		},
		"Node lost, by the reason of the Pod, while it is being deleted": {
			waitingPod(app(ready(isRunning)), deleted, ended(corev1.PodRunning, "NodeLost", "")),
			[]Reason{{Terminating, "it is being deleted", ""}, {NodeLost, "its Node raspi002 has stopped reporting", ""}},
		},
		"no address: that its containers wait is no news": {
			waitingPod(homeless, app(waiting("ContainerCreating")), before("setup", nil, waiting("PodInitializing"))),
			[]Reason{{NoAddress, "it has no IP address yet", ""}},
		},
		"no address, and nothing known of its containers": {
			waitingPod(homeless),
			[]Reason{{NoAddress, "it has no IP address yet", ""}},
		},
		"an init container runs": {
			waitingPod(before("first", nil, terminated("Completed", 0, 0)), before("setup", nil, isRunning), app(waiting("PodInitializing"))),
			[]Reason{{InitWaiting, "init container setup has not ended", "setup"}},
		},
		"an init container crashes": {
			waitingPod(before("setup", nil, crashing), app(waiting("PodInitializing"))),
			[]Reason{{InitWaiting, "init container setup has not ended: CrashLoopBackOff, the last end: OOMKilled, exit 137", "setup"}},
		},
		"an init container has failed": {
			waitingPod(before("setup", nil, terminated("Error", 1, 0)), app(waiting("PodInitializing"))),
			[]Reason{{InitWaiting, "init container setup has not ended: Error, exit 1", "setup"}},
		},
		"an init container is still to come": {
			waitingPod(before("setup", nil), app(waiting("PodInitializing"))),
			[]Reason{{InitWaiting, "init container setup has not begun", "setup"}},
		},
		"a sidecar holds up the rest": {
			waitingPod(before("mesh", always, waiting("ImagePullBackOff")), before("setup", nil, waiting("PodInitializing"))),
			[]Reason{{InitWaiting, "sidecar mesh has not started: ImagePullBackOff", "mesh"}},
		},
		"a sidecar ends later on": {
			waitingPod(before("mesh", always, crashing), app(ready(isRunning)), with(condition(corev1.PodInitialized, "True", ""))),
			[]Reason{{Crashing, "sidecar mesh ends again and again: CrashLoopBackOff, the last end: OOMKilled, exit 137", "mesh"}},
		},
		"an image cannot be had": {
			waitingPod(app(withMessage("Back-off pulling image", waiting("ImagePullBackOff")))),
			[]Reason{{ContainerWaiting, "container app waits: ImagePullBackOff", "app"}},
		},
		"its configuration is missing": {
			waitingPod(app(withMessage("secret \"key\" not\nfound", waiting("CreateContainerConfigError")))),
			[]Reason{{ContainerWaiting, "container app waits: CreateContainerConfigError: secret \"key\" not found", "app"}},
		},
		"a container is being made": {
			waitingPod(app(waiting("ContainerCreating"))),
			[]Reason{{ContainerWaiting, "container app waits: ContainerCreating", "app"}},
		},
		"nothing known of a container": {
			waitingPod(),
			[]Reason{{ContainerWaiting, "container app has not begun", "app"}},
		},
		"a container crashes": {
			waitingPod(app(crashing)),
			[]Reason{{Crashing, "container app ends again and again: CrashLoopBackOff, the last end: OOMKilled, exit 137", "app"}},
		},
		"a container has ended": {
			waitingPod(app(terminated("Completed", 0, 0))),
			[]Reason{{ContainerEnded, "container app has ended: Completed, exit 0", "app"}},
		},
		"a readiness probe fails": {
			waitingPod(app(isRunning), probed),
			[]Reason{{ProbeFailing, "container app does not pass its readiness probe", "app"}},
		},
		"a startup probe has not passed, so readiness is not asked for": {
			waitingPod(app(unstarted), probed, starting),
			[]Reason{{StartupProbe, "container app has not passed its startup probe", "app"}},
		},
		"a container that has just started": {waitingPod(app(isRunning)), nil},
		"readiness gates": {
			waitingPod(app(ready(isRunning)), gated("a.example/ok", "b.example/ok", "c.example/ok"),
				with(condition(corev1.ContainersReady, "True", ""), condition("a.example/ok", "False", ""), condition("b.example/ok", "True", ""))),
			[]Reason{{GateMissing, "its readiness gate a.example/ok is not True", ""}, {GateMissing, "its readiness gate c.example/ok is not True: nothing has set it", ""}},
		},
		"being deleted": {
			waitingPod(app(terminated("Completed", 0, 0)), deleted),
			[]Reason{{Terminating, "it is being deleted", ""}, {ContainerEnded, "container app has ended: Completed, exit 0", "app"}},
		},
		"succeeded": {
			waitingPod(app(terminated("Completed", 0, 0)), ended(corev1.PodSucceeded, "", "")),
			[]Reason{{Finished, "it has ended for good", ""}},
		},
		"evicted": {
			waitingPod(ended(corev1.PodFailed, "Evicted", "The node was low on resource: memory. ")),
			[]Reason{{Finished, "it has failed for good: Evicted: The node was low on resource: memory", ""}},
		},
		"several at once": {
			waitingPod(app(isRunning), probed, gated("a.example/ok")),
			[]Reason{
				{ProbeFailing, "container app does not pass its readiness probe", "app"},
				{GateMissing, "its readiness gate a.example/ok is not True: nothing has set it", ""},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := newPod(interner{}, test.pod).Reasons; !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}
