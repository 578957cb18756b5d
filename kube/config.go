package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
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
	// Interactive leaves stdin to a credential plugin that asks the user
	// something (interactiveMode). Without it podpath has the terminal itself.
	Interactive bool
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
	names   contextNames
}

// contextNames are what parts of the kubeconfig are called: what to look for in it.
// They are empty in a cluster.
type contextNames struct{ context, cluster, user string }

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
	c := &Config{Context: cmp.Or(o.Context, raw.CurrentContext), options: o, timeout: o.RequestTimeout}
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
	if to, ok := raw.Contexts[c.Context]; ok {
		c.names = contextNames{c.Context, to.Cluster, to.AuthInfo}
	}
	if !o.AllNamespaces {
		if c.Scope.Namespace, _, err = loader.Namespace(); err != nil {
			return nil, fmt.Errorf("find the namespace to use: %w", err)
		}
	}
	c.tune(o)
	return c, nil
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
	o := c.options
	o.Context = c.Context
	fresh, err := Load(o)
	if err != nil {
		return nil, err
	}
	return fresh.rest, nil
}

// tune sets what is podpath's own choice.
func (c *Config) tune(o Options) {
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
		p.StdinUnavailable = !o.Interactive
	}
}
