package kube

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// SnapshotFromYAML makes the snapshot that a store of the scope has at a
// moment when the API server holds the objects of the manifests: Pods, Nodes,
// Services, EndpointSlices and Namespaces, status included, and nothing is
// filled in. It is what tests and goldens look at. Every resource is live;
// see WithState for others.
func SnapshotFromYAML(manifests []byte, scope Scope, at time.Time) (*Snapshot, error) {
	store := NewStore(nil, scope)
	store.now = func() time.Time { return at }
	lists := map[string][]any{}
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(manifests)))
	for n := 1; ; n++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = decodeInto(lists, document, scope)
		}
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
	}
	for kind, into := range map[string]sink{
		"Pod": store.pods, "Node": store.nodes, "Service": store.services, "EndpointSlice": store.slices, "Namespace": store.namespaces,
	} {
		if err := into.Replace(lists[kind], ""); err != nil {
			return nil, err
		}
	}
	snapshot := store.snapshot()
	for r := range snapshot.states {
		snapshot.states[r] = State{Phase: Live, Since: at, Listed: true}
	}
	return snapshot, nil
}

// decodeInto adds the object of a document to the list of its kind, if a store
// of the scope would see it.
func decodeInto(lists map[string][]any, document []byte, scope Scope) error {
	var kind metav1.TypeMeta
	if err := yaml.Unmarshal(document, &kind); err != nil {
		return err
	}
	var o metav1.Object
	switch kind.Kind {
	case "":
		return nil // nothing but comments
	case "Pod":
		o = &corev1.Pod{}
	case "Node":
		o = &corev1.Node{}
	case "Service":
		o = &corev1.Service{}
	case "EndpointSlice":
		o = &discoveryv1.EndpointSlice{}
	case "Namespace":
		o = &corev1.Namespace{}
	default:
		return fmt.Errorf("a store does not follow kind %q", kind.Kind)
	}
	if err := yaml.UnmarshalStrict(document, o); err != nil {
		return fmt.Errorf("%s: %w", kind.Kind, err)
	}
	if scope.All() || o.GetNamespace() == "" || o.GetNamespace() == scope.Namespace {
		lists[kind.Kind] = append(lists[kind.Kind], o)
	}
	return nil
}

// WithState returns a copy of the snapshot in which one resource is in the
// state. What the snapshot holds of the resource stays.
func (s *Snapshot) WithState(r Resource, state State) *Snapshot {
	next := *s
	next.states[r] = state
	return &next
}
