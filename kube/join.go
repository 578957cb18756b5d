package kube

import (
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"
)

// join keeps every Service together with its endpoints and flags. It looks
// again only at those Services that a change can have touched, so that one
// Pod's new status costs nothing on a cluster of thousands of Services.
type join struct {
	services list[*Service]
	slicesOf map[Key][]*slice // by Service

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
	podsKnown, slicesKnown := next.states[Pods].Listed, next.states[EndpointSlices].Listed
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
	changes := make(map[Key]change[*Service], len(touched))
	for k := range touched {
		bare, exists := s.services.records.get(k)
		if !exists {
			changes[k] = change[*Service]{deleted: true}
			continue
		}
		changes[k] = change[*Service]{record: j.joined(bare, s.pods.records)}
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
// Service: its endpoint conditions come with the EndpointSlices.
func sameForServices(a, b *Pod) bool {
	return a.Finished == b.Finished && slices.Equal(a.Labels, b.Labels) && slices.Equal(a.Ports(), b.Ports())
}

func (j *join) joined(bare *Service, pods list[*Pod]) *Service {
	if bare.Kind == ExternalName {
		return bare // DNS only: slices that an earlier kind of it left behind count for nothing
	}
	svc := *bare
	svc.Endpoints = mergeEndpoints(j.slicesOf[svc.Key()])
	svc.Counts = countEndpoints(svc.Endpoints)
	e := evidence{service: &svc, podsKnown: j.podsKnown, slicesKnown: j.slicesKnown}
	if j.podsKnown {
		e.pods = selected(pods, &svc, true)
	}
	svc.Flags = serviceFlags(e)
	return &svc
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
