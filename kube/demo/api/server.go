package api

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Kubelet is what the Nodes do for the API server. The contexts end with the
// client's connection and with the server; what is called must return then.
type Kubelet interface {
	// Reach is the API server's way to the kubelet of a Node. The error is what
	// dialing it says.
	Reach(ctx context.Context, node string) error
	// Exec runs a command in a container. The error is for a command that
	// could not be started, in the runtime's words. stdin is nil when the
	// client sends none, else it can be closed. The streams are not used any
	// more when it returns.
	Exec(ctx context.Context, namespace, pod, container string, command []string, stdin io.Reader, stdout, stderr io.Writer) (exit int, err error)
	// Dial connects to a port on localhost in the network of a Pod.
	Dial(ctx context.Context, namespace, pod string, port int) (net.Conn, error)
}

// Options are what a test or a lesson may want of the server.
type Options struct {
	// Denies says what the user may not do; nil is nothing. The resource can
	// be one like pods/exec, the namespace is empty for the whole cluster.
	Denies func(verb, resource, namespace string) bool
	// Listener is where to serve; nil for a free port on loopback.
	Listener net.Listener
}

// Server is an API server on the loopback interface, with TLS and one user.
type Server struct {
	store   *Store
	kubelet Kubelet
	options Options

	address, token string
	certificate    []byte // PEM; it is its own authority
	mux            *http.ServeMux
	cancel         context.CancelFunc

	mu   sync.Mutex     // of adding to work, and of the end of that
	work sync.WaitGroup // handlers, and what they have started
}

// user is how the API server calls whoever has the token.
const user = "learner"

// Serve starts a server of the objects in the store. It runs until ctx ends or
// it is closed; Close must be called in any case.
func Serve(ctx context.Context, store *Store, kubelet Kubelet, o Options) (*Server, error) {
	s := &Server{store: store, kubelet: kubelet, options: o, token: rand.Text()}
	s.route()
	pair, err := SelfSigned(time.Now())
	if err != nil {
		return nil, fmt.Errorf("make a certificate for the practice cluster: %w", err)
	}
	s.certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	listener := o.Listener
	if listener == nil {
		if listener, err = new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
			return nil, fmt.Errorf("open a port for the practice cluster: %w", err)
		}
	}
	s.address = "https://" + listener.Addr().String()
	ctx, s.cancel = context.WithCancel(ctx)
	server := &http.Server{
		Handler:     s,
		TLSConfig:   &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    log.New(io.Discard, "", 0), // of handshakes that clients break off
	}
	s.work.Go(func() { _ = server.ServeTLS(listener, "", "") })
	s.work.Go(func() {
		<-ctx.Done()
		_ = server.Close()
	})
	return s, nil
}

// Config is how to reach the server as its user.
func (s *Server) Config() *rest.Config {
	return &rest.Config{Host: s.address, BearerToken: s.token, TLSClientConfig: rest.TLSClientConfig{CAData: s.certificate}}
}

// Kubeconfig is the same as a file for kubectl.
func (s *Server) Kubeconfig() ([]byte, error) {
	const name = "practice"
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: s.address, CertificateAuthorityData: s.certificate}
	config.AuthInfos[user] = &clientcmdapi.AuthInfo{Token: s.token}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: user, Namespace: "default"}
	config.CurrentContext = name
	return clientcmd.Write(*config)
}

// Close ends all connections and waits for everything that the server runs.
func (s *Server) Close() {
	s.mu.Lock()
	s.cancel()
	s.mu.Unlock()
	s.work.Wait()
}

// enter begins work that Close waits for, unless ctx has ended. Done of work
// ends it.
func (s *Server) enter(ctx context.Context) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return false
	}
	s.work.Add(1)
	return true
}

// route leads requests to what answers them.
func (s *Server) route() {
	s.mux = http.NewServeMux()
	for path, answer := range discovery() {
		s.mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { respondJSON(w, http.StatusOK, answer) })
	}
	for _, path := range paths {
		s.mux.HandleFunc("/api/v1"+path, s.objects)
		s.mux.HandleFunc("/apis/{group}/v1"+path, s.objects)
	}
}

// ServeHTTP answers one request of the user.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.enter(r.Context()) {
		return
	}
	defer s.work.Done()
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+s.token)) != 1 {
		respondError(w, r, errUnauthorized)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// maxBody is how much a client may send: the limit of a real API server.
const maxBody = 3 << 20

// objects answers a request for objects.
func (s *Server) objects(w http.ResponseWriter, r *http.Request) {
	asked, ok := parse(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	var err error
	if asked.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		err = apierrors.NewRequestEntityTooLargeError(err.Error())
	} else {
		err = s.serve(w, asked)
	}
	if err != nil {
		respondError(w, r, err)
	}
}

// serve answers a request that was understood. The error is for the client, to
// whom nothing was sent yet.
func (s *Server) serve(w http.ResponseWriter, r request) error {
	if r.resource == accessReview {
		return s.review(w, r)
	}
	if err := s.denial(r); err != nil {
		return err
	}
	answer := map[string]func(http.ResponseWriter, request) error{
		"list": s.list, "watch": s.watch, "get": s.get, "create": s.create, "update": s.change, "patch": s.change, "delete": s.delete,
	}[r.verb]
	switch {
	case answer == nil || !r.possible():
		return errMethod
	case r.subresource == "exec":
		answer = s.exec
	case r.subresource == "portforward":
		answer = s.forward
	}
	return answer(w, r)
}
