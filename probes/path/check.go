package path

import (
	"strings"

	"podpath/kube"
)

// Kind is what a check does.
type Kind string

// The kinds of check.
const (
	TCP    Kind = "tcp"
	UDP    Kind = "udp"
	HTTP   Kind = "http"
	HTTPS  Kind = "https"
	DNS    Kind = "dns"
	Env    Kind = "env"
	Spread Kind = "spread"
	// Status needs nothing to be sent: the objects tell, such as an Ingress
	// without an address.
	Status Kind = "status"
)

// transport is what carries it, as ports of the API name it.
func (k Kind) transport() string {
	if k == UDP {
		return "UDP"
	}
	return "TCP"
}

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

// Check is one request along a path, with what to expect of it.
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
	// Path is where the request goes.
	Path   Path
	Expect Expectation
	// Asked is set for what the user asked for by name: it is never skipped.
	Asked bool
}

// Ask is what is sent.
type Ask struct {
	// Host is an IP address, or a name that the source resolves first.
	Host string
	Port int
	// Speak is what a TCP check says once it is connected; "" for nothing.
	Speak Protocol
	// HTTP is set for HTTP and HTTPS, and for a TCP check that speaks one of them.
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
	// Written is set for a URL that the user wrote: then a 4xx is a failure, too,
	// but for those that ask for credentials.
	Written bool
	// Status is the one that is expected; 0 for any that is no error.
	Status int
}

// URL writes the request as a URL.
func (h HTTPAsk) URL() string {
	if h.TLS {
		return "https://" + h.Host + h.Path
	}
	return "http://" + h.Host + h.Path
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

// Protocol is what an app speaks at a port.
type Protocol string

// The protocols that podpath can ask in.
const (
	Silent   Protocol = "" // not known: a connection that opens says only that
	SpeakWeb Protocol = "http"
	SpeakTLS Protocol = "tls"
	SpeakH2  Protocol = "http2" // without TLS
	SpeakDNS Protocol = "dns"
)

// words are the first words of port names, and values of appProtocol, that name a protocol, as service meshes read them.
var words = map[string]Protocol{
	"http": SpeakWeb, "ws": SpeakWeb, "kubernetes.io/ws": SpeakWeb, "https": SpeakTLS, "tls": SpeakTLS, "wss": SpeakTLS, "kubernetes.io/wss": SpeakTLS,
	"grpc": SpeakH2, "http2": SpeakH2, "h2c": SpeakH2, "kubernetes.io/h2c": SpeakH2, "dns": SpeakDNS,
}

// numbers are the ports whose protocol is known where they have no name.
var numbers = map[int]Protocol{53: SpeakDNS, 80: SpeakWeb, 443: SpeakTLS, 8080: SpeakWeb, 8443: SpeakTLS}

// Spoken is what is spoken at a port: by its appProtocol (KEP-1507), by the first word of its name, or by its number where
// it has neither.
func Spoken(appProtocol, name string, number int) Protocol {
	switch {
	case appProtocol != "":
		return words[strings.ToLower(appProtocol)]
	case name != "":
		first, _, _ := strings.Cut(strings.ToLower(name), "-")
		return words[first]
	default:
		return numbers[number]
	}
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
	// Hop is the one that decides.
	Hop HopKind
	// Values are the records or variables expected, if it is known which; for
	// a check that expects Reached.
	Values []string
	// Cause explains an outcome that may surprise but is by design.
	Cause *Cause
	// Behind is what to expect where the name that nobody need know is known all
	// the same; nil for every other expectation.
	Behind *Expectation
}

// met is the expectation that an observation is held against.
func (e Expectation) met(o Observation) Expectation {
	if e.Behind != nil && o.Blind == nil && (o.Stage == StageConnect || o.Stage == StageTLS || o.Stage == StageRequest) {
		return *e.Behind
	}
	return e
}

// reached expects an answer.
func reached(why string) Expectation { return Expectation{Outcome: Reached, Why: why} }

// either expects nothing.
func either(why string) Expectation { return Expectation{Outcome: Any, Why: why} }

// blocked expects no answer, for a reason that is by design.
func blocked(code CauseCode, why string, next Next) Expectation {
	return Expectation{Outcome: Blocked, Why: why, Cause: &Cause{Code: code, Summary: why, Next: next, ByDesign: true}}
}

// at says which hop an expectation is about.
func (e Expectation) at(hop HopKind) Expectation {
	e.Hop = hop
	if e.Cause != nil {
		c := *e.Cause
		c.Hop = hop
		e.Cause = &c
	}
	return e
}

// service is the Service of a path, or nil.
func (w *World) service(p Path) *kube.Service { return w.Service(p.Service) }
