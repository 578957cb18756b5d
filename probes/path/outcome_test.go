package path

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"podpath/kube"
)

// outcome is what comes of a check: it changes what a healthy cluster does.
type outcome func(Check, *Observation)

// fate is an outcome that is one kind of error, or none.
type fate func(Check) ErrorKind

// through is the fate of what gets through though it should not.
const through ErrorKind = "through"

// meets is the fate as an outcome: each kind of error at the stage where it
// comes up.
func (f fate) meets(c Check, o *Observation) {
	if f == nil {
		return
	}
	switch kind := f(c); {
	case kind == through:
		*o = answered(c, *o)
	case kind != NoError && c.Kind == Spread:
		o.Spread.Verdict = Fail
	case kind != NoError:
		o.failed(c, kind)
	}
}

// failed makes an observation one of a failure.
func (o *Observation) failed(c Check, kind ErrorKind) {
	o.Error, o.Values, o.Detail = kind, nil, ""
	switch {
	case c.Kind == DNS || c.Kind == Env || c.Kind == Status:
		o.Stage = StageResolve
	case kind == NXDomain || kind == NoData || kind == ServFail:
		o.Stage, o.Address = StageResolve, "10.96.0.10:53"
	case kind == Refused || kind == TimedOut || kind == Unreachable:
		o.Stage = StageConnect
	case kind == BadStatus:
		o.Stage, o.Status, o.Detail = StageRequest, 503, "HTTP/1.1 503 Service Unavailable"
	}
}

// answered makes an observation one of success, as far as a check goes.
func answered(c Check, o Observation) Observation {
	o.Error, o.Stage = NoError, StageConnect
	switch {
	case c.Kind == DNS:
		o.Stage = StageResolve
	case c.Ask.Speak == SpeakTLS:
		o.Stage, o.Detail = StageTLS, "TLS 1.3"
	case c.Kind == UDP, c.Ask.HTTP != nil, c.Ask.Speak != Silent:
		o.Stage, o.Status, o.Detail = StageRequest, 200, "HTTP/1.1 200 OK"
	}
	return o
}

// expectedOf is what comes of a check in a healthy cluster: what is expected.
func expectedOf(w *World, c Check) Observation {
	o := Observation{Values: c.Expect.Values}
	host := c.Ask.Host
	if _, err := netip.ParseAddr(host); err != nil && c.Ask.DNS == nil && host != "" {
		host = "192.0.2.99" // of somebody else
		if svc := w.Service(c.Path.Service); svc != nil && c.Path.Entry == AtClusterIP {
			host = svc.ClusterIPs[0]
		} else if svc != nil && len(svc.Endpoints) > 0 {
			host = svc.Endpoints[0].Address
		}
		o.Answers = []NameAnswer{{Name: c.Ask.Host + ".", Type: "A", Says: host}}
	}
	o.Address = net.JoinHostPort(host, strconv.Itoa(c.Ask.Port))
	switch c.Kind {
	case DNS:
		o.Address = "10.96.0.10:53"
	case Spread:
		o.Spread = &SpreadResult{Verdict: Pass}
	case Status:
		return Observation{Stage: StageResolve, Error: Missing}
	default:
	}
	o = answered(c, o)
	if c.Expect.Outcome == Blocked {
		o.failed(c, cmp.Or(map[Kind]ErrorKind{Env: Missing, DNS: NXDomain}[c.Kind], TimedOut))
	}
	return o
}

// carriedOut are the results of checks, without a network and without causes.
func carriedOut(w *World, checks []Check, comes outcome) []Result {
	results := make([]Result, 0, len(checks))
	for _, c := range checks {
		o := expectedOf(w, c)
		if comes != nil {
			comes(c, &o)
		}
		results = append(results, Result{Check: c, Observation: o, Verdict: Judge(c, o)})
	}
	return results
}

// simulate carries checks out, and explains what came of them.
func simulate(w *World, checks []Check, what fate, looks Looks) []Result {
	results := carriedOut(w, checks, what.meets)
	Explain(w, results, looks)
	return results
}

// diagnose carries checks out, looks closer as a run does, and explains.
func diagnose(w *World, checks []Check, comes outcome, looks Looks) []Result {
	results := carriedOut(w, checks, comes)
	known := slices.Clone(results)
	for range 3 { // as a run does
		more := carriedOut(w, w.Closer(known), comes)
		known, looks.Compared = append(known, more...), append(looks.Compared, more...)
	}
	Explain(w, results, looks)
	return results
}

// sockets are listeners: 0.0.0.0:80, udp 0.0.0.0:53.
func sockets(addresses ...string) []Listener {
	var out []Listener
	for _, a := range addresses {
		protocol := "TCP"
		if at, ok := strings.CutPrefix(a, "udp "); ok {
			protocol, a = "UDP", at
		}
		p := netip.MustParseAddrPort(a)
		out = append(out, Listener{Protocol: protocol, Address: p.Addr(), Port: int(p.Port())})
	}
	return out
}

// listens is where one Pod of namespace shop listens.
func listens(pod string, addresses ...string) Looks {
	return Looks{Sockets: map[kube.Key][]Listener{key("shop/" + pod): sockets(addresses...)}}
}

// all gives each Pod of the story the same listeners.
func all(addresses ...string) Looks {
	looks := Looks{Sockets: map[kube.Key][]Listener{}}
	for _, name := range []string{"web-1", "web-2", "web-3"} {
		looks.Sockets[key("shop/"+name)] = sockets(addresses...)
	}
	return looks
}

// code is that of the cause of a result, or "".
func code(r Result) CauseCode {
	if r.Cause == nil {
		return ""
	}
	return r.Cause.Code
}
