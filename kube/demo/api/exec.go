package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/exec"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	"k8s.io/streaming/pkg/httpstream/wsstream"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Timeouts of a kubelet.
const (
	idleTimeout     = 4 * time.Hour
	creationTimeout = remotecommand.DefaultStreamCreationTimeout
)

// exec runs a command in a container.
func (s *Server) exec(w http.ResponseWriter, r request) error {
	pod, err := s.placedPod(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	container, err := containerOf(pod, q.Get("container"))
	if err != nil {
		return err
	}
	taken := takeover{w, r.Context()}
	run := &command{s, pod, container, q["command"]}
	options := &remotecommand.Options{
		Stdin: q.Get("stdin") == "true", Stdout: q.Get("stdout") == "true", Stderr: q.Get("stderr") == "true" && q.Get("tty") != "true", TTY: q.Get("tty") == "true",
	}
	switch {
	case wsstream.IsWebSocketRequest(r.Request):
		run.overWebSocket(taken, r.Request, options)
	case !runs(pod, container):
		http.Error(w, notRunning(container).Error(), http.StatusInternalServerError) // the kubelet's answer, passed on
	default:
		remotecommand.ServeExec(taken, r.Request, run, pod.Name, string(pod.UID), container, run.argv, options, idleTimeout, creationTimeout, remotecommand.SupportedStreamingProtocols)
	}
	return nil
}

// placedPod is the Pod that a stream goes to. The errors are those of the API
// server, and those that it passes on from the kubelet.
func (s *Server) placedPod(r request) (*corev1.Pod, error) {
	o, err := s.find(r)
	if err != nil {
		return nil, err
	}
	pod := o.(*corev1.Pod)
	if pod.Spec.NodeName == "" {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("pod %s does not have a host assigned", pod.Name))
	}
	if err := s.kubelet.Reach(r.Context(), pod.Spec.NodeName); err != nil {
		return nil, apierrors.NewInternalError(fmt.Errorf("error dialing backend: %w", err))
	}
	return pod, nil
}

// containerOf checks the name of a container, and chooses the only one when
// none is named.
func containerOf(pod *corev1.Pod, name string) (string, error) {
	var names []string
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		names = append(names, c.Name)
	}
	for _, c := range pod.Spec.EphemeralContainers {
		names = append(names, c.Name)
	}
	switch {
	case name == "" && len(pod.Spec.Containers) == 1:
		name = pod.Spec.Containers[0].Name
	case name == "":
		return "", apierrors.NewBadRequest(fmt.Sprintf("a container name must be specified for pod %s, choose one of: %s", pod.Name, names))
	case !slices.Contains(names, name):
		return "", apierrors.NewBadRequest(fmt.Sprintf("container %s is not valid for pod %s", name, pod.Name))
	}
	return name, nil
}

func runs(pod *corev1.Pod, container string) bool {
	states := slices.Concat(pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses, pod.Status.EphemeralContainerStatuses)
	i := slices.IndexFunc(states, func(c corev1.ContainerStatus) bool { return c.Name == container })
	return pod.Status.Phase == corev1.PodRunning && (i < 0 || states[i].State.Running != nil)
}

func notRunning(container string) error { return fmt.Errorf("container not found (%q)", container) }

// command is one that a client wants to be run.
type command struct {
	*Server
	pod       *corev1.Pod
	container string
	argv      []string
}

// ExecInContainer is what the library calls when all streams are there.
func (c *command) ExecInContainer(ctx context.Context, _, _, _ string, argv []string, in io.Reader, out, stderr io.WriteCloser, tty bool, _ <-chan remotecommand.TerminalSize, _ time.Duration) error {
	if tty {
		stderr = out // a terminal is one stream
	}
	var stdin io.Reader
	if in != nil {
		// Reading from the client cannot be broken off; from a pipe it can.
		reader, writer := io.Pipe()
		defer func() { _ = reader.Close() }()
		defer context.AfterFunc(ctx, func() { _ = writer.CloseWithError(context.Cause(ctx)) })()
		c.work.Go(func() { drain(writer, in, func(err error) { _ = writer.CloseWithError(err) }) })
		stdin = reader
	}
	code, err := c.kubelet.Exec(ctx, c.pod.Namespace, c.pod.Name, c.container, argv, stdin, orNowhere(out), orNowhere(stderr))
	if err == nil && code != 0 {
		return exec.CodeExitError{Err: fmt.Errorf("exit status %d", code), Code: code}
	}
	return err
}

func orNowhere(w io.WriteCloser) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

// overWebSocket speaks the versions 4 and 5 of the protocol; the library knows
// only up to 4, and not how an input ends.
func (c *command) overWebSocket(w http.ResponseWriter, r *http.Request, o *remotecommand.Options) {
	channels := []wsstream.ChannelType{wsstream.IgnoreChannel, wsstream.WriteChannel, wsstream.WriteChannel, wsstream.WriteChannel, wsstream.IgnoreChannel}
	if o.Stdin {
		channels[remotecommand.StreamStdIn] = wsstream.ReadChannel
	}
	protocol := wsstream.ChannelProtocolConfig{Binary: true, Channels: channels}
	conn := wsstream.NewConn(map[string]wsstream.ChannelProtocolConfig{remotecommand.StreamProtocolV5Name: protocol, remotecommand.StreamProtocolV4Name: protocol})
	conn.SetIdleTimeout(idleTimeout)
	_, streams, err := conn.Open(w, r)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	var in io.Reader
	if o.Stdin {
		in = streams[remotecommand.StreamStdIn]
	}
	var ended *metav1.Status
	if runs(c.pod, c.container) {
		ended = outcome(c.ExecInContainer(r.Context(), "", "", "", c.argv, in, streams[remotecommand.StreamStdOut], streams[remotecommand.StreamStdErr], o.TTY, nil, 0))
	} else {
		ended = statusOf(fmt.Errorf("unable to upgrade connection: %w", notRunning(c.container)))
	}
	_ = json.NewEncoder(streams[remotecommand.StreamErr]).Encode(ended)
}

// outcome is how a command ended, in the words of a kubelet.
func outcome(err error) *metav1.Status {
	var exit exec.ExitError
	switch {
	case err == nil:
		return &metav1.Status{Status: metav1.StatusSuccess}
	case errors.As(err, &exit):
		return &metav1.Status{
			Status: metav1.StatusFailure, Reason: remotecommand.NonZeroExitCodeReason,
			Message: fmt.Sprintf("command terminated with non-zero exit code: %v", exit),
			Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: remotecommand.ExitCodeCauseType, Message: fmt.Sprint(exit.ExitStatus())}}},
		}
	}
	return statusOf(fmt.Errorf("error executing command in container: %w", err))
}

// takeover is a response whose connection becomes something else. It ends with
// ctx, which a server does not see to any more.
type takeover struct {
	http.ResponseWriter
	ctx context.Context
}

// Hijack hands the connection out.
func (t takeover) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(t.ResponseWriter).Hijack()
	if err == nil {
		context.AfterFunc(t.ctx, func() { _ = conn.Close() })
	}
	return conn, buffered, err
}
