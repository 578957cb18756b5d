package api_test

import (
	"io"
	"net/http"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/portforward"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	tunneling "k8s.io/client-go/tools/portforward"
)

// openPort asks for a connection to a port of the Pod, and returns a channel
// that is closed when the link to the Pod ends.
func openPort(t *testing.T, c *cluster) <-chan struct{} {
	t.Helper()
	config := c.server.Config()
	config.APIPath, config.GroupVersion, config.NegotiatedSerializer = "/api", &corev1.SchemeGroupVersion, scheme.Codecs
	client, err := rest.RESTClientFor(config)
	must(t, err)
	to := client.Get().Namespace("shop").Resource("pods").Name("web").SubResource("portforward").URL()
	dialer, err := tunneling.NewSPDYOverWebsocketDialerForStreaming(to, config)
	must(t, err)
	conn, _, err := dialer.Dial(portforward.PortForwardV1Name)
	must(t, err)
	var reading sync.WaitGroup
	for _, kind := range []string{corev1.StreamTypeError, corev1.StreamTypeData} {
		headers := http.Header{}
		headers.Set(corev1.PortForwardRequestIDHeader, "0")
		headers.Set(corev1.PortHeader, "80")
		headers.Set(corev1.StreamType, kind)
		stream, err := conn.CreateStream(headers)
		must(t, err)
		reading.Go(func() { _, _ = io.Copy(io.Discard, stream) }) // what is not read blocks a link
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-conn.CloseChan()
		_ = conn.Close()
		reading.Wait()
	}()
	return ended
}

func httpClient(config *rest.Config) (*http.Client, error) { return rest.HTTPClientFor(config) }
