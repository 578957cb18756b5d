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
	"strconv"
	"strings"

	"podpath/kube"
	"podpath/probes/path"
	"podpath/probes/wire"
)

const dnsPort = 53

// maxDNS is the longest answer over UDP without EDNS (RFC 1035).
const maxDNS = 512

// dns looks a name up as a program in the source would: by its own
// resolv.conf, with its search list.
func (o *observer) dns(ctx context.Context, ask path.DNSAsk) (path.Observation, error) {
	text, err := o.files.read(ctx, "/etc/resolv.conf")
	if err != nil {
		return path.Observation{}, err
	}
	conf := path.ParseResolver(text)
	if ask.Server != "" {
		conf.Nameservers = []string{ask.Server}
	}
	seen := path.Observation{Stage: path.StageResolve, Resolver: &conf}
	for i, name := range candidates(conf, ask) {
		reply, err := o.lookup(ctx, conf, name, ask.Type, &seen)
		if err != nil {
			return seen, err
		}
		seen.Answers = append(seen.Answers, answer(name, ask.Type, reply))
		if i == 0 || telling(reply.Error) >= telling(seen.Error) {
			seen.Error, seen.Detail = reply.Error, kube.Clean(reply.Detail)
		}
		if reply.Error == path.NoError && len(reply.Chain) > 0 {
			seen.Detail = "by way of " + strings.Join(clean(reply.Chain), " → ")
		}
		if seen.Values = clean(reply.Values); telling(reply.Error) > telling(path.NoData) {
			break
		}
	}
	return seen, nil
}

// telling orders what came for the names of a search list by how much it says
// of the name that was meant; the C library does the same (res_search). What
// tells more than NoData ends the search.
func telling(e path.ErrorKind) int {
	order := []path.ErrorKind{path.NXDomain, path.ServFail, path.NoData}
	if i := slices.Index(order, e); i >= 0 {
		return i
	}
	return len(order)
}

func candidates(conf path.Resolver, ask path.DNSAsk) []string {
	if address, err := netip.ParseAddr(ask.Name); err == nil && ask.Type == "PTR" {
		return []string{reverseName(address)}
	}
	if domain := conf.ClusterDomain(); ask.Full && domain != "" {
		return []string{ask.Name + "." + domain + "."}
	}
	return conf.Candidates(ask.Name)
}

// answer is what came for one name.
func answer(name, kind string, r dnsReply) path.NameAnswer {
	says := kube.Clean(r.Detail)
	if r.Error == path.NoError {
		says = strings.Join(clean(r.Values), ", ")
	}
	return path.NameAnswer{Name: kube.Clean(name), Type: kind, Error: r.Error, Says: says}
}

func clean(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = kube.Clean(s)
	}
	return out
}

// lookup asks one server after the other until one answers.
func (o *observer) lookup(ctx context.Context, conf path.Resolver, name, kind string, seen *path.Observation) (dnsReply, error) {
	var reply dnsReply
	for _, server := range conf.Nameservers {
		seen.Address = net.JoinHostPort(server, fmt.Sprint(dnsPort))
		var err error
		if reply, err = o.exchange(ctx, server, name, kind, seen); err != nil {
			return reply, err
		}
		if reply.Error == path.NoError || reply.Error == path.NXDomain || reply.Error == path.NoData {
			break
		}
	}
	return reply, nil
}

// exchange asks one server over UDP, and over TCP when the answer was cut or
// broken, or the prober has no UDP.
func (o *observer) exchange(ctx context.Context, server, name, kind string, seen *path.Observation) (dnsReply, error) {
	id := uint16(rand.Uint32())
	query, err := dnsQuery(id, name, kind)
	if err != nil {
		return dnsReply{Error: path.BadReply, Detail: err.Error()}, nil //nolint:nilerr // the name is at fault, not the prober
	}
	a, err := o.ask(ctx, wire.Request{Op: wire.UDP, Address: server, Port: dnsPort, Count: maxDNS, Data: query})
	var cannot errTool
	if err != nil && !errors.As(err, &cannot) {
		return dnsReply{}, err
	}
	if err == nil {
		seen.Times = append(seen.Times, path.StageTime{Stage: path.StageResolve, Took: a.Total})
		if a.Result != wire.OK {
			return dnsReply{Error: errorKinds[a.Result], Detail: "no answer from " + server}, nil
		}
		if reply := readReply(a.Data, id, kind); !reply.Truncated && reply.Error != path.BadReply {
			return reply, nil
		}
	}
	return o.stream(ctx, net.JoinHostPort(server, fmt.Sprint(dnsPort)), kind, query, id, seen)
}

// stream asks over TCP (RFC 7766): the length goes before a message.
func (o *observer) stream(ctx context.Context, server, kind string, query []byte, id uint16, seen *path.Observation) (dnsReply, error) {
	host, number, err := net.SplitHostPort(server)
	port, errPort := strconv.Atoi(number)
	if err := errors.Join(err, errPort); err != nil {
		return dnsReply{}, err
	}
	c, a, err := o.open(ctx, host, port)
	if err != nil {
		return dnsReply{}, err
	}
	seen.Times = append(seen.Times, path.StageTime{Stage: seen.Stage, Took: a.Total})
	if c == nil {
		return dnsReply{Error: errorKinds[a.Result], Detail: "no answer from " + host}, nil
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
		return dnsReply{Error: networkError(err), Detail: "no answer from " + host}, c.blind
	}
	return readReply(message, id, kind), nil
}

// probeName is a name that no server has (RFC 6761): any answer to it shows
// that a server is there.
const probeName = "podpath.invalid."

// dnsStream asks a DNS server over TCP whether it is one.
func (o *observer) dnsStream(ctx context.Context, ask path.Ask, seen path.Observation, address string) (path.Observation, error) {
	a, err := o.ask(ctx, wire.Request{Op: wire.TCP, Address: address, Port: ask.Port})
	connected(&seen, a, address, ask.Port)
	if err != nil || !a.Connected {
		return seen, err
	}
	id := uint16(rand.Uint32())
	query, err := dnsQuery(id, probeName, "A")
	if err != nil {
		return seen, err
	}
	seen.Stage = path.StageRequest
	reply, err := o.stream(ctx, net.JoinHostPort(address, fmt.Sprint(ask.Port)), "A", query, id, &seen)
	if err != nil {
		return seen, err
	}
	switch reply.Error {
	case path.TimedOut, path.ResetByPeer, path.Refused, path.Unreachable, path.BadReply, path.Closed:
		seen.Error, seen.Detail = reply.Error, reply.Detail
	default:
		seen.Detail = "DNS"
	}
	return seen, nil
}
