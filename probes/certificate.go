package probes

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"time"

	"podpath/kube"
	"podpath/probes/path"
)

// certificate tells what a server showed, and whether a client that asks for
// the name or address would trust it.
func (o *observer) certificate(state tls.ConnectionState, name string, now time.Time) *path.Certificate {
	if len(state.PeerCertificates) == 0 {
		return nil
	}
	leaf := state.PeerCertificates[0]
	c := &path.Certificate{
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
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Intermediates: chain, Roots: o.roots, CurrentTime: now})
	if err == nil {
		return c
	}
	c.Problem = kube.Clean(err.Error())
	var unknown x509.UnknownAuthorityError
	switch {
	case now.After(leaf.NotAfter):
		c.Misfit = path.CertExpired
	case now.Before(leaf.NotBefore):
		c.Misfit = path.CertEarly
	case leaf.VerifyHostname(name) != nil:
		c.Misfit = path.CertName
	case o.roots != nil && errors.As(err, &unknown):
		c.Misfit = path.CertIssuer
	}
	return c
}
