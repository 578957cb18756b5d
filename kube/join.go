package kube

import (
	"cmp"
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"
)

// join keeps every Service together with its endpoints and flags. It looks
// again only at those Services that a change can have touched, so that one
// Pod's new status costs nothing on a cluster of thousands of Services.
type join struct {
	services list[*Service]
	slicesOf map[Key][]*slice // by Service
	astray   map[Key]bool     // the keys of slicesOf that are no Service's
	strays   []Stray

	podsKnown, slicesKnown bool
}

// update applies what is pending in the store's collections.
func (j *join) update(s *Store, next *Snapshot) {
	touched := map[Key]bool{}
	j.touchSlices(touched, s.slices)
	podsBefore := s.pods.records
	podChanges := s.pods.take()
	serviceChanges := s.services.take()
	for k := range serviceChanges {
		touched[k] = true
	}
	podsKnown, slicesKnown := next.States[Pods].Listed, next.States[EndpointSlices].Listed
	if podsKnown != j.podsKnown || slicesKnown != j.slicesKnown {
		j.podsKnown, j.slicesKnown = podsKnown, slicesKnown
		for _, svc := range s.services.records {
			touched[svc.Key()] = true
		}
	} else {
		touchSelected(touched, s.services.records, podsBefore, podChanges)
	}
	if len(touched) == 0 {
		return
	}
	pods := newPodIndex(s.pods.records, len(touched))
	j.findStrays(touched, s.services.records)
	changes := make(map[Key]change[*Service], len(touched))
	for k := range touched {
		bare, exists := s.services.records.get(k)
		if !exists {
			changes[k] = change[*Service]{deleted: true}
			continue
		}
		changes[k] = change[*Service]{record: j.joined(bare, pods)}
	}
	j.services = j.services.with(changes)
}

// touchSelected marks the Services that select a changed Pod, or did.
func touchSelected(touched map[Key]bool, services list[*Service], podsBefore list[*Pod], changes map[Key]change[*Pod]) {
	for k, c := range changes {
		before, existed := podsBefore.get(k)
		if existed && !c.deleted && sameForServices(before, c.record) {
			continue
		}
		for _, svc := range services.namespace(k.Namespace) {
			if existed && svc.Selector.Select(before.Labels) || !c.deleted && svc.Selector.Select(c.record.Labels) {
				touched[svc.Key()] = true
			}
		}
	}
}

// sameForServices reports whether a change of a Pod cannot matter to any
// Service: its addresses and endpoint conditions come with the EndpointSlices.
func sameForServices(a, b *Pod) bool {
	return a.Finished == b.Finished && a.IsReady == b.IsReady && a.Status == b.Status && slices.Equal(a.Labels, b.Labels) && slices.Equal(a.Ports(), b.Ports())
}

func (j *join) joined(bare *Service, pods podIndex) *Service {
	if bare.Kind == ExternalName {
		return bare // DNS only: slices that an earlier kind of it left behind count for nothing
	}
	svc := *bare
	svc.Endpoints = mergeEndpoints(j.slicesOf[svc.Key()])
	svc.Slices = slicesInOrder(j.slicesOf[svc.Key()])
	svc.Counts = countEndpoints(svc.Endpoints)
	e := evidence{service: &svc, podsKnown: j.podsKnown, slicesKnown: j.slicesKnown}
	if j.podsKnown {
		e.pods = pods.selected(&svc)
	}
	svc.Flags = serviceFlags(e)
	return &svc
}

// slicesInOrder returns what is shown of the slices of one Service.
func slicesInOrder(of []*slice) []Slice {
	if len(of) == 0 {
		return nil
	}
	out := make([]Slice, len(of))
	for i, s := range of {
		out[i] = s.Slice
	}
	slices.SortFunc(out, func(a, b Slice) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// findStrays looks at the touched keys only; nearly always none of them is
// astray, and the list stays as it is.
func (j *join) findStrays(touched map[Key]bool, services list[*Service]) {
	if j.astray == nil {
		j.astray = map[Key]bool{}
	}
	changed := false
	for k := range touched {
		_, exists := services.get(k)
		changed = changed || j.astray[k]
		delete(j.astray, k)
		if !exists && len(j.slicesOf[k]) > 0 {
			j.astray[k], changed = true, true
		}
	}
	if !changed {
		return
	}
	j.strays = nil // snapshots share the list of before
	for k := range j.astray {
		for _, s := range j.slicesOf[k] {
			j.strays = append(j.strays, Stray{Namespace: s.namespace, Name: s.Name, Service: s.service, Addresses: s.Addresses})
		}
	}
	slices.SortFunc(j.strays, func(a, b Stray) int { return compareKeys(a.Key(), b.Key()) })
}

// touchSlices applies the changed slices to the index by Service.
func (j *join) touchSlices(touched map[Key]bool, c *collection[*discoveryv1.EndpointSlice, *slice]) {
	if j.slicesOf == nil {
		j.slicesOf = map[Key][]*slice{}
	}
	before := c.records
	for k, ch := range c.take() {
		if old, existed := before.get(k); existed {
			of := old.serviceKey()
			touched[of] = true
			j.slicesOf[of] = slices.DeleteFunc(j.slicesOf[of], func(s *slice) bool { return s == old })
			if len(j.slicesOf[of]) == 0 {
				delete(j.slicesOf, of)
			}
		}
		if !ch.deleted {
			of := ch.record.serviceKey()
			touched[of] = true
			j.slicesOf[of] = append(j.slicesOf[of], ch.record)
		}
	}
}

// podIndex finds the Pods that a Service selects. For many Services it knows
// the Pods by label: else each Service would look at every Pod of its
// namespace.
type podIndex struct {
	pods    list[*Pod]
	byLabel map[namespacedLabel][]*Pod // nil for few Services
}

type namespacedLabel struct {
	namespace string
	label     Label
}

// indexFrom is how many Services are worth an index.
const indexFrom = 32

func newPodIndex(pods list[*Pod], services int) podIndex {
	x := podIndex{pods: pods}
	if services < indexFrom {
		return x
	}
	x.byLabel = map[namespacedLabel][]*Pod{}
	for _, p := range pods {
		for _, l := range p.Labels {
			k := namespacedLabel{p.Namespace, l}
			x.byLabel[k] = append(x.byLabel[k], p)
		}
	}
	return x
}

// selected returns the Pods that the Service selects and that have not
// finished.
func (x podIndex) selected(svc *Service) []*Pod {
	candidates := []*Pod(x.pods.namespace(svc.Namespace))
	if x.byLabel != nil {
		for i, l := range svc.Selector {
			if with := x.byLabel[namespacedLabel{svc.Namespace, l}]; i == 0 || len(with) < len(candidates) {
				candidates = with
			}
		}
	}
	return selected(candidates, svc, true)
}
