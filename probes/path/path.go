// Package path is the model of podpath: the way of one request from a source to a target, hop by hop. It says what the
// objects of a cluster make of a request (Resolve, expect), what an observation means for each hop (Walk), and where the
// cause of a failure lies (Explain). It is pure: nothing here sends, reads or waits.
package path

import (
	"podpath/kube"
)

// HopKind is what has to work at a point of a path, by the question that it answers.
type HopKind string

// The hops, in the order in which a request passes them. Policies see a packet after its translation, so that Leave comes
// behind Translate and is judged for each endpoint.
const (
	Look      HopKind = "look"      // can podpath look from there at all?
	Name      HopKind = "name"      // what does the name mean to the source?
	Translate HopKind = "translate" // to which endpoint does the address lead?
	Leave     HopKind = "leave"     // may the source send this?
	Cross     HopKind = "cross"     // does it get to the other Node?
	Enter     HopKind = "enter"     // may the target take it?
	Listen    HopKind = "listen"    // does anything listen there?
	Speak     HopKind = "speak"     // does it answer as it should?
)

// order is the place of a hop on the way.
func (k HopKind) order() int {
	for i, other := range []HopKind{Look, Name, Translate, Leave, Cross, Enter, Listen, Speak} {
		if k == other {
			return i
		}
	}
	return -1
}

// HopState is what became of a hop.
type HopState string

// The states of a hop.
const (
	Works      HopState = "works"
	Broken     HopState = "broken"
	ByDesign   HopState = "by design" // not passed, and that is right
	NotReached HopState = "not reached"
	Unknown    HopState = "unknown"
)

// Known is how podpath knows the state of a hop, the strongest first. Nothing assumed is ever shown as seen.
type Known string

// The ways to know.
const (
	Seen      Known = "seen"           // this request passed it, or ended there
	LookedAt  Known = "looked at"      // a socket table, a health check, another request
	ByObjects Known = "by the objects" // the API's objects say so
	Assumed   Known = "assumed"
)

// Hop is one thing that must work for a request to get on, and who does it.
type Hop struct {
	Kind HopKind
	// By is the component that makes it: kube-proxy on raspi002, container nginx.
	By string
	// Node and Pod are where; empty where that says nothing.
	Node string
	Pod  kube.Key
	// From and To are what goes in and what comes out: a name and its address, an address and that of an endpoint.
	From, To string
	// Rule is what Kubernetes says of this hop, in one sentence, and Origin where it says so.
	Rule, Origin string
	State        HopState
	Known        Known
	// Says is what was seen there, in a few words.
	Says string
}

// Tail is the rest of a path behind the fork, to one endpoint.
type Tail struct {
	Endpoint kube.Endpoint
	Hops     []Hop
}

// Entry is the kind of address at which a request enters a Service.
type Entry string

// The entries. Behind the virtual ones kube-proxy chooses an endpoint; a headless Service's name leads to the endpoints
// themselves.
const (
	NoEntry           Entry = "" // the address is no Service's
	AtClusterIP       Entry = "cluster IP"
	AtNodePort        Entry = "node port"
	AtExternalIP      Entry = "external IP"
	AtLoadBalancer    Entry = "load balancer"
	AtHostPort        Entry = "host port" // of a Pod: the Node's runtime leads to it
	AtHeadless        Entry = "headless"
	AtExternalName    Entry = "external name"
	AtIngress         Entry = "ingress"
	AtEndpoint        Entry = "endpoint" // dialed next to a Service, to tell it from its endpoints
	AtServiceNotFound Entry = "no service"
)

// Virtual reports an address behind which something chooses an endpoint.
func (e Entry) Virtual() bool {
	switch e {
	case AtClusterIP, AtNodePort, AtExternalIP, AtLoadBalancer, AtIngress:
		return true
	default:
		return false
	}
}

// outer reports an address for clients outside of the cluster.
func (e Entry) outer() bool { return e == AtNodePort || e == AtExternalIP || e == AtLoadBalancer }

// Path is where a request goes by the objects: what its name means, where it enters a Service, and what is at its end. It
// is the same for every spelling of the same request.
type Path struct {
	// Name is what the source resolves first; empty for an address.
	Name Meaning
	// Entry says how it enters Service at Port. Port is the zero value when the Service has no such port.
	Entry   Entry
	Service kube.Key
	Port    kube.ServicePort
	// Ingress passes on what enters its controller.
	Ingress kube.Key
	// Pod is at the end, where there is one end only; its Name is empty when no Pod is known there.
	Pod kube.Key
	// Node is the one of the address, or of Pod; empty for one outside.
	Node string
}

// Virtual reports whether something chooses an endpoint on the way.
func (p Path) Virtual() bool { return p.Entry.Virtual() }

// AtNode reports whether the address is a Node's, not a Pod's.
func (p Path) AtNode() bool { return p.Entry == AtNodePort || p.Entry == AtHostPort }

// Lacks says what the objects lack where a check is about them alone.
func (p Path) Lacks() string {
	if p.Service.Name == "" && p.Ingress.Name == "" {
		return "it is not ready"
	}
	return "there is no address"
}
