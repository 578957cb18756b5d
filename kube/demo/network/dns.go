package network

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	zone = "cluster.local."
	// ttl is what CoreDNS gives names of the cluster, in seconds.
	ttl = 30
	// maxPacket is the longest answer over UDP without EDNS (RFC 1035).
	maxPacket = 512
	// maxAliases is how many names in a row may lead to another one.
	maxAliases = 8
	dnsPort    = 53
)

// names are what a DNS server knows: records by their names, which end with a
// dot, and types.
type names map[string]map[dnsmessage.Type][]dnsmessage.ResourceBody

// add adds a record that is not there yet.
func (n names) add(name string, kind dnsmessage.Type, body dnsmessage.ResourceBody) {
	if n[name] == nil {
		n[name] = map[dnsmessage.Type][]dnsmessage.ResourceBody{}
	}
	same := func(b dnsmessage.ResourceBody) bool { return b.GoString() == body.GoString() }
	if !slices.ContainsFunc(n[name][kind], same) {
		n[name][kind] = append(n[name][kind], body)
	}
}

func (n names) addAddress(name string, ip netip.Addr) {
	n.add(name, dnsmessage.TypeA, &dnsmessage.AResource{A: ip.As4()})
}

// namesAt are what the server at a listener knows: CoreDNS, or the one of the
// world outside.
func (v *view) namesAt(l listener) names {
	if l.pod == nil {
		return v.worldNames()
	}
	return v.inCluster()
}

// worldNames are those that the DNS of the world outside knows.
func (v *view) worldNames() names {
	known := names{}
	for _, s := range v.services {
		for entry := range strings.FieldsSeq(s.Annotations[UpstreamAnnotation]) {
			name, address, _ := strings.Cut(entry, "=")
			if ip, ok := parse4(address); ok {
				known.addAddress(name+".", ip)
			}
		}
	}
	return known
}

// clusterNames are those, which CoreDNS asks the world outside for, and what the
// specification for Kubernetes, version 1.1.0, adds, as CoreDNS does it, but for dns-version and
// what leads from the addresses of endpoints back to their names.
func (v *view) clusterNames() names {
	known := v.worldNames()
	for _, s := range v.services {
		name := s.Name + "." + s.Namespace + ".svc." + zone
		if _, err := netip.ParseAddr(s.Spec.ExternalName); s.Spec.Type == corev1.ServiceTypeExternalName && err == nil {
			continue // CoreDNS knows no alias that is an address
		}
		if s.Spec.Type == corev1.ServiceTypeExternalName {
			to := strings.ToLower(strings.TrimSuffix(s.Spec.ExternalName, ".")) + "."
			known.add(name, dnsmessage.TypeCNAME, &dnsmessage.CNAMEResource{CNAME: nameOf(to)})
			continue
		}
		if ip, ok := parse4(s.Spec.ClusterIP); ok {
			b := ip.As4()
			backwards := fmt.Sprintf("%d.%d.%d.%d.in-addr.arpa.", b[3], b[2], b[1], b[0])
			known.add(backwards, dnsmessage.TypePTR, &dnsmessage.PTRResource{PTR: nameOf(name)})
		}
		for _, p := range s.Spec.Ports {
			for _, e := range v.endpoints(s, p) { // they have names whether the Service is headless or not
				if e.ready {
					known.addAddress(e.hostname+"."+name, e.Addr())
				}
			}
			for _, t := range v.targets(s, p) {
				full := name
				if t.hostname != "" {
					full = t.hostname + "." + name
				}
				known.addAddress(name, t.Addr())
				known.addAddress(full, t.Addr())
				if p.Name != "" {
					of := "_" + p.Name + "._" + protocol(p.Protocol) + "." + name
					known.add(of, dnsmessage.TypeSRV, &dnsmessage.SRVResource{Weight: 100, Port: t.Port(), Target: nameOf(full)})
				}
			}
		}
	}
	return known
}

// targets are the virtual address of a Service, or the endpoints of a headless
// one: those that are ready, or that their slice says are
// (publishNotReadyAddresses).
func (v *view) targets(s *corev1.Service, p corev1.ServicePort) []endpoint {
	if ip, ok := parse4(s.Spec.ClusterIP); ok {
		return []endpoint{{AddrPort: netip.AddrPortFrom(ip, uint16(p.Port))}}
	}
	return slices.DeleteFunc(v.endpoints(s, p), func(e endpoint) bool { return !e.ready })
}

// find looks a name up, and the names that it leads to. It reports whether there
// is such a name at all, be it only as the end of others (RFC 8020).
func (n names) find(name string, kind dnsmessage.Type) (found []dnsmessage.Resource, exists bool) {
	for known := range n {
		exists = exists || known == name || strings.HasSuffix(known, "."+name)
	}
	for range maxAliases {
		for _, body := range n[name][kind] {
			found = append(found, resource(name, body))
		}
		alias := n[name][dnsmessage.TypeCNAME]
		if len(alias) == 0 || kind == dnsmessage.TypeCNAME {
			break
		}
		found = append(found, resource(name, alias[0]))
		name = alias[0].(*dnsmessage.CNAMEResource).CNAME.String()
	}
	return found, exists
}

// answer is what a server sends back. It is nothing for what is no question.
func (n names) answer(query []byte, packet bool) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	found, exists := n.find(strings.ToLower(q.Name.String()), q.Type)
	m = dnsmessage.Message{
		Header:    dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true, RecursionDesired: m.RecursionDesired, RecursionAvailable: true},
		Questions: m.Questions, Answers: found,
	}
	if !exists {
		m.RCode = dnsmessage.RCodeNameError
	}
	packed, err := m.Pack()
	if err == nil && packet && len(packed) > maxPacket { // ask again over TCP
		m.Truncated, m.Answers = true, nil
		packed, err = m.Pack()
	}
	if err != nil {
		return nil
	}
	return packed
}

// nameOf is the empty name for what cannot be one: that cannot be sent.
func nameOf(text string) dnsmessage.Name {
	name, _ := dnsmessage.NewName(text)
	return name
}

func resource(name string, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: nameOf(name), Class: dnsmessage.ClassINET, TTL: ttl}, Body: body}
}

// lookup asks for the address of a name as programs of the place do. What they
// would send is not written out; it goes the same way all the same.
func (p *Place) lookup(ctx context.Context, name string) (netip.Addr, error) {
	if name == "localhost" {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	v := p.network.view()
	from, err := p.at(v)
	if err != nil {
		return netip.Addr{}, err
	}
	server, search, ndots := p.resolver(v)
	address, _ := parse4(server)
	f := p.network.route(v, from, "udp", netip.AddrPortFrom(address, dnsPort))
	if f.err == 0 && f.by.kind != "dns" { // nobody there understands the question
		f.err = dropped
	}
	if err := p.network.await(ctx, f); err != nil {
		return netip.Addr{}, &net.DNSError{UnwrapErr: err, Err: err.Error(), Name: name, Server: server}
	}
	candidates := []string{name + "."}
	for _, domain := range search {
		candidates = append(candidates, name+"."+domain+".")
	}
	switch {
	case strings.HasSuffix(name, "."):
		candidates = []string{name}
	case strings.Count(name, ".") < ndots:
		candidates = append(candidates[1:], candidates[0])
	}
	for _, c := range candidates {
		found, _ := v.namesAt(f.by).find(strings.ToLower(c), dnsmessage.TypeA)
		for _, r := range found {
			if a, ok := r.Body.(*dnsmessage.AResource); ok {
				return netip.AddrFrom4(a.A), nil
			}
		}
	}
	return netip.Addr{}, &net.DNSError{Err: "no such host", Name: name, Server: server, IsNotFound: true}
}
