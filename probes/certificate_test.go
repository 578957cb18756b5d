package probes

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"podpath/probes/path"
	"podpath/probes/path/manifest"
)

func TestCertificatesThatDoNotFit(t *testing.T) {
	years := func(n int) time.Time { return manifest.Noon.AddDate(n, 0, 0) }
	good, expired, early := issued(t, years(-20), years(20)), issued(t, years(-20), years(-10)), issued(t, years(10), years(20))
	trusting := func(c tls.Certificate) *x509.CertPool {
		pool := x509.NewCertPool()
		leaf, err := x509.ParseCertificate(c.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		pool.AddCert(leaf)
		return pool
	}
	const page = "HTTP/1.1 200 OK\r\n\r\nweb-1"
	for name, test := range map[string]struct {
		shown   tls.Certificate
		roots   *x509.CertPool
		host    string
		written bool
		misfit  path.CertMisfit
		err     path.ErrorKind
		detail  string
	}{
		"the authority that was named issued it":  {good, trusting(good), "shop.example.com", true, path.CertFits, path.NoError, "HTTP/1.1 200 OK"},
		"another one did":                         {good, trusting(expired), "shop.example.com", true, path.CertIssuer, path.BadCert, "unknown authority"},
		"nobody knows who did":                    {good, nil, "shop.example.com", true, path.CertFits, path.NoError, "podpath does not know who issued its certificate (CN=evil[31m): --ca checks that"},
		"it is for another name":                  {good, trusting(good), "pay.example.com", true, path.CertName, path.BadCert, "pay.example.com"},
		"whoever issued it":                       {good, nil, "pay.example.com", true, path.CertName, path.BadCert, "pay.example.com"},
		"it is for another address":               {good, nil, "10.0.0.9:443", true, path.CertName, path.BadCert, "10.0.0.9"},
		"it is for this address":                  {good, trusting(good), "10.0.0.2:443", true, path.CertFits, path.NoError, "200 OK"},
		"it has expired":                          {expired, trusting(expired), "shop.example.com", true, path.CertExpired, path.BadCert, "expired"},
		"it is not valid yet":                     {early, trusting(early), "shop.example.com", true, path.CertEarly, path.BadCert, "not yet valid"},
		"nobody asked for the name":               {good, nil, "10.0.0.9", false, path.CertName, path.NoError, "200 OK"},
		"an answer counts that nobody would ask ": {expired, nil, "shop.example.com", false, path.CertExpired, path.NoError, "200 OK"},
	} {
		inBubble(t, func(t *testing.T) {
			n := network{routes: map[string]route{"tcp 10.0.0.1:443": serves(overTLS(test.shown, page))}}
			o := observing(t, n)
			o.roots = test.roots
			got := o.observe(t.Context(), path.Check{Kind: path.HTTPS, Ask: path.Ask{Host: "10.0.0.1", Port: 443, HTTP: &path.HTTPAsk{TLS: true, Host: test.host, Path: "/", Written: test.written}}})
			if got.Certificate == nil || got.Certificate.Misfit != test.misfit || got.Error != test.err || !strings.Contains(got.Detail, test.detail) || got.Blind != nil {
				t.Errorf("%s: got %+v, %+v\nwant %q, error %q: %s", name, got, got.Certificate, test.misfit, test.err, test.detail)
			}
		})
	}
}
