package probes

import (
	"context"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"podpath/probes/launch"
	"podpath/probes/path"
	"podpath/probes/wire"
)

// stepTime is the timeout of a step in tests.
const stepTime = time.Second

func TestConnectionsAreObserved(t *testing.T) {
	routes := map[string]route{
		"tcp 10.0.0.5:80": fails(syscall.EPERM), "tcp 10.0.0.6:80": noTool, "tcp [fd00::1]:80": serves(silent),
	}
	inPod(t, func(t *testing.T, place wire.Network) {
		for name, test := range map[string]struct {
			host    string
			stage   path.Stage
			err     path.ErrorKind
			address string
			blind   string
		}{
			"it connects":              {"10.96.9.7", path.StageConnect, path.NoError, "10.96.9.7:80", ""},
			"over IPv6":                {"fd00::1", path.StageConnect, path.NoError, "[fd00::1]:80", ""},
			"a name of the hosts file": {"here", path.StageConnect, path.NoError, "10.96.9.7:80", ""},
			"it is refused":            {"10.96.9.8", path.StageConnect, path.Refused, "10.96.9.8:80", ""},
			"nothing answers":          {"10.0.0.3", path.StageConnect, path.TimedOut, "10.0.0.3:80", ""},
			"there is no way":          {"fd00::2", path.StageConnect, path.Unreachable, "[fd00::2]:80", ""},
			"a sandbox forbids it":     {"10.0.0.5", "", "", "", "forbids"},
			"the tool cannot do it":    {"10.0.0.6", "", "", "", "this shell cannot do that"},
		} {
			o := observing(t, network{Network: place, routes: routes, files: map[string]string{"/etc/hosts": "127.0.0.1 localhost\n10.96.9.7 here\n"}})
			got := o.observe(t.Context(), path.Check{Kind: path.TCP, Ask: path.Ask{Host: test.host, Port: 80}})
			if test.blind != "" {
				if !has(got.Blind, test.blind) {
					t.Errorf("%s: got %+v, want blindness: %s", name, got, test.blind)
				}
				continue
			}
			if got.Stage != test.stage || got.Error != test.err || got.Address != test.address || got.Blind != nil || got.Via.Tool != "podpath" {
				t.Errorf("%s: got %+v, want %s %s at %s", name, got, test.stage, test.err, test.address)
			}
			if len(got.Times) != 1 || got.Times[0].Stage != path.StageConnect || got.Latency() != got.Times[0].Took {
				t.Errorf("%s: got times %v, want one of the connection", name, got.Times)
			}
		}
	})
}

func TestANameIsRefusedWhereDNSDoesNotRun(t *testing.T) {
	o := observing(t, network{files: map[string]string{"/etc/resolv.conf": ""}})
	got := o.observe(t.Context(), path.Check{Kind: path.TCP, Ask: path.Ask{Host: "there", Port: 80}})
	if got.Stage != path.StageResolve || got.Error != path.Refused || got.Address != "127.0.0.1:53" || got.Blind != nil {
		t.Errorf("got %+v, want DNS refused", got)
	}
}

// fake answers every request with the same.
type fake struct {
	answer wire.Answer
	err    error
	rung   launch.Rung
}

func (f fake) Via() launch.Via                                        { return launch.Via{Rung: f.rung} }
func (f fake) Ask(context.Context, wire.Request) (wire.Answer, error) { return f.answer, f.err }
func (f fake) Close() error                                           { return nil }

func TestWhatAProberCannotHaveSeenIsNoSuccess(t *testing.T) {
	for name, f := range map[string]fake{
		"ok without a connection": {answer: wire.Answer{Result: wire.OK}},
		"a cut stream":            {err: launch.ErrCut},
		"failed":                  {answer: wire.Answer{Result: wire.Failed, Data: []byte("x\x1b[31m")}},
		"denied":                  {answer: wire.Answer{Result: wire.Denied}},
	} {
		for _, c := range []path.Check{
			{Kind: path.TCP, Ask: path.Ask{Host: "10.0.0.1", Port: 80}},
			{Kind: path.HTTP, Ask: path.Ask{Host: "10.0.0.1", Port: 80, HTTP: &path.HTTPAsk{Host: "a"}}},
			{Kind: path.HTTPS, Ask: path.Ask{Host: "10.0.0.1", Port: 443, HTTP: &path.HTTPAsk{Host: "a", TLS: true}}},
			{Kind: path.DNS, Ask: path.Ask{DNS: &path.DNSAsk{Name: "a", Type: "A", Server: "10.0.0.1"}}},
			{Kind: path.Spread},
			{Kind: path.Status},
		} {
			got := newObserver(f, Options{Timeout: stepTime}).observe(t.Context(), c)
			dnsOK := c.Kind == path.DNS && f.answer.Result == wire.OK // UDP has no connection; the empty answer is no DNS
			if verdict := path.Judge(c, got); verdict != path.Inconclusive && (!dnsOK || got.Error != path.BadReply) {
				t.Errorf("%s: %s: got %s, %+v, want inconclusive", name, c.Kind, verdict, got)
			}
			if got.Blind != nil && strings.Contains(got.Blind.Error(), "\x1b") {
				t.Errorf("%s: got %q, want clean text", name, got.Blind)
			}
		}
	}
}

func TestVariablesAreReadOfTheProcess(t *testing.T) {
	environ := "PATH=/bin\x00WEB_SERVICE_HOST=10.96.0.7\x00WEB_SERVICE_PORT=80\x00NOT_WEB_SERVICE_HOST=x\x00EVIL=a\x1b[31mb\x00"
	for name, test := range map[string]struct {
		files map[string]string
		want  []string
		err   path.ErrorKind
		blind string
		ask   []string
	}{
		"both":          {map[string]string{"/proc/self/environ": environ}, []string{"WEB_SERVICE_HOST=10.96.0.7", "WEB_SERVICE_PORT=80"}, path.NoError, "", []string{"WEB_SERVICE_HOST", "WEB_SERVICE_PORT"}},
		"one":           {map[string]string{"/proc/self/environ": environ}, []string{"WEB_SERVICE_HOST=10.96.0.7"}, path.NoError, "", []string{"WEB_SERVICE_HOST", "X"}},
		"none":          {map[string]string{"/proc/self/environ": environ}, []string{}, path.Missing, "", []string{"SERVICE_HOST"}},
		"hostile ones":  {map[string]string{"/proc/self/environ": environ}, []string{"EVIL=a[31mb"}, path.NoError, "", []string{"EVIL"}},
		"no /proc":      {nil, nil, path.NoError, "no such file", []string{"X"}},
		"an empty file": {map[string]string{"/proc/self/environ": ""}, []string{}, path.Missing, "", []string{"X"}},
	} {
		got := observing(t, network{files: test.files}).observe(t.Context(), path.Check{Kind: path.Env, Ask: path.Ask{Env: test.ask}})
		if test.blind != "" && has(got.Blind, test.blind) {
			continue
		}
		if !slices.Equal(got.Values, test.want) || got.Error != test.err || got.Blind != nil {
			t.Errorf("%s: got %+v, want %q, %s", name, got, test.want, test.err)
		}
	}
	guest := newObserver(fake{rung: launch.Ephemeral}, Options{Timeout: stepTime})
	guest.guest = true
	if got := guest.observe(t.Context(), path.Check{Kind: path.Env, Ask: path.Ask{Env: []string{"X"}}}); !has(got.Blind, "variables of its own") {
		t.Errorf("an ephemeral container: got %+v, want blindness", got)
	}
}

func TestAFileIsReadOnce(t *testing.T) {
	n := network{files: map[string]string{"/etc/resolv.conf": strings.Repeat("x", 5000)}}
	o := observing(t, n)
	first, err := o.files.read(t.Context(), "/etc/resolv.conf")
	if err != nil || len(first) != 5000 {
		t.Fatalf("got %d bytes, %v, want 5000 in parts", len(first), err)
	}
	n.files["/etc/resolv.conf"] = "changed" // no request is under way
	if again, err := o.files.read(t.Context(), "/etc/resolv.conf"); err != nil || string(again) != string(first) {
		t.Errorf("got %q, %v, want it as it was at first", again, err)
	}
	if now, err := o.readFile(t.Context(), "/etc/resolv.conf", maxText); err != nil || string(now) != "changed" {
		t.Errorf("got %q, %v, want it as it is", now, err)
	}
}

// procNetTCP is that of a Pod with a listener and a connection, procNetTCP6 has a
// listener, and procNetUDP one that takes packets.
const (
	procNetTCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0050 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 35283 1 0000000000000000 100 0 0 10 0
   1: 0501F40A:0050 0502F40A:C350 01 00000000:00000000 00:00000000 00000000   101        0 36001 1 0000000000000000 20 4 30 10 -1
`
	procNetTCP6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 41234 1 0000000000000000 100 0 0 10 0
`
	procNetUDP = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  601: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 41240 2 0000000000000000 0
`
)

func TestSocketsAreReadOfBothFamilies(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		want  int
		err   string
	}{
		"both":    {map[string]string{"/proc/net/tcp": procNetTCP, "/proc/net/tcp6": procNetTCP6}, 3, ""},
		"no IPv6": {map[string]string{"/proc/net/tcp": procNetTCP}, 2, ""},
		"no IPv4": {map[string]string{"/proc/net/tcp6": procNetTCP6}, 0, "read /proc/net/tcp"},
	} {
		got, err := observing(t, network{files: test.files}).sockets(t.Context())
		if len(got) != test.want || test.err != "" != (err != nil) || err != nil && !has(err, test.err) {
			t.Errorf("%s: got %d, %v, want %d, %s", name, len(got), err, test.want, test.err)
		}
	}
}
