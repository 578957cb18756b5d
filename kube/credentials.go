package kube

import (
	"net/http"
	"sync"
	"time"

	"k8s.io/client-go/rest"
)

// renewing is a transport that reads the user's credentials anew when the API
// server does not accept them. client-go itself reads a token file again only
// once a minute, and a token or certificate in the kubeconfig never. The
// request that failed is not sent again: its sender decides about that.
type renewing struct {
	reload func() (*rest.Config, error)

	mu      sync.Mutex
	current http.RoundTripper
	config  *rest.Config // that current was made of
	renewed time.Time
}

// renewInterval is the shortest time between two readings: several requests
// fail at once.
const renewInterval = time.Second

func newRenewing(config *rest.Config, reload func() (*rest.Config, error)) (*renewing, error) {
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	return &renewing{reload: reload, current: client.Transport, config: config}, nil
}

// credentials returns the configuration with the newest credentials, for what
// does not pass through the transport: connections that are upgraded.
func (t *renewing) credentials() *rest.Config {
	t.mu.Lock()
	defer t.mu.Unlock()
	return rest.CopyConfig(t.config)
}

// RoundTrip sends one request.
func (t *renewing) RoundTrip(request *http.Request) (*http.Response, error) {
	t.mu.Lock()
	current := t.current
	t.mu.Unlock()
	response, err := current.RoundTrip(request)
	if err == nil && response.StatusCode == http.StatusUnauthorized {
		t.renew()
	}
	return response, err
}

// renew reads the credentials. When that fails the old ones stay, and the API
// server's refusal says enough.
func (t *renewing) renew() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.renewed) < renewInterval {
		return
	}
	t.renewed = time.Now()
	config, err := t.reload()
	if err != nil {
		return
	}
	if client, err := rest.HTTPClientFor(config); err == nil {
		t.current, t.config = client.Transport, config
	}
}
