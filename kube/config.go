package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Options say which cluster to use, as which user and how. They are kubectl's,
// with kubectl's meaning.
type Options struct {
	Kubeconfig string // a file; empty for $KUBECONFIG, then ~/.kube/config, then the Pod's own service account
	// Inline is the text of a kubeconfig, in place of any file.
	Inline []byte
	// Dial connects to the API server; nil for the network of the system, which
	// client-go uses for exec and port-forward in any case.
	Dial          func(ctx context.Context, network, address string) (net.Conn, error)
	Context       string
	Namespace     string
	AllNamespaces bool
	As            string
	AsGroups      []string
	// RequestTimeout bounds every request but watches and streams. 0 is no
	// bound.
	RequestTimeout time.Duration
	// QPS and Burst limit requests, not watches; 0 is DefaultQPS, DefaultBurst.
	QPS       float32
	Burst     int
	UserAgent string
}

// Config is a loaded configuration: one context of a kubeconfig, or the
// service account of the Pod that podpath runs in.
type Config struct {
	// Context is the name of the context; empty in a cluster.
	Context string
	// Contexts are the names of all contexts, sorted.
	Contexts []string
	// Server is the URL of the API server.
	Server string
	// Scope is the namespace asked for, else the context's, else default.
	Scope Scope

	options Options
	rest    *rest.Config
	timeout time.Duration
}

// ErrNoConfig means that no kubeconfig was found, and that podpath does not
// run in a cluster.
var ErrNoConfig = errors.New("no cluster is configured: there is no kubeconfig (looked at --kubeconfig, $KUBECONFIG and ~/.kube/config), and podpath does not run in a Pod")

// DefaultQPS and DefaultBurst are requests a second, and at once: enough for a
// screen that is opened quickly on a large cluster, and no load for its server.
const (
	DefaultQPS   = 50
	DefaultBurst = 100
)

// connectTimeout is how long a TCP connection to the API server may take. It
// bounds how late a server that came back is noticed.
const connectTimeout = 5 * time.Second

// Load reads the configuration. Its errors name the file or the context.
func Load(o Options) (*Config, error) {
	overrides := &clientcmd.ConfigOverrides{
		CurrentContext: o.Context,
		Context:        clientcmdapi.Context{Namespace: o.Namespace},
		AuthInfo:       clientcmdapi.AuthInfo{Impersonate: o.As, ImpersonateGroups: o.AsGroups},
	}
	loader, err := o.loader(overrides)
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	c := &Config{Context: raw.CurrentContext, options: o, timeout: o.RequestTimeout}
	if o.Context != "" {
		c.Context = o.Context
	}
	for name := range raw.Contexts {
		c.Contexts = append(c.Contexts, name)
	}
	slices.Sort(c.Contexts)
	switch {
	case c.Context == "" || slices.Contains(c.Contexts, c.Context):
	case len(c.Contexts) == 0:
		return nil, ErrNoConfig
	default:
		return nil, fmt.Errorf("the kubeconfig has no context %q; it has %q", c.Context, c.Contexts)
	}
	switch c.rest, err = loader.ClientConfig(); {
	case clientcmd.IsEmptyConfig(err) && len(c.Contexts) > 0:
		return nil, fmt.Errorf("the kubeconfig has no current context: choose one of %q with --context", c.Contexts)
	case clientcmd.IsEmptyConfig(err):
		return nil, ErrNoConfig
	case err != nil:
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	c.Server = c.rest.Host
	if !o.AllNamespaces {
		if c.Scope.Namespace, _, err = loader.Namespace(); err != nil {
			return nil, fmt.Errorf("find the namespace to use: %w", err)
		}
	}
	return c, c.tune(o)
}

// loader reads files, or the text that there is in their place.
func (o Options) loader(overrides *clientcmd.ConfigOverrides) (clientcmd.ClientConfig, error) {
	if o.Inline != nil {
		config, err := clientcmd.Load(o.Inline)
		if err != nil {
			return nil, err
		}
		return clientcmd.NewDefaultClientConfig(*config, overrides), nil
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = o.Kubeconfig
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides), nil
}

// reload reads the configuration again, of the same context even if the
// kubeconfig has another current one by now.
func (c *Config) reload() (*rest.Config, error) {
	c.options.Context = c.Context
	fresh, err := Load(c.options)
	if err != nil {
		return nil, err
	}
	return fresh.rest, nil
}

// tune sets what is podpath's own choice.
func (c *Config) tune(o Options) error {
	c.rest.QPS, c.rest.Burst = cmp.Or(o.QPS, DefaultQPS), cmp.Or(o.Burst, DefaultBurst)
	c.rest.UserAgent = o.UserAgent
	if o.As != "" || len(o.AsGroups) > 0 { // in a Pod, clientcmd drops them
		c.rest.Impersonate.UserName, c.rest.Impersonate.Groups = o.As, o.AsGroups
	}
	c.rest.Timeout = 0 // it would cut watches
	c.rest.WarningHandler = rest.NoWarnings{}
	c.rest.Dial = o.Dial
	if o.Dial == nil {
		c.rest.Dial = (&net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}).DialContext
	}
	if p := c.rest.ExecProvider; p != nil {
		p.StdinUnavailable = true
		p.StdinUnavailableMessage = "podpath uses the terminal itself; log in first, for example with: kubectl get namespaces"
	}
	return pingIdleConnections()
}

// pingIdleConnections makes the HTTP/2 client notice within 15 s that an API
// server is cut off without a word; the default is 45 s. The environment is
// the only way in that k8s.io/apimachinery offers; what the user set stays.
func pingIdleConnections() error {
	for name, seconds := range map[string]string{"HTTP2_READ_IDLE_TIMEOUT_SECONDS": "10", "HTTP2_PING_TIMEOUT_SECONDS": "5"} {
		if _, set := os.LookupEnv(name); set {
			continue
		}
		if err := os.Setenv(name, seconds); err != nil {
			return err
		}
	}
	return nil
}
