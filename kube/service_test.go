package kube

import (
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestNewServiceOfEveryKind(t *testing.T) {
	local := corev1.ServiceInternalTrafficPolicyLocal
	web := map[string]string{"app": "web"}
	selector := Labels{{"app", "web"}}
	balancer := func(ingress ...corev1.LoadBalancerIngress) corev1.Service {
		return corev1.Service{Spec: corev1.ServiceSpec{Type: "LoadBalancer", ClusterIP: "10.96.0.3"}, Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: ingress}}}
	}
	for name, test := range map[string]struct {
		service  corev1.Service
		want     Service
		external []string
	}{
		"ClusterIP, dual stack": {
			service: corev1.Service{Spec: corev1.ServiceSpec{Type: "ClusterIP", ClusterIP: "10.96.0.1", ClusterIPs: []string{"10.96.0.1", "fd00:96::1"}, Selector: web, SessionAffinity: "ClientIP", PublishNotReadyAddresses: true}},
			want:    Service{Kind: ClusterIP, ClusterIPs: []string{"10.96.0.1", "fd00:96::1"}, Selector: selector, ClientIPAffinity: true, PublishNotReady: true},
		},
		"everything about who gets in and where it goes": {
			service: corev1.Service{Spec: corev1.ServiceSpec{
				Type: "LoadBalancer", ClusterIP: "10.96.0.1", LoadBalancerSourceRanges: []string{"192.168.0.0/24"},
				TrafficDistribution: new("PreferClose"), IPFamilies: []corev1.IPFamily{"IPv6", "IPv4"},
			}},
			want: Service{
				Kind: LoadBalancer, ClusterIPs: []string{"10.96.0.1"}, SourceRanges: []string{"192.168.0.0/24"},
				TrafficDistribution: "PreferClose", IPFamilies: []string{"IPv6", "IPv4"},
			},
		},
		"ClusterIP by default, from a server that knows one address": {
			service: corev1.Service{Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.1"}},
			want:    Service{Kind: ClusterIP, ClusterIPs: []string{"10.96.0.1"}},
		},
		"headless": {
			service: corev1.Service{Spec: corev1.ServiceSpec{Type: "ClusterIP", ClusterIP: "None", ClusterIPs: []string{"None"}, Selector: web}},
			want:    Service{Kind: Headless, Selector: selector},
		},
		"NodePort with external IPs": {
			service:  corev1.Service{Spec: corev1.ServiceSpec{Type: "NodePort", ClusterIP: "10.96.0.2", ExternalIPs: []string{"203.0.113.9"}, ExternalTrafficPolicy: "Local", InternalTrafficPolicy: &local}},
			want:     Service{Kind: NodePort, ClusterIPs: []string{"10.96.0.2"}, ExternalIPs: []string{"203.0.113.9"}, LocalExternal: true, LocalInternal: true},
			external: []string{"203.0.113.9"},
		},
		"LoadBalancer without an address": {
			service:  balancer(),
			want:     Service{Kind: LoadBalancer, ClusterIPs: []string{"10.96.0.3"}},
			external: nil,
		},
		"LoadBalancer with addresses": {
			service:  balancer(corev1.LoadBalancerIngress{IP: "203.0.113.1", Hostname: "lb.example"}, corev1.LoadBalancerIngress{Hostname: "lb2.example"}, corev1.LoadBalancerIngress{}),
			want:     Service{Kind: LoadBalancer, ClusterIPs: []string{"10.96.0.3"}, LoadBalancerAddresses: []string{"203.0.113.1", "lb2.example"}},
			external: []string{"203.0.113.1", "lb2.example"},
		},
		"ExternalName ignores its selector": {
			service:  corev1.Service{Spec: corev1.ServiceSpec{Type: "ExternalName", ExternalName: "example.org", Selector: web}},
			want:     Service{Kind: ExternalName, ExternalName: "example.org"},
			external: []string{"example.org"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.service.Name, test.want.Name = "s", "s"
			got := newService(interner{}, &test.service)
			if !reflect.DeepEqual(*got, test.want) {
				t.Errorf("got  %+v\nwant %+v", *got, test.want)
			}
			if external := got.External(); !reflect.DeepEqual(external, test.external) {
				t.Errorf("got external %q, want %q", external, test.external)
			}
		})
	}
}

func TestServicePortsReadAsTheyForward(t *testing.T) {
	got := newService(interner{}, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "s"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{
		{Name: "http", Protocol: "TCP", Port: 8080, TargetPort: intstr.FromInt32(80), NodePort: 30080},
		{Name: "dns", Protocol: "UDP", Port: 53},
		{Name: "admin", Protocol: "TCP", Port: 9000, TargetPort: intstr.FromString("web-admin")},
	}}})
	want := []string{"30080:8080→80/TCP", "53→53/UDP", "9000→web-admin/TCP"}
	for i, p := range got.Ports {
		if p.String() != want[i] || p.named() != (i == 2) {
			t.Errorf("got %s, named %t; want %s", p, p.named(), want[i])
		}
	}
}

func TestExternalDoesNotWriteIntoTheService(t *testing.T) {
	s := &Service{Kind: LoadBalancer, LoadBalancerAddresses: append(make([]string, 0, 4), "lb"), ExternalIPs: []string{"ip"}}
	first := s.External()
	s.ExternalIPs = []string{"other"}
	if s.External(); !reflect.DeepEqual(first, []string{"lb", "ip"}) {
		t.Errorf("got %q", first)
	}
}
