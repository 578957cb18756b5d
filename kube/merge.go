package kube

import "slices"

// Merge returns what two snapshots of one cluster, of different scopes, know
// together: the Pods, Services, strays and namespaces of both, where b's record
// counts if both have one, and a's Nodes, or b's when a has none. The rest is
// a's.
func Merge(a, b *Snapshot) *Snapshot {
	both := *a
	both.Pods = mergeRecords(a.Pods, b.Pods)
	both.Services = mergeRecords(a.Services, b.Services)
	both.Strays = mergeRecords(a.Strays, b.Strays)
	both.Namespaces = slices.Concat(a.Namespaces, b.Namespaces)
	slices.Sort(both.Namespaces)
	both.Namespaces = slices.Compact(both.Namespaces)
	if len(a.Nodes) == 0 {
		both.Nodes = b.Nodes
	}
	return &both
}

// mergeRecords merges two lists in key order into a third.
func mergeRecords[R keyed](a, b []R) []R {
	both := make([]R, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		order := compareKeys(a[0].Key(), b[0].Key())
		if order < 0 {
			both, a = append(both, a[0]), a[1:]
			continue
		}
		both, b = append(both, b[0]), b[1:]
		if order == 0 {
			a = a[1:]
		}
	}
	return append(append(both, a...), b...)
}
