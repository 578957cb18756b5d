package kube

import (
	"context"
	"fmt"
	"net/http"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
)

// Client talks to one API server as one user. Its scheme holds only the groups
// that podpath uses: the full Clientset would double the binary.
type Client struct {
	core, discovery, authorization, networking rest.Interface
	transport                                  *renewing
	timeout                                    time.Duration
}

// NewClient returns a client of the configured cluster. It sends nothing yet.
func NewClient(c *Config) (*Client, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, discoveryv1.AddToScheme, authorizationv1.AddToScheme, networkingv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	if err := c.checkUser(); err != nil {
		return nil, err
	}
	transport, err := newRenewing(c)
	if err != nil {
		return nil, fmt.Errorf("prepare the connection to %s: %w", c.Server, err)
	}
	shared := rest.CopyConfig(c.rest)
	shared.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	shared.ContentType = runtime.ContentTypeProtobuf
	shared.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	shared.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(shared.QPS, shared.Burst)
	client := &Client{transport: transport, timeout: c.timeout}
	for _, group := range []struct {
		into *rest.Interface
		path string
		gv   schema.GroupVersion
	}{
		{&client.core, "/api", corev1.SchemeGroupVersion},
		{&client.discovery, "/apis", discoveryv1.SchemeGroupVersion},
		{&client.authorization, "/apis", authorizationv1.SchemeGroupVersion},
		{&client.networking, "/apis", networkingv1.SchemeGroupVersion},
	} {
		config := rest.CopyConfig(shared)
		config.APIPath, config.GroupVersion = group.path, &group.gv
		if *group.into, err = rest.RESTClientForConfigAndClient(config, &http.Client{Transport: transport}); err != nil {
			return nil, fmt.Errorf("prepare the client of %s: %w", group.gv, err)
		}
	}
	return client, nil
}

// of returns the client of the resource's API group.
func (c *Client) of(r Resource) rest.Interface {
	if r == EndpointSlices {
		return c.discovery
	}
	return c.core
}

// deadline bounds a request that is neither a watch nor a stream.
func (c *Client) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, c.timeout, c.errTimeout())
}

func (c *Client) errTimeout() error {
	return fmt.Errorf("no answer within %s (--request-timeout)", c.timeout)
}
