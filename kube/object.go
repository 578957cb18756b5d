package kube

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Ref names one object.
type Ref struct {
	Resource Resource
	Key
}

// Object is a whole object, read on demand.
type Object struct {
	// YAML is the object without managedFields, free of control characters.
	YAML        string
	Annotations Labels
	Conditions  []Condition
}

// Condition is one of the conditions in an object's status.
type Condition struct{ Type, Status, Reason, Message string }

// Get reads one object.
func (c *Client) Get(ctx context.Context, ref Ref) (Object, error) {
	ctx, cancel := c.deadline(ctx)
	defer cancel()
	answer := c.of(ref.Resource).Get().NamespaceIfScoped(ref.Namespace, !ref.Resource.ClusterScoped()).Resource(ref.Resource.String()).Name(ref.Name).
		SetHeader("Accept", runtime.ContentTypeJSON).Do(ctx)
	if err := answer.Error(); err != nil { // the error of Raw lacks the server's words
		return Object{}, fmt.Errorf("get %s %s: %s", ref.Resource, ref.Key, Clean(describe(err)))
	}
	body, err := answer.Raw()
	if err != nil {
		return Object{}, fmt.Errorf("read %s %s: %w", ref.Resource, ref.Key, err)
	}
	o, err := decode(body)
	if err != nil {
		return Object{}, fmt.Errorf("read %s %s: %w", ref.Resource, ref.Key, err)
	}
	return o, nil
}

func decode(body []byte) (Object, error) {
	var known struct {
		Metadata metav1.ObjectMeta
		Status   struct{ Conditions []Condition }
	}
	var all map[string]any
	if err := json.Unmarshal(body, &known); err != nil {
		return Object{}, err
	}
	if err := json.Unmarshal(body, &all); err != nil {
		return Object{}, err
	}
	if metadata, ok := all["metadata"].(map[string]any); ok {
		delete(metadata, "managedFields")
	}
	text, err := yaml.Marshal(cleanTree(all))
	if err != nil {
		return Object{}, err
	}
	o := Object{YAML: string(text), Annotations: newLabels(interner{}, known.Metadata.Annotations)}
	for _, c := range known.Status.Conditions {
		o.Conditions = append(o.Conditions, Condition{Clean(c.Type), Clean(c.Status), Clean(c.Reason), Clean(c.Message)})
	}
	return o, nil
}

// cleanTree cleans every text in a decoded JSON value. It comes before YAML,
// which cannot hold most control characters at all.
func cleanTree(v any) any {
	switch v := v.(type) {
	case string:
		return CleanLines(v)
	case []any:
		for i := range v {
			v[i] = cleanTree(v[i])
		}
	case map[string]any:
		for key, value := range v {
			delete(v, key)
			v[Clean(key)] = cleanTree(value)
		}
	}
	return v
}

// Event is something that the cluster reported about an object.
type Event struct {
	Last                  time.Time
	Type, Reason, Message string
	Count                 int
}

// Events lists the events of one object, newest first.
func (c *Client) Events(ctx context.Context, ref Ref, uid string) ([]Event, error) {
	ctx, cancel := c.deadline(ctx)
	defer cancel()
	namespace, about := ref.Namespace, fields.Set{"involvedObject.uid": uid}
	if ref.Resource.ClusterScoped() {
		namespace = metav1.NamespaceDefault // there the events of such objects are kept
	}
	if ref.Resource == Nodes {
		about = fields.Set{"involvedObject.kind": "Node", "involvedObject.name": ref.Name} // the kubelet writes the name for the UID
	}
	options := metav1.ListOptions{FieldSelector: about.String()}
	var list corev1.EventList
	err := c.core.Get().Namespace(namespace).Resource("events").
		VersionedParams(&options, metav1.ParameterCodec).Do(ctx).Into(&list)
	if apierrors.IsForbidden(err) {
		return nil, fmt.Errorf("you may not %s", Access{Verb: "list", Resource: "events", Namespace: namespace})
	}
	if err != nil {
		return nil, fmt.Errorf("list events of %s: %s", ref.Key, Clean(describe(err)))
	}
	// Names of events end in the time of their making: those of the same second
	// follow each other as they came.
	slices.SortFunc(list.Items, func(a, b corev1.Event) int { return cmp.Compare(b.Name, a.Name) })
	events := make([]Event, 0, len(list.Items))
	for _, e := range list.Items {
		last, count := cmp.Or(e.LastTimestamp.Time, e.EventTime.Time, e.CreationTimestamp.Time), e.Count
		if e.Series != nil { // from the newer events API
			last, count = e.Series.LastObservedTime.Time, e.Series.Count
		}
		events = append(events, Event{last, Clean(e.Type), Clean(e.Reason), Clean(e.Message), max(1, int(count))})
	}
	slices.SortStableFunc(events, func(a, b Event) int { return b.Last.Compare(a.Last) })
	return events, nil
}
