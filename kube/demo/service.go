package demo

import (
	"cmp"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"podpath/kube/demo/api"
	"podpath/kube/demo/network"
)

// services gives Services what the API server of a real cluster would:
// defaults, a virtual address and node ports.
func (c *Cluster) services() {
	all := api.ListOf[*corev1.Service](c.store, "services")
	taken := map[string]bool{}
	for _, s := range all {
		taken[s.Spec.ClusterIP] = true
		for _, p := range s.Spec.Ports {
			taken[strconv.Itoa(int(p.NodePort))] = true
		}
	}
	free := func(name func(i int) string) string {
		i := 1
		for taken[name(i)] {
			i++
		}
		taken[name(i)] = true
		return name(i)
	}
	for _, s := range all {
		s = s.DeepCopy()
		s.Spec.Type = cmp.Or(s.Spec.Type, corev1.ServiceTypeClusterIP)
		s.Spec.SessionAffinity = cmp.Or(s.Spec.SessionAffinity, corev1.ServiceAffinityNone)
		if s.Spec.ClusterIP == "" && s.Spec.Type != corev1.ServiceTypeExternalName {
			s.Spec.ClusterIP = free(func(i int) string { return fmt.Sprintf("10.96.%d.%d", 100+i/256, i%256) })
		}
		if s.Spec.ClusterIP != "" {
			s.Spec.ClusterIPs = []string{s.Spec.ClusterIP}
		}
		for i := range s.Spec.Ports {
			p := &s.Spec.Ports[i]
			p.Protocol = cmp.Or(p.Protocol, corev1.ProtocolTCP)
			if p.TargetPort == (intstr.IntOrString{}) {
				p.TargetPort = intstr.FromInt32(p.Port)
			}
			if p.NodePort == 0 && (s.Spec.Type == corev1.ServiceTypeNodePort || s.Spec.Type == corev1.ServiceTypeLoadBalancer) {
				number, _ := strconv.Atoi(free(func(i int) string { return strconv.Itoa(30100 + i) }))
				p.NodePort = int32(number)
			}
		}
		c.put(s)
	}
}

const sliceManager = "endpointslice-controller.k8s.io"

// endpoints writes the EndpointSlices of all Services that have a selector.
func (c *Cluster) endpoints() {
	pods, wanted := api.ListOf[*corev1.Pod](c.store, "pods"), map[string]bool{}
	for _, s := range api.ListOf[*corev1.Service](c.store, "services") {
		if len(s.Spec.Selector) == 0 || s.Spec.Type == corev1.ServiceTypeExternalName {
			continue
		}
		for _, slice := range c.slices(s, pods) {
			wanted[slice.Namespace+"/"+slice.Name] = true
			if old, there := c.store.Get("endpointslices", slice.Namespace, slice.Name); there {
				slice.CreationTimestamp = old.GetCreationTimestamp()
			}
			c.put(slice)
		}
	}
	for _, slice := range api.ListOf[*discoveryv1.EndpointSlice](c.store, "endpointslices") {
		if slice.Labels[discoveryv1.LabelManagedBy] == sliceManager && !wanted[slice.Namespace+"/"+slice.Name] {
			c.store.Delete("endpointslices", slice.Namespace, slice.Name)
		}
	}
}

// slices are the EndpointSlices of a Service: one for all Pods in which its
// ports have the same numbers, and an empty one without any Pod. A named port
// that a Pod lacks is left out.
func (c *Cluster) slices(s *corev1.Service, pods []*corev1.Pod) map[string]*discoveryv1.EndpointSlice {
	byPorts := map[string]*discoveryv1.EndpointSlice{}
	add := func(ports []discoveryv1.EndpointPort) *discoveryv1.EndpointSlice {
		slice := &discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: s.Namespace, Name: s.Name + "-" + hash(s.Namespace + "/" + s.Name)[:5], CreationTimestamp: c.now(),
				OwnerReferences: ownedBy(s),
				Labels:          map[string]string{discoveryv1.LabelServiceName: s.Name, discoveryv1.LabelManagedBy: sliceManager},
			},
			AddressType: discoveryv1.AddressTypeIPv4, Ports: ports,
		}
		if n := len(byPorts); n > 0 {
			slice.Name = fmt.Sprintf("%s-%d", slice.Name, n)
		}
		byPorts[hash(ports)] = slice
		return slice
	}
	for _, p := range pods {
		over := p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
		if p.Namespace != s.Namespace || p.Status.PodIP == "" || over || !labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(p.Labels)) {
			continue
		}
		var ports []discoveryv1.EndpointPort
		for _, port := range s.Spec.Ports {
			if number := targetPort(port, p); number != 0 {
				ports = append(ports, discoveryv1.EndpointPort{Name: new(port.Name), Port: new(number), Protocol: new(port.Protocol)})
			}
		}
		slice := byPorts[hash(ports)]
		if slice == nil {
			slice = add(ports)
		}
		slice.Endpoints = append(slice.Endpoints, c.endpoint(s, p))
	}
	if len(byPorts) == 0 {
		add(nil)
	}
	return byPorts
}

func (c *Cluster) endpoint(s *corev1.Service, p *corev1.Pod) discoveryv1.Endpoint {
	serving := podReady(p) || s.Spec.PublishNotReadyAddresses
	terminating := p.DeletionTimestamp != nil
	e := discoveryv1.Endpoint{
		Addresses: []string{p.Status.PodIP}, NodeName: new(p.Spec.NodeName),
		Conditions: discoveryv1.EndpointConditions{
			Ready: new(serving && (!terminating || s.Spec.PublishNotReadyAddresses)), Serving: new(serving), Terminating: new(terminating),
		},
		TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: p.Namespace, Name: p.Name, UID: p.UID},
	}
	if n, ok := c.store.Get("nodes", "", p.Spec.NodeName); ok {
		if zone, ok := n.GetLabels()[corev1.LabelTopologyZone]; ok {
			e.Zone = new(zone)
		}
	}
	if p.Spec.Hostname != "" && p.Spec.Subdomain == s.Name {
		e.Hostname = new(p.Spec.Hostname)
	}
	if *e.Conditions.Ready {
		e.Hints = hints(value(s.Spec.TrafficDistribution), e)
	}
	return e
}

// hints say for whom an endpoint is meant. They follow from where it is alone
// (k8s.io/endpointslice/trafficdist).
func hints(distribution string, e discoveryv1.Endpoint) *discoveryv1.EndpointHints {
	var h discoveryv1.EndpointHints
	switch distribution {
	case corev1.ServiceTrafficDistributionPreferSameNode:
		h.ForNodes = []discoveryv1.ForNode{{Name: *e.NodeName}}
	case corev1.ServiceTrafficDistributionPreferClose, corev1.ServiceTrafficDistributionPreferSameZone:
	default:
		return nil
	}
	if e.Zone != nil {
		h.ForZones = []discoveryv1.ForZone{{Name: *e.Zone}}
	}
	if h.ForNodes == nil && h.ForZones == nil {
		return nil
	}
	return &h
}

// value is what a pointer leads to, or nothing.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// targetPort is the port of a Pod that a Service means, or 0.
func targetPort(port corev1.ServicePort, p *corev1.Pod) int32 {
	if port.TargetPort.Type == intstr.Int {
		return cmp.Or(port.TargetPort.IntVal, port.Port)
	}
	return network.PortNamed(p, port.TargetPort.StrVal, port.Protocol)
}
