package demo

import (
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"

	"podpath/kube/demo/api"
)

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
	documents, err := api.Documents(manifests)
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
	o, err := api.Decode(document)
	if err != nil {
		return nil, err
	}
	plural, _ := meta.UnsafeGuessKindToResource(o.GetObjectKind().GroupVersionKind())
	old, there := c.store.Get(plural.Resource, o.GetNamespace(), o.GetName())
	if !there {
		_, err = c.store.Put(c.aged(o))
		return func() error { c.store.Delete(plural.Resource, o.GetNamespace(), o.GetName()); return nil }, err
	}
	if o, err = api.Merge(old, document); err == nil {
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
