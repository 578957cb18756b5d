package probes

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"podpath/kube"
	"podpath/probes/path"
	"podpath/probes/wire"
)

// maxReply is how much of a reply is read: its head, and the first bytes of
// the body, which often say who answered.
const maxReply = 4096

// maxBody is how much of a body is kept.
const maxBody = 256

// http sends a GET request. TLS is podpath's own, over the bytes that the
// prober moves.
func (o *observer) http(ctx context.Context, ask path.Ask) (path.Observation, error) {
	seen, address, err := o.resolve(ctx, ask.Host)
	if err != nil || seen.Error != path.NoError {
		return seen, err
	}
	if ask.HTTP.TLS {
		err = o.https(ctx, ask, &seen, address)
	} else {
		err = o.plain(ctx, ask, &seen, address)
	}
	if err == nil && puzzling(seen) {
		err = o.inOtherWords(ctx, ask, &seen, address)
	}
	if err == nil && ask.HTTP.Written {
		o.noteProxy(ctx, *ask.HTTP, &seen)
	}
	return seen, err
}

// plain asks over the bare connection.
func (o *observer) plain(ctx context.Context, ask path.Ask, seen *path.Observation, address string) error {
	a, err := o.ask(ctx, wire.Request{Op: wire.TCP, Address: address, Port: ask.Port, Count: maxReply, Data: request(*ask.HTTP)})
	connected(seen, a, address, ask.Port)
	if err != nil || !a.Connected {
		return err
	}
	seen.Stage = path.StageRequest
	seen.Times = append(seen.Times, path.StageTime{Stage: path.StageRequest, Took: max(0, a.Total-a.Connect)})
	if len(a.Data) == 0 && a.Result != wire.OK {
		seen.Error = errorKinds[a.Result]
		return nil
	}
	replied(seen, a.Data, *ask.HTTP)
	if seen.Error == path.BadReply && seen.Speaks == path.SpeakWeb && a.Result != wire.OK { // the rest did not come
		seen.Error, seen.Detail = errorKinds[a.Result], "only the beginning of an answer came"
	}
	return nil
}

func request(h path.HTTPAsk) []byte {
	where := h.Path
	if where == "" {
		where = "/"
	}
	return []byte("GET " + where + " HTTP/1.1\r\nHost: " + h.Host + "\r\nUser-Agent: podpath\r\nAccept: */*\r\nConnection: close\r\n\r\n")
}

// replied reads an HTTP reply, of which the end may be missing.
func replied(s *path.Observation, data []byte, ask path.HTTPAsk) {
	reply, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(data)), nil)
	switch {
	case len(data) == 0:
		s.Error, s.Detail = path.Closed, "the connection was closed without an answer"
		return
	case err != nil:
		s.Error, s.Speaks = path.BadReply, spokenIn(data)
		s.Detail = "the answer is not HTTP: " + kube.Clean(fmt.Sprintf("%.60q", data))
		return
	}
	defer func() { _ = reply.Body.Close() }()
	body, _ := io.ReadAll(io.LimitReader(reply.Body, maxBody)) // a cut end is no error here
	s.Status, s.Body = reply.StatusCode, kube.Clean(strings.TrimSpace(string(body)))
	s.Server, s.Location = kube.Clean(reply.Header.Get("Server")), kube.Clean(reply.Header.Get("Location"))
	s.Detail = kube.Clean(reply.Proto + " " + reply.Status)
	if s.Location != "" {
		s.Detail += " → " + s.Location
	}
	switch {
	case ask.Status != 0:
		if s.Status != ask.Status {
			s.Error = path.BadStatus
		}
	case leadsToItself(ask, s.Location) && s.Status/100 == 3:
		s.Error = path.Redirected
	case s.Status >= http.StatusInternalServerError,
		ask.Written && s.Status >= http.StatusBadRequest && s.Status != http.StatusUnauthorized && s.Status != http.StatusForbidden:
		s.Error = path.BadStatus
	}
}

// leadsToItself reports a redirect to the URL that was asked for.
func leadsToItself(ask path.HTTPAsk, location string) bool {
	from, err := url.Parse(ask.URL())
	if err != nil || location == "" {
		return false
	}
	to, err := from.Parse(location)
	return err == nil && to.Scheme == from.Scheme && to.Host == from.Host && to.RequestURI() == from.RequestURI()
}
