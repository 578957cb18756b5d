package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	utilexec "k8s.io/client-go/util/exec"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	"k8s.io/streaming/pkg/httpstream/wsstream"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// command is what a container of the exec server does.
type command func(ctx context.Context, argv []string, in io.Reader, out, stderr io.Writer) error

// execServer is an API server with containers to run commands in.
type execServer struct {
	command     command
	noWebSocket bool                      // as an old API server, or a proxy
	refuses     func(*http.Request) error // before the upgrade
	mu          sync.Mutex
	requests    []*http.Request
}

func (s *execServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if s.refuses != nil {
		var status *apierrors.StatusError
		if err := s.refuses(r); errors.As(err, &status) {
			refuse(w, status)
			return
		}
	}
	q := r.URL.Query()
	switch websocket := wsstream.IsWebSocketRequest(r); {
	case websocket && s.noWebSocket:
		w.WriteHeader(http.StatusBadRequest)
	case websocket:
		s.serveWebSocket(w, r)
	default:
		options := &remotecommand.Options{Stdin: q.Get("stdin") == "true", Stdout: q.Get("stdout") == "true", Stderr: q.Get("stderr") == "true"}
		remotecommand.ServeExec(w, r, s, "", "", q.Get("container"), q["command"], options, time.Minute, time.Minute, remotecommand.SupportedStreamingProtocols)
	}
}

func (s *execServer) ExecInContainer(ctx context.Context, _, _, _ string, argv []string, in io.Reader, out, stderr io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize, _ time.Duration) error {
	return s.command(ctx, argv, in, out, stderr)
}

// serveWebSocket speaks version 5, as the API server does to its clients.
func (s *execServer) serveWebSocket(w http.ResponseWriter, r *http.Request) {
	conn := wsstream.NewConn(map[string]wsstream.ChannelProtocolConfig{remotecommand.StreamProtocolV5Name: {Binary: true, Channels: []wsstream.ChannelType{
		wsstream.ReadChannel, wsstream.WriteChannel, wsstream.WriteChannel, wsstream.WriteChannel, wsstream.ReadChannel,
	}}})
	_, streams, err := conn.Open(w, r)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	status := metav1.Status{Status: metav1.StatusSuccess}
	var exit utilexec.ExitError
	switch err := s.command(r.Context(), r.URL.Query()["command"], streams[0], streams[1], streams[2]); {
	case errors.As(err, &exit):
		status = metav1.Status{Status: metav1.StatusFailure, Reason: remotecommand.NonZeroExitCodeReason, Details: &metav1.StatusDetails{
			Causes: []metav1.StatusCause{{Type: remotecommand.ExitCodeCauseType, Message: strconv.Itoa(exit.ExitStatus())}},
		}}
	case err != nil:
		status = metav1.Status{Status: metav1.StatusFailure, Message: "error executing command in container: " + err.Error()}
	}
	_ = json.NewEncoder(streams[3]).Encode(status)
}

// client returns a client of the server, which ends with the test.
func (s *execServer) client(t *testing.T) *Client {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c := &Config{rest: &rest.Config{Host: server.URL}, timeout: 5 * time.Second}
	c.tune(Options{As: "jane"})
	client, err := NewClient(c)
	must(t, err)
	return client
}

// noLeaks fails the test when a goroutine is left.
func noLeaks(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before, heartbeat()) })
}

// heartbeat is the goroutine of client-go that keeps a WebSocket alive: it
// notices the end of that only with its next beat, within five seconds.
func heartbeat() goleak.Option {
	return goleak.IgnoreTopFunction("k8s.io/client-go/tools/remotecommand.(*heartbeat).start")
}

var execTransports = map[string]bool{"WebSocket": false, "SPDY": true}

func TestExecCarriesArgumentsAndStreams(t *testing.T) {
	for name, noWebSocket := range execTransports {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			var argv []string
			server := &execServer{noWebSocket: noWebSocket, command: func(_ context.Context, got []string, in io.Reader, out, stderr io.Writer) error {
				argv = got
				data, err := io.ReadAll(in)
				_, _ = out.Write(bytes.ToUpper(data))
				_, _ = io.WriteString(stderr, "warning")
				return err
			}}
			var out, stderr bytes.Buffer
			in := strings.Repeat("a\x00é\n", 50_000)
			want := []string{"sh", "-c", `echo "$1" &  ;`, "ü %20 +"}
			err := server.client(t).Exec(t.Context(), Exec{
				Pod: Key{"shop", "web"}, Container: "app", Command: want, Stdin: strings.NewReader(in), Stdout: &out, Stderr: &stderr,
			})
			must(t, err)
			if !slices.Equal(argv, want) {
				t.Errorf("got argv %q, want %q", argv, want)
			}
			if out.String() != strings.ToUpper(in) {
				t.Errorf("got %d bytes back of %d", out.Len(), len(in))
			}
			if stderr.String() != "warning" {
				t.Errorf("got stderr %q", stderr.String())
			}
			last := server.requests[len(server.requests)-1]
			if got := last.Header.Get("Impersonate-User"); got != "jane" {
				t.Errorf("the exec is made as %q, want jane", got)
			}
			if got := last.URL.Path; got != "/api/v1/namespaces/shop/pods/web/exec" || last.URL.Query().Get("container") != "app" {
				t.Errorf("got %s", last.URL)
			}
		})
	}
}

func TestExecTellsFailuresApart(t *testing.T) {
	failed := func(failure ExecFailure) error { return &ExecError{Failure: failure, Program: "bash"} }
	for name, test := range map[string]struct {
		err  error // of the container
		want error
		text string
	}{
		"exit code":             {utilexec.CodeExitError{Err: errors.New("exit"), Code: 3}, &ExitError{3}, "exit code 3"},
		"containerd and runc":   {errors.New(`failed to exec in container: failed to start exec "4f": OCI runtime exec failed: exec failed: unable to start container process: exec: "bash": executable file not found in $PATH: unknown`), failed(NoProgram), "shop/web, container app: it has no program bash"},
		"absolute path":         {errors.New(`OCI runtime exec failed: exec failed: unable to start container process: exec: "/bin/bash": stat /bin/bash: no such file or directory: unknown`), failed(NoProgram), "no program"},
		"container has ended":   {errors.New(`container not found ("app")`), failed(NotRunning), "does not run"},
		"connection to kubelet": {errors.New("error dialing backend: dial tcp 192.168.0.2:10250: connect: connection refused"), failed(KubeletAway), "does not reach the kubelet"},
		"anything else":         {errors.New("cgroup is \x1b[31mfull"), failed(Broken), "cgroup is [31mfull"},
	} {
		for transport, noWebSocket := range execTransports {
			t.Run(name+" over "+transport, func(t *testing.T) {
				server := &execServer{noWebSocket: noWebSocket, command: func(context.Context, []string, io.Reader, io.Writer, io.Writer) error { return test.err }}
				err := server.client(t).Exec(t.Context(), Exec{Pod: Key{"shop", "web"}, Container: "app", Command: []string{"bash"}, Stdout: io.Discard})
				checkExecFailure(t, err, test.want, test.text)
			})
		}
	}
}

func checkExecFailure(t *testing.T, err, want error, text string) {
	t.Helper()
	var exit, wantExit *ExitError
	var failed, wantFailed *ExecError
	var denied, wantDenied *AccessError
	switch {
	case err == nil:
		t.Fatalf("got no error, want %v", want)
	case errors.As(want, &wantExit) && (!errors.As(err, &exit) || *exit != *wantExit),
		errors.As(want, &wantFailed) && (!errors.As(err, &failed) || failed.Failure != wantFailed.Failure),
		errors.As(want, &wantDenied) && (!errors.As(err, &denied) || denied.Access != wantDenied.Access):
		t.Errorf("got %#v: %v; want %#v", err, err, want)
	}
	if !strings.Contains(err.Error(), text) {
		t.Errorf("got %q, want it to say %q", err, text)
	}
}

func TestExecTellsRefusalsBeforeTheUpgradeApart(t *testing.T) {
	exec := schema.GroupResource{Resource: "pods"}
	cannot := func(verb string) error {
		return apierrors.NewForbidden(exec, "web", fmt.Errorf(`User "jane" cannot %s resource "pods/exec" in API group "" in the namespace "shop"`, verb))
	}
	denied := func(verb string) error {
		return &AccessError{Access{Verb: verb, Resource: "pods", Subresource: "exec", Namespace: "shop"}}
	}
	for name, test := range map[string]struct {
		refuses  func(*http.Request) error
		want     error
		text     string
		requests int
	}{
		"no permission at all": {
			func(r *http.Request) error {
				return cannot(map[string]string{"GET": "get", "POST": "create"}[r.Method])
			},
			denied("create"), `{apiGroups: [""], resources: [pods/exec], verbs: [create, get]}`, 2,
		},
		"no such Pod": {
			func(*http.Request) error { return apierrors.NewNotFound(exec, "web") },
			&ExecError{Failure: NotRunning}, `pods "web" not found`, 1,
		},
		"kubelet away": {
			func(*http.Request) error {
				return apierrors.NewInternalError(errors.New("error dialing backend: no route to host"))
			},
			&ExecError{Failure: KubeletAway}, "does not reach the kubelet", 1,
		},
		"no such container": {
			func(*http.Request) error { return apierrors.NewBadRequest("container app is not valid for pod web") },
			&ExecError{Failure: NotRunning}, "not valid for pod", 2,
		},
		"unauthorized, once more with what the kubeconfig says now": {
			func(*http.Request) error { return apierrors.NewUnauthorized("Unauthorized") },
			&ExecError{Failure: Broken}, "Unauthorized", 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := &execServer{refuses: test.refuses}
			client := server.client(t)
			client.transport.reload = func() (*rest.Config, error) { return nil, errors.New("none") }
			err := client.Exec(t.Context(), Exec{Pod: Key{"shop", "web"}, Container: "app", Command: []string{"bash"}, Stdout: io.Discard})
			checkExecFailure(t, err, test.want, test.text)
			if got := len(server.requests); got != test.requests {
				t.Errorf("got %d requests, want %d", got, test.requests)
			}
		})
	}
}

func TestExecWithOnlyTheRightToCreateTakesSPDY(t *testing.T) {
	server := &execServer{
		refuses: func(r *http.Request) error {
			if r.Method == http.MethodGet {
				return apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "web", errors.New(`User "jane" cannot get resource "pods/exec"`))
			}
			return nil
		},
		command: func(_ context.Context, _ []string, _ io.Reader, out, _ io.Writer) error {
			_, err := io.WriteString(out, "hello")
			return err
		},
	}
	var out bytes.Buffer
	must(t, server.client(t).Exec(t.Context(), Exec{Pod: Key{"shop", "web"}, Command: []string{"x"}, Stdout: &out}))
	if out.String() != "hello" {
		t.Errorf("got %q", out.String())
	}
}

func TestCancelledExecReturnsAtOnceAndEndsTheInput(t *testing.T) {
	for name, noWebSocket := range execTransports {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			ended := make(chan struct{})
			server := &execServer{noWebSocket: noWebSocket, command: func(_ context.Context, _ []string, in io.Reader, out, _ io.Writer) error {
				defer close(ended)
				_, _ = io.WriteString(out, "started\n")
				_, _ = io.Copy(io.Discard, in)
				return nil
			}}
			ctx, cancel := context.WithCancelCause(t.Context())
			in, keepsOpen := io.Pipe()
			defer func() { _ = keepsOpen.Close() }()
			started := writerFunc(func() { cancel(errors.New("the user left")) })
			err := server.client(t).Exec(ctx, Exec{Pod: Key{"shop", "web"}, Command: []string{"x"}, Stdin: in, Stdout: started})
			if err == nil || !strings.Contains(err.Error(), "the user left") {
				t.Errorf("got %v, want the cause of the end", err)
			}
			select {
			case <-ended:
			case <-time.After(5 * time.Second):
				t.Error("the command's input has not ended")
			}
		})
	}
}

// writerFunc is called for what is written.
type writerFunc func()

func (f writerFunc) Write(p []byte) (int, error) {
	f()
	return len(p), nil
}

func TestExecUsesRenewedCredentials(t *testing.T) {
	server := httptest.NewTLSServer(&execServer{
		refuses: func(r *http.Request) error {
			if r.Header.Get("Authorization") != "Bearer second" {
				return apierrors.NewUnauthorized("Unauthorized")
			}
			return nil
		},
		command: func(context.Context, []string, io.Reader, io.Writer, io.Writer) error { return nil },
	})
	defer server.Close()
	path := filepath.Join(t.TempDir(), "config")
	write := func(token string) {
		must(t, os.WriteFile(path, []byte(`{apiVersion: v1, kind: Config, current-context: c, clusters: [{name: c, cluster: {server: "`+server.URL+`", insecure-skip-tls-verify: true}}],
			users: [{name: u, user: {token: `+token+`}}], contexts: [{name: c, context: {cluster: c, user: u}}]}`), 0o600))
	}
	write("first")
	config, err := Load(Options{Kubeconfig: path})
	must(t, err)
	client, err := NewClient(config)
	must(t, err)
	write("second")
	must(t, client.Exec(t.Context(), Exec{Pod: Key{"shop", "web"}, Command: []string{"x"}, Stdout: io.Discard}))
}
