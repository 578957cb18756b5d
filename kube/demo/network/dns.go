package network

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

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
)

// record is one answer.
type record struct {
	name string
	body dnsmessage.ResourceBody
}

// answer is the cluster's DNS (the specification for Kubernetes, version 1.1.0),
// which asks the world outside for other names. It returns nothing for what is
// no question.
func (v *view) answer(query []byte, packet bool) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	name := strings.ToLower(q.Name.String())
	records, exists := v.records(name, q.Type)
	for i := 0; i < len(records) && i < maxAliases && q.Type != dnsmessage.TypeCNAME; i++ {
		if alias, ok := records[i].body.(*dnsmessage.CNAMEResource); ok {
			further, _ := v.records(alias.CNAME.String(), q.Type)
			records = append(records, further...)
		}
	}
	m = dnsmessage.Message{
		Header:    dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true, RecursionDesired: m.RecursionDesired, RecursionAvailable: true},
		Questions: m.Questions,
	}
	for _, r := range records {
		m.Answers = append(m.Answers, resource(r))
	}
	if !exists {
		m.RCode = dnsmessage.RCodeNameError
	}
	if len(records) == 0 {
		m.Authorities = []dnsmessage.Resource{resource(record{zone, &dnsmessage.SOAResource{
			NS: nameOf("ns.dns." + zone), MBox: nameOf("hostmaster." + zone),
			Serial: 1, Refresh: 7200, Retry: 1800, Expire: 86400, MinTTL: ttl,
		}})}
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

func resource(r record) dnsmessage.Resource {
	return dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: nameOf(r.name), Class: dnsmessage.ClassINET, TTL: ttl}, Body: r.body}
}

// records are those of a name that ends with a dot, and whether there is such a
// name at all.
func (v *view) records(name string, kind dnsmessage.Type) (found []record, exists bool) {
	if path, ok := strings.CutSuffix(name, "."+zone); ok {
		return v.ofCluster(name, strings.Split(path, "."), kind)
	}
	if strings.HasSuffix(name, ".in-addr.arpa.") {
		return v.pointer(name, kind)
	}
	address, known := v.upstream[name]
	if known && kind == dnsmessage.TypeA {
		found = []record{{name, &dnsmessage.AResource{A: address.As4()}}}
	}
	return found, known
}

// ofCluster looks up [_PORT._PROTOCOL.|HOST.]SERVICE.NAMESPACE.svc.
func (v *view) ofCluster(name string, path []string, kind dnsmessage.Type) (found []record, exists bool) {
	n := len(path)
	if n < 3 || n > 5 || path[n-1] != "svc" {
		return nil, n == 1 && path[0] == "svc" || n == 2 && path[1] == "svc" && v.namespaces[path[0]] != nil
	}
	i := slices.IndexFunc(v.services, func(s *corev1.Service) bool { return s.Namespace == path[n-2] && s.Name == path[n-3] })
	if i < 0 {
		return nil, false
	}
	s, prefix := v.services[i], path[:n-3]
	if s.Spec.Type == corev1.ServiceTypeExternalName {
		to := strings.TrimSuffix(s.Spec.ExternalName, ".") + "."
		return []record{{name, &dnsmessage.CNAMEResource{CNAME: nameOf(to)}}}, n == 3
	}
	exists = n == 3 && s.Spec.ClusterIP != corev1.ClusterIPNone
	seen := map[netip.Addr]bool{}
	for _, p := range s.Spec.Ports {
		// Ports without a name have no records of their own.
		ofPort := n == 5 && p.Name != "" && prefix[0] == "_"+p.Name && prefix[1] == "_"+protocol(p.Protocol)
		for _, t := range v.targets(s, p) {
			ofHost := n == 4 && prefix[0] == t.host && t.host != ""
			if n > 3 && !ofPort && !ofHost {
				continue
			}
			exists = true
			switch {
			case kind == dnsmessage.TypeA && n < 5 && !seen[t.Addr()]:
				found = append(found, record{name, &dnsmessage.AResource{A: t.Addr().As4()}})
			case kind == dnsmessage.TypeSRV && !ofHost:
				full := strings.TrimPrefix(t.host+"."+s.Name+"."+s.Namespace+".svc."+zone, ".")
				found = append(found, record{name, &dnsmessage.SRVResource{Weight: 100, Port: t.Port(), Target: nameOf(full)}})
			}
			seen[t.Addr()] = true
		}
	}
	return found, exists
}

// target is what the records of a Service lead to.
type target struct {
	netip.AddrPort
	host string // of an endpoint, below the name of its Service
}

// targets are the virtual address of a Service, or the endpoints of a headless
// one: those that are ready, or that their slice says are
// (publishNotReadyAddresses).
func (v *view) targets(s *corev1.Service, p corev1.ServicePort) (out []target) {
	if ip, ok := parse4(s.Spec.ClusterIP); ok {
		return []target{{netip.AddrPortFrom(ip, uint16(p.Port)), ""}}
	}
	for _, e := range v.endpoints(s, p) {
		if e.ready {
			out = append(out, target{e.AddrPort, cmp.Or(e.hostname, strings.ReplaceAll(e.Addr().String(), ".", "-"))})
		}
	}
	return out
}

// pointer looks the address of a Service up backwards.
func (v *view) pointer(name string, kind dnsmessage.Type) (found []record, exists bool) {
	for _, s := range v.services {
		if ip, ok := parse4(s.Spec.ClusterIP); ok && reverse(ip) == name {
			if kind == dnsmessage.TypePTR {
				found = []record{{name, &dnsmessage.PTRResource{PTR: nameOf(s.Name + "." + s.Namespace + ".svc." + zone)}}}
			}
			return found, true
		}
	}
	return nil, false
}

func reverse(ip netip.Addr) string {
	b := ip.As4()
	return fmt.Sprintf("%d.%d.%d.%d.in-addr.arpa.", b[3], b[2], b[1], b[0])
}

// lookup asks for the address of a name as programs of the place do.
func (p *Place) lookup(ctx context.Context, name string) (netip.Addr, error) {
	if name == "localhost" {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	server, search, ndots := p.resolver()
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
		m, err := p.ask(ctx, server, c)
		if err != nil {
			return netip.Addr{}, err
		}
		for _, answer := range m.Answers {
			if a, ok := answer.Body.(*dnsmessage.AResource); ok {
				return netip.AddrFrom4(a.A), nil
			}
		}
	}
	return netip.Addr{}, &net.DNSError{Err: "no such host", Name: name, Server: server, IsNotFound: true}
}

// dnsTimeout is how long programs wait for an answer (resolv.conf: timeout).
const dnsTimeout = 5 * time.Second

// ask asks a server for the address of a full name.
func (p *Place) ask(ctx context.Context, server, name string) (m dnsmessage.Message, err error) {
	ctx, cancel := context.WithTimeout(ctx, dnsTimeout)
	defer cancel()
	full, err := dnsmessage.NewName(name)
	if err != nil {
		return m, err
	}
	m.RecursionDesired = true
	m.Questions = []dnsmessage.Question{{Name: full, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}
	query, err := m.Pack()
	if err != nil {
		return m, err
	}
	c, err := p.DialContext(ctx, "udp", net.JoinHostPort(server, "53"))
	if err != nil {
		return m, err
	}
	defer func() { _ = c.Close() }()
	deadline, _ := ctx.Deadline()
	_ = c.SetDeadline(deadline)
	reply := make([]byte, maxPacket)
	_, err = c.Write(query)
	size, errRead := c.Read(reply)
	if err = errors.Join(err, errRead); err != nil {
		return m, err
	}
	return m, m.Unpack(reply[:size])
}
