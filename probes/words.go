package probes

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"podpath/kube"
	"podpath/probes/path"
	"podpath/probes/wire"
)

// spokenIn guesses the protocol of an answer by its first bytes: a record of
// TLS (RFC 8446 section 5.1), a SETTINGS or GOAWAY frame of HTTP/2 (RFC 9113).
func spokenIn(data []byte) path.Protocol {
	const alert, handshake, settings, goAway = 0x15, 0x16, 0x4, 0x7
	switch {
	case len(data) >= 3 && (data[0] == alert || data[0] == handshake) && data[1] == 3:
		return path.SpeakTLS
	case len(data) >= 9 && data[0] == 0 && (data[3] == settings || data[3] == goAway) && data[5]|data[6]|data[7]|data[8] == 0:
		return path.SpeakH2
	case bytes.HasPrefix(data, []byte("HTTP/")):
		return path.SpeakWeb
	default:
		return path.Silent
	}
}

// puzzling reports an answer of which the reason may be that the app speaks
// something else.
func puzzling(s path.Observation) bool {
	if s.Stage != path.StageTLS && s.Stage != path.StageRequest || s.Speaks != path.Silent || s.Alert != "" {
		return false
	}
	switch s.Error {
	case path.Closed, path.ResetByPeer, path.BadReply, path.BadTLS, path.TimedOut:
		return true
	case path.NoError, path.BadStatus:
		return s.Status == http.StatusBadRequest && s.Stage == path.StageRequest
	default:
		return false
	}
}

// quickAnswer is how long an app may take to answer in another protocol: whoever
// speaks it says so at once.
const quickAnswer = 700 * time.Millisecond

// inOtherWords asks in the other protocols that podpath knows, and notes the
// one that is answered.
func (o *observer) inOtherWords(ctx context.Context, ask path.Ask, seen *path.Observation, address string) error {
	quick := &observer{link: o.link, timeout: min(o.timeout, quickAnswer), roots: o.roots}
	other := path.Observation{}
	var two path.Protocol
	var group errgroup.Group
	group.Go(func() (err error) {
		if ask.HTTP.TLS {
			plain := path.HTTPAsk{Host: ask.HTTP.Host, Path: ask.HTTP.Path}
			return quick.plain(ctx, path.Ask{Host: ask.Host, Port: ask.Port, HTTP: &plain}, &other, address)
		}
		secure, err := quick.hello(ctx, ask, &other, address)
		if secure != nil {
			_ = secure.conn.Close()
		}
		return err
	})
	group.Go(func() (err error) {
		two, err = quick.preface(ctx, address, ask.Port)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	switch {
	case ask.HTTP.TLS && other.Status != 0:
		seen.Speaks = path.SpeakWeb
	case !ask.HTTP.TLS && (other.Certificate != nil || other.Alert != ""):
		seen.Speaks = path.SpeakTLS
		if seen.Error == path.NoError { // what it said in plain words was that
			seen.Error = path.BadReply
		}
	case two == path.SpeakH2 && seen.Error != path.NoError:
		seen.Speaks = path.SpeakH2
	}
	return nil
}

// preface is how a client of HTTP/2 that knows about it begins (RFC 9113
// section 3.4): the preface, and an empty SETTINGS frame.
const prefaceOfHTTP2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"

// frameHead is how long the head of a frame of HTTP/2 is.
const frameHead = 9

// preface begins HTTP/2 and returns what is spoken there.
func (o *observer) preface(ctx context.Context, address string, port int) (path.Protocol, error) {
	a, err := o.ask(ctx, wire.Request{Op: wire.TCP, Address: address, Port: port, Count: frameHead, Data: []byte(prefaceOfHTTP2)})
	return spokenIn(a.Data), err
}

// http2 asks in HTTP/2 without TLS: a server answers the preface with its own.
func (o *observer) http2(ctx context.Context, ask path.Ask) (path.Observation, error) {
	seen, address, err := o.resolve(ctx, ask.Host)
	if err != nil || seen.Error != path.NoError {
		return seen, err
	}
	a, err := o.ask(ctx, wire.Request{Op: wire.TCP, Address: address, Port: ask.Port, Count: frameHead, Data: []byte(prefaceOfHTTP2)})
	connected(&seen, a, address, ask.Port)
	if err != nil || !a.Connected {
		return seen, err
	}
	seen.Stage = path.StageRequest
	seen.Times = append(seen.Times, path.StageTime{Stage: path.StageRequest, Took: max(0, a.Total-a.Connect)})
	switch spoken := spokenIn(a.Data); {
	case spoken == path.SpeakH2:
		seen.Detail = "HTTP/2"
	case len(a.Data) == 0 && a.Result == wire.OK:
		seen.Error, seen.Detail = path.Closed, "the connection was closed without an answer"
	case len(a.Data) == 0:
		seen.Error = errorKinds[a.Result]
	default:
		seen.Error, seen.Speaks = path.BadReply, spoken
		seen.Detail = "the answer is not HTTP/2: " + kube.Clean(fmt.Sprintf("%.60q", a.Data))
	}
	return seen, nil
}
