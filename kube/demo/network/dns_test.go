package network

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestDNSAnswersAsTheSpecificationHasIt(t *testing.T) {
	objects := service("s", vip, endpointYAML("10.244.1.2", "ready: true"))
	objects = append(objects, service("h", "clusterIP: None", endpointYAML("10.244.1.2", "ready: true")+", "+endpointYAML("10.244.2.2", "ready: false"))...)
	objects = append(objects, "{apiVersion: v1, kind: Service, metadata: {name: x, namespace: shop, annotations: {demo.podpath/upstream: www.example.com=203.0.113.80}}, spec: {type: ExternalName, externalName: www.example.com}}")
	objects = append(objects, "{apiVersion: v1, kind: Service, metadata: {name: number, namespace: shop}, spec: {type: ExternalName, externalName: 198.51.100.11}}")
	objects = append(objects, service("db", "clusterIP: None", strings.Replace(endpointYAML("10.244.2.3", "ready: true"), "{", "{hostname: db-0, ", 1))...)
	loop := "{apiVersion: v1, kind: Service, metadata: {name: loop, namespace: shop}, spec: {type: ExternalName, externalName: loop.shop.svc.cluster.local}}"
	v := newLab(t, append(objects, loop)...).view()
	for question, want := range map[string]string{
		"s.shop.svc.cluster.local. A":                        "10.96.0.80",
		"S.Shop.svc.cluster.local. A":                        "10.96.0.80",
		"s.shop.svc.cluster.local. AAAA":                     "nothing",
		"_http._tcp.s.shop.svc.cluster.local. SRV":           "8080 s.shop.svc.cluster.local.",
		"_dns._tcp.s.shop.svc.cluster.local. SRV":            "NXDOMAIN",
		"80.0.96.10.in-addr.arpa. PTR":                       "s.shop.svc.cluster.local.",
		"81.0.96.10.in-addr.arpa. PTR":                       "NXDOMAIN",
		"h.shop.svc.cluster.local. A":                        "10.244.1.2",
		"10-244-1-2.h.shop.svc.cluster.local. A":             "10.244.1.2",
		"10-244-2-2.h.shop.svc.cluster.local. A":             "NXDOMAIN",
		"_http._tcp.h.shop.svc.cluster.local. SRV":           "80 10-244-1-2.h.shop.svc.cluster.local.",
		"x.shop.svc.cluster.local. A":                        "www.example.com. 203.0.113.80",
		"10-244-1-2.s.shop.svc.cluster.local. A":             "10.244.1.2",
		"db-0.db.shop.svc.cluster.local. A":                  "10.244.2.3",
		"10-244-2-3.db.shop.svc.cluster.local. A":            "NXDOMAIN",
		"_http._tcp.db.shop.svc.cluster.local. SRV":          "80 db-0.db.shop.svc.cluster.local.",
		"number.shop.svc.cluster.local. A":                   "NXDOMAIN",
		"x.shop.svc.cluster.local. CNAME":                    "www.example.com.",
		"loop.shop.svc.cluster.local. A":                     strings.TrimSpace(strings.Repeat("loop.shop.svc.cluster.local. ", maxAliases)),
		"none.shop.svc.cluster.local. A":                     "NXDOMAIN",
		"shop.svc.cluster.local. A":                          "nothing",
		"hop.svc.cluster.local. A":                           "NXDOMAIN",
		"svc.cluster.local. A":                               "nothing",
		"www.example.com. A":                                 "203.0.113.80",
		"www.example.net. A":                                 "NXDOMAIN",
		"s.shop.svc.cluster.local.shop.svc.cluster.local. A": "NXDOMAIN",
	} {
		name, kind, _ := strings.Cut(question, " ")
		types := map[string]dnsmessage.Type{"A": dnsmessage.TypeA, "AAAA": dnsmessage.TypeAAAA, "SRV": dnsmessage.TypeSRV, "PTR": dnsmessage.TypePTR, "CNAME": dnsmessage.TypeCNAME}
		m := dnsmessage.Message{Header: dnsmessage.Header{ID: 7}, Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: types[kind], Class: dnsmessage.ClassINET}}}
		query, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Unpack(v.clusterNames().answer(query, true)); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range m.Answers {
			switch body := a.Body.(type) {
			case *dnsmessage.AResource:
				got = append(got, netip.AddrFrom4(body.A).String())
			case *dnsmessage.SRVResource:
				got = append(got, fmt.Sprint(body.Port, " ", body.Target))
			case *dnsmessage.PTRResource:
				got = append(got, body.PTR.String())
			case *dnsmessage.CNAMEResource:
				got = append(got, body.CNAME.String())
			}
		}
		text := strings.Join(got, " ")
		if text == "" {
			text = "nothing"
		}
		if m.RCode == dnsmessage.RCodeNameError {
			text = "NXDOMAIN"
		}
		if text != want || m.ID != 7 {
			t.Errorf("%s: got %s, want %s", question, text, want)
		}
	}
}

func TestTheWorldOutsideKnowsNoNamesOfTheCluster(t *testing.T) {
	l := newLab(t, append(clusterDNS(""), service("s", vip, endpointYAML("10.244.1.2", "ready: true"))...)...)
	for from, want := range map[string]string{"b": "a to 10.244.2.2", "raspi001": "no such host", Outside: "no such host"} {
		for _, name := range []string{"S.shop.svc.cluster.local:8080", "s.shop.svc.cluster.local.:8080"} {
			if got := l.dial(from, name); !strings.Contains(got, want) {
				t.Errorf("%s: got %s to %s, want %s", from, got, name, want)
			}
		}
		if got := l.dial(from, "www.example.com:8080"); !strings.HasPrefix(got, "imac to ") {
			t.Errorf("%s: got %s, want the world outside", from, got)
		}
	}
	if got, want := l.dial("a", "s:8080"), "a to 192.168.100.11"; got != want {
		t.Errorf("got %s by the search list, want %s", got, want)
	}
}

func TestDNSIsSilentAboutWhatIsNoQuestion(t *testing.T) {
	l := newLab(t, clusterDNS("")...)
	m := dnsmessage.Message{Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("x."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}}
	query, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	for network, head := range map[string]int{"udp": 0, "tcp": 2} {
		c, err := l.place("a").DialContext(t.Context(), network, "10.244.1.53:53")
		if err != nil {
			t.Fatal(err)
		}
		for _, message := range []string{"what?", string(query)} {
			length := []byte{0, byte(len(message))}
			if _, err := c.Write(append(length[:head], message...)); err != nil {
				t.Fatal(err)
			}
		}
		answer := make([]byte, maxPacket)
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		n, err := c.Read(answer)
		if errUnpack := m.Unpack(answer[min(n, head):n]); err != nil || errUnpack != nil || !m.Response {
			t.Errorf("%s: got %x, %v; want the answer to the question", network, answer[:n], err)
		}
		_ = c.Close()
	}
}

func TestLongAnswersOfDNSAreCutOverUDP(t *testing.T) {
	var ends []string
	for i := range 60 {
		ends = append(ends, endpointYAML(fmt.Sprintf("10.244.1.%d", i+10), "ready: true"))
	}
	v := newLab(t, service("h", "clusterIP: None", strings.Join(ends, ", "))...).view()
	m := dnsmessage.Message{Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("h.shop.svc.cluster.local."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}}
	query, _ := m.Pack()
	for _, packet := range []bool{true, false} {
		reply := v.clusterNames().answer(query, packet)
		if err := m.Unpack(reply); err != nil || m.Truncated != packet || packet && len(reply) > 512 || !packet && len(m.Answers) != 60 {
			t.Errorf("packet %v: got %d bytes, %d answers, cut %v, %v", packet, len(reply), len(m.Answers), m.Truncated, err)
		}
	}
}
