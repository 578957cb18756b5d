package api_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/portforward"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	tunneling "k8s.io/client-go/tools/portforward"

	"podpath/kube/demo/api"
)

// openPort asks for a connection to a port of the Pod, and returns its stream
// and a channel that is closed when the link to the Pod ends.
func openPort(t *testing.T, c *cluster) (data io.Writer, ended <-chan struct{}) {
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
		data = stream                                             // the last one
		reading.Go(func() { _, _ = io.Copy(io.Discard, stream) }) // what is not read blocks a link
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		<-conn.CloseChan()
		_ = conn.Close()
		reading.Wait()
	}()
	return data, over
}

// What nobody reads stands in the way of all that comes after it, and of the
// end of the connection.
func TestAServerEndsThoughAClientSendsToAPodThatHasEnded(t *testing.T) {
	over := make(chan struct{})
	c := newCluster(t, &kubelet{dial: func(context.Context, int) (net.Conn, error) {
		near, far := net.Pipe()
		return &reporting{near, sync.OnceFunc(func() { close(over) })}, far.Close()
	}}, api.Options{})
	data, ended := openPort(t, c)
	<-over // the server has given up on the other direction
	go func() {
		for chunk := make([]byte, 16<<10); ; {
			if _, err := data.Write(chunk); err != nil {
				return
			}
		}
	}()
	time.Sleep(100 * time.Millisecond) // for queues to fill
	closed := make(chan struct{})
	go func() { c.server.Close(); close(closed) }()
	for _, what := range []<-chan struct{}{closed, ended} {
		select {
		case <-what:
		case <-time.After(10 * time.Second):
			t.Fatal("got a server that does not end, want it to")
		}
	}
}

// reporting tells when it is closed.
type reporting struct {
	net.Conn
	closed func()
}

func (r *reporting) Close() error {
	defer r.closed()
	return r.Conn.Close()
}

func httpClient(config *rest.Config) (*http.Client, error) { return rest.HTTPClientFor(config) }
