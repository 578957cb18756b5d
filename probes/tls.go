package probes

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"podpath/kube"
	"podpath/probes/path"
)

// https asks over TLS. A check that only says hello ends behind it.
func (o *observer) https(ctx context.Context, ask path.Ask, seen *path.Observation, address string) error {
	secure, err := o.hello(ctx, ask, seen, address)
	if err != nil || secure == nil {
		return err
	}
	defer func() { _ = secure.conn.Close() }()
	if c := seen.Certificate; c != nil && c.Misfit != path.CertFits && ask.HTTP.Written {
		seen.Error, seen.Detail = path.BadCert, c.Problem
		return nil
	}
	if ask.Speak == path.SpeakTLS {
		seen.Detail = tls.VersionName(secure.ConnectionState().Version)
		return nil
	}
	began := time.Now()
	seen.Stage = path.StageRequest
	_, _ = secure.Write(request(*ask.HTTP))
	data, err := io.ReadAll(io.LimitReader(secure, maxReply))
	seen.Times = append(seen.Times, path.StageTime{Stage: path.StageRequest, Took: time.Since(began)})
	if len(data) == 0 && err != nil {
		seen.Error = networkError(err)
		return secure.conn.blind
	}
	replied(seen, data, *ask.HTTP)
	if c := seen.Certificate; c != nil && c.Problem != "" && c.Misfit == path.CertFits && seen.Error == path.NoError {
		seen.Detail += "; podpath does not know who issued its certificate (" + c.Issuer + "): --ca checks that"
	}
	return secure.conn.blind
}

// secured is a connection with TLS on it.
type secured struct {
	*tls.Conn
	conn *conn
}

// hello opens a connection and says hello in TLS. It returns nil when that
// failed, which is an observation. Whoever gets a connection closes it.
func (o *observer) hello(ctx context.Context, ask path.Ask, seen *path.Observation, address string) (*secured, error) {
	c, a, err := o.open(ctx, address, ask.Port)
	connected(seen, a, address, ask.Port)
	if err != nil || c == nil {
		return nil, err
	}
	name := serverName(ask.HTTP.Host)
	began := time.Now()
	seen.Stage = path.StageTLS
	// Whether to trust it is judged by itself: an answer from whom one does not trust is an answer.
	secure := tls.Client(c, &tls.Config{ServerName: name, InsecureSkipVerify: true, MinVersion: tls.VersionTLS10})
	err = secure.HandshakeContext(ctx)
	seen.Times = append(seen.Times, path.StageTime{Stage: path.StageTLS, Took: time.Since(began)})
	switch {
	case c.blind != nil:
		_ = c.Close()
		return nil, c.blind
	case err != nil:
		_ = c.Close()
		noteTLS(seen, err)
		return nil, nil //nolint:nilnil // what was seen says why there is none
	}
	seen.Certificate = o.certificate(secure.ConnectionState(), name, began)
	return &secured{secure, c}, nil
}

// noteTLS notes why a handshake failed.
func noteTLS(seen *path.Observation, err error) {
	seen.Error, seen.Detail = path.BadTLS, kube.Clean(err.Error())
	var header tls.RecordHeaderError
	var remote *net.OpError
	switch {
	case errors.As(err, &header):
		seen.Speaks = spokenIn(header.RecordHeader[:])
		seen.Detail = "the answer is not TLS: " + kube.Clean(fmt.Sprintf("%q", header.RecordHeader[:]))
	case errors.As(err, &remote) && remote.Op == "remote error":
		seen.Alert = kube.Clean(strings.TrimPrefix(remote.Err.Error(), "tls: "))
	case errors.Is(err, io.EOF):
		seen.Error, seen.Detail = path.Closed, "the connection was closed in the handshake"
	default:
		if kind := networkError(err); kind != path.BadReply {
			seen.Error, seen.Detail = kind, ""
		}
	}
}

// networkError is the kind of an error of a connection.
func networkError(err error) path.ErrorKind {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return path.TimedOut
	case errors.Is(err, syscall.ECONNRESET):
		return path.ResetByPeer
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return path.Closed
	default:
		return path.BadReply
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
