package kube

import (
	"slices"
	"strings"
	"testing"
)

// web is a healthy Service with its evidence; each test case spoils it.
func web() evidence {
	pod := &Pod{Namespace: "shop", Name: "web-1", Labels: Labels{{"app", "web"}}, Containers: []Container{{Kind: AppContainer, Ports: []ContainerPort{{Name: "http", Protocol: "TCP", Port: 80}}}}}
	return evidence{
		service: &Service{
			Namespace: "shop", Name: "web", Kind: ClusterIP, Selector: Labels{{"app", "web"}},
			Ports:     []ServicePort{{Name: "http", Protocol: "TCP", Port: 8080, TargetPort: "http"}, {Name: "plain", Protocol: "TCP", Port: 81, TargetPort: "80"}},
			Endpoints: []Endpoint{{Address: "10.0.0.1", Ready: true}}, Counts: EndpointCounts{Total: 1, Ready: 1},
		},
		pods: []*Pod{pod}, podsKnown: true, slicesKnown: true,
	}
}

func TestServiceFlags(t *testing.T) {
	without := func(e *evidence) { e.service.Endpoints, e.service.Counts = nil, EndpointCounts{} }
	for _, test := range []struct {
		name  string
		spoil func(e *evidence)
		want  []FlagCode
		says  string
	}{
		{name: "healthy", spoil: func(*evidence) {}},
		{
			name: "selector matches no Pod", spoil: func(e *evidence) { e.pods = nil; without(e) },
			want: []FlagCode{SelectorMatchesNoPod}, says: "app=web matches no Pod in namespace shop",
		},
		{
			name: "selector matches no Pod, but endpoints were written by hand", spoil: func(e *evidence) { e.pods = nil },
			want: []FlagCode{SelectorMatchesNoPod},
		},
		{
			name: "no endpoint is ready", spoil: func(e *evidence) { e.service.Counts = EndpointCounts{Total: 2, NotReady: 1, Terminating: 1} },
			want: []FlagCode{NoReadyEndpoint}, says: "None of the 2 endpoints is ready",
		},
		{name: "Pods without an address", spoil: without, want: []FlagCode{NoReadyEndpoint}, says: "matches 1 Pod, but"},
		{
			name: "named port that no Pod declares", spoil: func(e *evidence) { e.service.Ports[0].TargetPort = "web" },
			want: []FlagCode{TargetPortMissing}, says: `port named "web", which 1 of the 1 Pod`,
		},
		{
			name: "named port of another protocol", spoil: func(e *evidence) { e.service.Ports[0].Protocol = "UDP" },
			want: []FlagCode{TargetPortMissing}, says: "for UDP",
		},
		{
			name: "named port that only an init container declares", spoil: func(e *evidence) { e.pods[0].Containers[0].Kind = InitContainer },
			want: []FlagCode{TargetPortMissing},
		},
		{name: "named port of a sidecar", spoil: func(e *evidence) { e.pods[0].Containers[0].Kind = SidecarContainer }},
		{
			name: "named port that one of two Pods lacks", spoil: func(e *evidence) { e.pods = append(e.pods, &Pod{}) },
			want: []FlagCode{TargetPortMissing}, says: "1 of the 2 Pods",
		},
		{
			name: "no selector, no slice", spoil: func(e *evidence) { e.service.Selector = nil; e.pods = nil; without(e) },
			want: []FlagCode{NoSelectorNoSlice}, says: "kubernetes.io/service-name=web",
		},
		{name: "no selector, slice by hand", spoil: func(e *evidence) { e.service.Selector = nil; e.pods = nil }},
		{name: "no selector, nothing ready", spoil: func(e *evidence) {
			e.service.Selector, e.pods, e.service.Counts = nil, nil, EndpointCounts{Total: 1, NotReady: 1}
		}, want: []FlagCode{NoReadyEndpoint}},
		{
			name: "load balancer without an address", spoil: func(e *evidence) { e.service.Kind = LoadBalancer },
			want: []FlagCode{LoadBalancerPending},
		},
		{name: "load balancer with an address", spoil: func(e *evidence) { e.service.Kind = LoadBalancer; e.service.LoadBalancerAddresses = []string{"lb"} }},
		{name: "headless", spoil: func(e *evidence) { e.service.Kind = Headless }},
		{name: "Pods were never read", spoil: func(e *evidence) { e.pods, e.podsKnown = nil, false }},
		{name: "Pods were never read, nothing is ready", spoil: func(e *evidence) { e.pods, e.podsKnown = nil, false; without(e) }},
		{name: "slices were never read", spoil: func(e *evidence) { e.slicesKnown = false; without(e) }},
		{name: "slices were never read, no selector", spoil: func(e *evidence) { e.slicesKnown = false; e.service.Selector, e.pods = nil, nil; without(e) }},
		{name: "ExternalName, whatever it says", spoil: func(e *evidence) { e.service.Kind = ExternalName; e.pods = nil; without(e) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := web()
			test.spoil(&e)
			var got []FlagCode
			var sentences strings.Builder
			for _, f := range serviceFlags(e) {
				got = append(got, f.Code)
				sentences.WriteString(f.Message)
			}
			if !slices.Equal(got, test.want) || !strings.Contains(sentences.String(), test.says) {
				t.Errorf("got %q (%s), want %q saying %q", got, &sentences, test.want, test.says)
			}
		})
	}
}
