package kube

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/client-go/util/exec"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// ExitError means that a command ran and ended with a code other than 0.
type ExitError struct{ Code int }

func (e *ExitError) Error() string { return fmt.Sprintf("the command ended with exit code %d", e.Code) }

// ExecFailure is why a command could not be run.
type ExecFailure string

// The failures of an exec.
const (
	// KubeletAway means that the API server does not reach the kubelet of the
	// Pod's Node.
	KubeletAway ExecFailure = "kubelet-away"
	// NotRunning means that there is no such Pod or container, or that it does
	// not run.
	NotRunning ExecFailure = "not-running"
	// NoProgram means that the container has no such program.
	NoProgram ExecFailure = "no-program"
	// Broken is everything else, such as a connection that was cut.
	Broken ExecFailure = "broken"
)

// ExecError means that a command could not be run. It says nothing about the
// network that podpath looks at.
type ExecError struct {
	Failure   ExecFailure
	Pod       Key
	Container string
	Program   string // the first word of the command
	Message   string // in the cluster's words
}

func (e *ExecError) Error() string {
	what := "exec in " + e.Pod.String()
	if e.Container != "" {
		what += ", container " + e.Container
	}
	switch e.Failure {
	case KubeletAway:
		return what + ": the API server does not reach the kubelet of its Node; look whether the kubelet runs: " + e.Message
	case NotRunning:
		return what + ": it does not run: " + e.Message
	case NoProgram:
		return what + ": it has no program " + e.Program
	default:
		return what + ": " + e.Message
	}
}

// failure makes an error of what client-go says, which after the upgrade and
// over SPDY is nothing but text. The texts are those of the API server, the
// kubelet, containerd, CRI-O and runc.
func (e Exec) failure(err error) error {
	var exit exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return &ExitError{exit.ExitStatus()}
	}
	text := err.Error()
	if apierrors.IsForbidden(err) || isMissingPermission(text) {
		verb := "create"
		if strings.Contains(text, "cannot get resource") {
			verb = "get"
		}
		return &AccessError{Access{Verb: verb, Resource: Pods.String(), Subresource: "exec", Namespace: e.Pod.Namespace}}
	}
	failed := &ExecError{Failure: Broken, Pod: e.Pod, Container: e.Container, Message: Clean(withoutQuery(describe(err)))}
	if len(e.Command) > 0 {
		failed.Program = e.Command[0]
	}
	switch {
	case isKubeletAway(text):
		failed.Failure = KubeletAway
	case apierrors.IsNotFound(err) || containsAny(text, "container not found", "is not running", "not found in pod", "is not valid for pod",
		"completed pod", "does not have a host assigned", "container is in CONTAINER_EXITED state", "cannot exec in a stopped", "cannot exec in a paused"):
		failed.Failure = NotRunning
	case containsAny(text, "executable file not found", "no such file or directory", "permission denied", "is a directory", "exec format error") &&
		containsAny(text, "OCI runtime", "unable to start container process", "error executing command in container"):
		failed.Failure = NoProgram
	}
	return failed
}

// isMissingPermission reports the words of RBAC and other authorizers: User
// "jane" cannot create resource "pods/exec" in API group "".
func isMissingPermission(text string) bool {
	return strings.Contains(text, "is forbidden: User ") && strings.Contains(text, " cannot ")
}

// isKubeletAway reports the words of the API server when it does not reach the
// kubelet: over SPDY it dials first, over a WebSocket it sends a request.
func isKubeletAway(text string) bool {
	return strings.Contains(text, "error dialing backend") || strings.Contains(text, "Internal error occurred: error sending request: ")
}

// withoutQuery cuts the arguments out of the URLs in a text: that of an exec
// holds the whole script.
func withoutQuery(text string) string { return query.ReplaceAllString(text, "") }

var query = regexp.MustCompile(`\?[^\s"]*`)

func containsAny(text string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
}
