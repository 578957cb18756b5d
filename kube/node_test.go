package kube

import (
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestNewNodeKeepsWhatIsShown(t *testing.T) {
	got := newNode(interner{}, &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "raspi001", UID: "u", Labels: map[string]string{
			"node-role.kubernetes.io/control-plane": "", "node-role.kubernetes.io/": "", "kubernetes.io/role": "control-plane",
			"node-role.kubernetes.io/a": "true", "topology.kubernetes.io/zone": "desk",
		}},
		Spec: corev1.NodeSpec{PodCIDRs: []string{"10.244.0.0/24", "fd00::/64"}, Taints: []corev1.Taint{{Key: "k", Value: "v", Effect: "NoSchedule"}}},
		Status: corev1.NodeStatus{
			Addresses: []corev1.NodeAddress{
				{Type: "Hostname", Address: "raspi001"},
				{Type: "InternalIP", Address: "192.168.0.1"},
				{Type: "InternalIP", Address: "fd01::1"},
				{Type: "ExternalIP", Address: "203.0.113.1"},
			},
			Conditions:  []corev1.NodeCondition{{Type: "DiskPressure", Status: "False"}, {Type: "Ready", Status: "True"}},
			Allocatable: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("110")},
			NodeInfo:    corev1.NodeSystemInfo{KubeletVersion: "v1.34.4", Architecture: "arm64", OSImage: "Debian", KernelVersion: "6.12", ContainerRuntimeVersion: "containerd://2"},
		},
	})
	want := &Node{
		Name: "raspi001", UID: "u", Roles: []string{"a", "control-plane"}, Ready: true, Status: "Ready",
		InternalIPs: []string{"192.168.0.1", "fd01::1"}, ExternalIPs: []string{"203.0.113.1"}, PodCIDRs: []string{"10.244.0.0/24", "fd00::/64"},
		Version: "v1.34.4", Arch: "arm64", OS: "Debian", Kernel: "6.12", Runtime: "containerd://2", Zone: "desk",
		Taints: []string{"k=v:NoSchedule"}, Labels: got.Labels, PodsCapacity: 110,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got.InternalIP() != "192.168.0.1" || (&Node{}).InternalIP() != "" {
		t.Errorf("got internal IPs %q and %q", got.InternalIP(), (&Node{}).InternalIP())
	}
}

func TestNodeStatusIsWordedAsInKubectl(t *testing.T) {
	readyIs := func(status corev1.ConditionStatus, reason, message string) []corev1.NodeCondition {
		return []corev1.NodeCondition{{Type: corev1.NodeReady, Status: status, Reason: reason, Message: message}}
	}
	for _, test := range []struct {
		name       string
		conditions []corev1.NodeCondition
		cordoned   bool
		want       string
		flag       string // what its sentence says; empty for no flag
	}{
		{name: "ready", conditions: readyIs("True", "", ""), want: "Ready"},
		{name: "cordoned", conditions: readyIs("True", "", ""), cordoned: true, want: "Ready,SchedulingDisabled"},
		{name: "not ready", conditions: readyIs("False", "KubeletNotReady", "cni plugin not initialized"), want: "NotReady", flag: "cni plugin not initialized"},
		{name: "lost", conditions: readyIs("Unknown", "NodeStatusUnknown", ""), cordoned: true, want: "NotReady,SchedulingDisabled", flag: "NodeStatusUnknown"},
		{name: "no words at all", conditions: readyIs("False", "", ""), want: "NotReady", flag: "its Ready condition is False"},
		{name: "never reported", want: "Unknown", flag: "never reported"},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := newNode(interner{}, &corev1.Node{Spec: corev1.NodeSpec{Unschedulable: test.cordoned}, Status: corev1.NodeStatus{Conditions: test.conditions}})
			if n.Status != test.want || n.Ready != (test.flag == "") {
				t.Errorf("got %q, ready %t; want %q", n.Status, n.Ready, test.want)
			}
			if test.flag == "" && len(n.Flags) > 0 || test.flag != "" && (len(n.Flags) != 1 || n.Flags[0].Code != NodeNotReadyFlag || !strings.Contains(n.Flags[0].Message, test.flag)) {
				t.Errorf("got flags %v, want one that says %q", n.Flags, test.flag)
			}
		})
	}
}
