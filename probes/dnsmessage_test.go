package probes

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
	"pgregory.net/rapid"

	"podpath/probes/path"
)

// resource makes a record of a name. Its type is that of the body.
func resource(name string, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Class: dnsmessage.ClassINET, TTL: 5}, Body: body}
}

// reply packs an answer.
func reply(t testing.TB, id uint16, code dnsmessage.RCode, answers ...dnsmessage.Resource) []byte {
	t.Helper()
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: id, Response: true, RCode: code}, Answers: answers}
	packed, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

func TestQuestionsAreWhatAResolverAsks(t *testing.T) {
	// web.shop. IN SRV, as dig +norec +noedns sends it, but with recursion desired.
	want := []byte("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03web\x04shop\x00\x00\x21\x00\x01")
	if got, err := dnsQuery(0x1234, "web.shop.", "SRV"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	for _, name := range []string{"web", "a..b.", strings.Repeat("x", 64) + ".", strings.Repeat("x.", 130), ""} {
		if got, err := dnsQuery(1, name, "A"); err == nil {
			t.Errorf("%q: got %q, want an error", name, got)
		}
	}
}

func TestAnswersAreRead(t *testing.T) {
	name := dnsmessage.MustNewName
	web := resource("web.shop.svc.cluster.local.", &dnsmessage.AResource{A: [4]byte{10, 96, 0, 7}})
	// What CoreDNS 1.11 answers to kubernetes.default.svc.cluster.local. A.
	coredns := []byte("\x00\x07\x85\x00\x00\x01\x00\x01\x00\x00\x00\x00\x0akubernetes\x07default\x03svc\x07cluster\x05local\x00\x00\x01\x00\x01" +
		"\x0akubernetes\x07default\x03svc\x07cluster\x05local\x00\x00\x01\x00\x01\x00\x00\x00\x1e\x00\x04\x0a\x60\x00\x01")
	for what, test := range map[string]struct {
		message []byte
		kind    string
		want    dnsReply
	}{
		"an address":          {reply(t, 7, 0, web), "A", dnsReply{Values: []string{"10.96.0.7"}}},
		"CoreDNS's own words": {coredns, "A", dnsReply{Values: []string{"10.96.0.1"}}},
		"an IPv6 address":     {reply(t, 7, 0, resource("a.", &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr("fd00::7").As16()})), "AAAA", dnsReply{Values: []string{"fd00::7"}}},
		"a port and a name":   {reply(t, 7, 0, resource("a.", &dnsmessage.SRVResource{Port: 8080, Target: name("web.shop.svc.")})), "SRV", dnsReply{Values: []string{"8080 web.shop.svc"}}},
		"a name back":         {reply(t, 7, 0, resource("a.", &dnsmessage.PTRResource{PTR: name("web.shop.")})), "PTR", dnsReply{Values: []string{"web.shop"}}},
		"another name":        {reply(t, 7, 0, resource("a.", &dnsmessage.CNAMEResource{CNAME: name("b.")})), "CNAME", dnsReply{Values: []string{"b"}, Chain: []string{"b"}}},
		"an address by way of another name": {
			reply(t, 7, 0, resource("a.", &dnsmessage.CNAMEResource{CNAME: name("b.")}), resource("b.", &dnsmessage.CNAMEResource{CNAME: name("c.")}), web), "A",
			dnsReply{Values: []string{"10.96.0.7"}, Chain: []string{"b", "c"}},
		},
		"another name that leads nowhere":    {reply(t, 7, dnsmessage.RCodeNameError, resource("a.", &dnsmessage.CNAMEResource{CNAME: name("b.")})), "A", dnsReply{Error: path.NXDomain, Chain: []string{"b"}}},
		"records of another type":            {reply(t, 7, 0, resource("a.", &dnsmessage.TXTResource{TXT: []string{"x"}})), "A", dnsReply{Error: path.NoData}},
		"no record":                          {reply(t, 7, 0), "A", dnsReply{Error: path.NoData}},
		"no such name":                       {reply(t, 7, dnsmessage.RCodeNameError), "A", dnsReply{Error: path.NXDomain}},
		"the server failed":                  {reply(t, 7, dnsmessage.RCodeServerFailure), "A", dnsReply{Error: path.ServFail, Detail: "ServerFailure"}},
		"the server refused to answer":       {reply(t, 7, dnsmessage.RCodeRefused), "A", dnsReply{Error: path.ServFail, Detail: "Refused"}},
		"an answer to another question":      {reply(t, 8, 0, web), "A", dnsReply{Error: path.BadReply, Detail: "an answer to another question"}},
		"a question is no answer":            {[]byte("\x00\x07\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"), "A", dnsReply{Error: path.BadReply, Detail: "an answer to another question"}},
		"a cut answer says that it was cut":  {[]byte("\x00\x07\x82\x00\x00\x00\x00\x00\x00\x00\x00\x00"), "A", dnsReply{Error: path.NoData, Truncated: true}},
		"nothing":                            {nil, "A", dnsReply{Error: path.BadReply, Detail: "no DNS message"}},
		"the end is missing":                 {reply(t, 7, 0, web)[:40], "A", dnsReply{Error: path.BadReply, Detail: "no DNS message"}},
		"HTTP":                               {[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), "A", dnsReply{Error: path.BadReply, Detail: "no DNS message"}},
		"a name that points at itself":       {[]byte("\x00\x07\x81\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01"), "A", dnsReply{Error: path.BadReply, Detail: "no DNS message"}},
		"a record that promises more bytes":  {[]byte("\x00\x07\x81\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01\x00\x01\x00\x00\x00\x05\xff\xff\x0a"), "A", dnsReply{Error: path.BadReply, Detail: "no DNS message"}},
		"a count of records that is no good": {[]byte("\x00\x07\x81\x00\x00\x00\xff\xff\x00\x00\x00\x00"), "A", dnsReply{Error: path.BadReply, Detail: "no DNS message"}},
	} {
		got := readReply(test.message, 7, test.kind)
		if got.Error != test.want.Error || !strings.HasPrefix(got.Detail, test.want.Detail) || got.Truncated != test.want.Truncated ||
			!slices.Equal(got.Values, test.want.Values) || !slices.Equal(got.Chain, test.want.Chain) {
			t.Errorf("%s: got %+v, want %+v", what, got, test.want)
		}
	}
}

func TestNoAnswerMakesReadReplyPanic(t *testing.T) {
	good := reply(t, 7, 0, resource("web.shop.", &dnsmessage.AResource{A: [4]byte{10, 0, 0, 1}}), resource("web.shop.", &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("b.shop.")}))
	rapid.Check(t, func(t *rapid.T) {
		message := slices.Clone(good[:rapid.IntRange(0, len(good)).Draw(t, "length")])
		for range rapid.IntRange(0, 6).Draw(t, "changes") {
			if len(message) > 0 {
				message[rapid.IntRange(0, len(message)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
			}
		}
		got := readReply(message, 7, rapid.SampledFrom([]string{"A", "AAAA", "CNAME", "SRV", "PTR"}).Draw(t, "type"))
		if got.Error == path.NoError && len(got.Values) == 0 {
			t.Errorf("%q: got success without a value: %+v", message, got)
		}
	})
}

func TestReverseNames(t *testing.T) {
	for address, want := range map[string]string{
		"10.96.0.7":          "7.0.96.10.in-addr.arpa.",
		"::ffff:10.96.0.7":   "7.0.96.10.in-addr.arpa.",
		"2001:db8::567:89ab": "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.", // RFC 3596, section 2.5
	} {
		if got := reverseName(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}
