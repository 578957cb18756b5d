package probes

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"podpath/kube"
	"podpath/probes/launch"
	"podpath/probes/path"
	"podpath/probes/wire"
)

// observer carries out checks through one link. It is safe for concurrent
// use.
type observer struct {
	link    launch.Link
	timeout time.Duration // of each step
	roots   *x509.CertPool
	files   files // of the source, read once
	guest   bool  // isGuest
}

// isGuest reports whether the prober runs in a container that came to the Pod
// later, and so has variables of its own.
func isGuest(p *kube.Pod, via launch.Via) bool {
	return p != nil && !slices.ContainsFunc(p.Containers, func(c kube.Container) bool {
		return c.Name == via.Container && c.Kind != kube.EphemeralContainer
	})
}

func newObserver(link launch.Link, options Options) *observer {
	o := &observer{link: link, timeout: options.Timeout, roots: options.Roots}
	o.files.observer = o
	return o
}

// errTool means that the prober could not do what it was asked: nothing was
// learned about the network.
type errTool struct {
	text    string
	tooLong bool // there was more than podpath takes
}

func (e errTool) Error() string { return e.text }

// ask sends one request. Its error means that podpath is blind.
func (o *observer) ask(ctx context.Context, r wire.Request) (wire.Answer, error) {
	r.Timeout = o.timeout
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout+answerGrace, errors.New("the prober did not answer in time"))
	defer cancel()
	a, err := o.link.Ask(ctx, r)
	switch {
	case err != nil:
		return a, err
	case a.Result == wire.Failed:
		return a, errTool{text: "the prober says: " + kube.Clean(string(a.Data))}
	case a.Result == wire.OK && !a.Connected && (r.Op == wire.TCP || r.Op == wire.Hold):
		return a, errTool{text: "the prober says ok, but not that it connected"}
	case a.Result == wire.Denied:
		return a, errTool{text: "the operating system or a sandbox in the container forbids it"}
	}
	return a, nil
}

// answerGrace is how long an answer may take on its way back, on top of the
// time for the request: a slow line, a busy Raspberry Pi.
const answerGrace = 5 * time.Second

// errorKinds translate the results of the network.
var errorKinds = map[wire.Result]path.ErrorKind{
	wire.OK: path.NoError, wire.Refused: path.Refused, wire.Timeout: path.TimedOut, wire.Reset: path.ResetByPeer, wire.Unreachable: path.Unreachable,
}

// mayPass reports what another try may not have: a packet that was lost, a DNS
// server that closed a connection too early.
func mayPass(seen path.Observation) bool {
	switch seen.Stage {
	case path.StageTLS, path.StageRequest:
		return false
	case path.StageResolve:
		return seen.Error == path.TimedOut || seen.Error == path.Closed
	default:
		return seen.Error == path.TimedOut
	}
}

// observe carries out one check.
func (o *observer) observe(ctx context.Context, c path.Check) path.Observation {
	var seen path.Observation
	var err error
	switch c.Kind {
	case path.TCP:
		seen, err = o.tcp(ctx, c.Ask)
	case path.UDP:
		seen, err = o.udp(ctx, c.Ask)
	case path.HTTP, path.HTTPS:
		seen, err = o.http(ctx, c.Ask)
	case path.DNS:
		seen, err = o.dns(ctx, *c.Ask.DNS)
	case path.Env:
		seen, err = o.env(ctx, c.Ask.Env)
	case path.Spread, path.Status: // not the business of one source
		err = fmt.Errorf("a check of kind %s is not observed by one source", c.Kind)
	}
	seen.Via, seen.Blind = o.link.Via(), err
	return seen
}

// tcp connects, and asks in the protocol that is spoken there, if it is known.
func (o *observer) tcp(ctx context.Context, ask path.Ask) (path.Observation, error) {
	seen, err := o.speak(ctx, ask)
	var cannot errTool
	if ask.Speak != path.Silent && errors.As(err, &cannot) { // the tool there cannot ask like that
		ask.Speak, ask.HTTP = path.Silent, nil
		return o.speak(ctx, ask)
	}
	return seen, err
}

// speak connects, and asks in one protocol, or in none.
func (o *observer) speak(ctx context.Context, ask path.Ask) (path.Observation, error) {
	switch ask.Speak {
	case path.SpeakWeb, path.SpeakTLS:
		return o.http(ctx, ask)
	case path.SpeakH2:
		return o.http2(ctx, ask)
	case path.SpeakDNS, path.Silent:
	}
	seen, address, err := o.resolve(ctx, ask.Host)
	if err != nil || seen.Error != path.NoError {
		return seen, err
	}
	if ask.Speak == path.SpeakDNS {
		return o.dnsStream(ctx, ask, seen, address)
	}
	a, err := o.ask(ctx, wire.Request{Op: wire.TCP, Address: address, Port: ask.Port})
	connected(&seen, a, address, ask.Port)
	return seen, err
}

// udp sends one packet. That nobody answers says nothing, unless it is a
// question for a DNS server.
func (o *observer) udp(ctx context.Context, ask path.Ask) (path.Observation, error) {
	seen, address, err := o.resolve(ctx, ask.Host)
	if err != nil || seen.Error != path.NoError {
		return seen, err
	}
	packet := []byte("\n")
	if ask.Speak == path.SpeakDNS {
		if packet, err = dnsQuery(1, probeName, "A"); err != nil {
			return seen, err
		}
	}
	seen.Stage, seen.Address = path.StageConnect, net.JoinHostPort(address, strconv.Itoa(ask.Port))
	a, err := o.ask(ctx, wire.Request{Op: wire.UDP, Address: address, Port: ask.Port, Count: maxDNS, Data: packet})
	var cannot errTool
	switch {
	case errors.As(err, &cannot): // what the other side shows decides
		seen.Error, seen.Detail = path.NotSent, cannot.text
		return seen, nil
	case err != nil:
		return seen, err
	}
	seen.Times = append(seen.Times, path.StageTime{Stage: path.StageConnect, Took: a.Total})
	if seen.Error = errorKinds[a.Result]; seen.Error == path.NoError {
		seen.Stage, seen.Detail = path.StageRequest, fmt.Sprintf("%d bytes came back", len(a.Data))
	} else if seen.Error == path.TimedOut && ask.Speak == path.Silent {
		seen.Error, seen.Detail = path.Silence, "nobody answered a packet"
	}
	return seen, nil
}

// connected notes how connecting went.
func connected(s *path.Observation, a wire.Answer, address string, port int) {
	s.Stage, s.Address = path.StageConnect, net.JoinHostPort(address, strconv.Itoa(port))
	if a.Connected {
		s.Times = append(s.Times, path.StageTime{Stage: path.StageConnect, Took: a.Connect})
		return
	}
	s.Error = errorKinds[a.Result]
	s.Times = append(s.Times, path.StageTime{Stage: path.StageConnect, Took: a.Total})
}

// resolve returns an address for a host: itself, or what the source's hosts
// file or DNS says.
func (o *observer) resolve(ctx context.Context, host string) (path.Observation, string, error) {
	if _, err := netip.ParseAddr(host); err == nil {
		return path.Observation{}, host, nil
	}
	if hosts, err := o.files.read(ctx, "/etc/hosts"); err == nil {
		if addresses := path.HostsAddresses(hosts, host); len(addresses) > 0 {
			return path.Observation{Stage: path.StageResolve, Values: addresses, Detail: "from /etc/hosts"}, addresses[0], nil
		}
	}
	var six path.Observation
	var group errgroup.Group
	group.Go(func() (err error) { // as a C library does, which then waits for both
		six, err = o.dns(ctx, path.DNSAsk{Name: host, Type: "AAAA"})
		return err
	})
	seen, err := o.dns(ctx, path.DNSAsk{Name: host, Type: "A"})
	if err = errors.Join(err, group.Wait()); err != nil {
		return seen, "", err
	}
	switch {
	case seen.Error == path.NoData:
		six.Answers = append(seen.Answers, six.Answers...)
		seen = six
	case seen.Error == path.NoError && six.Error == path.TimedOut:
		seen.Error, seen.Detail = path.TimedOut, "A is answered, AAAA is not"
		seen.Answers = append(seen.Answers, six.Answers...)
	}
	if err != nil || seen.Error != path.NoError {
		return seen, "", err
	}
	return seen, seen.Values[0], nil
}

func (o *observer) env(ctx context.Context, want []string) (path.Observation, error) {
	if o.guest {
		return path.Observation{}, errTool{text: "an ephemeral container has variables of its own, which are newer than the Pod's"}
	}
	environ, err := o.files.read(ctx, "/proc/self/environ")
	if err != nil {
		return path.Observation{}, err
	}
	seen := path.Observation{Stage: path.StageResolve, Values: []string{}}
	for _, name := range want {
		if value, ok := lookupEnv(environ, name); ok {
			seen.Values = append(seen.Values, kube.Clean(name+"="+value))
		}
	}
	if len(seen.Values) == 0 {
		seen.Error = path.Missing
	}
	return seen, nil
}
