package results

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"podpath/kube"
	"podpath/probes/path"
	"podpath/probes/present"
	"podpath/tui/table"
)

// Entry is a result, and when it came.
type Entry struct {
	path.Result
	At time.Time
}

// Book keeps the last result of every check. The zero value is empty.
type Book struct {
	entries map[string]Entry             // by ID of the check
	to      map[kube.Ref]map[string]bool // the IDs of the checks that go to an object
	from    map[kube.Ref]map[string]bool // and of those that start in it
}

// most is how many results are kept. A result with the beginning of a body
// takes about two kilobytes.
const most = 5000

// Add notes results that came now.
func (b *Book) Add(now time.Time, results ...path.Result) {
	if b.entries == nil {
		b.entries, b.to, b.from = map[string]Entry{}, map[kube.Ref]map[string]bool{}, map[kube.Ref]map[string]bool{}
	}
	for _, r := range results {
		b.forget(r.ID)
		b.entries[r.ID] = Entry{r, now}
		index(b.to, targets(r.Check), r.ID)
		index(b.from, sources(r.Check), r.ID)
	}
	b.shrink()
}

func index(objects map[kube.Ref]map[string]bool, refs []kube.Ref, id string) {
	for _, ref := range refs {
		if objects[ref] == nil {
			objects[ref] = map[string]bool{}
		}
		objects[ref][id] = true
	}
}

func (b *Book) forget(id string) {
	old, ok := b.entries[id]
	if !ok {
		return
	}
	delete(b.entries, id)
	for _, ref := range targets(old.Check) {
		delete(b.to[ref], id)
	}
	for _, ref := range sources(old.Check) {
		delete(b.from[ref], id)
	}
}

// shrink forgets the oldest results when there are too many.
func (b *Book) shrink() {
	if len(b.entries) <= most {
		return
	}
	byAge := slices.SortedFunc(maps.Values(b.entries), func(x, y Entry) int { return x.At.Compare(y.At) })
	for _, e := range byAge[:len(byAge)-most*9/10] {
		b.forget(e.ID)
	}
}

// targets are the objects that a check goes to.
func targets(c path.Check) []kube.Ref {
	var refs []kube.Ref
	if c.Path.Pod.Name != "" && c.Kind != path.Env { // the Pod that looks into its own variables
		refs = append(refs, kube.Ref{Resource: kube.Pods, Key: c.Path.Pod})
	}
	if c.Path.Service.Name != "" {
		refs = append(refs, kube.Ref{Resource: kube.Services, Key: c.Path.Service})
	}
	if c.Path.Node != "" && (c.Path.AtNode() || c.Path.Pod.Name == "") {
		refs = append(refs, kube.Ref{Resource: kube.Nodes, Key: kube.Key{Name: c.Path.Node}})
	}
	return refs
}

// sources are the objects that a check starts in.
func sources(c path.Check) []kube.Ref {
	switch c.Source.Kind {
	case path.FromPod:
		return []kube.Ref{{Resource: kube.Pods, Key: c.Source.Pod}}
	case path.FromNode:
		return []kube.Ref{{Resource: kube.Nodes, Key: kube.Key{Name: c.Source.Node}}}
	default:
		return nil
	}
}

// Get returns the last result of a check.
func (b *Book) Get(id string) (Entry, bool) {
	e, ok := b.entries[id]
	return e, ok
}

// To returns the last results of the checks that go to an object, the worst
// first.
func (b *Book) To(ref kube.Ref) []Entry { return b.list(b.to[ref]) }

// From returns those of the checks that start in an object.
func (b *Book) From(ref kube.Ref) []Entry { return b.list(b.from[ref]) }

func (b *Book) list(ids map[string]bool) []Entry {
	out := make([]Entry, 0, len(ids))
	for id := range ids {
		out = append(out, b.entries[id])
	}
	slices.SortFunc(out, func(x, y Entry) int {
		return cmp.Or(cmp.Compare(present.Rank(x.Verdict), present.Rank(y.Verdict)), cmp.Compare(x.ID, y.ID))
	})
	return out
}

// Empty reports whether nothing was checked yet.
func (b *Book) Empty() bool { return len(b.entries) == 0 }

// Tally counts the verdicts of what goes to an object.
func (b *Book) Tally(ref kube.Ref) Tally {
	var t Tally
	for id := range b.to[ref] {
		t.Count(b.entries[id].Verdict)
	}
	return t
}

// Mark is what a list shows of an object: whether it was reached as expected.
func (b *Book) Mark(ref kube.Ref) table.Cell {
	t := b.Tally(ref)
	if t.All() == 0 {
		return table.Cell{}
	}
	worst := t.Worst()
	text := present.Sign(worst)
	if n := cmp.Or(t.Fail, t.Inconclusive); n > 0 {
		text += fmt.Sprintf(" %d", n)
	}
	return table.Cell{Text: text, Role: Role(worst)}
}
