package demo

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"podpath/kube/demo/api"
)

// split makes JSON of the documents of a file that are more than comments.
func split(manifests []byte) (documents [][]byte, err error) {
	for part := range bytes.SplitSeq(manifests, []byte("\n---\n")) {
		document, err := yaml.YAMLToJSON(part)
		if err != nil {
			return nil, err
		}
		if string(document) != "null" {
			documents = append(documents, document)
		}
	}
	return documents, nil
}

// decode reads one object. One without a namespace is in default.
func (c *Cluster) decode(document []byte) (api.Object, error) {
	o, err := api.Decode(document)
	if err != nil {
		return nil, err
	}
	switch o.(type) {
	case *corev1.Node, *corev1.Namespace:
	default:
		o.SetNamespace(cmp.Or(o.GetNamespace(), metav1.NamespaceDefault))
	}
	return o, nil
}

// Apply creates the objects of manifests. Objects that are there already get
// the fields of the manifest, and keep the others. Undo makes it all as it was.
func (c *Cluster) Apply(manifests []byte) (undo func() error, err error) {
	var undos []func() error
	undo = func() (err error) {
		for _, u := range slices.Backward(undos) {
			err = errors.Join(err, u())
		}
		return err
	}
	documents, err := split(manifests)
	for i := 0; i < len(documents) && err == nil; i++ {
		var u func() error
		if u, err = c.apply(documents[i]); err == nil {
			undos = append(undos, u)
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("apply to the practice cluster: %w", err), undo())
	}
	return undo, nil
}

func (c *Cluster) apply(document []byte) (undo func() error, err error) {
	o, err := c.decode(document)
	if err != nil {
		return nil, err
	}
	plural, _ := meta.UnsafeGuessKindToResource(o.GetObjectKind().GroupVersionKind())
	old, there := c.store.Get(plural.Resource, o.GetNamespace(), o.GetName())
	if !there {
		if o.GetAnnotations()[ageAnnotation] != "" {
			o = c.aged(o)
		}
		_, err = c.store.Put(o)
		return func() error { c.store.Delete(plural.Resource, o.GetNamespace(), o.GetName()); return nil }, err
	}
	text, err := json.Marshal(old)
	if err == nil {
		text, err = jsonpatch.MergePatch(text, document)
	}
	if err != nil {
		return nil, err
	}
	if o, err = api.Decode(text); err == nil {
		o.SetResourceVersion("") // whatever happens to it meanwhile
		_, err = c.store.Put(o)
	}
	return func() error {
		before := old.DeepCopyObject().(api.Object)
		before.SetResourceVersion("")
		_, err := c.store.Put(before)
		return err
	}, err
}
