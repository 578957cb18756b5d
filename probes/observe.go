package probes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"podpath/kube"
	"podpath/probes/launch"
	"podpath/probes/wire"
)

// observer carries out checks through one link. It is safe for concurrent
// use.
type observer struct {
	link    launch.Link
	timeout time.Duration // of each step
	files   files         // of the source, read once
	guest   bool          // isGuest
}

// isGuest reports whether the prober runs in a container that came to the Pod
// later, and so has variables of its own.
func isGuest(p *kube.Pod, via launch.Via) bool {
	return p != nil && !slices.ContainsFunc(p.Containers, func(c kube.Container) bool {
		return c.Name == via.Container && c.Kind != kube.EphemeralContainer
	})
}

func newObserver(link launch.Link, timeout time.Duration) *observer {
	o := &observer{link: link, timeout: timeout}
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
var errorKinds = map[wire.Result]ErrorKind{
	wire.OK: NoError, wire.Refused: Refused, wire.Timeout: TimedOut, wire.Reset: ResetByPeer, wire.Unreachable: Unreachable,
}

// confirm carries out one check, and once more when it was to be reached and
// timed out: a lost packet, or an app whose queue was full for a moment, is no
// failure.
func (o *observer) confirm(ctx context.Context, c Check) Observation {
	seen := o.observe(ctx, c)
	seen.Tries = 1
	if seen.Blind != nil || seen.Error != TimedOut || c.Expect.Outcome != Reached {
		return seen
	}
	again := o.observe(ctx, c)
	if again.Tries = 2; again.Error == NoError {
		again.Detail = strings.TrimPrefix(again.Detail+"; the first try timed out", "; ")
	}
	return again
}

// observe carries out one check.
func (o *observer) observe(ctx context.Context, c Check) Observation {
	var seen Observation
	var err error
	switch c.Kind {
	case TCP:
		seen, err = o.tcp(ctx, c.Ask)
	case HTTP, HTTPS:
		seen, err = o.http(ctx, c.Ask)
	case DNS:
		seen, err = o.dns(ctx, *c.Ask.DNS)
	case Env:
		seen, err = o.env(ctx, c.Ask.Env)
	case Spread, Status: // not the business of one source
		err = fmt.Errorf("a check of kind %s is not observed by one source", c.Kind)
	}
	seen.Via, seen.Blind = o.link.Via(), err
	return seen
}

func (o *observer) tcp(ctx context.Context, ask Ask) (Observation, error) {
	seen, address, err := o.resolve(ctx, ask.Host)
	if err != nil || seen.Error != NoError {
		return seen, err
	}
	a, err := o.ask(ctx, wire.Request{Op: wire.TCP, Address: address, Port: ask.Port})
	seen.connected(a, address, ask.Port)
	return seen, err
}

// connected notes how connecting went.
func (s *Observation) connected(a wire.Answer, address string, port int) {
	s.Stage, s.Address = StageConnect, net.JoinHostPort(address, strconv.Itoa(port))
	if a.Connected {
		s.Times = append(s.Times, StageTime{StageConnect, a.Connect})
		return
	}
	s.Error = errorKinds[a.Result]
	s.Times = append(s.Times, StageTime{StageConnect, a.Total})
}

// resolve returns an address for a host: itself, or what the source's hosts
// file or DNS says.
func (o *observer) resolve(ctx context.Context, host string) (Observation, string, error) {
	if _, err := netip.ParseAddr(host); err == nil {
		return Observation{}, host, nil
	}
	if hosts, err := o.files.read(ctx, "/etc/hosts"); err == nil {
		if addresses := hostsAddresses(hosts, host); len(addresses) > 0 {
			return Observation{Stage: StageResolve, Values: addresses, Detail: "from /etc/hosts"}, addresses[0], nil
		}
	}
	seen, err := o.dns(ctx, DNSAsk{Name: host, Type: "A"})
	if err == nil && seen.Error == NoData {
		seen, err = o.dns(ctx, DNSAsk{Name: host, Type: "AAAA"})
	}
	if err != nil || seen.Error != NoError {
		return seen, "", err
	}
	return seen, seen.Values[0], nil
}

func (o *observer) env(ctx context.Context, want []string) (Observation, error) {
	if o.guest {
		return Observation{}, errTool{text: "an ephemeral container has variables of its own, which are newer than the Pod's"}
	}
	environ, err := o.files.read(ctx, "/proc/self/environ")
	if err != nil {
		return Observation{}, err
	}
	seen := Observation{Stage: StageResolve, Values: []string{}}
	for _, name := range want {
		if value, ok := lookupEnv(environ, name); ok {
			seen.Values = append(seen.Values, kube.Clean(name+"="+value))
		}
	}
	if len(seen.Values) == 0 {
		seen.Error = Missing
	}
	return seen, nil
}
