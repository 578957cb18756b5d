package probes

import (
	"time"

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
	Missing     ErrorKind = "missing"  // there is nothing to ask
	BadTLS      ErrorKind = "tls"      // no TLS on the other side, or a broken one
	BadReply    ErrorKind = "reply"    // what came is not HTTP
	BadStatus   ErrorKind = "status"   // HTTP 5xx
)

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
	// Status and Body are the HTTP status and the beginning of the body.
	Status int
	Body   string
	// Values are DNS records or environment variables.
	Values []string
	// Asked are the names that were looked up, with what came.
	Asked       []string
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

// Certificate is what a TLS server showed.
type Certificate struct {
	Subject             string
	Names               []string
	Issuer              string
	NotBefore, NotAfter time.Time
	// Problem is why a client would not trust it; "" when it would. Roots are
	// those of the machine that podpath runs on.
	Problem string
}
