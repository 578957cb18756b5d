package probes

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"podpath/kube"
	"podpath/probes/launch"
	"podpath/probes/path"
	"podpath/probes/wire"
)

// farmOfSockets is a Service whose connections show up in socket tables.
type farmOfSockets struct {
	// pick chooses the endpoint of the nth connection; -1 refuses it, and 99 is
	// somebody who is no endpoint.
	pick func(n int) int
	// client is where connections to an endpoint seem to come from.
	client func(endpoint int) string
	// portsKnown, mute and noise: whether the prober tells its ports, which
	// endpoint's Pod has no tools, and where others connect from meanwhile.
	portsKnown bool
	mute       int
	noise      string

	mu     sync.Mutex
	opened int
	open   map[int]string // lines of the table, by the ID of the Hold
	at     map[int]int    // endpoints, likewise
	looks  int
}

// endpoints of the story, with those that reach themselves.
var endpointAddresses = []string{"10.244.1.5:80", "10.244.1.6:80", "10.244.2.5:80"}

// tableLine writes a line of /proc/net/tcp.
func tableLine(local, remote string) string {
	field := func(address string) string {
		p := netip.MustParseAddrPort(address)
		b := p.Addr().As4()
		return fmt.Sprintf("%02X%02X%02X%02X:%04X", b[3], b[2], b[1], b[0], p.Port())
	}
	return fmt.Sprintf("   0: %s %s 01 0 0 0 0\n", field(local), field(remote))
}

// Via, Ask and Close are those of the link to one Pod.
type socketLink struct {
	farm *farmOfSockets
	pod  int // index of its endpoint
}

func (l socketLink) Via() launch.Via { return launch.Via{Rung: launch.Tools} }
func (l socketLink) Close() error    { return nil }
func (l socketLink) Ask(_ context.Context, r wire.Request) (wire.Answer, error) {
	f := l.farm
	f.mu.Lock()
	defer f.mu.Unlock()
	switch r.Op {
	case wire.Hold:
		n := f.opened
		f.opened++
		to := f.pick(n)
		if to == -1 {
			return wire.Answer{Result: wire.Timeout}, nil
		}
		id, port := n+1, 40000+n
		if to != 99 {
			f.at[id], f.open[id] = to, tableLine(endpointAddresses[to], fmt.Sprintf("%s:%d", f.client(to), port))
		}
		a := wire.Answer{ID: id, Result: wire.OK, Connected: true}
		if f.portsKnown {
			a.LocalPort = port
		}
		return a, nil
	case wire.Drop:
		delete(f.open, r.ID)
		return wire.Answer{Result: wire.OK}, nil
	case wire.File:
		if strings.HasSuffix(r.Address, "6") {
			return wire.Answer{Result: wire.Failed}, nil
		}
		f.looks++
		table := tableLine(endpointAddresses[l.pod], "10.244.9.9:50000") // it was there before
		if f.noise != "" {
			table += tableLine(endpointAddresses[l.pod], fmt.Sprintf("%s:%d", f.noise, 60000-f.looks))
		}
		for id, line := range f.open {
			if f.at[id] == l.pod {
				table += line
			}
		}
		return wire.Answer{Result: wire.OK, Data: []byte(table)}, nil
	default:
		return wire.Answer{Result: wire.Failed}, nil
	}
}

func (f *farmOfSockets) Pod(_ context.Context, _ *kube.Snapshot, pod kube.Key, _ string) (launch.Link, error) {
	i := slices.Index([]string{"web-1", "web-2", "web-3"}, pod.Name)
	if i == f.mute-1 {
		return nil, &launch.Failure{Code: launch.NoTools}
	}
	return socketLink{f, i}, nil
}

func (f *farmOfSockets) Node(context.Context, *kube.Snapshot, string) (launch.Link, error) {
	return socketLink{f, -1}, nil
}

func (f *farmOfSockets) Local(context.Context) (launch.Link, error) {
	return nil, errors.New("not here")
}

func TestSpreadsAreReadFromTheSocketTablesOfTheEndpoints(t *testing.T) {
	turns := func(n int) int { return n % 3 }
	own := func(int) string { return "10.244.1.5" }
	hairpin := func(to int) string { return []string{"10.244.1.1", "10.244.1.5", "10.244.1.5"}[to] }
	masked := func(int) string { return "198.51.100.12" }
	for name, test := range map[string]struct {
		farm    *farmOfSockets
		affine  bool
		from    string
		verdict path.Verdict
		shares  string
		text    string
	}{
		"even, ports known":                {&farmOfSockets{pick: turns, client: own, portsKnown: true}, false, "", path.Pass, "40 40 40", "no evidence"},
		"even, by the client's address":    {&farmOfSockets{pick: turns, client: own}, false, "", path.Pass, "40 40 40", ""},
		"a Pod reaches itself":             {&farmOfSockets{pick: turns, client: hairpin}, false, "", path.Pass, "40 40 40", ""},
		"a Pod reaches itself, ports":      {&farmOfSockets{pick: turns, client: hairpin, portsKnown: true}, false, "", path.Pass, "40 40 40", ""},
		"everything is masqueraded":        {&farmOfSockets{pick: turns, client: masked}, false, "", path.Pass, "40 40 40", ""},
		"from a Node":                      {&farmOfSockets{pick: turns, client: masked}, false, "node/raspi002", path.Pass, "40 40 40", ""},
		"the kubelet probes meanwhile":     {&farmOfSockets{pick: turns, client: own, portsKnown: true, noise: "10.244.1.1"}, false, "", path.Pass, "40 40 40", ""},
		"it probes, and ports are unknown": {&farmOfSockets{pick: turns, client: own, noise: "10.244.1.1"}, false, "", path.Pass, "40 40 40", ""},
		"other clients come meanwhile":     {&farmOfSockets{pick: turns, client: own, noise: "10.244.2.99"}, false, "", path.Pass, "40 40 40", ""},
		"uneven":                           {&farmOfSockets{pick: func(n int) int { return min(2, n%6) }, client: own, portsKnown: true}, false, "", path.Fail, "20 20 80", "uneven"},
		"one is never chosen":              {&farmOfSockets{pick: func(n int) int { return n % 2 }, client: own, portsKnown: true}, false, "", path.Fail, "60 60 0", "pod/web-3:80 took none"},
		"somebody else answers":            {&farmOfSockets{pick: func(n int) int { return []int{0, 1, 2, 99}[n%4] }, client: own, portsKnown: true}, false, "", path.Fail, "30 30 30", "30 connections were taken by none"},
		"one is dead":                      {&farmOfSockets{pick: func(n int) int { return n%3 - 1 }, client: own, portsKnown: true}, false, "", path.Fail, "40 40 0", "40 of 120 connections failed"},
		"all are dead":                     {&farmOfSockets{pick: func(int) int { return -1 }, client: own, portsKnown: true}, false, "", path.Fail, "0 0 0", "120 of 120"},
		"uneven only right after a rollout": {&farmOfSockets{pick: func(n int) int {
			if n < 120 { // kube-proxy knows one endpoint yet
				return max(0, n%6-3)
			}
			return n % 3
		}, client: own, portsKnown: true}, false, "", path.Pass, "40 40 40", "no evidence"},
		"one has no tools":                {&farmOfSockets{pick: turns, client: own, portsKnown: true, mute: 3}, false, "", path.Inconclusive, "40 40 ?", "cannot see what 1 of the 3"},
		"sticky":                          {&farmOfSockets{pick: func(int) int { return 1 }, client: own, portsKnown: true}, true, "", path.Pass, "0 120 0", "one endpoint took all"},
		"not sticky, though it should be": {&farmOfSockets{pick: turns, client: own, portsKnown: true}, true, "", path.Fail, "40 40 40", "3 endpoints took some"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := storyWorld(t)
			if test.affine {
				svc := *w.Services[0]
				svc.ClientIPAffinity, w.Services[0] = true, &svc
			}
			f := test.farm
			f.open, f.at = map[int]string{}, map[int]int{}
			from := test.from
			if from == "" {
				from = "pod/web-1"
			}
			checks := planFor(t, w, 120, from, "svc/web")[:1]
			got := Run(t.Context(), w, checks, f, Options{Timeout: stepTime}, nil)[0]
			shares, text := []string{}, ""
			for _, s := range got.Spread.Shares {
				count := "?"
				if s.Known {
					count = fmt.Sprint(s.Count)
				}
				shares = append(shares, count)
			}
			for _, part := range got.Spread.Parts() {
				text += part.Text + "; "
			}
			if got.Verdict != test.verdict || strings.Join(shares, " ") != test.shares || !strings.Contains(text, test.text) || got.Tries != 1 || got.Blind != nil {
				t.Errorf("%s: got %s, %s (%s), %v, want %s, %s (%s)", name, got.Verdict, shares, text, got.Blind, test.verdict, test.shares, test.text)
			}
			want := 120
			if (test.verdict == path.Fail || strings.HasPrefix(name, "uneven")) && got.Spread.Errors == 0 { // it is made once more
				want = 240
			}
			if len(f.open) > 0 || f.opened != want {
				t.Errorf("%s: got %d opened and %d still open, want %d and 0", name, f.opened, len(f.open), want)
			}
			if name == "all are dead" && got.Error != path.TimedOut {
				t.Errorf("%s: got %q, want what the connections said", name, got.Error)
			}
		})
	}
}
