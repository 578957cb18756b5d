package plane

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// namespaces is how many the objects are spread over.
const namespaces = 50

func namespaceName(i int) string { return fmt.Sprintf("team-%02d", i%namespaces) }
func nodeName(i int) string      { return fmt.Sprintf("node-%04d", i) }
func serviceName(i int) string   { return fmt.Sprintf("shop-%04d", i) }
func zone(node int) string       { return fmt.Sprintf("zone-%d", node%3) }

// hostAddress is that of a node; they are in a range for documentation and benchmarks (RFC 2544).
func hostAddress(node int) string { return fmt.Sprintf("198.18.%d.%d", node/250, node%250+1) }

// podAddress is that of a Pod, of which there are at most 62,500 in the range.
func podAddress(pod int) string { return fmt.Sprintf("10.200.%d.%d", pod/250, pod%250+1) }

func namespace(i int) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespaceName(i)}}
}

func node(i int) *corev1.Node {
	name, now := nodeName(i), metav1.Now()
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse("8"),
		corev1.ResourceMemory:           resource.MustParse("32Gi"),
		corev1.ResourcePods:             resource.MustParse("110"),
		corev1.ResourceEphemeralStorage: resource.MustParse("200Gi"),
	}
	condition := func(kind corev1.NodeConditionType, status corev1.ConditionStatus, reason, message string) corev1.NodeCondition {
		return corev1.NodeCondition{
			Type: kind, Status: status, Reason: reason, Message: message, LastHeartbeatTime: now, LastTransitionTime: now,
		}
	}
	n := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name,
			Labels: map[string]string{
				"kubernetes.io/hostname":           name,
				"kubernetes.io/arch":               "arm64",
				"kubernetes.io/os":                 "linux",
				"node.kubernetes.io/instance-type": "pi.large",
				"topology.kubernetes.io/region":    "home",
				"topology.kubernetes.io/zone":      zone(i),
			},
			Annotations: map[string]string{
				"node.alpha.kubernetes.io/ttl":                           "15",
				"volumes.kubernetes.io/controller-managed-attach-detach": "true",
			},
		},
		Spec: corev1.NodeSpec{PodCIDR: fmt.Sprintf("10.%d.%d.0/24", 100+i/250, i%250), ProviderID: "home://" + name},
		Status: corev1.NodeStatus{
			Capacity:    capacity,
			Allocatable: capacity,
			Conditions: []corev1.NodeCondition{
				condition(corev1.NodeMemoryPressure, corev1.ConditionFalse, "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
				condition(corev1.NodeDiskPressure, corev1.ConditionFalse, "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
				condition(corev1.NodePIDPressure, corev1.ConditionFalse, "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
				condition(corev1.NodeReady, corev1.ConditionTrue, "KubeletReady", "kubelet is posting ready status"),
			},
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: hostAddress(i)}, {Type: corev1.NodeHostName, Address: name},
			},
			NodeInfo: corev1.NodeSystemInfo{
				Architecture: "arm64", OperatingSystem: "linux", OSImage: "Debian GNU/Linux 12 (bookworm)",
				KernelVersion: "6.12.0", KubeletVersion: "v1.34.4", ContainerRuntimeVersion: "containerd://2.1.0",
			},
		},
	}
	for image := range 20 { // what is on a node makes up half of the object
		n.Status.Images = append(n.Status.Images, corev1.ContainerImage{
			Names: []string{
				fmt.Sprintf("registry.example.test/team/component-%02d@sha256:%064x", image, image),
				fmt.Sprintf("registry.example.test/team/component-%02d:v1.%d.0", image, image),
			},
			SizeBytes: int64(image+1) << 24,
		})
	}
	return n
}

func service(i int) *corev1.Service {
	labels := map[string]string{"app.kubernetes.io/name": serviceName(i), "app.kubernetes.io/part-of": "shop"}
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespaceName(i), Name: serviceName(i), Labels: labels},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app.kubernetes.io/name": serviceName(i)},
			Ports: []corev1.ServicePort{
				{Name: "http", Port: 80, TargetPort: intstr.FromString("http")},
				{Name: "metrics", Port: 9090, TargetPort: intstr.FromInt32(9090)},
			},
		},
	}
}

// pod is a Pod of a Service: about 9 kB with its status and managedFields. Every fourth has a second container.
func pod(svc *corev1.Service, number, node int) *corev1.Pod {
	labels := map[string]string{
		"app.kubernetes.io/name":     svc.Name,
		"app.kubernetes.io/instance": svc.Name + "-production",
		"app.kubernetes.io/part-of":  "shop",
		"app.kubernetes.io/version":  "v1.27.3",
		"pod-template-hash":          "5d4f8c7b9d",
	}
	mode, seconds := int32(0o644), int64(3607)
	spec := corev1.PodSpec{
		NodeName:           nodeName(node),
		ServiceAccountName: "default",
		Containers:         []corev1.Container{container("app", 8080)},
		Volumes: []corev1.Volume{
			{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
				LocalObjectReference: corev1.LocalObjectReference{Name: svc.Name + "-config"}, DefaultMode: &mode,
			}}},
			{Name: "data", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
			{Name: "token", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
				DefaultMode: &mode,
				Sources: []corev1.VolumeProjection{
					{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token", ExpirationSeconds: &seconds}},
					{ConfigMap: &corev1.ConfigMapProjection{
						LocalObjectReference: corev1.LocalObjectReference{Name: "kube-root-ca.crt"},
						Items:                []corev1.KeyToPath{{Key: "ca.crt", Path: "ca.crt"}},
					}},
				},
			}}},
		},
	}
	if number%4 == 0 {
		spec.Containers = append(spec.Containers, container("proxy", 15090))
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: svc.Namespace,
			Name:      fmt.Sprintf("%s-5d4f8c7b9d-%05d", svc.Name, number),
			Labels:    labels,
			Annotations: map[string]string{
				"example.test/config-checksum": fmt.Sprintf("%064x", number),
				"prometheus.io/port":           "9090",
				"prometheus.io/scrape":         "true",
			},
		},
		Spec: spec,
	}
}

func container(name string, port int32) corev1.Container {
	probe := &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromInt32(port)}},
	}
	c := corev1.Container{
		Name:  name,
		Image: "registry.example.test/shop/" + name + ":v1.27.3",
		Args:  []string{"--config=/etc/shop/config.yaml", "--log-format=json", "--listen=:" + fmt.Sprint(port)},
		Ports: []corev1.ContainerPort{{Name: portName(name), ContainerPort: port}, {Name: name + "-metrics", ContainerPort: port + 1010}},
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("50m"), corev1.ResourceMemory: resource.MustParse("64Mi")},
			Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("256Mi")},
		},
		VolumeMounts: []corev1.VolumeMount{
			{Name: "config", MountPath: "/etc/shop", ReadOnly: true},
			{Name: "data", MountPath: "/var/lib/shop"},
			{Name: "token", MountPath: "/var/run/secrets/kubernetes.io/serviceaccount", ReadOnly: true},
		},
		LivenessProbe:  probe,
		ReadinessProbe: probe,
	}
	for i := range 8 {
		c.Env = append(c.Env, corev1.EnvVar{
			Name: fmt.Sprintf("SHOP_SETTING_%02d", i), Value: fmt.Sprintf("http://component-%02d.example.test:8080/api", i),
		})
	}
	return c
}

// portName makes the port of the container app the one that Services name.
func portName(container string) string {
	if container == "app" {
		return "http"
	}
	return container
}

// run gives a Pod the status that a kubelet would.
func run(pod *corev1.Pod, number, node int) {
	began := metav1.NewTime(time.Now().Add(-time.Duration(number%72) * time.Hour).Truncate(time.Second))
	address := podAddress(number)
	pod.Status = corev1.PodStatus{
		Phase:     corev1.PodRunning,
		HostIP:    hostAddress(node),
		HostIPs:   []corev1.HostIP{{IP: hostAddress(node)}},
		PodIP:     address,
		PodIPs:    []corev1.PodIP{{IP: address}},
		StartTime: &began,
		QOSClass:  corev1.PodQOSBurstable,
	}
	for _, kind := range []corev1.PodConditionType{
		corev1.PodReadyToStartContainers, corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady, corev1.PodScheduled,
	} {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
			Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: began,
		})
	}
	started := true
	for i, c := range pod.Spec.Containers {
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{
			Name:        c.Name,
			Image:       c.Image,
			ImageID:     fmt.Sprintf("%s@sha256:%064x", c.Image, i),
			ContainerID: fmt.Sprintf("containerd://%064x", 2*number+i),
			Ready:       true,
			Started:     &started,
			State:       corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: began}},
		})
	}
}

func endpointSlice(svc *corev1.Service) *discoveryv1.EndpointSlice {
	protocol, names, ports := corev1.ProtocolTCP, []string{"http", "metrics"}, []int32{8080, 9090}
	controller := true
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: svc.Namespace,
			Name:      svc.Name + "-abcde",
			Labels: map[string]string{
				discoveryv1.LabelServiceName: svc.Name,
				discoveryv1.LabelManagedBy:   "endpointslice-controller.k8s.io",
			},
			OwnerReferences: []metav1.OwnerReference{
				{APIVersion: "v1", Kind: "Service", Name: svc.Name, UID: svc.UID, Controller: &controller},
			},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports: []discoveryv1.EndpointPort{
			{Name: &names[0], Port: &ports[0], Protocol: &protocol}, {Name: &names[1], Port: &ports[1], Protocol: &protocol},
		},
	}
}

func endpoint(pod *corev1.Pod) discoveryv1.Endpoint {
	yes, no, node := true, false, pod.Spec.NodeName
	return discoveryv1.Endpoint{
		Addresses:  []string{pod.Status.PodIP},
		Conditions: discoveryv1.EndpointConditions{Ready: &yes, Serving: &yes, Terminating: &no},
		NodeName:   &node,
		TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
	}
}
