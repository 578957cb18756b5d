package probes

import (
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

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
			ask    DNSAsk
			err    ErrorKind
			values string
			detail string
			asked  []string // with what came
		}{
			"a short name":             {DNSAsk{Name: "web", Type: "A"}, NoError, "10.96.9.7", "", []string{"web.shop.svc.cluster.local. 10.96.9.7"}},
			"a name of a namespace":    {DNSAsk{Name: "web.shop", Type: "A"}, NoError, "10.96.9.7", "", []string{"web.shop.shop.svc.cluster.local. nxdomain", "web.shop.svc.cluster.local. 10.96.9.7"}},
			"a whole name":             {DNSAsk{Name: "web.shop.svc.cluster.local.", Type: "A"}, NoError, "10.96.9.7", "", []string{"web.shop.svc.cluster.local. 10.96.9.7"}},
			"a name that there is not": {DNSAsk{Name: "api", Type: "A"}, NXDomain, "", "", []string{"api.shop.svc.cluster.local. nxdomain", "api.svc.cluster.local. nxdomain", "api.cluster.local. nxdomain", "api. nxdomain"}},
			"a name without the type":  {DNSAsk{Name: "web", Type: "AAAA"}, NoData, "", "", nil},
			"by way of another name":   {DNSAsk{Name: "partner", Type: "A"}, NoError, "203.0.113.80", "by way of www.example.com", nil},
			"backwards":                {DNSAsk{Name: "10.96.9.7", Type: "PTR"}, NoError, "web.shop.svc.cluster.local", "", []string{"7.9.96.10.in-addr.arpa. web.shop.svc.cluster.local"}},
			"what cannot be a name":    {DNSAsk{Name: "a..b.", Type: "A"}, BadReply, "", "", nil},
		} {
			got := observing(t, network{Network: place}).observe(t.Context(), Check{Kind: DNS, Ask: Ask{DNS: &test.ask}})
			if got.Stage != StageResolve || got.Error != test.err || list(got.Values) != test.values || !strings.Contains(got.Detail, test.detail) || got.Address != dnsServer || got.Blind != nil {
				t.Errorf("%s: got %+v, want %s, %s, %s", name, got, test.err, test.values, test.detail)
			}
			if test.asked != nil && !slices.Equal(got.Asked, test.asked) {
				t.Errorf("%s: got asked %q, want %q", name, got.Asked, test.asked)
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
		got := o.observe(t.Context(), Check{Kind: DNS, Ask: Ask{DNS: &DNSAsk{Name: "broken", Type: "A"}}})
		if got.Error != ServFail || !strings.Contains(got.Detail, "ServerFailure") || len(got.Asked) != 5 || got.Blind != nil {
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
			err    ErrorKind
			values int
			blind  string
		}{
			"a cut answer":                {nil, "", "many", NoError, 100, ""},
			"the prober has no UDP":       {without("udp", noTool), "", "web", NoError, 1, ""},
			"the prober may not use UDP":  {without("udp", fails(syscall.EPERM)), "", "web", NoError, 1, ""},
			"it has neither":              {neither(noTool, noTool), "", "web", "", 0, "cannot do that"},
			"no UDP, and TCP is refused":  {neither(noTool, fails(syscall.ECONNREFUSED)), "", "web", Refused, 0, ""},
			"no UDP, and TCP says less":   {neither(noTool, serves(answers("\x00\x50short"))), "", "web", BadReply, 0, ""},
			"nothing answers":             {without("udp", unanswered), "", "web", TimedOut, 0, ""},
			"nothing listens":             {without("udp", fails(syscall.ECONNREFUSED)), "", "web", Refused, 0, ""},
			"the second server answers":   {map[string]route{"udp 10.96.0.9:53": fails(syscall.ECONNREFUSED)}, "nameserver 10.96.0.9\nnameserver 10.96.0.10\nsearch shop.svc.cluster.local", "web", NoError, 1, ""},
			"a name of both kinds of DNS": {nil, "", "www.example.com", NoError, 1, ""},
		} {
			n := network{Network: place, routes: test.routes}
			if test.conf != "" {
				n.files = map[string]string{"/etc/resolv.conf": test.conf}
			}
			got := observing(t, n).observe(t.Context(), Check{Kind: DNS, Ask: Ask{DNS: &DNSAsk{Name: test.name, Type: "A"}}})
			if test.blind != "" && has(got.Blind, test.blind) {
				continue
			}
			if got.Error != test.err || len(got.Values) != test.values || got.Blind != nil {
				t.Errorf("%s: got %+v, want %s and %d values", name, got, test.err, test.values)
			}
		}
	})
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
		got := o.observe(t.Context(), Check{Kind: HTTP, Ask: Ask{Host: "six", Port: 80, HTTP: &HTTPAsk{Host: "six"}}})
		if got.Error != NoError || got.Address != "[fd00::7]:80" || got.Times[0].Stage != StageResolve {
			t.Errorf("got %+v, want it found and reached", got)
		}
	})
}
