package probes

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"podpath/probes/path"
	"podpath/probes/path/manifest"
)

func TestHTTPIsObserved(t *testing.T) {
	for name, test := range map[string]struct {
		server func(net.Conn)
		stage  path.Stage
		err    path.ErrorKind
		status int
		body   string
		detail string
	}{
		"a page":                  {answers("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n web-1 \n"), path.StageRequest, path.NoError, 200, "web-1", "HTTP/1.1 200 OK"},
		"a page without length":   {answers("HTTP/1.0 200 OK\r\n\r\nweb-1"), path.StageRequest, path.NoError, 200, "web-1", ""},
		"in chunks":               {answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nweb-1\r\n0\r\n\r\n"), path.StageRequest, path.NoError, 200, "web-1", ""},
		"a long page, cut":        {answers("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + strings.Repeat("x", 9000)), path.StageRequest, path.NoError, 200, strings.Repeat("x", 256), ""},
		"a redirect":              {answers("HTTP/1.1 302 Found\r\nLocation: /y\r\n\r\n"), path.StageRequest, path.NoError, 302, "", "302 Found → /y"},
		"a redirect to itself":    {answers("HTTP/1.1 301 Moved Permanently\r\nLocation: http://web/x\r\n\r\n"), path.StageRequest, path.Redirected, 301, "", "→ http://web/x"},
		"a redirect to TLS":       {answers("HTTP/1.1 301 Moved Permanently\r\nLocation: https://web/x\r\n\r\n"), path.StageRequest, path.NoError, 301, "", "→ https://web/x"},
		"a login":                 {answers("HTTP/1.1 401 Unauthorized\r\n\r\n"), path.StageRequest, path.NoError, 401, "", ""},
		"no such page":            {answers("HTTP/1.1 404 Not Found\r\n\r\ndefault backend - 404"), path.StageRequest, path.NoError, 404, "default backend - 404", "404 Not Found"},
		"no backend":              {answers("HTTP/1.1 503 Service Unavailable\r\n\r\n"), path.StageRequest, path.BadStatus, 503, "", "503"},
		"another protocol":        {answers("SSH-2.0-OpenSSH\x1b[2J\r\n"), path.StageRequest, path.BadReply, 0, "", "the answer is not HTTP: \"SSH-2.0"},
		"nothing":                 {answers(""), path.StageRequest, path.Closed, 0, "", "without an answer"},
		"a hostile page":          {answers("HTTP/1.1 200 O\x1b[31mK\r\n\r\n\x1b]0;evil\x07web\n1"), path.StageRequest, path.NoError, 200, "]0;evilweb 1", "O[31mK"},
		"a server without an end": {func(c net.Conn) { answers("HTTP/1.1 200 OK\r\n\r\nweb-1")(c); silent(c) }, path.StageRequest, path.NoError, 200, "web-1", ""},
		"a server that is silent": {silent, path.StageRequest, path.TimedOut, 0, "", ""},
	} {
		inBubble(t, func(t *testing.T) {
			o := observing(t, network{routes: map[string]route{"tcp 10.0.0.1:80": serves(test.server)}})
			got := o.observe(t.Context(), path.Check{Kind: path.HTTP, Ask: path.Ask{Host: "10.0.0.1", Port: 80, HTTP: &path.HTTPAsk{Host: "web", Path: "/x"}}})
			if got.Stage != test.stage || got.Error != test.err || got.Status != test.status || got.Body != test.body || !strings.Contains(got.Detail, test.detail) || got.Blind != nil {
				t.Errorf("%s: got %+v\nwant %s %s, %d %q, %s", name, got, test.stage, test.err, test.status, test.body, test.detail)
			}
			if strings.ContainsAny(got.Detail+got.Body, "\x1b\x07\n") {
				t.Errorf("%s: got control characters in %q %q", name, got.Detail, got.Body)
			}
		})
	}
}

func TestHTTPRequestsSayWhatABrowserWould(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		heard := make(chan string, 1)
		browsed := serves(func(c net.Conn) {
			b := make([]byte, 4096)
			n, _ := c.Read(b)
			heard <- string(b[:n])
			_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
		})
		o := observing(t, network{routes: map[string]route{"tcp 10.0.0.1:80": browsed}})
		o.observe(t.Context(), path.Check{Kind: path.HTTP, Ask: path.Ask{Host: "10.0.0.1", Port: 80, HTTP: &path.HTTPAsk{Host: "shop.example.com"}}})
		want := "GET / HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: podpath\r\nAccept: */*\r\nConnection: close\r\n\r\n"
		if got := <-heard; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// signed makes a certificate that signs itself.
func signed(t *testing.T, notAfter time.Time) tls.Certificate {
	t.Helper()
	return issued(t, manifest.Noon.AddDate(-20, 0, 0), notAfter)
}

// issued makes one that is valid from one time to another.
func issued(t *testing.T, notBefore, notAfter time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "evil\x1b[31m"}, DNSNames: []string{"shop.example.com"}, IPAddresses: []net.IP{net.IPv4(10, 0, 0, 2)},
		NotBefore: notBefore, NotAfter: notAfter, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// endOf is the server's end of TLS.
func endOf(c net.Conn, certificate tls.Certificate) *tls.Conn {
	return tls.Server(c, &tls.Config{Certificates: []tls.Certificate{certificate}})
}

// overTLS is a server of TLS that answers a request.
func overTLS(certificate tls.Certificate, text string) func(net.Conn) {
	return func(c net.Conn) {
		secure := endOf(c, certificate)
		defer func() { _ = secure.Close() }()
		answers(text)(secure)
	}
}

func TestHTTPSIsObserved(t *testing.T) {
	const page = "HTTP/1.1 200 OK\r\n\r\nweb-1"
	good, expired := signed(t, manifest.Noon.AddDate(20, 0, 0)), signed(t, manifest.Noon.AddDate(-10, 0, 0))
	long := "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("long ", 20000)
	for name, test := range map[string]struct {
		server  func(net.Conn)
		host    string
		stage   path.Stage
		err     path.ErrorKind
		problem string // with the certificate; "-" when there is none
	}{
		"a page, signed by itself":     {overTLS(good, page), "shop.example.com", path.StageRequest, path.NoError, "unknown authority"},
		"its certificate has expired":  {overTLS(expired, page), "shop.example.com", path.StageRequest, path.NoError, "expired"},
		"it is another's":              {overTLS(good, page), "pay.example.com", path.StageRequest, path.NoError, "pay.example.com"},
		"it is another address's":      {overTLS(good, page), "10.0.0.9", path.StageRequest, path.NoError, "10.0.0.9"},
		"a host with a port":           {overTLS(good, page), "shop.example.com:8443", path.StageRequest, path.NoError, "unknown authority"},
		"a long page":                  {overTLS(good, long), "shop.example.com", path.StageRequest, path.NoError, "unknown authority"},
		"no such page":                 {overTLS(good, "HTTP/1.1 404 Not Found\r\n\r\n"), "shop.example.com", path.StageRequest, path.NoError, "unknown authority"},
		"it closes without an answer":  {overTLS(good, ""), "shop.example.com", path.StageRequest, path.Closed, "unknown authority"},
		"a server without TLS":         {answers("HTTP/1.1 400 Bad Request\r\n\r\n"), "shop.example.com", path.StageTLS, path.BadTLS, "-"},
		"a server that closes at once": {answers(""), "shop.example.com", path.StageTLS, path.Closed, "-"},
		"a server that is silent":      {silent, "shop.example.com", path.StageTLS, path.TimedOut, "-"},
		"one that falls silent":        {func(c net.Conn) { silent(endOf(c, good)) }, "shop.example.com", path.StageRequest, path.TimedOut, "unknown authority"},
	} {
		inBubble(t, func(t *testing.T) {
			o := observing(t, network{routes: map[string]route{"tcp 10.0.0.1:443": serves(test.server)}})
			got := o.observe(t.Context(), path.Check{Kind: path.HTTPS, Ask: path.Ask{Host: "10.0.0.1", Port: 443, HTTP: &path.HTTPAsk{TLS: true, Host: test.host, Path: "/"}}})
			if got.Stage != test.stage || got.Error != test.err || got.Blind != nil {
				t.Errorf("%s: got %+v, want %s %s", name, got, test.stage, test.err)
			}
			c := got.Certificate
			switch {
			case (c == nil) != (test.problem == "-"):
				t.Errorf("%s: got certificate %+v, want problem %s", name, c, test.problem)
			case c != nil && (!strings.Contains(c.Problem, test.problem) || list(c.Names) != "shop.example.com, 10.0.0.2" || strings.Contains(c.Subject+c.Issuer+c.Problem, "\x1b")):
				t.Errorf("%s: got %+v, want %s", name, c, test.problem)
			}
		})
	}
	refused := observing(t, network{}).observe(t.Context(), path.Check{Kind: path.HTTPS, Ask: path.Ask{Host: "10.0.0.1", Port: 443, HTTP: &path.HTTPAsk{TLS: true, Host: "a"}}})
	if refused.Stage != path.StageConnect || refused.Error != path.Refused {
		t.Errorf("got %+v, want it refused", refused)
	}
}

func TestAServerThatDripsIsLeftInTime(t *testing.T) {
	drips := serves(func(c net.Conn) {
		secure := endOf(c, signed(t, manifest.Noon.AddDate(20, 0, 0)))
		answers("HTTP/1.1 200 OK\r\n\r\n")(secure)
		for err := error(nil); err == nil; time.Sleep(stepTime / 2) {
			_, err = io.WriteString(secure, "x")
		}
	})
	inBubble(t, func(t *testing.T) {
		began := time.Now()
		o := observing(t, network{routes: map[string]route{"tcp 10.0.0.1:443": drips}})
		got := o.observe(t.Context(), path.Check{Kind: path.HTTPS, Ask: path.Ask{Host: "10.0.0.1", Port: 443, HTTP: &path.HTTPAsk{TLS: true, Host: "a"}}})
		if took := time.Since(began); got.Status != 200 || took > (connSteps+1)*stepTime {
			t.Errorf("got %+v after %s, want what came until then", got, took)
		}
		time.Sleep(stepTime) // until the server has seen it
	})
}
