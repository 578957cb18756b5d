// Package probes tests the paths of a cluster from inside: it plans what to
// check and what to expect, asks a prober in each source, judges what it
// observed, and finds the cause of what is not as expected. Planning,
// expecting, judging and finding causes are pure functions over a World.
package probes

import "podpath/kube"

// Kind is what a check does.
type Kind string

// The kinds of check.
const (
	TCP    Kind = "tcp"
	HTTP   Kind = "http"
	HTTPS  Kind = "https"
	DNS    Kind = "dns"
	Env    Kind = "env"
	Spread Kind = "spread"
	// Status needs nothing to be sent: the objects tell, such as an Ingress
	// without an address.
	Status Kind = "status"
)

// Group is a part of what can be checked, as --only names it.
type Group string

// The groups.
const (
	Paths     Group = "paths"
	Services  Group = "services"
	Discovery Group = "discovery"
	Spreading Group = "spread"
)

// Groups are all groups, in the order in which they are run and shown.
var Groups = []Group{Paths, Services, Spreading, Discovery}

// Check is one thing to check, with what to expect of it.
type Check struct {
	// ID names the check within a report, and in the next report of the same
	// plan.
	ID     string
	Group  Group
	Source Source
	// Target is a label: svc/web:80, pod/web-1:8080.
	Target string
	Kind   Kind
	Ask    Ask
	Expect Expectation
	// About says what the check touches, for causes.
	About About
}

// Ask is what is sent.
type Ask struct {
	// Host is an IP address, or a name that the source resolves first.
	Host string
	Port int
	// HTTP is set for HTTP and HTTPS.
	HTTP *HTTPAsk
	// DNS is set for DNS.
	DNS *DNSAsk
	// Env lists the variables to look for.
	Env []string
	// Count is how many connections a Spread opens.
	Count int
}

// HTTPAsk is a GET request.
type HTTPAsk struct {
	TLS bool
	// Host is the value of the Host header, and the server name of TLS (SNI).
	Host string
	Path string
	// Strict is set where the answer can only be the controller's own: then a
	// 404 is an error.
	Strict bool
}

// DNSAsk is a question.
type DNSAsk struct {
	Name string
	Type string // A, AAAA, CNAME, SRV, PTR
	// Full is set when Name is one of the cluster up to .svc: then only the
	// cluster's domain is added, as far as the source's search list has it.
	Full bool
	// Server is the one to ask, or "" for those of the source's resolv.conf.
	Server string
}

// About says which objects a check touches.
type About struct {
	Pod     kube.Key // the Pod at the other end
	Service kube.Key
	Ingress kube.Key
	Node    string
	// Port is the Service's port.
	Port kube.ServicePort
	// Virtual is set when the address belongs to a Service and not to one
	// endpoint.
	Virtual bool
	// NodePort is set when the address is a Node's.
	NodePort bool
}

// Outcome is what is expected of a check.
type Outcome string

// The outcomes.
const (
	Reached Outcome = "reached"
	Blocked Outcome = "blocked" // not reached, and that is right
	Any     Outcome = "any"     // neither would be wrong
)

// Expectation is what should be observed, and why. It is derived from the API
// objects before anything is sent.
type Expectation struct {
	Outcome Outcome
	Why     string
	// Values are the records or variables expected, if it is known which; for
	// a check that expects Reached.
	Values []string
	// Cause explains an outcome that may surprise but is by design.
	Cause *Cause
}
