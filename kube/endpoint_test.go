package kube

import (
	"math/rand"
	"reflect"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"
)

func endpointSlice(ports []discoveryv1.EndpointPort, endpoints ...discoveryv1.Endpoint) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-x", Labels: map[string]string{discoveryv1.LabelServiceName: "web"}},
		Ports:      ports, Endpoints: endpoints,
	}
}

func endpointPort(name string, port int32) discoveryv1.EndpointPort {
	tcp := corev1.ProtocolTCP
	return discoveryv1.EndpointPort{Name: &name, Port: &port, Protocol: &tcp}
}

func TestNewSliceReadsConditionsPortsAndTargets(t *testing.T) {
	yes, no := true, false
	node, zone := "raspi002", "desk"
	http := []discoveryv1.EndpointPort{endpointPort("http", 80)}
	pod := func(namespace, kind string) *corev1.ObjectReference {
		return &corev1.ObjectReference{Kind: kind, Namespace: namespace, Name: "web-1"}
	}
	tcp := func(e Endpoint) Endpoint {
		e.PortName, e.Port, e.Protocol, e.Slice = "http", 80, "TCP", "web-x"
		return e
	}
	for name, test := range map[string]struct {
		slice *discoveryv1.EndpointSlice
		want  []Endpoint
	}{
		"everything": {
			endpointSlice(http, discoveryv1.Endpoint{
				Addresses: []string{"10.0.0.1"}, NodeName: &node, Zone: &zone, TargetRef: pod("shop", "Pod"),
				Conditions: discoveryv1.EndpointConditions{Ready: &yes, Serving: &yes, Terminating: &no},
			}),
			[]Endpoint{tcp(Endpoint{Address: "10.0.0.1", Node: node, Zone: zone, Pod: "web-1", Ready: true, Serving: true})},
		},
		"a host name and hints": {
			endpointSlice(http, discoveryv1.Endpoint{
				Addresses: []string{"10.0.0.1"}, Hostname: new("web-0"),
				Hints: &discoveryv1.EndpointHints{ForNodes: []discoveryv1.ForNode{{Name: "raspi002"}}, ForZones: []discoveryv1.ForZone{{Name: "desk"}, {Name: "shelf"}}},
			}),
			[]Endpoint{tcp(Endpoint{Address: "10.0.0.1", Ready: true, Serving: true, Hostname: "web-0", hintNodes: "raspi002", hintZones: "desk,shelf"})},
		},
		"unknown conditions mean ready": {
			endpointSlice(http, discoveryv1.Endpoint{Addresses: []string{"10.0.0.1"}}),
			[]Endpoint{tcp(Endpoint{Address: "10.0.0.1", Ready: true, Serving: true})},
		},
		"unknown serving follows ready": {
			endpointSlice(http, discoveryv1.Endpoint{Addresses: []string{"10.0.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: &no}}),
			[]Endpoint{tcp(Endpoint{Address: "10.0.0.1"})},
		},
		"terminating, still serving": {
			endpointSlice(http, discoveryv1.Endpoint{Addresses: []string{"10.0.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: &no, Serving: &yes, Terminating: &yes}}),
			[]Endpoint{tcp(Endpoint{Address: "10.0.0.1", Serving: true, Terminating: true})},
		},
		"each port, each address": {
			endpointSlice([]discoveryv1.EndpointPort{endpointPort("a", 1), endpointPort("b", 2)}, discoveryv1.Endpoint{Addresses: []string{"fd00::1", "fd00::2"}}),
			[]Endpoint{
				{Address: "fd00::1", Port: 1, PortName: "a", Protocol: "TCP", Ready: true, Serving: true, Slice: "web-x"},
				{Address: "fd00::1", Port: 2, PortName: "b", Protocol: "TCP", Ready: true, Serving: true, Slice: "web-x"},
				{Address: "fd00::2", Port: 1, PortName: "a", Protocol: "TCP", Ready: true, Serving: true, Slice: "web-x"},
				{Address: "fd00::2", Port: 2, PortName: "b", Protocol: "TCP", Ready: true, Serving: true, Slice: "web-x"},
			},
		},
		"no port at all": {
			endpointSlice(nil, discoveryv1.Endpoint{Addresses: []string{"10.0.0.1"}}),
			[]Endpoint{{Address: "10.0.0.1", Ready: true, Serving: true, Slice: "web-x"}},
		},
		"a port without a number": {
			endpointSlice([]discoveryv1.EndpointPort{{}}, discoveryv1.Endpoint{Addresses: []string{"10.0.0.1"}}),
			[]Endpoint{{Address: "10.0.0.1", Ready: true, Serving: true, Slice: "web-x"}},
		},
		"a target that is no Pod": {
			endpointSlice(http, discoveryv1.Endpoint{Addresses: []string{"10.0.0.1"}, TargetRef: pod("shop", "VirtualMachine")}),
			[]Endpoint{tcp(Endpoint{Address: "10.0.0.1", Ready: true, Serving: true})},
		},
		"a Pod of another namespace": {
			endpointSlice(http, discoveryv1.Endpoint{Addresses: []string{"10.0.0.1"}, TargetRef: pod("bank", "Pod")}),
			[]Endpoint{tcp(Endpoint{Address: "10.0.0.1", Ready: true, Serving: true})},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := newSlice(interner{}, test.slice)
			if !reflect.DeepEqual(got.endpoints, test.want) {
				t.Errorf("got  %+v\nwant %+v", got.endpoints, test.want)
			}
			if want := (Key{"shop", "web"}); got.serviceKey() != want {
				t.Errorf("got Service %s, want %s", got.serviceKey(), want)
			}
		})
	}
}

func TestMergeKeepsOneOfEachEndpoint(t *testing.T) {
	old := Endpoint{Address: "10.0.0.10", Port: 80, Pod: "old", Zone: "desk", Terminating: true, Slice: "web-a", Managed: true, Hostname: "web-0", hintZones: "shelf"}
	current := Endpoint{Address: "10.0.0.10", Port: 80, Pod: "new", Node: "raspi002", Ready: true, Serving: true, Slice: "web-b", hintNodes: "raspi001"}
	got := mergeEndpoints([]*slice{
		{endpoints: []Endpoint{{Address: "db.example", Port: 1}, old, {Address: "10.0.0.10", Port: 443}}},
		{endpoints: []Endpoint{{Address: "fd00::1", Port: 80}, {Address: "10.0.0.9", Port: 80}}},
		{endpoints: []Endpoint{current}},
	})
	want := []Endpoint{
		{Address: "10.0.0.9", Port: 80},
		{Address: "10.0.0.10", Port: 80, Pod: "new", Node: "raspi002", Zone: "desk", Ready: true, Serving: true, Slice: "web-b", Managed: true, Hostname: "web-0", hintNodes: "raspi001"},
		{Address: "10.0.0.10", Port: 443},
		{Address: "fd00::1", Port: 80},
		{Address: "db.example", Port: 1},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestMergeDoesNotDependOnTheOrderOfSlices(t *testing.T) {
	endpoint := rapid.Custom(func(t *rapid.T) Endpoint {
		one := func(name string, values ...string) string { return rapid.SampledFrom(values).Draw(t, name) }
		return Endpoint{
			Address: one("address", "10.0.0.1", "10.0.0.2", "::1", "0::1", "host"), Port: rapid.IntRange(0, 1).Draw(t, "port"), PortName: one("portName", "", "a"), Protocol: one("protocol", "TCP", "UDP"),
			Pod: one("pod", "", "p", "q"), Node: one("node", "", "n", "m"), Zone: one("zone", "", "z", "y"),
			Slice: one("slice", "s", "r"), Managed: rapid.Bool().Draw(t, "managed"), Hostname: one("hostname", "", "h", "g"), hintNodes: one("nodes", "", "n"), hintZones: one("zones", "", "z,y"),
			Ready: rapid.Bool().Draw(t, "ready"), Serving: rapid.Bool().Draw(t, "serving"), Terminating: rapid.Bool().Draw(t, "terminating"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		var slicesOf []*slice
		for _, endpoints := range rapid.SliceOfN(rapid.SliceOfN(endpoint, 0, 6), 0, 5).Draw(t, "slices") {
			slicesOf = append(slicesOf, &slice{endpoints: endpoints})
		}
		want := mergeEndpoints(slicesOf)
		rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed"))).Shuffle(len(slicesOf), func(i, j int) { slicesOf[i], slicesOf[j] = slicesOf[j], slicesOf[i] })
		if got := mergeEndpoints(slicesOf); !slices.Equal(got, want) {
			t.Fatalf("in another order:\ngot  %+v\nwant %+v", got, want)
		}
		if got := mergeEndpoints([]*slice{{endpoints: want}, {endpoints: want}}); !slices.Equal(got, want) {
			t.Fatalf("merged again:\ngot  %+v\nwant %+v", got, want)
		}
	})
}

func TestCountsAreOfBackendsNotOfPorts(t *testing.T) {
	for name, test := range map[string]struct {
		endpoints []Endpoint
		want      EndpointCounts
	}{
		"none": {nil, EndpointCounts{}},
		"two ports and two families of one Pod": {
			[]Endpoint{{Address: "10.0.0.1", Port: 80, Pod: "p", Ready: true}, {Address: "10.0.0.1", Port: 443, Pod: "p"}, {Address: "fd00::1", Port: 80, Pod: "p"}},
			EndpointCounts{Total: 1, Ready: 1},
		},
		"addresses without a Pod": {
			[]Endpoint{{Address: "10.0.0.1", Port: 80, Ready: true}, {Address: "10.0.0.1", Port: 443}, {Address: "10.0.0.2"}},
			EndpointCounts{Total: 2, Ready: 1, NotReady: 1},
		},
		"terminating, serving or not": {
			[]Endpoint{{Pod: "p", Terminating: true, Serving: true}, {Pod: "q", Terminating: true}},
			EndpointCounts{Total: 2, Terminating: 2},
		},
		"terminating but published": {
			[]Endpoint{{Pod: "p", Terminating: true, Ready: true}},
			EndpointCounts{Total: 1, Ready: 1},
		},
		"terminating in one slice only": {
			[]Endpoint{{Pod: "p", Address: "10.0.0.1"}, {Pod: "p", Address: "fd00::1", Terminating: true}},
			EndpointCounts{Total: 1, NotReady: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := countEndpoints(test.endpoints); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestEndpointStateIsOneWord(t *testing.T) {
	for want, e := range map[string]Endpoint{
		"ready":                {Ready: true, Serving: true},
		"not ready":            {},
		"terminating":          {Terminating: true},
		"terminating, serving": {Terminating: true, Serving: true},
	} {
		if got := e.State(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestHintsAreListsOfNames(t *testing.T) {
	if e := (Endpoint{}); e.ForNodes() != nil || e.ForZones() != nil {
		t.Errorf("got Nodes %q and zones %q, want none without hints", e.ForNodes(), e.ForZones())
	}
	e := Endpoint{hintNodes: "raspi002", hintZones: "desk,shelf"}
	if got, want := e.ForNodes(), []string{"raspi002"}; !slices.Equal(got, want) {
		t.Errorf("got Nodes %q, want %q", got, want)
	}
	if got, want := e.ForZones(), []string{"desk", "shelf"}; !slices.Equal(got, want) {
		t.Errorf("got zones %q, want %q", got, want)
	}
}
