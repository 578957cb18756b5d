package probes

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer answers questions from a zone, over UDP and TCP.
type nameServer struct {
	// zone has for "web.shop.svc.cluster.local. A" what to answer; names
	// without an entry of any type do not exist.
	zone map[string]func(*dnsmessage.Message)
	// cut makes answers over UDP come without their records.
	cut bool
}

func (s nameServer) answer(t testing.TB, question []byte, cut bool) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil || len(m.Questions) != 1 {
		t.Errorf("got question %q: %v", question, err)
		return nil
	}
	q := m.Questions[0]
	m.Response = true
	fill := s.zone[q.Name.String()+" "+strings.TrimPrefix(q.Type.String(), "Type")]
	switch {
	case fill != nil:
		fill(&m)
	case !slices.ContainsFunc(recordTypes, func(kind string) bool { return s.zone[q.Name.String()+" "+kind] != nil }):
		m.RCode = dnsmessage.RCodeNameError
	}
	if cut {
		m.Truncated, m.Answers = true, nil
	}
	packed, err := m.Pack()
	if err != nil {
		t.Error(err)
	}
	return packed
}

// start returns the routes to the server, as that of an address.
func (s nameServer) start(t testing.TB, address string) map[string]string {
	t.Helper()
	var config net.ListenConfig
	udp, err := config.ListenPacket(context.Background(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		b := make([]byte, 512)
		for {
			n, from, err := udp.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = udp.WriteTo(s.answer(t, b[:n], s.cut), from)
		}
	})
	t.Cleanup(func() { _ = udp.Close(); work.Wait() })
	tcp := listen(t, func(c net.Conn) {
		var length uint16
		if binary.Read(c, binary.BigEndian, &length) != nil {
			return
		}
		question := make([]byte, length)
		if _, err := io.ReadFull(c, question); err != nil {
			return
		}
		packed := s.answer(t, question, false)
		_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packed))), packed...))
	})
	return map[string]string{"udp " + address + ":53": udp.LocalAddr().String(), "tcp " + address + ":53": tcp}
}

func says(bodies ...dnsmessage.ResourceBody) func(*dnsmessage.Message) {
	return func(m *dnsmessage.Message) {
		for _, body := range bodies {
			m.Answers = append(m.Answers, resource(m.Questions[0].Name.String(), body))
		}
	}
}

func fails(code dnsmessage.RCode) func(*dnsmessage.Message) {
	return func(m *dnsmessage.Message) { m.RCode = code }
}

func address(last byte) *dnsmessage.AResource {
	return &dnsmessage.AResource{A: [4]byte{10, 96, 0, last}}
}

// zone is what the cluster's DNS knows.
func zone() map[string]func(*dnsmessage.Message) {
	many := make([]dnsmessage.ResourceBody, 100)
	for i := range many {
		many[i] = address(byte(i))
	}
	return map[string]func(*dnsmessage.Message){
		"web.shop.svc.cluster.local. A":    says(address(7)),
		"six.shop.svc.cluster.local. AAAA": says(&dnsmessage.AAAAResource{AAAA: [16]byte{0xfd, 15: 7}}),
		"many.shop.svc.cluster.local. A":   says(many...),
		"www.example.com. A":               says(&dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("cdn.example.com.")}, address(99)),
		"broken.lan. A":                    fails(dnsmessage.RCodeServerFailure),
		"7.0.96.10.in-addr.arpa. PTR":      says(&dnsmessage.PTRResource{PTR: dnsmessage.MustNewName("web.shop.svc.cluster.local.")}),
	}
}

func TestNamesAreLookedUpAsAProgramInThePodWould(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ask    DNSAsk
		err    ErrorKind
		values string
		detail string
		asked  []string // with what came
	}{
		"a short name":             {DNSAsk{Name: "web", Type: "A"}, NoError, "10.96.0.7", "", []string{"web.shop.svc.cluster.local. 10.96.0.7"}},
		"a name of a namespace":    {DNSAsk{Name: "web.shop", Type: "A"}, NoError, "10.96.0.7", "", []string{"web.shop.shop.svc.cluster.local. nxdomain", "web.shop.svc.cluster.local. 10.96.0.7"}},
		"a whole name":             {DNSAsk{Name: "web.shop.svc.cluster.local.", Type: "A"}, NoError, "10.96.0.7", "", []string{"web.shop.svc.cluster.local. 10.96.0.7"}},
		"a name that there is not": {DNSAsk{Name: "api", Type: "A"}, NXDomain, "", "", []string{"api.shop.svc.cluster.local. nxdomain", "api.svc.cluster.local. nxdomain", "api.cluster.local. nxdomain", "api.lan. nxdomain", "api. nxdomain"}},
		"a name without the type":  {DNSAsk{Name: "web", Type: "AAAA"}, NoData, "", "", nil},
		"a search domain fails":    {DNSAsk{Name: "broken", Type: "A"}, ServFail, "", "ServerFailure", nil},
		"by way of another name":   {DNSAsk{Name: "www.example.com.", Type: "A"}, NoError, "10.96.0.99", "by way of cdn.example.com", nil},
		"backwards":                {DNSAsk{Name: "10.96.0.7", Type: "PTR"}, NoError, "web.shop.svc.cluster.local", "", []string{"7.0.96.10.in-addr.arpa. web.shop.svc.cluster.local"}},
		"what cannot be a name":    {DNSAsk{Name: "a..b.", Type: "A"}, BadReply, "", "", nil},
	} {
		o := observing(t, network{routes: nameServer{zone: zone()}.start(t, "10.96.0.10"), files: map[string]string{"/etc/resolv.conf": podResolvConf}})
		got := o.observe(t.Context(), Check{Kind: DNS, Ask: Ask{DNS: &test.ask}})
		if got.Stage != StageResolve || got.Error != test.err || list(got.Values) != test.values || !strings.Contains(got.Detail, test.detail) || got.Address != "10.96.0.10:53" || got.Blind != nil {
			t.Errorf("%s: got %+v, want %s, %s, %s", name, got, test.err, test.values, test.detail)
		}
		if test.asked != nil && !slices.Equal(got.Asked, test.asked) {
			t.Errorf("%s: got asked %q, want %q", name, got.Asked, test.asked)
		}
	}
}

func TestDNSGoesOverTCPWhereUDPWillNotDo(t *testing.T) {
	t.Parallel()
	merge := func(routes map[string]string, changes ...string) map[string]string {
		for i := 0; i < len(changes); i += 2 {
			routes[changes[i]] = changes[i+1]
		}
		return routes
	}
	whole := nameServer{zone: zone()}
	for name, test := range map[string]struct {
		routes map[string]string
		conf   string
		name   string
		err    ErrorKind
		values int
		blind  string
	}{
		"a cut answer":                {nameServer{zone: zone(), cut: true}.start(t, "10.96.0.10"), podResolvConf, "many", NoError, 100, ""},
		"the prober has no UDP":       {merge(whole.start(t, "10.96.0.10"), "udp 10.96.0.10:53", noTool), podResolvConf, "web", NoError, 1, ""},
		"the prober may not use UDP":  {merge(whole.start(t, "10.96.0.10"), "udp 10.96.0.10:53", forbidden), podResolvConf, "web", NoError, 1, ""},
		"it has neither":              {map[string]string{"udp 10.96.0.10:53": noTool, "tcp 10.96.0.10:53": noTool}, podResolvConf, "web", "", 0, "cannot do that"},
		"no UDP, and TCP is refused":  {map[string]string{"udp 10.96.0.10:53": noTool}, podResolvConf, "web", Refused, 0, ""},
		"no UDP, and TCP says less":   {map[string]string{"udp 10.96.0.10:53": noTool, "tcp 10.96.0.10:53": listen(t, answers("\x00\x50short"))}, podResolvConf, "web", BadReply, 0, ""},
		"nothing answers":             {map[string]string{"udp 10.96.0.10:53": lostOnTheWay}, podResolvConf, "web", TimedOut, 0, ""},
		"nothing listens":             {nil, podResolvConf, "web", Refused, 0, ""},
		"the second server answers":   {whole.start(t, "10.96.0.11"), "nameserver 10.96.0.10\nnameserver 10.96.0.11\nsearch shop.svc.cluster.local", "web", NoError, 1, ""},
		"a name of both kinds of DNS": {whole.start(t, "10.96.0.10"), podResolvConf, "www.example.com", NoError, 1, ""},
	} {
		o := observing(t, network{routes: test.routes, files: map[string]string{"/etc/resolv.conf": test.conf}})
		got := o.observe(t.Context(), Check{Kind: DNS, Ask: Ask{DNS: &DNSAsk{Name: test.name, Type: "A"}}})
		if test.blind != "" && has(got.Blind, test.blind) {
			continue
		}
		if got.Error != test.err || len(got.Values) != test.values || got.Blind != nil {
			t.Errorf("%s: got %+v, want %s and %d values", name, got, test.err, test.values)
		}
	}
}

func TestAHostOfIPv6AloneIsFoundByItsShortName(t *testing.T) {
	routes := nameServer{zone: zone()}.start(t, "10.96.0.10")
	routes["tcp [fd00::7]:80"] = listen(t, answers("HTTP/1.1 200 OK\r\n\r\n"))
	o := observing(t, network{routes: routes, files: map[string]string{"/etc/resolv.conf": podResolvConf}})
	got := o.observe(t.Context(), Check{Kind: HTTP, Ask: Ask{Host: "six", Port: 80, HTTP: &HTTPAsk{Host: "six"}}})
	if got.Error != NoError || got.Address != "[fd00::7]:80" || got.Times[0].Stage != StageResolve {
		t.Errorf("got %+v, want it found and reached", got)
	}
}
