package network

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// server is the program that took a connection. Whoever lets it serve closes
// that.
type server struct {
	*conn
	network *Network
	by      listener
}

func (s server) serve() {
	switch s.by.kind {
	case "http":
		s.http(s.conn, s.page)
	case "https":
		s.https(s.page)
	case "ingress":
		if s.local.Port() == 443 {
			s.https(s.ingress)
		} else {
			s.http(s.conn, s.ingress)
		}
	case "redis":
		s.redis()
	case "dns":
		s.dns()
	case "hang":
		s.ended()
	case "close":
		_ = s.CloseWrite()
		_, _ = io.Copy(io.Discard, s.conn) // so that the client may send, and sees an end and no reset
	case "h2c":
		s.http2()
	case "reset":
		_, _ = s.Read(make([]byte, 1)) // sooner a client might take it for a refusal
		_ = s.SetLinger(0)
	default:
		_, _ = io.Copy(s.conn, s.conn)
	}
}

// http answers the requests that come over c, which is the connection or TLS
// on it.
func (s server) http(c net.Conn, answer func(*http.Request) *http.Response) {
	in := bufio.NewReader(c)
	for {
		r, err := readRequest(in)
		if err != nil {
			if errors.Is(err, errNoRequest) {
				s.badRequest(c, "400 Bad Request", "400 Bad Request")
			}
			return
		}
		reply := answer(r)
		reply.Request, reply.ProtoMajor, reply.ProtoMinor, reply.Close = r, 1, 1, reply.Close || r.Close
		err = reply.Write(c)
		_ = reply.Body.Close()
		if _, left := io.Copy(io.Discard, r.Body); err != nil || left != nil || reply.Close {
			return
		}
	}
}

func (s server) https(answer func(*http.Request) *http.Response) {
	made, err := s.network.certificate()
	if err != nil {
		return
	}
	in := bufio.NewReader(s.conn)
	if head, _ := in.Peek(len("GET /")); plain(head) {
		s.badRequest(s.conn, "400 The plain HTTP request was sent to HTTPS port", "")
		return
	}
	secure := tls.Server(buffered{s.conn, in}, &tls.Config{Certificates: []tls.Certificate{made}, MinVersion: tls.VersionTLS12})
	s.http(secure, answer)
	_ = secure.CloseWrite()
}

func text(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}},
		ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
	}
}

// page says who answers.
func (s server) page(r *http.Request) *http.Response {
	name, ip := hostname(s.host), s.host.ip
	if r.URL.Path == "/" && s.isNginx() {
		return text(http.StatusOK, fmt.Sprintf("<h1>Welcome to nginx!</h1>\n<p>%s at %s</p>\n", name, ip))
	}
	return text(http.StatusOK, fmt.Sprintf("Hostname: %s\nIP: %s\nRemoteAddr: %s\n%s %s\n", name, ip, s.remote, r.Method, r.URL.Path))
}

// redis answers to PING, written as a person would or as a client does.
func (s server) redis() {
	for lines := bufio.NewScanner(s.conn); lines.Scan(); {
		word, reply := lines.Text(), "-ERR unknown command\r\n"
		if word == "" || word[0] == '*' || word[0] == '$' {
			continue
		}
		if strings.EqualFold(word, "PING") {
			reply = "+PONG\r\n"
		}
		if _, err := io.WriteString(s.conn, reply); err != nil {
			return
		}
	}
}

// dns answers questions: over TCP the length goes before each message.
func (s server) dns() {
	packet, length := make([]byte, maxPacket), make([]byte, 2)
	for {
		size, err := 0, error(nil)
		if s.packets {
			size, err = s.Read(packet)
		} else if _, err = io.ReadFull(s.conn, length); err == nil {
			packet = make([]byte, binary.BigEndian.Uint16(length))
			size, err = io.ReadFull(s.conn, packet)
		}
		if err != nil {
			return
		}
		reply := s.network.view().namesAt(s.by).answer(packet[:size], s.packets)
		if reply == nil {
			continue
		}
		if !s.packets {
			reply = append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)
		}
		if _, err := s.Write(reply); err != nil {
			return
		}
	}
}

// ingress passes a request on to an endpoint of the Service that an Ingress
// names. What goes wrong has the words of nginx.
func (s server) ingress(r *http.Request) *http.Response {
	ready, matched := s.network.view().backend(r.Host, r.URL.Path)
	switch {
	case !matched:
		return text(http.StatusNotFound, "404 page not found\n")
	case len(ready) == 0:
		return text(http.StatusServiceUnavailable, "503 Service Temporarily Unavailable\n")
	}
	r.URL.Scheme, r.URL.Host, r.RequestURI = "http", s.network.anyOf(ready).String(), ""
	r.Header.Set("X-Forwarded-For", s.remote.String())
	place := &Place{network: s.network, key: s.host.name}
	reply, err := place.client().Do(r.WithContext(s.network.ctx))
	switch {
	case os.IsTimeout(err):
		return text(http.StatusGatewayTimeout, "504 Gateway Time-out\n")
	case err != nil:
		return text(http.StatusBadGateway, "502 Bad Gateway\n")
	}
	return reply
}

// programTimeout is how long curl, the Ingress controller and the like wait.
const programTimeout = 5 * time.Second

// client speaks HTTP from a place. It trusts whom it talks to, and does not go
// where that sends it.
func (p *Place) client() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DialContext: p.DialContext, DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       programTimeout,
	}
}
