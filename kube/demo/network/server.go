package network

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// serve is the program that took a connection. Whoever calls it closes that.
func (n *Network) serve(c *conn, f fate) {
	switch f.by.kind {
	case "http":
		n.http(c, f, n.page)
	case "https":
		n.https(c, f, n.page)
	case "ingress":
		if f.at.Port() == 443 {
			n.https(c, f, n.ingress)
		} else {
			n.http(c, f, n.ingress)
		}
	case "redis":
		redis(c, f)
	case "dns":
		n.dns(c)
	case "reset":
		_, _ = c.Read(make([]byte, 1)) // sooner a client might take it for a refusal
		_ = c.SetLinger(0)
	default:
		_, _ = io.Copy(c, c)
	}
}

// handler answers a request that came over a connection from client.
type handler func(f fate, r *http.Request, client net.Addr) *http.Response

func (n *Network) http(c net.Conn, f fate, answer handler) {
	in := bufio.NewReader(c)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		reply := answer(f, r, c.RemoteAddr())
		reply.Request, reply.ProtoMajor, reply.ProtoMinor, reply.Close = r, 1, 1, reply.Close || r.Close
		err = reply.Write(c)
		_ = reply.Body.Close()
		if _, left := io.Copy(io.Discard, r.Body); err != nil || left != nil || reply.Close {
			return
		}
	}
}

func (n *Network) https(c net.Conn, f fate, answer handler) {
	made, err := n.certificate()
	if err != nil {
		return
	}
	secure := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{made}, MinVersion: tls.VersionTLS12})
	n.http(secure, f, answer)
	_ = secure.CloseWrite()
}

func text(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}},
		ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
	}
}

// page says who answers.
func (n *Network) page(f fate, r *http.Request, client net.Addr) *http.Response {
	if f.by.pod != nil && r.URL.Path == "/" && strings.Contains(f.by.pod.Spec.Containers[0].Image, "nginx") {
		return text(http.StatusOK, fmt.Sprintf("<h1>Welcome to nginx!</h1>\n<p>%s at %s</p>\n", hostname(f.to), f.to.ip))
	}
	return text(http.StatusOK, fmt.Sprintf("Hostname: %s\nIP: %s\nRemoteAddr: %s\n%s %s\n", hostname(f.to), f.to.ip, client, r.Method, r.URL.Path))
}

func hostname(h *host) string { return h.name[strings.LastIndexByte(h.name, '/')+1:] }

// redis answers to PING and INFO, written as a person would or as a client does.
func redis(c *conn, f fate) {
	for lines := bufio.NewScanner(c); lines.Scan(); {
		reply := "-ERR unknown command\r\n"
		switch word := strings.ToUpper(strings.TrimSpace(lines.Text())); {
		case word == "" || strings.ContainsAny(word[:1], "*$"):
			continue
		case word == "PING":
			reply = "+PONG\r\n"
		case word == "INFO":
			info := "redis_version:3.2.12\r\nhostname:" + hostname(f.to) + "\r\n"
			reply = fmt.Sprintf("$%d\r\n%s\r\n", len(info), info)
		case word == "QUIT":
			_, _ = io.WriteString(c, "+OK\r\n")
			return
		}
		if _, err := io.WriteString(c, reply); err != nil {
			return
		}
	}
}

// dns answers questions: over TCP the length goes before each message.
func (n *Network) dns(c *conn) {
	packet, length := make([]byte, window), make([]byte, 2)
	for {
		var question []byte
		size, err := 0, error(nil)
		if c.packets {
			size, err = c.Read(packet)
			question = packet[:size]
		} else if _, err = io.ReadFull(c, length); err == nil {
			question = make([]byte, binary.BigEndian.Uint16(length))
			_, err = io.ReadFull(c, question)
		}
		if err != nil {
			return
		}
		reply := n.view().answer(question, c.packets)
		if !c.packets {
			reply = append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)
		}
		if _, err := c.Write(reply); err != nil {
			return
		}
	}
}

// proxyTimeout is how long the Ingress controller waits for a backend.
const proxyTimeout = 5 * time.Second

// ingress passes a request on to the Service that an Ingress names.
func (n *Network) ingress(f fate, r *http.Request, client net.Addr) *http.Response {
	v := n.view()
	target, matched := v.backend(r.Host, r.URL.Path)
	switch {
	case !matched:
		return text(http.StatusNotFound, "404 page not found\n")
	case target == "":
		return text(http.StatusServiceUnavailable, "503 Service Temporarily Unavailable\n")
	}
	ctx, cancel := context.WithTimeout(n.ctx, proxyTimeout)
	defer cancel()
	place := &Place{network: n, host: f.to.name}
	out, err := place.DialContext(ctx, "tcp", target)
	if err != nil {
		return text(http.StatusServiceUnavailable, "503 Service Temporarily Unavailable\n")
	}
	defer func() { _ = out.Close() }()
	_ = out.SetDeadline(time.Now().Add(proxyTimeout))
	r.Header.Set("X-Forwarded-For", client.String())
	err = r.Write(out)
	reply, errReply := http.ReadResponse(bufio.NewReader(out), r)
	if err != nil || errReply != nil {
		return text(http.StatusBadGateway, "502 Bad Gateway\n")
	}
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		return text(http.StatusBadGateway, "502 Bad Gateway\n")
	}
	reply.Body, reply.ContentLength, reply.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	return reply
}
