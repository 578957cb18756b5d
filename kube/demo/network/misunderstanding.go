package network

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
)

// What servers say to a client that speaks another protocol.

// errNoRequest is of what is no request of HTTP/1.
var errNoRequest = errors.New("this is no request of HTTP/1")

// tlsHello is the first byte of a client that speaks TLS.
const tlsHello = 0x16

// readRequest reads a request. It does not wait for the end of a line of what
// begins as TLS does.
func readRequest(in *bufio.Reader) (*http.Request, error) {
	first, err := in.Peek(1)
	if err != nil {
		return nil, err
	}
	if first[0] == tlsHello {
		return nil, errNoRequest
	}
	r, err := http.ReadRequest(in)
	over := func(end error) bool { return errors.Is(err, end) }
	switch {
	case err == nil && r.Method == "PRI": // of HTTP/2
		return nil, errNoRequest
	case err == nil, slices.ContainsFunc([]error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, net.ErrClosed}, over):
		return r, err
	}
	return nil, errNoRequest
}

// plain reports whether a client begins with HTTP where TLS is spoken, as
// crypto/tls tells it.
func plain(head []byte) bool {
	return slices.Contains([]string{"GET /", "HEAD ", "POST ", "PUT /", "OPTIO"}, string(head))
}

func (s server) isNginx() bool {
	return s.by.kind == "ingress" || s.by.pod != nil && strings.Contains(s.by.pod.Spec.Containers[0].Image, "nginx")
}

// badRequest refuses what is no request, in the words of nginx or of package
// net/http. Without words the latter tells a client of an HTTPS server so.
func (s server) badRequest(c io.Writer, nginx, other string) {
	switch {
	case s.isNginx():
		page := "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" +
			"<html>\r\n<head><title>" + nginx + "</title></head>\r\n" +
			"<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n"
		if why := strings.TrimPrefix(nginx, "400 "); why != "Bad Request" {
			page += "<center>" + why + "</center>\r\n"
		}
		page += "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
		_, _ = io.WriteString(c, page)
	case other == "":
		_, _ = io.WriteString(c, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
	default:
		head := "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
		_, _ = io.WriteString(c, head+other)
	}
}

// buffered is a connection of which a few bytes were looked at.
type buffered struct {
	*conn
	in io.Reader
}

func (b buffered) Read(p []byte) (int, error) { return b.in.Read(p) }

// Frames of HTTP/2 (RFC 9113): SETTINGS with 100 streams at once, the
// acknowledgement of one, and GOAWAY for an error of the protocol.
const (
	preface     = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	settings    = "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"
	settingsAck = "\x00\x00\x00\x04\x01\x00\x00\x00\x00"
	goAway      = "\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
)

// http2 speaks HTTP/2 without TLS and nothing else, as a server of gRPC does. It
// knows no more of it than how one begins.
func (s server) http2() {
	if _, err := io.WriteString(s.conn, settings); err != nil {
		return
	}
	head := make([]byte, 4096)
	n, err := s.Read(head)
	if err != nil {
		return
	}
	if !bytes.HasPrefix(head[:n], []byte(preface)) {
		_, _ = io.WriteString(s.conn, goAway)
		return
	}
	_, _ = io.WriteString(s.conn, settingsAck)
	_, _ = io.Copy(io.Discard, s.conn)
}
