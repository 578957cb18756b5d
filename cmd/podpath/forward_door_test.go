package main

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"podpath/kube"
	"podpath/kube/demo"
	"podpath/kube/forward"
)

func TestForwardLetsServicesGoThatHaveEnded(t *testing.T) {
	c := startCluster(t, demo.Options{}, shop)
	const summary = `"kind":"ForwardSummary","forward":"svc/idle:18080"`
	got := c.forwardUntil(t, "svc/idle:18080", func(out, stderr *screen) {
		c.Store().Delete("services", "shop", "idle")
		out.until(t, summary) // while the others go on
		if text := out.String(); strings.Contains(text, `"kind":"ForwardSummary","forward":"svc/web:18080"`) {
			t.Errorf("got %s, want only the one that has ended summed up", text)
		}
		stderr.until(t, "svc/idle:18080 is gone")
	}, "--all-services", "-o", "json", "--via", "direct")
	if n := strings.Count(got.out, summary); n != 1 || got.code != exitOK {
		t.Errorf("got %d summaries of what had ended before, want one: %+v", n, got)
	}
}

func TestLoopbacksOfObjectsThatAreGoneAreFree(t *testing.T) {
	order := func(name string) forward.Order {
		key := kube.Key{Namespace: "shop", Name: name}
		return forward.Order{Destination: forward.Destination{Kind: forward.ToService, Key: key}}
	}
	var l loopbacks
	l.assign([]forward.Order{order("web"), order("db"), order("web")})
	l.keep([]forward.Order{order("web")})
	if len(l.of) != 1 || len(l.taken) != 1 {
		t.Errorf("got %d addresses kept, %d of them taken, want that of web alone", len(l.of), len(l.taken))
	}
}

func TestForwardWarnsOfWhatOtherMachinesMayReach(t *testing.T) {
	const counters = "whoever reaches this machine can read the counters at http://"
	c := startCluster(t, demo.Options{}, shop)
	for name, test := range map[string]struct {
		args    []string
		warning string // "" for none
	}{
		"all addresses":         {[]string{"--address", "0.0.0.0"}, "whoever reaches this machine can use "},
		"metrics":               {[]string{"--metrics", "0.0.0.0:0"}, counters},
		"metrics, all families": {[]string{"--metrics", ":0", "-o", "json"}, counters},
		"neither":               {[]string{"--metrics", "127.0.0.1:0"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"svc/web", "0:http", "--via", "direct"}, test.args...)
			got := c.forwardUntil(t, "svc/web:http", func(*screen, *screen) {}, args...)
			warns := strings.Contains(got.err, "whoever reaches")
			if warns != (test.warning != "") || !strings.Contains(got.err, test.warning) {
				t.Errorf("got %q on stderr, want %q", got.err, test.warning)
			}
		})
	}
}

func TestForwardAtLocalhostAnswersInBothFamilies(t *testing.T) {
	c := startCluster(t, demo.Options{}, shop)
	c.forwardUntil(t, "svc/web:http", func(out, _ *screen) {
		address, _, _ := strings.Cut(out.String(), " ")
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatalf("got %q, want an address: %v", out.String(), err)
		}
		echo(t, "127.0.0.1:"+port)
		if strings.HasPrefix(address, "localhost:") { // this machine has IPv6
			echo(t, "[::1]:"+port)
		}
	}, "svc/web", "0:http", "--via", "direct", "--address", "localhost")
}

func TestOnlyNamesOfDNSGetALineInHosts(t *testing.T) {
	at := netip.MustParseAddr("127.1.2.3")
	for name, want := range map[string]string{
		"web":                       "127.1.2.3 web.shop web.shop.svc web.shop.svc.cluster.local web",
		"web 10.0.0.1 bank.example": "",
		"web#":                      "",
		"web.evil":                  "",
		strings.Repeat("a", 64):     "",
		"":                          "",
		"web\u2028":                 "",
	} {
		if got := hostsLine(at, kube.Key{Namespace: "shop", Name: name}, "shop"); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	if got := hostsLine(at, kube.Key{Namespace: "shop mail", Name: "web"}, "shop"); got != "" {
		t.Errorf("got %q for a namespace that is no name", got)
	}
}
