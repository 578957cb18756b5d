package forward

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"podpath/kube"
)

// Errors of a tunnel itself, beside what the far side says.
var (
	errLost   = fmt.Errorf("the connection to the Pod's Node was lost: %w", syscall.ECONNRESET)
	errSilent = fmt.Errorf("the Pod's runtime did not take the connection within %s: %w", openTimeout, errLost)
	errDead   = fmt.Errorf("no answer to pings any more: %w", errLost)
	// errUnread is the one case in which a client suffers from others: what waits
	// for it would hold up those that share its upgraded connection.
	errUnread = fmt.Errorf("more than %d MiB waited for a client that read nothing for %s, on a connection that others share: %w",
		sharedWindow>>20, stallTime, syscall.ECONNABORTED)
	errRemoteReset = fmt.Errorf("the Pod's runtime has reset the connection: %w", syscall.ECONNRESET)
	errFlood       = fmt.Errorf("data for a client that has left: %w", errLost)
	errGone        = errors.New("the upgraded connection is closed")
)

// RemoteError is what the Pod's runtime says about a connection, by its error
// stream. It unwraps to an errno where the text names one, and so is a timeout
// where it says so.
type RemoteError struct {
	Text  string // cleaned
	errno syscall.Errno
}

func (e *RemoteError) Error() string { return e.Text }

// Unwrap returns a syscall.Errno, or nil.
func (e *RemoteError) Unwrap() error {
	if e.errno == 0 {
		return nil
	}
	return e.errno
}

// Timeout reports whether the runtime had no answer from the port.
func (e *RemoteError) Timeout() bool { return e.errno == syscall.ETIMEDOUT }

// Temporary makes it a net.Error.
func (e *RemoteError) Temporary() bool { return e.Timeout() }

// remoteError reads the words of containerd, CRI-O and the kubelet, which are
// those of Go or of socat.
func remoteError(text string) *RemoteError {
	text = strings.TrimSpace(kube.Clean(text))
	e := &RemoteError{Text: text}
	lower := strings.ToLower(text)
	for _, known := range []struct {
		words string
		errno syscall.Errno
	}{
		{"connection refused", syscall.ECONNREFUSED},
		{"i/o timeout", syscall.ETIMEDOUT},
		{"timed out", syscall.ETIMEDOUT},
		{"connection reset", syscall.ECONNRESET},
		{"broken pipe", syscall.EPIPE},
		{"no route to host", syscall.EHOSTUNREACH},
		{"network is unreachable", syscall.ENETUNREACH},
	} {
		if strings.Contains(lower, known.words) {
			e.errno = known.errno
			break
		}
	}
	return e
}
