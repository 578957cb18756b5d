package kube

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"

	utilnet "k8s.io/apimachinery/pkg/util/net"
)

const (
	// pingAfter and pingTimeout are for HTTP/2: that an API server is cut off
	// without a word is noticed within 15 s. client-go's own transport needs 45 s,
	// and can be told otherwise only by the environment of the process.
	pingAfter   = 10 * time.Second
	pingTimeout = 5 * time.Second
	// idleTimeout is how long a connection is kept that nothing uses.
	idleTimeout = 90 * time.Second
	// handshakeTimeout is how long TLS may take.
	handshakeTimeout = 10 * time.Second
)

// connection is the way to the API server as one user: requests pass what adds
// the user's credentials, and then the network.
type connection struct {
	http.RoundTripper
	network *http.Transport
	login   *login // nil where the credentials stand in the kubeconfig, or in a file
	config  *rest.Config
}

// newConnection prepares a connection. It sends nothing, and runs no plugin.
func newConnection(config *rest.Config) (*connection, error) {
	wrapped, err := config.TransportConfig()
	if err != nil {
		return nil, err
	}
	secure, err := transport.TLSConfigFor(wrapped)
	if err != nil {
		return nil, err
	}
	proxy := config.Proxy
	if proxy == nil {
		proxy = utilnet.NewProxierWithNoProxyCIDR(http.ProxyFromEnvironment)
	}
	c := &connection{config: config, network: &http.Transport{
		Proxy: proxy, OnProxyConnectResponse: proxyAnswers, DialContext: wrapped.DialHolder.Dial, TLSClientConfig: secure,
		TLSHandshakeTimeout: handshakeTimeout, IdleConnTimeout: idleTimeout, ForceAttemptHTTP2: true,
		HTTP2: &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
	}}
	if c.RoundTripper, err = transport.HTTPWrappersForConfig(wrapped, c.network); err != nil {
		return nil, err
	}
	if config.ExecProvider != nil || config.AuthProvider != nil {
		c.login, err = newLogin(wrapped)
	}
	return c, err
}

// proxyError means that a proxy does not let podpath through.
type proxyError struct {
	proxy  *url.URL
	status string // HTTP status of its answer
}

func (e *proxyError) Error() string { return "the proxy answers " + e.status }

func proxyAnswers(_ context.Context, proxy *url.URL, _ *http.Request, response *http.Response) error {
	if response.StatusCode == http.StatusOK {
		return nil
	}
	return &proxyError{proxy, response.Status}
}
