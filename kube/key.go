package kube

import (
	"cmp"
	"slices"
)

// Key names an object of one kind. Namespace is empty for Nodes and
// Namespaces.
type Key struct{ Namespace, Name string }

func (k Key) String() string {
	if k.Namespace == "" {
		return k.Name
	}
	return k.Namespace + "/" + k.Name
}

func compareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// keyed is what podpath keeps of one object.
type keyed interface{ Key() Key }

// list holds records in key order. It is never changed in place: with returns
// a new one, so that snapshots can share it.
type list[R keyed] []R

func (l list[R]) find(k Key) (int, bool) {
	return slices.BinarySearchFunc(l, k, func(r R, k Key) int { return compareKeys(r.Key(), k) })
}

func (l list[R]) get(k Key) (r R, ok bool) {
	i, ok := l.find(k)
	if ok {
		r = l[i]
	}
	return r, ok
}

// namespace returns the records in one namespace.
func (l list[R]) namespace(ns string) list[R] {
	from, _ := l.find(Key{Namespace: ns})
	to, _ := l.find(Key{Namespace: ns + "\x00"})
	return l[from:to]
}

// with returns the list with every change applied. It copies runs between the
// changes, so that one changed record among thousands costs a copy of
// pointers and a binary search.
func (l list[R]) with(changes map[Key]change[R]) list[R] {
	keys := make([]Key, 0, len(changes))
	for k := range changes {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareKeys)
	out := make(list[R], 0, len(l)+len(keys))
	rest := l
	for _, k := range keys {
		i, exists := rest.find(k)
		out = append(out, rest[:i]...)
		if exists {
			i++
		}
		rest = rest[i:]
		if c := changes[k]; !c.deleted {
			out = append(out, c.record)
		}
	}
	return append(out, rest...)
}

// change is the newest state of one object: a record, or its deletion.
type change[R keyed] struct {
	record  R
	deleted bool
}
