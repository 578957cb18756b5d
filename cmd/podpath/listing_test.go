package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"podpath/kube"
	"podpath/kube/demo/fixture"
	"podpath/tui/golden"
)

func printed(t *testing.T, l listing, output string, s *kube.Snapshot) string {
	t.Helper()
	t.Setenv("LC_ALL", "C.UTF-8")
	l.output = output
	write, err := l.printer()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := write(&out, s); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

var listings = map[string]listing{"pods": podListing(), "services": serviceListing()}

func TestListings(t *testing.T) {
	for name, l := range listings {
		golden.Check(t, name+".txt", printed(t, l, "text", golden.Cluster(t, "")))
		golden.Check(t, name+"-wide.txt", printed(t, l, "wide", golden.Cluster(t, "")))
		golden.Check(t, name+".json", printed(t, l, "json", golden.Cluster(t, "default")))
	}
}

func TestYAMLSaysWhatJSONSays(t *testing.T) {
	for name, l := range listings {
		s := golden.Cluster(t, "")
		var fromJSON, fromYAML any
		if err := json.Unmarshal([]byte(printed(t, l, "json", s)), &fromJSON); err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal([]byte(printed(t, l, "yaml", s)), &fromYAML); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(fromJSON, fromYAML) {
			t.Errorf("%s: got another document in YAML", name)
		}
	}
}

// Scripts depend on these names.
func TestFieldsOfTheDocuments(t *testing.T) {
	for _, c := range []struct {
		listing string
		path    []string
		want    string
	}{
		{"pods", nil, "apiVersion kind namespace nodes pods"},
		{"pods", []string{"nodes"}, "arch flags internalIP name podCIDRs ready roles status version"},
		{"pods", []string{"pods"}, "containers created hostNetwork ips labels name namespace node ports ready restarts services status"},
		{"pods", []string{"pods", "containers"}, "ready total"},
		{"pods", []string{"pods", "ports"}, "name port protocol"},
		{"services", nil, "apiVersion kind namespace services"},
		{"services", []string{"services"}, "clusterIPs counts created endpoints external flags kind name namespace ports selector"},
		{"services", []string{"services", "counts"}, "notReady ready terminating total"},
		{"services", []string{"services", "ports"}, "name nodePort port protocol targetPort"},
		{"services", []string{"services", "endpoints"}, "address node pod port portName protocol ready serving terminating zone"},
		{"services", []string{"services", "flags"}, "code message"},
	} {
		var document any
		if err := json.Unmarshal([]byte(printed(t, listings[c.listing], "json", golden.Cluster(t, ""))), &document); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(fields(document, c.path), " "); got != c.want {
			t.Errorf("%s %v: got %s, want %s", c.listing, c.path, got, c.want)
		}
	}
}

// fields are the names that objects at a path have, in any of the lists on
// the way.
func fields(document any, path []string) []string {
	switch v := document.(type) {
	case []any:
		var all []string
		for _, element := range v {
			all = append(all, fields(element, path)...)
		}
		slices.Sort(all)
		return slices.Compact(all)
	case map[string]any:
		if len(path) > 0 {
			return fields(v[path[0]], path[1:])
		}
		var names []string
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		return names
	default:
		return nil
	}
}

func TestEmptyDocumentsHaveEmptyLists(t *testing.T) {
	s := &kube.Snapshot{Scope: kube.Scope{Namespace: "shop"}}
	for name, want := range map[string]string{
		"pods":     `{"apiVersion":"podpath/v1","kind":"PodList","namespace":"shop","nodes":[],"pods":[]}`,
		"services": `{"apiVersion":"podpath/v1","kind":"ServiceList","namespace":"shop","services":[]}`,
	} {
		var got bytes.Buffer
		if err := json.Compact(&got, []byte(printed(t, listings[name], "json", s))); err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(got.String()) != want {
			t.Errorf("got %s, want %s", got.String(), want)
		}
	}
	if got := printed(t, listings["services"], "json", golden.Cluster(t, "")); strings.Contains(got, "null") {
		t.Errorf("got a null in\n%s", got)
	}
}

func TestListingsInALocaleWithoutUTF8AreASCII(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	for name, l := range listings {
		l.output = "text"
		write, err := l.printer()
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := write(&out, golden.Cluster(t, "default")); err != nil {
			t.Fatal(err)
		}
		if i := strings.IndexFunc(out.String(), func(r rune) bool { return r > '~' }); i >= 0 {
			t.Errorf("%s: got %q", name, out.String()[i:])
		}
	}
}

func TestWhatSettlesAListing(t *testing.T) {
	live := kube.State{Phase: kube.Live, Listed: true}
	denied := kube.State{Phase: kube.Forbidden, Denied: kube.Denied{Verb: "list", Resource: kube.Pods, Namespace: "shop"}}
	for name, c := range map[string]struct {
		state   kube.State
		settled bool
		failure string
	}{
		"syncing":       {kube.State{}, false, ""},
		"live":          {live, true, ""},
		"stale":         {kube.State{Phase: kube.Stale, Listed: true, Err: "gone"}, true, ""},
		"forbidden":     {denied, true, `you may not list pods in namespace shop; a rule in a Role in shop would permit it: {apiGroups: [""], resources: [pods], verbs: [list, watch]}`},
		"not logged in": {kube.State{Code: 401, Err: "Unauthorized"}, true, "list pods: Unauthorized; the API server does not accept your credentials: log in again"},
		"busy":          {kube.State{Code: 429, Err: "too many requests"}, false, "list pods: too many requests; this is the API server's answer: try again in a moment, or look at its log"},
		"unreachable":   {kube.State{Err: "connection refused"}, true, "list pods: connection refused; look whether the API server runs and the network leads to it, or choose another one with --context"},
	} {
		s := fixture.WithState(fixture.WithState(&kube.Snapshot{}, kube.Pods, c.state), kube.Nodes, live)
		if got := s.Settled(kube.Nodes, kube.Pods); got != c.settled {
			t.Errorf("%s: got settled %t, want %t", name, got, c.settled)
		}
		got := ""
		if err := s.Failure(kube.Nodes, kube.Pods); err != nil {
			got = err.Error()
		}
		if got != c.failure {
			t.Errorf("%s: got %q, want %q", name, got, c.failure)
		}
		want := []string{c.failure}
		if c.failure == "" {
			want = nil
		}
		if got := notices(s, []kube.Resource{kube.Nodes, kube.Pods}); !slices.Equal(got, want) {
			t.Errorf("%s: got notices %q, want %q", name, got, want)
		}
	}
}

func TestAgesAreThoseOfTheSnapshot(t *testing.T) {
	later := *golden.Cluster(t, "default")
	later.At = golden.Now.Add(time.Hour)
	if got := printed(t, listings["pods"], "text", &later); !strings.Contains(got, "100m") {
		t.Errorf("got\n%s\nwant dual-0 %s old", got, fmt.Sprint(100*time.Minute))
	}
}
