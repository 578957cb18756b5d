package conformance_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"podpath/kube/demo/api"
	"podpath/kube/demo/conformance"
)

func TestPracticeAPIServerIsAsTheRealOne(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		goleak.VerifyNone(t, before,
			// client-go's: notices the end of a WebSocket with its next beat.
			goleak.IgnoreTopFunction("k8s.io/client-go/tools/remotecommand.(*heartbeat).start"),
			// spdystream's: waits ten minutes for whoever reads its errors.
			goleak.IgnoreTopFunction("github.com/moby/spdystream.(*Connection).shutdown"))
	})
	store := api.NewStore(time.Now)
	put(t, store, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "practice"}, Status: corev1.NamespaceStatus{Phase: corev1.NamespaceActive}})
	documents, err := api.Documents([]byte(conformance.Manifest))
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range documents {
		o, err := api.Decode(document)
		if err != nil {
			t.Fatal(err)
		}
		put(t, store, started(o.(*corev1.Pod)))
	}
	store.Expire() // as the history of a cluster that is some minutes old
	free := serve(t, store, api.Options{})
	bound := serve(t, store, api.Options{Denies: func(string, string, string) bool { return true }})
	conformance.Run(t, conformance.Subject{Config: free.Config(), Powerless: bound.Config(), Namespace: "practice"})
}

func serve(t *testing.T, store *api.Store, o api.Options) *api.Server {
	t.Helper()
	server, err := api.Serve(t.Context(), store, echoPods(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

func put(t *testing.T, store *api.Store, o api.Object) {
	t.Helper()
	if _, err := store.Put(o); err != nil {
		t.Fatal(err)
	}
}

// started is a Pod of the manifest in the state that it comes to.
func started(pod *corev1.Pod) *corev1.Pod {
	pod.Namespace = "practice"
	pod.Status.Phase = corev1.PodRunning
	switch pod.Name {
	case "over":
		pod.Status.Phase = corev1.PodSucceeded
	case "nowhere":
		pod.Status.Phase = corev1.PodPending
		return pod
	}
	pod.Spec.NodeName = "raspi002"
	return pod
}

// pods are the Nodes' part: containers that know a few commands, and one port
// on which a server answers.
type pods struct{ address string }

// echoPods starts the server.
func echoPods(t *testing.T) pods {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "web\n") })}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close(); <-ended })
	return pods{listener.Addr().String()}
}

func (pods) Reach(context.Context, string) error { return nil }

func (p pods) Dial(ctx context.Context, _, _ string, port int) (net.Conn, error) {
	if port != 8080 {
		return nil, &net.OpError{Op: "dial", Net: "tcp4", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	return new(net.Dialer).DialContext(ctx, "tcp", p.address)
}

func (pods) Exec(_ context.Context, _, _, _ string, command []string, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	switch command[0] {
	case "echo":
		_, _ = fmt.Fprintln(stdout, strings.Join(command[1:], " "))
	case "true":
	case "false":
		return 1, nil
	case "cat":
		_, _ = io.Copy(stdout, stdin)
	case "head":
		size, _ := strconv.Atoi(command[2])
		for range size / 4096 {
			_, _ = stdout.Write(make([]byte, 4096))
		}
	case "sh":
		if strings.HasPrefix(command[2], "cat") {
			_, _ = io.Copy(stdout, stdin)
			_, _ = fmt.Fprintln(stdout, "end")
			return 0, nil
		}
		_, _ = fmt.Fprintln(stdout, "out")
		_, _ = fmt.Fprintln(stderr, "wrong")
		return 42, nil
	default:
		return 0, fmt.Errorf(`failed to exec in container: failed to start exec "4f": OCI runtime exec failed: exec failed: unable to start container process: exec: %q: executable file not found in $PATH`, command[0])
	}
	return 0, nil
}
