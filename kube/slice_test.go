package kube

import (
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestNewSliceKeepsWhatEndpointsDoNotTell(t *testing.T) {
	at := func(addresses ...string) discoveryv1.Endpoint { return discoveryv1.Endpoint{Addresses: addresses} }
	by := func(maker string, o *discoveryv1.EndpointSlice) *discoveryv1.EndpointSlice {
		o.Labels[discoveryv1.LabelManagedBy], o.AddressType = maker, discoveryv1.AddressTypeIPv4
		return o
	}
	http := []discoveryv1.EndpointPort{endpointPort("http", 80)}
	for name, test := range map[string]struct {
		slice *discoveryv1.EndpointSlice
		want  Slice
	}{
		"of the controller": {
			by("endpointslice-controller.k8s.io", endpointSlice(http, at("10.0.0.10"), at("10.0.0.9"))),
			Slice{AddressType: "IPv4", Managed: true, Ports: []SlicePort{{"http", "TCP", 80}}, Endpoints: 2, Addresses: []string{"10.0.0.9", "10.0.0.10"}},
		},
		"mirrored": {
			by("endpointslicemirroring-controller.k8s.io", endpointSlice(nil)),
			Slice{AddressType: "IPv4", Managed: true},
		},
		"of another maker, with an address twice": {
			by("example.com/me", endpointSlice(http, at("10.0.0.1"), at("10.0.0.1"))),
			Slice{AddressType: "IPv4", Ports: []SlicePort{{"http", "TCP", 80}}, Endpoints: 2, Addresses: []string{"10.0.0.1"}},
		},
		"by hand, with endpoints but no port": {
			endpointSlice(nil, at("10.0.0.1")),
			Slice{Endpoints: 1, Addresses: []string{"10.0.0.1"}},
		},
		"a port without a number": {
			endpointSlice([]discoveryv1.EndpointPort{{}}),
			Slice{Ports: []SlicePort{{}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.want.Name = "web-x"
			got := newSlice(interner{}, test.slice)
			if !reflect.DeepEqual(got.Slice, test.want) {
				t.Errorf("got  %+v\nwant %+v", got.Slice, test.want)
			}
			for _, e := range got.endpoints {
				if e.Slice != "web-x" || e.Managed != test.want.Managed {
					t.Errorf("got endpoint %+v, want one of this slice", e)
				}
			}
		})
	}
}

// sliceOf is a slice with one address; its label is left out for "".
func sliceOf(service, name, address string) *discoveryv1.EndpointSlice {
	s := endpointSlice(nil, discoveryv1.Endpoint{Addresses: []string{address}})
	s.Name, s.Labels = name, nil
	if service != "" {
		s.Labels = map[string]string{discoveryv1.LabelServiceName: service}
	}
	return s
}

func serviceNamed(name string) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
}

func TestAServiceKeepsItsSlicesInNameOrder(t *testing.T) {
	store := NewStore(nil, Scope{})
	external := serviceNamed("away")
	external.Spec.Type = corev1.ServiceTypeExternalName
	must(t, store.services.Replace([]any{serviceNamed("web"), external}, ""))
	empty := sliceOf("web", "web-b", "")
	empty.Endpoints = nil
	must(t, store.slices.Replace([]any{sliceOf("web", "web-c", "10.0.0.3"), empty, sliceOf("web", "web-a", "10.0.0.1"), sliceOf("away", "away-a", "10.0.0.9")}, ""))
	s := store.snapshot()
	want := []Slice{
		{Name: "web-a", Endpoints: 1, Addresses: []string{"10.0.0.1"}},
		{Name: "web-b"},
		{Name: "web-c", Endpoints: 1, Addresses: []string{"10.0.0.3"}},
	}
	if got := s.Service(Key{"shop", "web"}).Slices; !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := s.Service(Key{"shop", "away"}).Slices; got != nil {
		t.Errorf("got %+v of an ExternalName Service, want none", got)
	}
}

func TestStraysAreTheSlicesOfNoService(t *testing.T) {
	store := NewStore(nil, Scope{})
	unlabelled, misspelt, web := sliceOf("", "hand", "10.0.0.3"), sliceOf("wbe", "typo", "10.0.0.2"), sliceOf("web", "web-x", "10.0.0.1")
	ofHand := Stray{"shop", "hand", "", []string{"10.0.0.3"}}
	ofTypo := Stray{"shop", "typo", "wbe", []string{"10.0.0.2"}}
	ofWeb := Stray{"shop", "web-x", "web", []string{"10.0.0.1"}}
	for _, step := range []struct {
		what string
		do   func() error
		want []Stray
	}{
		{"before the Services are known", func() error { return store.slices.Replace([]any{unlabelled, misspelt, web}, "") }, nil},
		{"without a label, or of a name that no Service has", func() error { return store.services.Replace([]any{serviceNamed("web")}, "") }, []Stray{ofHand, ofTypo}},
		{"after other news", func() error { return store.pods.Update(podIn("shop", "web-1")) }, []Stray{ofHand, ofTypo}},
		{"the Service is deleted", func() error { return store.services.Delete(serviceNamed("web")) }, []Stray{ofHand, ofTypo, ofWeb}},
		{"it comes back", func() error { return store.services.Update(serviceNamed("web")) }, []Stray{ofHand, ofTypo}},
		{"the other one is made", func() error { return store.services.Update(serviceNamed("wbe")) }, []Stray{ofHand}},
		{"the last one gets a label", func() error { return store.slices.Update(sliceOf("web", "hand", "10.0.0.3")) }, nil},
		{"the label is wrong again", func() error { return store.slices.Update(sliceOf("wbe2", "typo", "10.0.0.2")) }, []Stray{{"shop", "typo", "wbe2", []string{"10.0.0.2"}}}},
		{"the slice is deleted", func() error { return store.slices.Delete(misspelt) }, nil},
	} {
		must(t, step.do())
		if got := store.snapshot().Strays; !reflect.DeepEqual(got, step.want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", step.what, got, step.want)
		}
	}
}
