package kube

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"k8s.io/client-go/rest"
)

// ConnectError means that podpath and the API server do not come together, and
// that it is known why.
type ConnectError struct {
	Problem Problem
	What    string // one sentence without its end: what is wrong
	Step    string // the one thing to do about it
	Err     error
}

func (e *ConnectError) Error() string { return Clean(e.What + "; " + e.Step) }

// Unwrap returns what the network or the API server said.
func (e *ConnectError) Unwrap() error { return e.Err }

// Problem is why podpath and the API server do not come together.
type Problem string

// The problems.
const (
	// ProxyAway: the proxy does not answer, or does not let podpath through.
	ProxyAway Problem = "proxy-away"
	// UnknownHost: the name of the API server has no address.
	UnknownHost Problem = "unknown-host"
	// WrongName: the certificate of the API server is for other names.
	WrongName Problem = "wrong-name"
	// UnknownAuthority: that certificate is from an authority that the
	// kubeconfig does not name.
	UnknownAuthority Problem = "unknown-authority"
	// ServerExpired: that certificate has expired, or is not valid yet.
	ServerExpired Problem = "server-expired"
	// WrongScheme: http where TLS is spoken, or https where it is not.
	WrongScheme Problem = "wrong-scheme"
	// PluginMissing: the credential plugin is not installed.
	PluginMissing Problem = "plugin-missing"
	// PluginAsks: the credential plugin wants to ask the user, and cannot.
	PluginAsks Problem = "plugin-asks"
	// LoginFailed: the credential plugin or the identity provider gave no
	// credentials.
	LoginFailed Problem = "login-failed"
	// NoCredentials: the kubeconfig names credentials that are not there.
	NoCredentials Problem = "no-credentials"
	// Refused: the API server does not accept the credentials.
	Refused Problem = "refused"
)

// explain makes a ConnectError of an error that tells what is wrong, and
// returns other errors as they are.
func (c *Config) explain(err error) error {
	var (
		op        *net.OpError
		proxy     *proxyError
		dns       *net.DNSError
		name      x509.HostnameError
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
	)
	e := &ConnectError{Err: err}
	switch {
	case errors.As(err, &proxy):
		c.throughProxy(e, proxy.proxy.Redacted(), "answers "+proxy.status)
	case errors.As(err, &op) && (op.Op == "proxyconnect" || strings.HasPrefix(op.Op, "socks")):
		c.throughProxy(e, c.proxy(), "cannot be used: "+op.Err.Error())
	case errors.As(err, &dns) && dns.IsNotFound:
		e.Problem, e.What = UnknownHost, fmt.Sprintf("the name %s of the API server has no address", dns.Name)
		e.Step = fmt.Sprintf("look at server of %s, and whether this machine's DNS knows the name", c.cluster())
	case errors.As(err, &name):
		c.wrongName(e, name)
	case errors.As(err, &authority):
		e.Problem = UnknownAuthority
		e.What = "the certificate of " + c.Server + " is from an authority that the kubeconfig does not name" + c.twice()
		e.Step = fmt.Sprintf("take the kubeconfig of this cluster anew, or correct certificate-authority of %s", c.cluster())
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		from, to := day(invalid.Cert.NotBefore), day(invalid.Cert.NotAfter)
		e.Problem = ServerExpired
		e.What = fmt.Sprintf("the certificate of %s is valid from %s to %s only", c.Server, from, to)
		e.Step = "renew it on the control plane (kubeadm certs renew), or set this machine's clock"
	case errors.As(err, &record):
		e.Problem, e.What = WrongScheme, fmt.Sprintf("what listens at %s does not speak TLS", c.Server)
		e.Step = fmt.Sprintf("look at the port in server of %s; http:// is for an API server without TLS", c.cluster())
	case errors.As(err, &op) && op.Op == "remote error":
		if refused := c.refused(c.rest, nil, time.Now()); refused != nil {
			return refused
		}
		return err
	default:
		return err
	}
	return e
}

func (c *Config) throughProxy(e *ConnectError, proxy, how string) {
	e.Problem, e.What = ProxyAway, fmt.Sprintf("the proxy %s on the way to %s %s", proxy, c.Server, how)
	e.Step = "look whether it runs; HTTPS_PROXY and NO_PROXY choose it"
	if c.rest.Proxy != nil {
		e.Step = fmt.Sprintf("look whether it runs; proxy-url of %s names it", c.cluster())
	}
}

// proxy is the proxy before the API server, without its password.
func (c *Config) proxy() string {
	choose := c.rest.Proxy
	if choose == nil {
		choose = http.ProxyFromEnvironment
	}
	if to, err := url.Parse(c.Server); err == nil {
		if proxy, err := choose(&http.Request{URL: to}); err == nil && proxy != nil {
			return proxy.Redacted()
		}
	}
	return ""
}

func (c *Config) wrongName(e *ConnectError, name x509.HostnameError) {
	valid := append([]string(nil), name.Certificate.DNSNames...)
	for _, ip := range name.Certificate.IPAddresses {
		valid = append(valid, ip.String())
	}
	e.Problem = WrongName
	e.What = fmt.Sprintf("the certificate of %s is not for %s, but for %s", c.Server, name.Host, strings.Join(valid, ", "))
	e.Step = fmt.Sprintf("set tls-server-name of %s to one of these", c.cluster())
	if c.rest.ServerName != "" {
		e.What += fmt.Sprintf(" (%s is tls-server-name of %s)", name.Host, c.cluster())
		e.Step = "set it to one of these"
	}
}

// isForTLS reports what a server with TLS answers to a request without: a
// refusal that is no answer of Kubernetes.
func isForTLS(request *http.Request, response *http.Response) bool {
	return request.URL.Scheme == "http" && response.StatusCode == http.StatusBadRequest &&
		!strings.HasPrefix(response.Header.Get("Content-Type"), "application/")
}

func (c *Config) speaksTLS() error {
	return &ConnectError{
		Problem: WrongScheme, What: fmt.Sprintf("%s does not take requests without TLS", c.Server),
		Step: fmt.Sprintf("write https:// in server of %s", c.cluster()),
	}
}

// day is a moment as people say it.
func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// cluster says where it stands which API server is meant.
func (c *Config) cluster() string {
	if c.Context == "" {
		return "the environment of the Pod"
	}
	return fmt.Sprintf("cluster %q in the kubeconfig", c.names.cluster)
}

// user says whose credentials are used.
func (c *Config) user() string {
	if c.Context == "" {
		return "the service account of the Pod"
	}
	return fmt.Sprintf("user %q in the kubeconfig", c.names.user)
}

// clientCertificate is the certificate by which a user is known; nil when there
// is none that can be read.
func clientCertificate(config *rest.Config) *x509.Certificate {
	text := config.CertData
	if len(text) == 0 && config.CertFile != "" {
		text, _ = os.ReadFile(config.CertFile)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return certificate
}
