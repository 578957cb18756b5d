package assets

import (
	"os"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// rule is one of a Role.
type rule struct{ APIGroups, Resources, Verbs []string }

// permissions says what rules permit, each as VERB GROUP/RESOURCE.
func permissions(rules []rule) (all []string) {
	for _, r := range rules {
		for _, group := range r.APIGroups {
			for _, resource := range r.Resources {
				for _, verb := range r.Verbs {
					all = append(all, verb+" "+strings.TrimPrefix(group+"/"+resource, "/"))
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// What podpath asks of the API server, by feature; a use of another verb has
// to be entered here.
func TestFeaturesPermitWhatTheyUseAndNoMore(t *testing.T) {
	for feature, want := range map[string][]string{
		"view": {
			"get pods", "get services", "list discovery.k8s.io/endpointslices", "list events", "list pods", "list services",
			"watch discovery.k8s.io/endpointslices", "watch pods", "watch services",
		},
		"nodes":       {"get namespaces", "get nodes", "list namespaces", "list nodes", "watch namespaces", "watch nodes"},
		"probe":       {"create pods/exec", "get pods/exec", "list networking.k8s.io/ingresses", "list networking.k8s.io/networkpolicies"},
		"ephemeral":   {"patch pods/ephemeralcontainers"},
		"helper-pods": {"create pods", "delete pods", "list pods"},
		"forward":     {"create pods/portforward", "get pods/portforward"},
	} {
		if got := permissions(rulesOf(t, feature)); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", feature, got, want)
		}
	}
}

func rulesOf(t *testing.T, feature string) (rules []rule) {
	t.Helper()
	text, err := Rules(feature)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(text), &rules); err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestTheRoleOfTheJobPermitsWhatProbingUsesAndNoMore(t *testing.T) {
	manifest, err := os.ReadFile("deploy/probe.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, document := range strings.Split(string(manifest), "\n---\n") {
		var role struct {
			Kind  string
			Rules []rule
		}
		if err := yaml.Unmarshal([]byte(document), &role); err != nil {
			t.Fatal(err)
		}
		got = append(got, permissions(role.Rules)...)
	}
	all := permissions(slices.Concat(rulesOf(t, "view"), rulesOf(t, "probe")))
	want := slices.DeleteFunc(all, func(p string) bool { // the UI alone reads single objects and events
		return slices.Contains([]string{"get pods", "get services", "list events"}, p)
	})
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
