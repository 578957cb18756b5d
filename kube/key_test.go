package kube

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// anyKey draws from few names, so that changes hit what exists.
var anyKey = rapid.Custom(func(t *rapid.T) Key {
	return Key{rapid.SampledFrom([]string{"", "a", "a-b", "b"}).Draw(t, "namespace"), rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "name")}
})

func TestListBehavesLikeASortedMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		model := map[Key]*slice{}
		var l list[*slice]
		for range rapid.IntRange(0, 10).Draw(t, "rounds") {
			before := slices.Clone(l)
			changes := map[Key]change[*slice]{}
			for k, deleted := range rapid.MapOfN(anyKey, rapid.Bool(), 0, 8).Draw(t, "changes") {
				record := &slice{namespace: k.Namespace, Slice: Slice{Name: k.Name}}
				changes[k] = change[*slice]{record, deleted}
				model[k] = record
				if deleted {
					delete(model, k)
				}
			}
			next := l.with(changes)
			if !slices.Equal(l, before) {
				t.Fatal("with changed the list that it was called on")
			}
			l = next

			want := list[*slice](slices.SortedFunc(maps.Values(model), func(a, b *slice) int { return compareKeys(a.Key(), b.Key()) }))
			if !slices.Equal(l, want) {
				t.Fatalf("got %v, want %v", l, want)
			}
			k := anyKey.Draw(t, "key")
			if got, ok := l.get(k); got != model[k] || ok != (model[k] != nil) {
				t.Fatalf("get %s: got %v, %t; want %v", k, got, ok, model[k])
			}
			inNamespace := slices.DeleteFunc(want, func(s *slice) bool { return s.namespace != k.Namespace })
			if got := l.namespace(k.Namespace); !slices.Equal(got, inNamespace) {
				t.Fatalf("namespace %q: got %v, want %v", k.Namespace, got, inNamespace)
			}
		}
	})
}

func TestKeyIsWrittenAsInKubectl(t *testing.T) {
	if got := (Key{"shop", "web"}).String() + " " + (Key{Name: "raspi001"}).String(); got != "shop/web raspi001" {
		t.Errorf("got %q", got)
	}
}
