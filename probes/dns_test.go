package probes

import (
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"podpath/probes/path"
	"podpath/probes/wire"
)

// dnsServer is where the practice cluster has its DNS.
const dnsServer = "10.96.0.10:53"

// nameServer answers over UDP. That of the practice cluster never fails, and
// has no addresses of IPv6.
func nameServer(t testing.TB, answer func(dnsmessage.Question) (dnsmessage.RCode, []dnsmessage.Resource)) route {
	return serves(func(c net.Conn) {
		packet := make([]byte, maxDNS)
		n, _ := c.Read(packet)
		var m dnsmessage.Message
		if err := m.Unpack(packet[:n]); err != nil || len(m.Questions) != 1 {
			t.Errorf("got question %q: %v", packet[:n], err)
			return
		}
		code, answers := answer(m.Questions[0])
		_, _ = c.Write(reply(t, m.ID, code, answers...))
	})
}

func TestNamesAreLookedUpAsAProgramInThePodWould(t *testing.T) {
	inPod(t, func(t *testing.T, place wire.Network) {
		for name, test := range map[string]struct {
			ask    path.DNSAsk
			err    path.ErrorKind
			values string
			detail string
			asked  []string // with what came
		}{
			"a short name":             {path.DNSAsk{Name: "web", Type: "A"}, path.NoError, "10.96.9.7", "", []string{"web.shop.svc.cluster.local. 10.96.9.7"}},
			"a name of a namespace":    {path.DNSAsk{Name: "web.shop", Type: "A"}, path.NoError, "10.96.9.7", "", []string{"web.shop.shop.svc.cluster.local. nxdomain", "web.shop.svc.cluster.local. 10.96.9.7"}},
			"a whole name":             {path.DNSAsk{Name: "web.shop.svc.cluster.local.", Type: "A"}, path.NoError, "10.96.9.7", "", []string{"web.shop.svc.cluster.local. 10.96.9.7"}},
			"a name that there is not": {path.DNSAsk{Name: "api", Type: "A"}, path.NXDomain, "", "", []string{"api.shop.svc.cluster.local. nxdomain", "api.svc.cluster.local. nxdomain", "api.cluster.local. nxdomain", "api. nxdomain"}},
			"a name without the type":  {path.DNSAsk{Name: "web", Type: "AAAA"}, path.NoData, "", "", nil},
			"by way of another name":   {path.DNSAsk{Name: "partner", Type: "A"}, path.NoError, "203.0.113.80", "by way of www.example.com", nil},
			"backwards":                {path.DNSAsk{Name: "10.96.9.7", Type: "PTR"}, path.NoError, "web.shop.svc.cluster.local", "", []string{"7.9.96.10.in-addr.arpa. web.shop.svc.cluster.local"}},
			"what cannot be a name":    {path.DNSAsk{Name: "a..b.", Type: "A"}, path.BadReply, "", "", nil},
		} {
			got := observing(t, network{Network: place}).observe(t.Context(), path.Check{Kind: path.DNS, Ask: path.Ask{DNS: &test.ask}})
			if got.Stage != path.StageResolve || got.Error != test.err || list(got.Values) != test.values || !strings.Contains(got.Detail, test.detail) || got.Address != dnsServer || got.Blind != nil {
				t.Errorf("%s: got %+v, want %s, %s, %s", name, got, test.err, test.values, test.detail)
			}
			if test.asked != nil && !slices.Equal(texts(got.Answers), test.asked) {
				t.Errorf("%s: got asked %q, want %q", name, texts(got.Answers), test.asked)
			}
		}
	})
}

func TestASearchDomainThatFailsTellsMoreThanNamesThatThereAreNot(t *testing.T) {
	broken := nameServer(t, func(q dnsmessage.Question) (dnsmessage.RCode, []dnsmessage.Resource) {
		if q.Name.String() == "broken.lan." {
			return dnsmessage.RCodeServerFailure, nil
		}
		return dnsmessage.RCodeNameError, nil
	})
	inBubble(t, func(t *testing.T) {
		o := observing(t, network{routes: map[string]route{"udp " + dnsServer: broken}, files: map[string]string{"/etc/resolv.conf": podResolvConf}})
		got := o.observe(t.Context(), path.Check{Kind: path.DNS, Ask: path.Ask{DNS: &path.DNSAsk{Name: "broken", Type: "A"}}})
		if got.Error != path.ServFail || !strings.Contains(got.Detail, "ServerFailure") || len(texts(got.Answers)) != 5 || got.Blind != nil {
			t.Errorf("got %+v, want the failure, and all names asked for", got)
		}
	})
}

func TestDNSGoesOverTCPWhereUDPWillNotDo(t *testing.T) {
	without := func(kind string, r route) map[string]route { return map[string]route{kind + " " + dnsServer: r} }
	neither := func(udp, tcp route) map[string]route {
		return map[string]route{"udp " + dnsServer: udp, "tcp " + dnsServer: tcp}
	}
	inPod(t, func(t *testing.T, place wire.Network) {
		for name, test := range map[string]struct {
			routes map[string]route
			conf   string // where it is not the Pod's own
			name   string
			err    path.ErrorKind
			values int
			blind  string
		}{
			"a cut answer":                {nil, "", "many", path.NoError, 100, ""},
			"the prober has no UDP":       {without("udp", noTool), "", "web", path.NoError, 1, ""},
			"the prober may not use UDP":  {without("udp", fails(syscall.EPERM)), "", "web", path.NoError, 1, ""},
			"it has neither":              {neither(noTool, noTool), "", "web", "", 0, "cannot do that"},
			"no UDP, and TCP is refused":  {neither(noTool, fails(syscall.ECONNREFUSED)), "", "web", path.Refused, 0, ""},
			"no UDP, and TCP says less":   {neither(noTool, serves(answers("\x00\x50short"))), "", "web", path.Closed, 0, ""},
			"nothing answers":             {without("udp", unanswered), "", "web", path.TimedOut, 0, ""},
			"nothing listens":             {without("udp", fails(syscall.ECONNREFUSED)), "", "web", path.Refused, 0, ""},
			"the second server answers":   {map[string]route{"udp 10.96.0.9:53": fails(syscall.ECONNREFUSED)}, "nameserver 10.96.0.9\nnameserver 10.96.0.10\nsearch shop.svc.cluster.local", "web", path.NoError, 1, ""},
			"a name of both kinds of DNS": {nil, "", "www.example.com", path.NoError, 1, ""},
		} {
			n := network{Network: place, routes: test.routes}
			if test.conf != "" {
				n.files = map[string]string{"/etc/resolv.conf": test.conf}
			}
			got := observing(t, n).observe(t.Context(), path.Check{Kind: path.DNS, Ask: path.Ask{DNS: &path.DNSAsk{Name: test.name, Type: "A"}}})
			if test.blind != "" && has(got.Blind, test.blind) {
				continue
			}
			if got.Error != test.err || len(got.Values) != test.values || got.Blind != nil {
				t.Errorf("%s: got %+v, want %s and %d values", name, got, test.err, test.values)
			}
		}
	})
}

func TestANameIsLookedUpForBothFamiliesAtOnce(t *testing.T) {
	for name, test := range map[string]struct {
		six    dnsmessage.RCode // what is answered about IPv6
		has    bool             // an address
		lost   bool             // its answer
		stage  path.Stage
		err    path.ErrorKind
		detail string
	}{
		"there is no address of IPv6":           {dnsmessage.RCodeSuccess, false, false, path.StageConnect, path.NoError, ""},
		"there is one":                          {dnsmessage.RCodeSuccess, true, false, path.StageConnect, path.NoError, ""},
		"the server fails for it":               {dnsmessage.RCodeServerFailure, false, false, path.StageConnect, path.NoError, ""},
		"its answers get lost, as programs see": {dnsmessage.RCodeSuccess, false, true, path.StageResolve, path.TimedOut, "A is answered, AAAA is not"},
	} {
		inBubble(t, func(t *testing.T) {
			asked := map[dnsmessage.Type]*atomic.Int64{dnsmessage.TypeA: {}, dnsmessage.TypeAAAA: {}}
			server := nameServer(t, func(q dnsmessage.Question) (dnsmessage.RCode, []dnsmessage.Resource) {
				asked[q.Type].Add(1)
				switch host := q.Name.String(); {
				case q.Type == dnsmessage.TypeA:
					return dnsmessage.RCodeSuccess, []dnsmessage.Resource{resource(host, &dnsmessage.AResource{A: [4]byte{10, 0, 0, 5}})}
				case test.has:
					return test.six, []dnsmessage.Resource{resource(host, &dnsmessage.AAAAResource{AAAA: [16]byte{0xfd, 15: 5}})}
				case test.lost:
					time.Sleep(2 * stepTime)
				}
				return test.six, nil
			})
			o := observing(t, network{
				routes: map[string]route{"udp " + dnsServer: server, "tcp 10.0.0.5:80": serves(silent)},
				files:  map[string]string{"/etc/resolv.conf": podResolvConf},
			})
			got := o.observe(t.Context(), path.Check{Kind: path.TCP, Ask: path.Ask{Host: "web", Port: 80}})
			if got.Stage != test.stage || got.Error != test.err || !strings.Contains(got.Detail, test.detail) || got.Blind != nil {
				t.Errorf("%s: got %+v, want %s %q: %s", name, got, test.stage, test.err, test.detail)
			}
			if asked[dnsmessage.TypeA].Load() != 1 || asked[dnsmessage.TypeAAAA].Load() == 0 {
				t.Errorf("%s: got %d and %d questions, want both types asked for", name, asked[dnsmessage.TypeA].Load(), asked[dnsmessage.TypeAAAA].Load())
			}
			time.Sleep(8 * stepTime) // until the server has seen the end of each
		})
	}
}

func TestAHostOfIPv6AloneIsFoundByItsShortName(t *testing.T) {
	six := nameServer(t, func(q dnsmessage.Question) (dnsmessage.RCode, []dnsmessage.Resource) {
		switch name := q.Name.String(); {
		case name != "six.shop.svc.cluster.local.":
			return dnsmessage.RCodeNameError, nil
		case q.Type == dnsmessage.TypeAAAA:
			return dnsmessage.RCodeSuccess, []dnsmessage.Resource{resource(name, &dnsmessage.AAAAResource{AAAA: [16]byte{0xfd, 15: 7}})}
		}
		return dnsmessage.RCodeSuccess, nil
	})
	inBubble(t, func(t *testing.T) {
		o := observing(t, network{
			routes: map[string]route{"udp " + dnsServer: six, "tcp [fd00::7]:80": serves(answers("HTTP/1.1 200 OK\r\n\r\n"))},
			files:  map[string]string{"/etc/resolv.conf": podResolvConf},
		})
		got := o.observe(t.Context(), path.Check{Kind: path.HTTP, Ask: path.Ask{Host: "six", Port: 80, HTTP: &path.HTTPAsk{Host: "six"}}})
		if got.Error != path.NoError || got.Address != "[fd00::7]:80" || got.Times[0].Stage != path.StageResolve {
			t.Errorf("got %+v, want it found and reached", got)
		}
	})
}
