package probes

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"podpath/kube"
	"podpath/probes/wire"
)

// maxReply is how much of a reply is read: its head, and the first bytes of
// the body, which often say who answered.
const maxReply = 4096

// maxBody is how much of a body is kept.
const maxBody = 256

// http sends a GET request. TLS is podpath's own, over the bytes that the
// prober moves.
func (o *observer) http(ctx context.Context, ask Ask) (Observation, error) {
	seen, address, err := o.resolve(ctx, ask.Host)
	if err != nil || seen.Error != NoError {
		return seen, err
	}
	if ask.HTTP.TLS {
		return o.https(ctx, ask, seen, address)
	}
	a, err := o.ask(ctx, wire.Request{Op: wire.TCP, Address: address, Port: ask.Port, Count: maxReply, Data: ask.HTTP.request()})
	seen.connected(a, address, ask.Port)
	if err != nil || !a.Connected {
		return seen, err
	}
	seen.Stage = StageRequest
	seen.Times = append(seen.Times, StageTime{StageRequest, max(0, a.Total-a.Connect)})
	if len(a.Data) == 0 && a.Result != wire.OK {
		seen.Error = errorKinds[a.Result]
		return seen, nil
	}
	seen.replied(a.Data, ask.HTTP.Strict)
	return seen, nil
}

func (h HTTPAsk) request() []byte {
	path := h.Path
	if path == "" {
		path = "/"
	}
	return []byte("GET " + path + " HTTP/1.1\r\nHost: " + h.Host + "\r\nUser-Agent: podpath\r\nAccept: */*\r\nConnection: close\r\n\r\n")
}

// replied reads an HTTP reply, of which the end may be missing.
func (s *Observation) replied(data []byte, strict bool) {
	reply, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(data)), nil)
	if err != nil {
		s.Error = BadReply
		s.Detail = "the answer is not HTTP: " + kube.Clean(fmt.Sprintf("%.60q", data))
		if len(data) == 0 {
			s.Detail = "the connection was closed without an answer"
		}
		return
	}
	defer func() { _ = reply.Body.Close() }()
	body, _ := io.ReadAll(io.LimitReader(reply.Body, maxBody)) // a cut end is no error here
	s.Status, s.Body = reply.StatusCode, kube.Clean(strings.TrimSpace(string(body)))
	s.Detail = kube.Clean(reply.Proto + " " + reply.Status)
	if s.Status >= http.StatusInternalServerError || strict && s.Status == http.StatusNotFound {
		s.Error = BadStatus
	}
}

func (o *observer) https(ctx context.Context, ask Ask, seen Observation, address string) (Observation, error) {
	c, a, err := o.open(ctx, address, ask.Port)
	seen.connected(a, address, ask.Port)
	if err != nil || c == nil {
		return seen, err
	}
	defer func() { _ = c.Close() }()
	began := time.Now()
	took := func(s Stage) {
		seen.Times = append(seen.Times, StageTime{s, time.Since(began)})
		began = time.Now()
	}
	seen.Stage = StageTLS
	// Whether to trust it is told, not enforced: the question is who answers.
	secure := tls.Client(c, &tls.Config{ServerName: serverName(ask.HTTP.Host), InsecureSkipVerify: true, MinVersion: tls.VersionTLS10})
	err = secure.HandshakeContext(ctx)
	took(StageTLS)
	if c.blind != nil {
		return seen, c.blind
	}
	if err != nil {
		seen.Error, seen.Detail = BadTLS, kube.Clean(err.Error())
		if kind := networkError(err); kind != BadReply {
			seen.Error = kind
		}
		return seen, nil
	}
	seen.Certificate = certificate(secure.ConnectionState(), serverName(ask.HTTP.Host), began)
	seen.Stage = StageRequest
	_, _ = secure.Write(ask.HTTP.request())
	data, err := io.ReadAll(io.LimitReader(secure, maxReply))
	took(StageRequest)
	if len(data) == 0 && err != nil {
		seen.Error = networkError(err)
		return seen, c.blind
	}
	seen.replied(data, ask.HTTP.Strict)
	return seen, c.blind
}

// networkError is the kind of an error of a connection.
func networkError(err error) ErrorKind {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return TimedOut
	case errors.Is(err, syscall.ECONNRESET):
		return ResetByPeer
	default:
		return BadReply
	}
}

// serverName is what TLS asks for: a host name without its port. An address is
// not sent (RFC 6066 section 3).
func serverName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// certificate tells what a server showed, and whether a client that asks for
// the name or address would trust it.
func certificate(state tls.ConnectionState, name string, now time.Time) *Certificate {
	if len(state.PeerCertificates) == 0 {
		return nil
	}
	leaf := state.PeerCertificates[0]
	c := &Certificate{
		Subject: kube.Clean(leaf.Subject.String()), Issuer: kube.Clean(leaf.Issuer.String()),
		NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, Names: clean(leaf.DNSNames),
	}
	for _, ip := range leaf.IPAddresses {
		c.Names = append(c.Names, ip.String())
	}
	chain := x509.NewCertPool()
	for _, between := range state.PeerCertificates[1:] {
		chain.AddCert(between)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Intermediates: chain, CurrentTime: now}); err != nil {
		c.Problem = kube.Clean(err.Error())
	}
	return c
}
