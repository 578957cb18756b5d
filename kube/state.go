package kube

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Resource is one of the resources that the store watches.
type Resource int

// The watched resources.
const (
	Pods Resource = iota
	Nodes
	Services
	EndpointSlices
	Namespaces
	resourceCount
)

// String returns the resource's name in the API: the word in a URL and in an
// RBAC rule.
func (r Resource) String() string {
	return [resourceCount]string{"pods", "nodes", "services", "endpointslices", "namespaces"}[r]
}

// Group returns the resource's API group; the core group is "".
func (r Resource) Group() string {
	if r == EndpointSlices {
		return "discovery.k8s.io"
	}
	return ""
}

// ClusterScoped reports whether objects of the resource belong to no
// namespace.
func (r Resource) ClusterScoped() bool { return r == Nodes || r == Namespaces }

// Phase is how far podpath is with one resource.
type Phase int

// The phases of a resource.
const (
	Syncing   Phase = iota // the first list is under way
	Live                   // listed and watched
	Stale                  // listed before; the watch is broken since State.Since
	Forbidden              // the user may not list or watch it
)

func (p Phase) String() string {
	return [...]string{"syncing", "live", "stale", "forbidden"}[p]
}

// State is what podpath knows about its own view of one resource.
type State struct {
	Phase Phase
	// Since is when the phase began.
	Since time.Time
	// Err is the last error in words, for phases other than Live.
	Err string
	// Code is the HTTP status of the API server's last answer, when that was an
	// error; 0 when there was no answer.
	Code int
	// Denied says what is not permitted in phase Forbidden.
	Denied Denied
	// Listed is set once a complete list was read. What is shown comes from it
	// and from the watch that followed, also when the phase is no longer Live.
	Listed bool
	// Received counts the objects that have arrived while Syncing.
	Received int

	advice string // what to do about Err, where that is known
}

// Settled reports whether waiting longer would not tell more: the resource
// was listed or is forbidden.
func (s State) Settled() bool { return s.Listed || s.Phase == Forbidden }

// Unauthorized reports that the API server does not accept the user's
// credentials.
func (s State) Unauthorized() bool { return s.Code == http.StatusUnauthorized }

// Temporary reports that the API server asked to be left alone for a moment.
func (s State) Temporary() bool {
	return s.Code == http.StatusTooManyRequests || s.Code == http.StatusServiceUnavailable || s.Code == http.StatusGatewayTimeout
}

// Advice says what to do about Err.
func (s State) Advice() string {
	switch {
	case s.advice != "":
		return s.advice
	case s.Unauthorized():
		return "the API server does not accept your credentials: log in again"
	case s.Code == http.StatusNotFound:
		return "the API server does not serve this resource: podpath needs Kubernetes 1.21 or later"
	case s.Code != 0:
		return "this is the API server's answer: try again in a moment, or look at its log"
	default:
		return "look whether the API server runs and the network leads to it, or choose another one with --context"
	}
}

// Denied is a permission that the user lacks. It is an error, too.
type Denied struct {
	Verb      string
	Resource  Resource
	Namespace string // empty for the whole cluster
}

func (d Denied) Error() string { return "you may not " + d.Access().String() }

// Access returns the permission as what a user would have to be allowed.
func (d Denied) Access() Access {
	return Access{Verb: d.Verb, Group: d.Resource.Group(), Resource: d.Resource.String(), Namespace: d.Namespace}
}

// Rule returns the RBAC rule that would permit it, as it stands in the YAML of
// a Role or ClusterRole.
func (d Denied) Rule() string { return d.Access().Rule() }

// RoleKind says where the rule belongs: a ClusterRole, or a Role of the
// namespace.
func (d Denied) RoleKind() string { return d.Access().RoleKind() }

// failed returns the state after an error of a list or watch; denied is set
// when a missing permission is the reason.
func (s State) failed(err error, denied Denied, now time.Time) State {
	next := State{Err: Clean(describe(err)), Code: statusCode(err), Listed: s.Listed, Received: s.Received}
	switch {
	case denied != Denied{}:
		next.Phase, next.Denied = Forbidden, denied
	case s.Listed:
		next.Phase = Stale
	}
	if known := (*ConnectError)(nil); errors.As(err, &known) {
		next.advice = Clean(known.Step)
	}
	next.Since = now
	if next.Phase == s.Phase && !s.Since.IsZero() {
		next.Since = s.Since
	}
	return next
}

func statusCode(err error) int {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return int(status.Status().Code)
	}
	return 0
}

// describe says an error as far as a user needs it: what the API server
// answered, or what the network said, without the URL of the request and
// without the paragraphs of advice that client-go adds.
func describe(err error) string {
	text := err.Error()
	var status apierrors.APIStatus
	var request *url.Error
	var known *ConnectError
	switch {
	case errors.As(err, &known):
		text = known.What
	case errors.As(err, &status) && status.Status().Message != "":
		text = status.Status().Message
	case errors.As(err, &request):
		text = request.Err.Error()
	}
	first, _, _ := strings.Cut(text, "\n\n")
	return first
}
