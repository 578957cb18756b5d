package kube

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// Label is one key and value of an object's labels or of a Service's selector.
type Label struct{ Key, Value string }

// Labels are sorted by key. A list takes a third of the memory of a map, which
// counts at ten thousand Pods. Labels satisfies labels.Labels of apimachinery,
// so selectors match against it directly.
type Labels []Label

func newLabels(in interner, m map[string]string) Labels {
	if len(m) == 0 {
		return nil
	}
	l := make(Labels, 0, len(m))
	for k, v := range m {
		l = append(l, Label{in.text(k), in.text(v)})
	}
	slices.SortFunc(l, func(a, b Label) int { return cmp.Compare(a.Key, b.Key) })
	return l
}

// Lookup returns the value of key and whether there is one.
func (l Labels) Lookup(key string) (value string, exists bool) {
	i, exists := slices.BinarySearchFunc(l, key, func(kv Label, key string) int { return cmp.Compare(kv.Key, key) })
	if exists {
		value = l[i].Value
	}
	return value, exists
}

// Has reports whether key is set.
func (l Labels) Has(key string) bool { _, ok := l.Lookup(key); return ok }

// Get returns the value of key, or "".
func (l Labels) Get(key string) string { v, _ := l.Lookup(key); return v }

// Select reports whether the selector l selects an object with these labels.
// An empty selector selects nothing: that is the rule for Services.
func (l Labels) Select(object Labels) bool {
	if len(l) == 0 {
		return false
	}
	for _, want := range l {
		if !slices.Contains(object, want) {
			return false
		}
	}
	return true
}

// String writes labels as kubectl does: a=b,c=d.
func (l Labels) String() string {
	parts := make([]string, len(l))
	for i, kv := range l {
		parts[i] = kv.Key + "=" + kv.Value
	}
	return strings.Join(parts, ",")
}

// MarshalJSON writes labels as an object, like the API does.
func (l Labels) MarshalJSON() ([]byte, error) {
	m := make(map[string]string, len(l))
	for _, kv := range l {
		m[kv.Key] = kv.Value
	}
	return json.Marshal(m)
}
