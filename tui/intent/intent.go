// Package intent holds what a pane asks of the root: where to go, what to
// show, what to copy. A pane returns one as the message of a command.
package intent

import (
	tea "charm.land/bubbletea/v2"

	"podpath/kube"
)

// Target is an object that can be shown: which one, and its UID.
type Target struct {
	Ref kube.Ref
	UID string
}

// PodTarget names a Pod.
func PodTarget(p *kube.Pod) Target {
	return Target{kube.Ref{Resource: kube.Pods, Key: p.Key()}, p.UID}
}

// NodeTarget names a Node.
func NodeTarget(n *kube.Node) Target {
	return Target{kube.Ref{Resource: kube.Nodes, Key: n.Key()}, n.UID}
}

// ServiceTarget names a Service.
func ServiceTarget(s *kube.Service) Target {
	return Target{kube.Ref{Resource: kube.Services, Key: s.Key()}, s.UID}
}

// The intents.
type (
	// GoToPod shows the Pod among all Pods.
	GoToPod struct{ Pod kube.Key }
	// ListServicesOf lists the Services of a Pod.
	ListServicesOf struct{ Pod kube.Key }
	// ListEndpointsOf lists the endpoints of a Service.
	ListEndpointsOf struct{ Service kube.Key }
	// Describe shows everything that podpath knows of an object.
	Describe struct{ Target Target }
	// ShowYAML shows an object as the API has it.
	ShowYAML struct{ Target Target }
	// Probe asks what to probe about an object, or about one endpoint of it:
	// then Of is the endpoint's Pod, or its Service where it has none.
	Probe struct {
		Of       kube.Ref
		Endpoint string // ADDRESS:PORT
	}
	// Forward listens on this machine for a Pod or a Service. Port is a number
	// with its protocol, such as 53/udp, or "" to ask.
	Forward struct {
		Of   kube.Ref
		Port string
	}
	// Copy puts text on the clipboard of the user's terminal.
	Copy struct{ Text string }
	// Notice tells the user something in one line.
	Notice struct{ Text string }
	// UseNamespace looks at one namespace, or at all when empty.
	UseNamespace struct{ Namespace string }
	// UseContext looks at another cluster.
	UseContext struct{ Context string }
)

// Send returns a command whose message is the intent.
func Send(intent tea.Msg) tea.Cmd { return func() tea.Msg { return intent } }
