package probes

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"

	"podpath/kube"
	"podpath/probes/wire"
)

const dnsPort = 53

// maxDNS is the longest answer over UDP without EDNS (RFC 1035).
const maxDNS = 512

// dns looks a name up as a program in the source would: by its own
// resolv.conf, with its search list.
func (o *observer) dns(ctx context.Context, ask DNSAsk) (Observation, error) {
	text, err := o.files.read(ctx, "/etc/resolv.conf")
	if err != nil {
		return Observation{}, err
	}
	conf := parseResolvConf(text)
	if ask.Server != "" {
		conf.Nameservers = []string{ask.Server}
	}
	seen := Observation{Stage: StageResolve}
	for i, name := range candidates(conf, ask) {
		reply, err := o.lookup(ctx, conf, name, ask.Type, &seen)
		if err != nil {
			return seen, err
		}
		seen.Asked = append(seen.Asked, kube.Clean(name+" "+said(reply)))
		if i == 0 || telling(reply.Error) >= telling(seen.Error) {
			seen.Error, seen.Detail = reply.Error, kube.Clean(reply.Detail)
		}
		if reply.Error == NoError && len(reply.Chain) > 0 {
			seen.Detail = "by way of " + strings.Join(clean(reply.Chain), " → ")
		}
		if seen.Values = clean(reply.Values); telling(reply.Error) > telling(NoData) {
			break
		}
	}
	return seen, nil
}

// telling orders what came for the names of a search list by how much it says
// of the name that was meant; the C library does the same (res_search). What
// tells more than NoData ends the search.
func telling(e ErrorKind) int {
	order := []ErrorKind{NXDomain, ServFail, NoData}
	if i := slices.Index(order, e); i >= 0 {
		return i
	}
	return len(order)
}

func candidates(conf resolvConf, ask DNSAsk) []string {
	if address, err := netip.ParseAddr(ask.Name); err == nil && ask.Type == "PTR" {
		return []string{reverseName(address)}
	}
	if domain := conf.clusterDomain(); ask.Full && domain != "" {
		return []string{ask.Name + "." + domain + "."}
	}
	return conf.candidates(ask.Name)
}

// said puts a reply into few words.
func said(r dnsReply) string {
	if r.Error == NoError {
		return strings.Join(clean(r.Values), ", ")
	}
	return strings.TrimSpace(string(r.Error) + " " + kube.Clean(r.Detail))
}

func clean(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = kube.Clean(s)
	}
	return out
}

// lookup asks one server after the other until one answers.
func (o *observer) lookup(ctx context.Context, conf resolvConf, name, kind string, seen *Observation) (dnsReply, error) {
	var reply dnsReply
	for _, server := range conf.Nameservers {
		seen.Address = net.JoinHostPort(server, fmt.Sprint(dnsPort))
		var err error
		if reply, err = o.exchange(ctx, server, name, kind, seen); err != nil {
			return reply, err
		}
		if reply.Error == NoError || reply.Error == NXDomain || reply.Error == NoData {
			break
		}
	}
	return reply, nil
}

// exchange asks one server over UDP, and over TCP when the answer was cut or
// broken, or the prober has no UDP.
func (o *observer) exchange(ctx context.Context, server, name, kind string, seen *Observation) (dnsReply, error) {
	id := uint16(rand.Uint32())
	query, err := dnsQuery(id, name, kind)
	if err != nil {
		return dnsReply{Error: BadReply, Detail: err.Error()}, nil //nolint:nilerr // the name is at fault, not the prober
	}
	a, err := o.ask(ctx, wire.Request{Op: wire.UDP, Address: server, Port: dnsPort, Count: maxDNS, Data: query})
	var cannot errTool
	if err != nil && !errors.As(err, &cannot) {
		return dnsReply{}, err
	}
	if err == nil {
		seen.Times = append(seen.Times, StageTime{StageResolve, a.Total})
		if a.Result != wire.OK {
			return dnsReply{Error: errorKinds[a.Result], Detail: "no answer from " + server}, nil
		}
		if reply := readReply(a.Data, id, kind); !reply.Truncated && reply.Error != BadReply {
			return reply, nil
		}
	}
	return o.exchangeStream(ctx, server, kind, query, id, seen)
}

// exchangeStream asks over TCP (RFC 7766): the length goes before a message.
func (o *observer) exchangeStream(ctx context.Context, server, kind string, query []byte, id uint16, seen *Observation) (dnsReply, error) {
	c, a, err := o.open(ctx, server, dnsPort)
	if err != nil {
		return dnsReply{}, err
	}
	seen.Times = append(seen.Times, StageTime{StageResolve, a.Total})
	if c == nil {
		return dnsReply{Error: errorKinds[a.Result], Detail: "no answer from " + server}, nil
	}
	defer func() { _ = c.Close() }()
	_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...))
	length := make([]byte, 2)
	_, err = io.ReadFull(c, length)
	message := make([]byte, binary.BigEndian.Uint16(length))
	if err == nil {
		_, err = io.ReadFull(c, message)
	}
	if err != nil {
		return dnsReply{Error: networkError(err), Detail: "no answer from " + server}, c.blind
	}
	return readReply(message, id, kind), nil
}
