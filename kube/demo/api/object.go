// Package api is the API server of the practice cluster: an object store, and
// a server of the Kubernetes API on it that knows as much as podpath and
// kubectl ask for. What it says and how it says it is checked against a real
// one by package conformance.
package api

import (
	"bytes"
	"cmp"
	"fmt"
	"sync"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/yaml"
)

// Object is a typed object of the API, such as a *corev1.Pod. One that is
// stored is never changed in place.
type Object interface {
	metav1.Object
	runtime.Object
}

// codecs encode and decode the kinds that the server knows.
var codecs = sync.OnceValue(func() (c struct {
	serializer.CodecFactory
	scheme *runtime.Scheme
},
) {
	c.scheme = runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, discoveryv1.AddToScheme, networkingv1.AddToScheme, authorizationv1.AddToScheme, addApps,
	} {
		if err := add(c.scheme); err != nil {
			panic(err) // two types of one name: a mistake in this list
		}
	}
	metav1.AddToGroupVersion(c.scheme, schema.GroupVersion{Version: "v1"})
	c.CodecFactory = serializer.NewCodecFactory(c.scheme, serializer.EnableStrict)
	return c
})

// Documents makes JSON of the documents of a file that are more than comments.
func Documents(manifests []byte) (documents [][]byte, err error) {
	for part := range bytes.SplitSeq(manifests, []byte("\n---\n")) {
		document, err := yaml.YAMLToJSONStrict(part)
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", len(documents)+1, err)
		}
		if string(document) != "null" {
			documents = append(documents, document)
		}
	}
	return documents, nil
}

// Decode reads one object from JSON. Without a namespace it is in default.
// Fields that there are not are an error.
func Decode(document []byte) (Object, error) {
	decoded, _, err := codecs().UniversalDeserializer().Decode(document, nil, nil)
	if err != nil {
		return nil, err
	}
	o, ok := decoded.(Object)
	if !ok {
		return nil, fmt.Errorf("%T is no object by itself", decoded)
	}
	r, err := resourceOf(o)
	if err == nil && !r.clusterScoped {
		o.SetNamespace(cmp.Or(o.GetNamespace(), metav1.NamespaceDefault))
	}
	return o, err
}

// Load puts the objects of manifests into the store.
func (s *Store) Load(manifests []byte) error {
	documents, err := Documents(manifests)
	for i := 0; i < len(documents) && err == nil; i++ {
		var o Object
		if o, err = Decode(documents[i]); err == nil {
			_, err = s.Put(o)
		}
	}
	return err
}

// key names an object among those of its resource, and orders them as etcd
// does.
func key(namespace, name string) string { return namespace + "/" + name }

// keyOf is the key of an object.
func keyOf(o Object) string { return key(o.GetNamespace(), o.GetName()) }
