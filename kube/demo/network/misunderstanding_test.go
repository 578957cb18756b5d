package network

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestServersAnswerWhatTheyDoNotUnderstand(t *testing.T) {
	const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, test := range map[string]struct {
		image, listens, sent, want string
	}{
		"HTTP to nginx with TLS":       {"nginx", "https:443", get, "The plain HTTP request was sent to HTTPS port"},
		"HTTP to the Ingress with TLS": {"x", "ingress:443", get, "The plain HTTP request was sent to HTTPS port"},
		"HTTP to a server in Go":       {"kube-apiserver", "https:443", get, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"},
		"TLS to plain nginx":           {"nginx", "http:443", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", "<title>400 Bad Request</title>"},
		"TLS to a plain server":        {"x", "http:443", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", "HTTP/1.1 400 Bad Request"},
		"nonsense":                     {"x", "http:443", "what?\r\n\r\n", "HTTP/1.1 400 Bad Request"},
		"HTTP/2 to HTTP/1":             {"nginx", "http:443", preface, "400 Bad Request"},
		"HTTP/1 to HTTP/2":             {"x", "h2c:443", get, settings + goAway},
		"it closes":                    {"x", "close:443", get, "EOF"},
		"it resets":                    {"x", "reset:443", get, "reset"},
	} {
		synctest.Test(t, func(t *testing.T) {
			image := strings.NewReplacer("image: nginx", "image: "+test.image).Replace
			l := newLab(t, image(pod("b", "10.244.2.2", `annotations: {demo.podpath/listens: "`+test.listens+`"}`)))
			c, err := l.place("a").DialContext(t.Context(), "tcp", "10.244.2.2:443")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			_ = c.SetDeadline(time.Now().Add(time.Minute))
			_, errWrite := io.WriteString(c, test.sent)
			text, err := io.ReadAll(c)
			got := string(text)
			switch {
			case err != nil:
				got = err.Error()
			case got == "":
				got = "EOF"
			}
			if errWrite != nil || !strings.Contains(got, test.want) {
				t.Errorf("%s: got %q, %v; want %q", name, got, errWrite, test.want)
			}
		})
	}
}

func TestHTTP2BeginsWithItsPreface(t *testing.T) {
	l := newLab(t, pod("b", "10.244.2.2", `annotations: {demo.podpath/listens: "h2c:50051"}`))
	c, err := l.place("a").DialContext(t.Context(), "tcp", "10.244.2.2:50051")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, preface)
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	_ = c.(*conn).CloseWrite()
	if got, err := io.ReadAll(c); string(got) != settings+settingsAck || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestTLSIsStillUnderstood(t *testing.T) {
	l := newLab(t, pod("b", "10.244.2.2", `annotations: {demo.podpath/listens: "https:443"}`))
	dial := func() net.Conn {
		c, err := l.place("a").DialContext(t.Context(), "tcp", "10.244.2.2:443")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	secure := tls.Client(dial(), &tls.Config{InsecureSkipVerify: true})
	_, _ = io.WriteString(secure, "GET /who HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if got, err := io.ReadAll(secure); !strings.Contains(string(got), "Hostname: b") || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	_ = secure.Close()
	silent := dial() // a client that says nothing and goes
	_ = silent.Close()
}
