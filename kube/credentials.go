package kube

import (
	"encoding/json"
	"net/http"
	"os"
	"sync"
	"time"

	"k8s.io/client-go/rest"
)

// renewing is a transport that reads the user's credentials anew when the API
// server does not accept them. client-go itself reads a token file again only
// once a minute, and a token or certificate in the kubeconfig never. The
// request that failed is not sent again: its sender decides about that. Errors
// of the way to the API server say what is wrong, where that is known.
type renewing struct {
	of     *Config
	reload func() (*rest.Config, error)

	mu      sync.Mutex // guards all below
	current *connection
	secret  string // that current was made with
	renewed time.Time
	failed  error // of the last reading
}

// renewInterval is the shortest time between two readings: several requests
// fail at once.
const renewInterval = time.Second

func newRenewing(c *Config) (*renewing, error) {
	current, err := newConnection(c.rest)
	if err != nil {
		return nil, err
	}
	return &renewing{of: c, reload: c.reload, current: current, secret: secretOf(c.rest)}, nil
}

// credentials returns the configuration with the newest credentials, for what
// does not pass through the transport: connections that are upgraded.
func (t *renewing) credentials() *rest.Config {
	return rest.CopyConfig(t.connection().config)
}

// connection is the one to use now.
func (t *renewing) connection() *connection {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.current
}

// RoundTrip sends one request.
func (t *renewing) RoundTrip(request *http.Request) (*http.Response, error) {
	current := t.connection()
	if current.login != nil {
		if err := current.login.prepare(request); err != nil {
			return nil, t.of.loginFailed(err)
		}
	}
	response, err := current.RoundTrip(request)
	switch {
	case err != nil:
		return nil, t.of.explain(err)
	case response.StatusCode == http.StatusUnauthorized:
		t.renew()
		if refused := t.refused(); refused != nil {
			_ = response.Body.Close()
			return nil, refused
		}
	case isForTLS(request, response):
		_ = response.Body.Close()
		return nil, t.of.speaksTLS()
	}
	return response, nil
}

// CloseIdleConnections closes what no request uses, as http.Client asks for.
func (t *renewing) CloseIdleConnections() {
	t.connection().network.CloseIdleConnections()
}

// renew reads the credentials. Only others make a new connection: the server
// would not take the same ones on that either. When reading fails the old ones
// stay.
func (t *renewing) renew() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.renewed) < renewInterval {
		return
	}
	t.renewed = time.Now()
	config, err := t.reload()
	t.failed = err
	if err != nil {
		return
	}
	secret := secretOf(config)
	if secret == t.secret {
		return
	}
	next, err := newConnection(config)
	if err != nil {
		t.failed = err
		return
	}
	before := t.current
	t.current, t.secret = next, secret
	before.network.CloseIdleConnections()
}

// refused says more about a refusal than the API server does; nil when there is
// no more.
func (t *renewing) refused() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.of.refused(t.current.config, t.failed, time.Now())
}

// secretOf is everything in a configuration that says who the user is, with the
// contents of files. It is compared only, and never shown.
func secretOf(c *rest.Config) string {
	parts := []any{c.BearerToken, c.Username, c.Password, c.CertData, c.KeyData, c.CAData, c.ExecProvider, c.AuthProvider}
	for _, file := range []string{c.BearerTokenFile, c.CertFile, c.KeyFile, c.CAFile} {
		if file != "" {
			text, err := os.ReadFile(file) //nolint:gosec // the kubeconfig names it
			parts = append(parts, text, err != nil)
		}
	}
	secret, _ := json.Marshal(parts) // of texts only
	return string(secret)
}
