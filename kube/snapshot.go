package kube

import "time"

// Scope is what a store looks at: one namespace, or all of them when empty.
type Scope struct{ Namespace string }

// All reports whether the scope is the whole cluster.
func (s Scope) All() bool { return s.Namespace == "" }

// Snapshot is the cluster at one moment. It never changes and may be shared;
// a later one has a higher number.
type Snapshot struct {
	Number uint64
	At     time.Time
	Scope  Scope

	// Pods and Services are ordered by namespace and name, Nodes by name.
	Pods       []*Pod
	Nodes      []*Node
	Services   []*Service
	Namespaces []string
	// Strays are the EndpointSlices that belong to no Service, ordered by
	// namespace and name; none until the Services were listed.
	Strays []Stray

	// States are those of the resources; see State.
	States [resourceCount]State
}

// State returns how far the snapshot can be trusted for one resource.
func (s *Snapshot) State(r Resource) State { return s.States[r] }

// Pod returns the Pod, or nil.
func (s *Snapshot) Pod(k Key) *Pod {
	p, _ := list[*Pod](s.Pods).get(k)
	return p
}

// Node returns the Node, or nil.
func (s *Snapshot) Node(name string) *Node {
	n, _ := list[*Node](s.Nodes).get(Key{Name: name})
	return n
}

// Service returns the Service, or nil.
func (s *Snapshot) Service(k Key) *Service {
	svc, _ := list[*Service](s.Services).get(k)
	return svc
}

// ServicesOf lists the Services that select the Pod, and those whose
// EndpointSlices name it though they have no selector.
func (s *Snapshot) ServicesOf(p *Pod) []*Service {
	var out []*Service
	for _, svc := range list[*Service](s.Services).namespace(p.Namespace) {
		if svc.Selector.Select(p.Labels) || len(svc.Selector) == 0 && svc.names(p) {
			out = append(out, svc)
		}
	}
	return out
}

// PodsOf lists the Pods that the Service selects, finished ones included.
func (s *Snapshot) PodsOf(svc *Service) []*Pod {
	return selected(list[*Pod](s.Pods).namespace(svc.Namespace), svc, false)
}

func (s *Service) names(p *Pod) bool {
	for _, e := range s.Endpoints {
		if e.Pod == p.Name {
			return true
		}
	}
	return false
}

func selected(pods []*Pod, svc *Service, unfinishedOnly bool) []*Pod {
	var out []*Pod
	for _, p := range pods {
		if (!unfinishedOnly || !p.Finished) && svc.Selector.Select(p.Labels) {
			out = append(out, p)
		}
	}
	return out
}
