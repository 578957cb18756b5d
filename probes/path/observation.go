package path

import (
	"strings"
	"time"

	"podpath/kube"
	"podpath/probes/launch"
)

// Stage is a step of a connection.
type Stage string

// The stages, in their order.
const (
	StageNone    Stage = ""
	StageResolve Stage = "resolve"
	StageConnect Stage = "connect"
	StageTLS     Stage = "tls"
	StageRequest Stage = "request"
)

// ErrorKind says in one word what went wrong in a stage.
type ErrorKind string

// The kinds of error. Those of the network are wire.Results.
const (
	NoError     ErrorKind = ""
	Refused     ErrorKind = "refused"
	TimedOut    ErrorKind = "timeout"
	ResetByPeer ErrorKind = "reset"
	Unreachable ErrorKind = "unreachable"
	NXDomain    ErrorKind = "nxdomain" // the name does not exist
	NoData      ErrorKind = "nodata"   // the name exists, but not with this type
	ServFail    ErrorKind = "servfail" // the DNS server failed, or refused to answer
	Silence     ErrorKind = "silence"  // a packet of UDP that nobody answered
	NotSent     ErrorKind = "unsent"   // a packet of UDP that no tool there can send
	Missing     ErrorKind = "missing"  // there is nothing to ask
	BadTLS      ErrorKind = "tls"      // no TLS on the other side, or a broken one
	BadReply    ErrorKind = "reply"    // what came is not HTTP
	BadStatus   ErrorKind = "status"   // an HTTP status that is not as expected
	BadCert     ErrorKind = "certificate"
	Closed      ErrorKind = "closed"   // the other side closed without an answer
	Redirected  ErrorKind = "redirect" // to itself, again and again
)

// silent are the errors of UDP that say nothing of the other side.
func silent(e ErrorKind) bool { return e == Silence || e == NotSent }

// Observation is what was seen.
type Observation struct {
	// Stage is the last one that was begun. Error says why it failed; NoError
	// when it succeeded.
	Stage Stage
	Error ErrorKind
	// Detail says more about Error, or about what was received.
	Detail string
	// Times are how long each stage took.
	Times []StageTime
	// Address is what was dialed, or the DNS server that answered.
	Address string
	// Responder is who answered, where that is known.
	Responder string
	// Status and Body are the HTTP status and the beginning of the body; Server is
	// what the answer calls its sender, Location where it leads to.
	Status           int
	Body             string
	Server, Location string
	// Speaks is what the app was found to speak where that is not what it was
	// asked in: Silent for nothing that podpath knows.
	Speaks Protocol
	// Alert is what a TLS server said when it gave up.
	Alert string
	// Resolver is how the source looks names up, where it did.
	Resolver *Resolver
	// Values are DNS records or environment variables.
	Values []string
	// Answers are the names that were looked up, with what came.
	Answers     []NameAnswer
	Certificate *Certificate
	Spread      *SpreadResult
	Via         launch.Via
	// Tries is how often the source was asked.
	Tries int
	// Blind says why podpath itself could not look; then nothing else counts.
	Blind error
}

// StageTime is how long a stage took.
type StageTime struct {
	Stage Stage
	Took  time.Duration
}

// Latency is how long all stages took together, 0 where the prober has no
// clock.
func (o Observation) Latency() time.Duration {
	var sum time.Duration
	for _, t := range o.Times {
		sum += t.Took
	}
	return sum
}

// NameAnswer is what came for one name.
type NameAnswer struct {
	Name, Type string
	Error      ErrorKind
	Says       string // the records, or more about the error
	Took       time.Duration
}

// String writes web.shop.svc.cluster.local. 10.96.0.7.
func (a NameAnswer) String() string {
	if a.Error == NoError {
		return a.Name + " " + a.Says
	}
	return strings.TrimSpace(a.Name + " " + string(a.Error) + " " + a.Says)
}

// Certificate is what a TLS server showed.
type Certificate struct {
	Subject             string
	Names               []string
	Issuer              string
	NotBefore, NotAfter time.Time
	// Problem is why a client would not trust it; "" when it would. Roots are
	// those of the machine that podpath runs on, or of --ca.
	Problem string
	// Misfit is set where the certificate itself is at fault, whoever issued it.
	Misfit CertMisfit
}

// CertMisfit is what is wrong with a certificate by itself.
type CertMisfit string

// The misfits.
const (
	CertFits    CertMisfit = ""
	CertExpired CertMisfit = "expired"
	CertEarly   CertMisfit = "not valid yet"
	CertName    CertMisfit = "for another name"
	// CertIssuer is an issuer that --ca does not vouch for.
	CertIssuer CertMisfit = "from another issuer"
)

// Says is what there is to say about what was seen, in one line.
func (o Observation) Says() string {
	switch {
	case o.Blind != nil:
		return kube.Clean(strings.ReplaceAll(o.Blind.Error(), "\n", "; "))
	case o.Detail != "":
		return o.Detail
	default:
		return strings.Join(o.Values, ", ")
	}
}
