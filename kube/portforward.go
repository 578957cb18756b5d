package kube

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/portforward"
	"k8s.io/client-go/rest"
	tunneling "k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/websocket"
	"k8s.io/klog/v2"
	"k8s.io/streaming/pkg/httpstream"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// PortForwarder connects to Pods through pods/portforward. It remembers whether
// the API server, and what stands before it, lets WebSockets through.
type PortForwarder struct {
	client *Client
	spdy   atomic.Bool // worked the last time, when a WebSocket had not
}

// PortForwarder returns one that acts as the client's user.
func (c *Client) PortForwarder() *PortForwarder { return &PortForwarder{client: c} }

// upgradeTimeout is how long a connection may take to be there: three hops, each
// with a TLS handshake, and a kubelet that is busy.
const upgradeTimeout = 10 * time.Second

// DialPortForward opens a connection to the Pod's runtime, which speaks SPDY/3.1
// in the protocol portforward.k8s.io, over a WebSocket if that is possible. It
// takes ctx, and never longer than 10 s; once open, ctx has no hold on it. The
// error is an *AccessError when the user may not, else a *PortForwardError.
func (f *PortForwarder) DialPortForward(ctx context.Context, pod Key) (io.ReadWriteCloser, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, upgradeTimeout, fmt.Errorf("no answer within %s", upgradeTimeout))
	defer cancel()
	conn, err := f.upgrade(ctx, pod)
	if apierrors.IsUnauthorized(cause(err)) && ctx.Err() == nil {
		f.client.transport.renew()
		conn, err = f.upgrade(ctx, pod)
	}
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("port-forward to %s: %w", pod, context.Cause(ctx))
	default:
		return nil, portForwardFailure(pod, cause(err))
	}
}

func (f *PortForwarder) upgrade(ctx context.Context, pod Key) (io.ReadWriteCloser, error) {
	config := f.client.transport.credentials()
	to := f.client.core.Get().Namespace(pod.Namespace).Resource(Pods.String()).Name(pod.Name).SubResource("portforward").URL()
	if !f.spdy.Load() {
		conn, err := overWebSocket(ctx, config, to)
		if err == nil || !mayWorkOverSPDY(err) {
			return conn, err
		}
	}
	conn, err := overSPDY(ctx, config, to)
	f.spdy.Store(err == nil)
	return conn, err
}

// overWebSocket has SPDY travel in WebSocket messages, which more proxies let
// through (KEP-4006).
func overWebSocket(ctx context.Context, config *rest.Config, to *url.URL) (io.ReadWriteCloser, error) {
	transport, holder, err := websocket.RoundTripperFor(config)
	if err != nil {
		return nil, err
	}
	// The library minds the deadline of ctx, but not its end, while it waits for
	// the answer.
	forget := func() bool { return true }
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		forget = context.AfterFunc(ctx, func() { _ = got.Conn.Close() })
	}})
	request, err := http.NewRequestWithContext(traced, http.MethodGet, to.String(), nil)
	if err != nil {
		return nil, err
	}
	conn, err := websocket.Negotiate(transport, holder, request, portforward.WebsocketsSPDYTunnelingPortForwardV1)
	forgotten := forget()
	if err != nil {
		return nil, err
	}
	tunnel := tunneling.NewTunnelingConnectionWithLogger(klog.Background(), conn)
	if !forgotten {
		_ = tunnel.Close()
		return nil, context.Cause(ctx)
	}
	return tunnel, nil
}

// overSPDY is for API servers and proxies that know no WebSockets. The standard
// library hands out the connection once it is upgraded.
func overSPDY(ctx context.Context, config *rest.Config, to *url.URL) (io.ReadWriteCloser, error) {
	secure, err := rest.TLSConfigFor(config)
	if err != nil {
		return nil, err
	}
	proxy := config.Proxy
	if proxy == nil {
		proxy = http.ProxyFromEnvironment
	}
	// A dialer of its own keeps the transport from HTTP/2, which has no upgrades.
	transport, err := rest.HTTPWrappersForConfig(config, &http.Transport{
		Proxy: proxy, DialContext: config.Dial, TLSClientConfig: secure, DisableKeepAlives: true,
	})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set(httpstream.HeaderConnection, httpstream.HeaderUpgrade)
	request.Header.Set(httpstream.HeaderUpgrade, "SPDY/3.1")
	request.Header.Set(httpstream.HeaderProtocolVersion, portforward.PortForwardV1Name)
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if conn, ok := response.Body.(io.ReadWriteCloser); ok && response.StatusCode == http.StatusSwitchingProtocols {
		return conn, nil
	}
	defer func() { _ = response.Body.Close() }()
	return nil, &httpstream.UpgradeFailureError{Cause: refusalIn(response)}
}

// refusalIn is what the API server answers instead of an upgrade.
func refusalIn(response *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	var status metav1.Status
	if err := json.Unmarshal(body, &status); err == nil && status.Kind == "Status" {
		return &apierrors.StatusError{ErrStatus: status}
	}
	return errors.New(cmp.Or(string(bytes.TrimSpace(body)), response.Status))
}

// PortForwardError means that a connection to a Pod's runtime could not be
// opened. It says nothing about the port.
type PortForwardError struct {
	// Failure is KubeletAway, NotRunning or Broken.
	Failure ExecFailure
	Pod     Key
	Message string // in the cluster's words
}

func (e *PortForwardError) Error() string {
	what := "port-forward to " + e.Pod.String()
	switch e.Failure {
	case KubeletAway:
		return what + ": the API server does not reach the kubelet of its Node; look whether the kubelet runs: " + e.Message
	case NotRunning:
		return what + ": it does not run: " + e.Message
	default:
		return what + ": " + e.Message
	}
}

// portForwardFailure makes an error of what was answered. Errors of the network
// stay text: they are about the way to the API server, and errors.Is must not
// find in them what is said about the port of the Pod.
func portForwardFailure(pod Key, err error) error {
	text := err.Error()
	if isMissingPermission(text) {
		return &AccessError{Access{Verb: "create", Resource: Pods.String(), Subresource: "portforward", Namespace: pod.Namespace}}
	}
	failed := &PortForwardError{Failure: Broken, Pod: pod, Message: Clean(describe(err))}
	switch {
	case isKubeletAway(text):
		failed.Failure = KubeletAway
	case apierrors.IsNotFound(err) || containsAny(text, "pod not found", "is not running", "does not have a host assigned", "completed pod"):
		failed.Failure = NotRunning
	}
	return failed
}
