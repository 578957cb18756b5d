package path

import (
	"net/netip"
	"reflect"
	"testing"

	"podpath/kube"
	"podpath/kube/demo/fixture"
	"podpath/probes/path/manifest"
)

func TestPodpathFindsTheNodeThatItRunsOn(t *testing.T) {
	w := storyWorld(t, manifest.Pod{Name: "odd", Node: "raspi003", IPs: []string{"172.16.0.9"}}.YAML())
	for name, test := range map[string]struct {
		addresses []string
		want      string
	}{
		"a Node's address":               {[]string{"172.17.0.1", "198.51.100.12"}, "raspi002"},
		"a Node's before one of its Pod": {[]string{"10.244.2.1", "198.51.100.11"}, "raspi001"},
		"in a Pod":                       {[]string{"10.244.2.77"}, "raspi003"},
		"in a Pod outside of the range":  {[]string{"172.16.0.9"}, "raspi003"},
		"outside":                        {[]string{"192.0.2.1", "fd00::1"}, ""},
		"without an address":             {nil, ""},
	} {
		var addresses []netip.Addr
		for _, a := range test.addresses {
			addresses = append(addresses, netip.MustParseAddr(a))
		}
		if got := NodeOf(w.Snapshot, addresses, true); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	if got := NodeOf(w.Snapshot, []netip.Addr{netip.MustParseAddr("10.244.2.77")}, false); got != "" {
		t.Errorf("another cluster's network: got %q, want none", got)
	}
}

func TestWhatIsNotThereIsKnownOnlyWhereItWasListed(t *testing.T) {
	shop, every := storyWorld(t), lookAt(t, "", manifest.Story())
	denied := storyWorld(t)
	denied.Snapshot = fixture.WithState(denied.Snapshot, kube.Services, kube.State{})
	looked := storyWorld(t)
	looked.Looked = map[string]*kube.Snapshot{"bank": every.Snapshot, "vault": denied.Snapshot}
	for name, test := range map[string]struct {
		w         *World
		namespace string
		want      bool
	}{
		"the namespace that is looked at":     {shop, "shop", true},
		"another one":                         {shop, "bank", false},
		"all of them":                         {every, "bank", true},
		"one that could not be listed":        {denied, "shop", false},
		"one that was read for a target":      {looked, "bank", true},
		"one that was to be read, and denied": {looked, "vault", false},
	} {
		if got := test.w.knows(kube.Services, test.namespace); got != test.want {
			t.Errorf("%s: got %t, want %t", name, got, test.want)
		}
	}
}

func TestPodpathsOwnPodIsNoSourceOfAPlan(t *testing.T) {
	w := storyWorld(t)
	own := w.Pods[0]
	w.LocalPod = PodOf(w.Snapshot, []netip.Addr{netip.MustParseAddr(own.IP())})
	if w.LocalPod != own.Key() {
		t.Fatalf("got %s, want %s", w.LocalPod, own.Key())
	}
	for _, c := range w.Plan(Groups...) {
		if c.Source.Pod == own.Key() {
			t.Errorf("got %s, want local in its place", c.ID)
		}
	}
	if got := PodOf(w.Snapshot, []netip.Addr{netip.MustParseAddr("192.0.2.1")}); got.Name != "" {
		t.Errorf("elsewhere: got %s, want none", got)
	}
}

func TestPlansStartFromPodsThatHaveToolsWhereOneWillDo(t *testing.T) {
	w := storyWorld(t)
	w.Equipped = map[kube.Key]bool{{Namespace: w.Home, Name: "web-3"}: true}
	for _, c := range w.Plan(Spreading, Discovery) {
		if c.Source.Label != "pod/web-3" {
			t.Errorf("got %s, want it from pod/web-3", c.ID)
		}
	}
}

func TestACloneHasAllThatIsKnown(t *testing.T) {
	w := &World{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[World]()) {
		if v := reflect.ValueOf(w).Elem().FieldByIndex(field.Index[:1]); field.IsExported() && len(field.Index) == 1 {
			v.Set(filled(v.Type()))
		}
	}
	got, want := reflect.ValueOf(w.Clone()).Elem(), reflect.ValueOf(w).Elem()
	for i := range want.NumField() {
		if f := want.Type().Field(i); f.IsExported() && !reflect.DeepEqual(got.Field(i).Interface(), want.Field(i).Interface()) {
			t.Errorf("%s: got %v, want %v", f.Name, got.Field(i), want.Field(i))
		}
	}
}

// filled is a value of a type that is not its zero value.
func filled(of reflect.Type) reflect.Value {
	v := reflect.New(of).Elem()
	switch of.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(of.Elem()))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(of, 1, 1))
	case reflect.Map:
		v.Set(reflect.MakeMap(of))
		v.SetMapIndex(filled(of.Key()), reflect.Zero(of.Elem()))
	case reflect.Struct:
		v.Field(0).Set(filled(v.Field(0).Type()))
	case reflect.Bool:
		v.SetBool(true)
	default:
		v.SetString("x")
	}
	return v
}
