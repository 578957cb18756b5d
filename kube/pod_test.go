package kube

import (
	"reflect"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestNewPodKeepsWhatIsShown(t *testing.T) {
	created := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	always, controller := corev1.ContainerRestartPolicyAlways, true
	container := func(name string, ports ...corev1.ContainerPort) corev1.Container {
		return corev1.Container{Name: name, Image: name + ":1", Ports: ports}
	}
	named := func(name string, c containerStatus) containerStatus {
		c.Name = name
		return c
	}
	proxy := container("proxy", corev1.ContainerPort{Name: "proxy", Protocol: "TCP", ContainerPort: 15001})
	proxy.RestartPolicy = &always
	web := container("nginx", corev1.ContainerPort{Name: "http", Protocol: "TCP", ContainerPort: 80, HostPort: 8080, HostIP: "192.168.0.1"})
	web.ReadinessProbe = &corev1.Probe{}
	got := newPod(interner{}, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: "web-1", UID: "u1", CreationTimestamp: created,
			Labels:          map[string]string{"app": "web", "a": "\x1b[31mred"},
			OwnerReferences: []metav1.OwnerReference{{Kind: "Other", Name: "x"}, {Kind: "ReplicaSet", Name: "web", Controller: &controller}},
		},
		Spec: corev1.PodSpec{
			NodeName: "raspi001", ServiceAccountName: "default", DNSPolicy: "ClusterFirst", EnableServiceLinks: new(false), Hostname: "web-one\n", Subdomain: "webs",
			InitContainers:      []corev1.Container{container("setup", corev1.ContainerPort{ContainerPort: 1}), proxy},
			Containers:          []corev1.Container{web, container("redis")},
			EphemeralContainers: []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug", Image: "busybox"}}},
		},
		Status: corev1.PodStatus{
			Phase: "Running", Message: "fine\n",
			PodIP: "10.244.1.7", PodIPs: []corev1.PodIP{{IP: "10.244.1.7"}, {IP: "fd00::7"}},
			Conditions:                 []corev1.PodCondition{condition(corev1.PodReady, "True", "")},
			InitContainerStatuses:      []containerStatus{named("setup", terminated("Completed", 0, 0)), sidecarNamed("proxy")},
			ContainerStatuses:          []containerStatus{named("redis", terminated("", 1, 0)), named("nginx", startedAt(created, ready(running(2, created.Time))))},
			EphemeralContainerStatuses: []containerStatus{named("debug", waiting("ErrImagePull"))},
		},
	})
	http := ContainerPort{Name: "http", Protocol: "TCP", Port: 80, HostPort: 8080, HostIP: "192.168.0.1"}
	want := &Pod{
		Namespace: "shop", Name: "web-1", UID: "u1", Node: "raspi001", IPs: []string{"10.244.1.7", "fd00::7"},
		Status: "ExitCode:1", Message: "fine ", Ready: 2, Total: 3, IsReady: true, Restarts: 2, LastRestart: created.Time,
		Containers: []Container{
			{Name: "setup", Image: "setup:1", Kind: InitContainer, Ports: []ContainerPort{{Port: 1}}, State: "terminated Completed, exit 0"},
			{Name: "proxy", Image: "proxy:1", Kind: SidecarContainer, Ports: []ContainerPort{{Name: "proxy", Protocol: "TCP", Port: 15001}}, Ready: true, State: "running"},
			{LastEnd: "exit 0", Name: "nginx", Image: "nginx:1", Kind: AppContainer, Ports: []ContainerPort{http}, Ready: true, State: "running", Restarts: 2, Readiness: true},
			{Name: "redis", Image: "redis:1", Kind: AppContainer, State: "terminated exit 1"},
			{Name: "debug", Image: "busybox", Kind: EphemeralContainer, State: "waiting ErrImagePull"},
		},
		Labels: Labels{{"a", "[31mred"}, {"app", "web"}},
		Owner:  "ReplicaSet/web", ServiceAccount: "default", Created: created.Time, Started: created.Time, DNSPolicy: "ClusterFirst", Hostname: "web-one ", Subdomain: "webs",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got, want := got.Ports(), []ContainerPort{{Name: "proxy", Protocol: "TCP", Port: 15001}, http}; !reflect.DeepEqual(got, want) {
		t.Errorf("got ports %v, want %v: an init container is over before anyone can connect", got, want)
	}
}

func startedAt(at metav1.Time, c containerStatus) containerStatus {
	c.State.Running.StartedAt = at
	return c
}

func TestAPodIsAsOldAsItsNewestRunningContainer(t *testing.T) {
	at := func(minute int) metav1.Time { return metav1.NewTime(time.Date(2026, 1, 2, 3, minute, 0, 0, time.UTC)) }
	statuses := func(list ...containerStatus) *corev1.Pod {
		return &corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: list}}
	}
	for name, test := range map[string]struct {
		pod  *corev1.Pod
		want time.Time
	}{
		"newest of two":        {statuses(startedAt(at(1), running(0, time.Time{})), startedAt(at(2), running(0, time.Time{}))), at(2).Time},
		"one does not run":     {statuses(startedAt(at(1), running(0, time.Time{})), terminated("Error", 1, 0)), at(1).Time},
		"none has started yet": {statuses(waiting("ContainerCreating")), time.Time{}},
	} {
		if got := newPod(interner{}, test.pod).Started; !got.Equal(test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

func sidecarNamed(name string) containerStatus {
	c := sidecar(0, true, ready(running(0, time.Time{})))
	c.Name = name
	return c
}

func TestNewPodOfOddPods(t *testing.T) {
	now := metav1.Now()
	for name, test := range map[string]struct {
		pod  corev1.Pod
		want Pod
	}{
		"unscheduled, no IP yet": {
			corev1.Pod{Status: corev1.PodStatus{Phase: "Pending"}},
			Pod{Status: "Pending", Reasons: []Reason{{Unscheduled, "no Node is chosen for it yet", ""}}},
		},
		"host network": {
			corev1.Pod{Spec: corev1.PodSpec{HostNetwork: true, NodeName: "n"}, Status: corev1.PodStatus{Phase: "Running", PodIP: "192.168.0.1"}},
			Pod{Status: "Running", HostNetwork: true, Node: "n", IPs: []string{"192.168.0.1"}},
		},
		"evicted": {
			corev1.Pod{Status: corev1.PodStatus{Phase: "Failed", Reason: "Evicted", Message: "The node was low on resource: memory."}},
			Pod{Status: "Evicted", Message: "The node was low on resource: memory.", Finished: true, Reasons: []Reason{{Finished, "it has failed for good: Evicted: The node was low on resource: memory", ""}}},
		},
		"completed": {
			corev1.Pod{Status: corev1.PodStatus{Phase: "Succeeded"}},
			Pod{Status: "Succeeded", Finished: true, Reasons: []Reason{{Finished, "it has ended for good", ""}}},
		},
		"terminating": {
			corev1.Pod{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: &now}, Spec: corev1.PodSpec{NodeName: "n"}, Status: corev1.PodStatus{Phase: "Running", PodIP: "10.0.0.1"}},
			Pod{Status: "Terminating", Deleted: now.Time, Node: "n", IPs: []string{"10.0.0.1"}, Reasons: []Reason{{Terminating, "it is being deleted", ""}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.want.Containers, test.want.EnableServiceLinks = []Container{}, true
			if got := newPod(interner{}, &test.pod); !reflect.DeepEqual(*got, test.want) {
				t.Errorf("got  %+v\nwant %+v", *got, test.want)
			}
		})
	}
}
