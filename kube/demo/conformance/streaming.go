package conformance

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/portforward"
	tunneling "k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/client-go/util/exec"
	"k8s.io/streaming/pkg/httpstream"
)

// transports are the ways that streams travel.
var transports = []string{"WebSocket", "SPDY"}

// attempt is a command and what came of it.
type attempt struct {
	pod, container string
	argv           []string
	stdin          io.Reader
	out, stderr    bytes.Buffer
}

func (a *attempt) run(t *testing.T, s Subject, transport string) error {
	t.Helper()
	to := streamURL(t, s, a.pod, "exec")
	to.RawQuery = url.Values{"container": {a.container}, "command": a.argv, "stdin": {fmt.Sprint(a.stdin != nil)}, "stdout": {"true"}, "stderr": {"true"}}.Encode()
	var executor remotecommand.Executor
	var err error
	if transport == "SPDY" {
		executor, err = remotecommand.NewSPDYExecutor(s.Config, http.MethodPost, to)
	} else {
		executor, err = remotecommand.NewWebSocketExecutor(s.Config, http.MethodGet, to.String())
	}
	must(t, err)
	return executor.StreamWithContext(within(t), remotecommand.StreamOptions{Stdin: a.stdin, Stdout: &a.out, Stderr: &a.stderr})
}

func streamURL(t *testing.T, s Subject, pod, sub string) *url.URL {
	t.Helper()
	return core(t, s).Get().Namespace(s.Namespace).Resource("pods").Name(pod).SubResource(sub).URL()
}

func execs(t *testing.T, s Subject) {
	big := strings.Repeat("0123456789abcde\n", 64<<10) // 1 MiB
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			for name, test := range map[string]struct {
				argv        []string
				stdin       string
				out, stderr string
				code        int
			}{
				"output and exit code 0":     {argv: []string{"echo", "a b", "ü&%20;+"}, out: "a b ü&%20;+\n"},
				"exit code 1":                {argv: []string{"false"}, code: 1},
				"exit code and stderr":       {argv: []string{"sh", "-c", "echo out; echo wrong >&2; exit 42"}, out: "out\n", stderr: "wrong\n", code: 42},
				"input until its end":        {argv: []string{"cat"}, stdin: big, out: big},
				"much output without input":  {argv: []string{"head", "-c", "4194304", "/dev/zero"}, out: strings.Repeat("\x00", 4<<20)},
				"empty input that is closed": {argv: []string{"sh", "-c", "cat; echo end"}, stdin: "", out: "end\n"},
			} {
				a := &attempt{pod: "web", container: "shell", argv: test.argv, stdin: strings.NewReader(test.stdin)}
				if name == "much output without input" {
					a.stdin = nil
				}
				err := a.run(t, s, transport)
				var exit exec.ExitError
				if errors.As(err, &exit) {
					if got := exit.ExitStatus(); got != test.code || err.Error() != fmt.Sprintf("command terminated with exit code %d", got) {
						t.Errorf("%s: got %v, want exit code %d", name, err, test.code)
					}
				} else if err != nil || test.code != 0 {
					t.Errorf("%s: got %v, want exit code %d", name, err, test.code)
				}
				if a.out.String() != test.out || a.stderr.String() != test.stderr {
					t.Errorf("%s: got %d bytes (%.40q), stderr %q; want %d bytes, stderr %q", name, a.out.Len(), a.out.String(), a.stderr.String(), len(test.out), test.stderr)
				}
			}
		})
	}
}

func impossibleExecs(t *testing.T, s Subject) {
	const ended = `unable to upgrade connection: container not found ("shell")`
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			// What the API server itself refuses, it refuses before the upgrade.
			before, internal := "unable to upgrade streaming request: ", "Internal error occurred: "
			if transport == "SPDY" {
				before, internal = "unable to upgrade connection: ", ""
			}
			for name, test := range map[string]struct {
				attempt
				want string
			}{
				"no such Pod":       {attempt{pod: "absent", container: "shell", argv: []string{"true"}}, before + `pods "absent" not found`},
				"no such container": {attempt{pod: "web", container: "absent", argv: []string{"true"}}, before + "container absent is not valid for pod web"},
				"which container":   {attempt{pod: "web", argv: []string{"true"}}, before + "a container name must be specified for pod web, choose one of: [shell echo guest-2 guest-1]"},
				"Pod of no Node":    {attempt{pod: "nowhere", container: "shell", argv: []string{"true"}}, before + "pod nowhere does not have a host assigned"},
				"Pod has ended":     {attempt{pod: "over", container: "shell", argv: []string{"true"}}, internal + ended},
			} {
				if err := test.run(t, s, transport); err == nil || err.Error() != test.want {
					t.Errorf("%s: got %v, want %s", name, err, test.want)
				}
			}
			none := &attempt{pod: "web", container: "shell", argv: []string{"no-such-program"}}
			err := none.run(t, s, transport)
			for _, part := range []string{
				"Internal error occurred: error executing command in container: failed to exec in container: failed to start exec ",
				`OCI runtime exec failed: exec failed: unable to start container process: exec: "no-such-program": executable file not found in $PATH`,
			} {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("no such program: got %v, want %q in it", err, part)
				}
			}
		})
	}
}

// link opens a connection for port-forwards to a Pod.
func link(t *testing.T, s Subject, pod, transport string) (httpstream.Connection, error) {
	t.Helper()
	to := streamURL(t, s, pod, "portforward")
	var dialer httpstream.Dialer
	var err error
	if transport == "WebSocket" {
		dialer, err = tunneling.NewSPDYOverWebsocketDialerForStreaming(to, s.Config)
		must(t, err)
	} else {
		roundTripper, upgrader, err := spdy.RoundTripperFor(s.Config)
		must(t, err)
		dialer = spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: roundTripper, Timeout: patience}, http.MethodPost, to)
	}
	conn, protocol, err := dialer.Dial(portforward.PortForwardV1Name)
	if err != nil {
		return nil, err
	}
	if protocol != portforward.PortForwardV1Name {
		t.Errorf("got the protocol %q", protocol)
	}
	// Streams have no deadlines of their own.
	late := time.AfterFunc(patience, func() { _ = conn.Close() })
	t.Cleanup(func() { late.Stop(); _ = conn.Close() })
	return conn, nil
}

// streams asks for one connection to a port.
func streams(t *testing.T, conn httpstream.Connection, id, port string) (data, problems httpstream.Stream) {
	t.Helper()
	headers := http.Header{}
	headers.Set(corev1.PortForwardRequestIDHeader, id)
	headers.Set(corev1.PortHeader, port)
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	problems, err := conn.CreateStream(headers)
	must(t, err)
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err = conn.CreateStream(headers)
	must(t, err)
	return data, problems
}

func portForwards(t *testing.T, s Subject) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			conn, err := link(t, s, "web", transport)
			must(t, err)
			for _, id := range []string{"0", "1"} {
				data, _ := streams(t, conn, id, "8080")
				must1(io.WriteString(data, "GET / HTTP/1.0\r\nHost: web\r\n\r\n"))(t)
				response, err := http.ReadResponse(bufio.NewReader(data), nil)
				must(t, err)
				body, err := io.ReadAll(response.Body)
				must(t, err)
				if !strings.Contains(string(body), "web") {
					t.Errorf("got %q, want the name of the Pod in it", body)
				}
			}
			said := refusedPort(t, conn, "9")
			for _, part := range []string{"error forwarding port 9 to pod ", "failed to execute portforward in network namespace", "failed to connect to localhost:9 inside namespace", "connect: connection refused"} {
				if !strings.Contains(said, part) {
					t.Errorf("refused port: got %q, want %q in it", said, part)
				}
			}
			for pod, want := range map[string]string{"absent": `pods "absent" not found`, "nowhere": "pod nowhere does not have a host assigned", "over": fmt.Sprintf("pod not found (%q)", "over_"+s.Namespace)} {
				if _, err := link(t, s, pod, transport); err == nil || !strings.Contains(fullText(err), want) {
					t.Errorf("Pod %s: got %v, want %q", pod, err, want)
				}
			}
		})
	}
}

// refusedPort returns what is said about a port that refuses. The streams are
// reset right behind the words, which the reset overtakes now and then.
func refusedPort(t *testing.T, conn httpstream.Connection, port string) string {
	t.Helper()
	said := make([]byte, 4096)
	for id := range 20 {
		_, problems := streams(t, conn, fmt.Sprint("refused-", id), port)
		if n, _ := problems.Read(said); n > 0 {
			return string(said[:n])
		}
	}
	return ""
}

// fullText has what client-go hides.
func fullText(err error) string {
	var upgrade *httpstream.UpgradeFailureError
	if errors.As(err, &upgrade) {
		return err.Error() + " " + upgrade.Cause.Error()
	}
	return err.Error()
}

func must1[T any](_ T, err error) func(*testing.T) {
	return func(t *testing.T) { t.Helper(); must(t, err) }
}
