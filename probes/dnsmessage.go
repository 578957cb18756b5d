package probes

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"podpath/probes/path"
)

var dnsTypes = map[string]dnsmessage.Type{
	"A": dnsmessage.TypeA, "AAAA": dnsmessage.TypeAAAA, "CNAME": dnsmessage.TypeCNAME, "SRV": dnsmessage.TypeSRV, "PTR": dnsmessage.TypePTR,
}

// dnsQuery writes a question (RFC 1035) for a name that ends with a dot.
func dnsQuery(id uint16, name, kind string) ([]byte, error) {
	n, err := dnsmessage.NewName(name)
	if err != nil {
		return nil, fmt.Errorf("%q cannot be a DNS name: %w", name, err)
	}
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: n, Type: dnsTypes[kind], Class: dnsmessage.ClassINET}},
	}
	return m.Pack()
}

// dnsReply is what a server said.
type dnsReply struct {
	Error     path.ErrorKind // path.NoError, path.NXDomain, path.NoData, path.ServFail or path.BadReply
	Detail    string
	Truncated bool
	// Values are the records of the type that was asked for: an address, a
	// name without its last dot, or for SRV "port target".
	Values []string
	// Chain are the names that CNAME records led through.
	Chain []string
}

// readReply reads an answer to the question of that id and type.
func readReply(message []byte, id uint16, kind string) dnsReply {
	var m dnsmessage.Message
	if err := m.Unpack(message); err != nil {
		return dnsReply{Error: path.BadReply, Detail: "no DNS message: " + err.Error()}
	}
	if !m.Response || m.ID != id {
		return dnsReply{Error: path.BadReply, Detail: "an answer to another question"}
	}
	r := dnsReply{Truncated: m.Truncated}
	for _, a := range m.Answers {
		r.add(a, kind)
	}
	switch {
	case m.RCode == dnsmessage.RCodeNameError:
		r.Error = path.NXDomain
	case m.RCode != dnsmessage.RCodeSuccess:
		r.Error, r.Detail = path.ServFail, strings.TrimPrefix(m.RCode.String(), "RCode")
	case len(r.Values) == 0:
		r.Error = path.NoData
	}
	return r
}

func (r *dnsReply) add(a dnsmessage.Resource, kind string) {
	name := func(n dnsmessage.Name) string { return strings.TrimSuffix(n.String(), ".") }
	if c, ok := a.Body.(*dnsmessage.CNAMEResource); ok {
		r.Chain = append(r.Chain, name(c.CNAME))
	}
	if a.Header.Type != dnsTypes[kind] {
		return
	}
	switch body := a.Body.(type) {
	case *dnsmessage.AResource:
		r.Values = append(r.Values, netip.AddrFrom4(body.A).String())
	case *dnsmessage.AAAAResource:
		r.Values = append(r.Values, netip.AddrFrom16(body.AAAA).String())
	case *dnsmessage.CNAMEResource:
		r.Values = append(r.Values, name(body.CNAME))
	case *dnsmessage.PTRResource:
		r.Values = append(r.Values, name(body.PTR))
	case *dnsmessage.SRVResource:
		r.Values = append(r.Values, fmt.Sprintf("%d %s", body.Port, name(body.Target)))
	}
}

// reverseName is the name under which an address has its PTR record
// (RFC 1035 section 3.5, RFC 3596 section 2.5).
func reverseName(address netip.Addr) string {
	address = address.Unmap()
	if address.Is4() {
		b := address.As4()
		return fmt.Sprintf("%d.%d.%d.%d.in-addr.arpa.", b[3], b[2], b[1], b[0])
	}
	var s strings.Builder
	b := address.As16()
	for i := len(b) - 1; i >= 0; i-- {
		fmt.Fprintf(&s, "%x.%x.", b[i]&0xf, b[i]>>4)
	}
	return s.String() + "ip6.arpa."
}
