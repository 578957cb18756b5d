package kube

import (
	"encoding/json"
	"testing"

	"k8s.io/apimachinery/pkg/labels"
)

var _ labels.Labels = Labels{}

func TestSelectFollowsTheRuleOfServices(t *testing.T) {
	object := newLabels(interner{}, map[string]string{"tier": "front", "app": "web", "empty": ""})
	for name, test := range map[string]struct {
		selector map[string]string
		want     bool
	}{
		"empty selects nothing":  {nil, false},
		"one of several":         {map[string]string{"app": "web"}, true},
		"all":                    {map[string]string{"tier": "front", "app": "web"}, true},
		"one differs":            {map[string]string{"tier": "back", "app": "web"}, false},
		"one is missing":         {map[string]string{"app": "web", "zone": "x"}, false},
		"empty value is a value": {map[string]string{"empty": ""}, true},
		"missing is not empty":   {map[string]string{"missing": ""}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := newLabels(interner{}, test.selector).Select(object); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}

func TestLabelsAreWrittenAsTheAPIWritesThem(t *testing.T) {
	l := newLabels(interner{}, map[string]string{"b": "2", "a": "1"})
	if got, want := l.String(), "a=1,b=2"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, err := json.Marshal(l); err != nil || string(got) != `{"a":"1","b":"2"}` {
		t.Errorf("got %s, %v", got, err)
	}
	if !l.Has("a") || l.Has("c") || l.Get("b") != "2" {
		t.Errorf("lookup in %v fails", l)
	}
}
