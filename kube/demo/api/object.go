// Package api is the API server of the practice cluster: an object store, and
// a server of the Kubernetes API on it that knows as much as podpath and
// kubectl ask for. What it says and how it says it is checked against a real
// one by package conformance.
package api

import (
	"bytes"
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
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

// resource is one kind of objects, all of version v1.
type resource struct {
	group, plural, kind, short string
	clusterScoped              bool
}

// resources are what the store holds and the server serves.
var resources = []resource{
	{"", "pods", "Pod", "po", false},
	{"", "nodes", "Node", "no", true},
	{"", "services", "Service", "svc", false},
	{"", "namespaces", "Namespace", "ns", true},
	{"", "events", "Event", "ev", false},
	{"discovery.k8s.io", "endpointslices", "EndpointSlice", "", false},
	{"networking.k8s.io", "ingresses", "Ingress", "ing", false},
	{"networking.k8s.io", "networkpolicies", "NetworkPolicy", "netpol", false},
	{"apps", "deployments", "Deployment", "deploy", false},
	{"apps", "replicasets", "ReplicaSet", "rs", false},
}

// accessReview can only be created.
var accessReview = resource{"authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview", "", true}

// served are all that requests may name.
var served = append(slices.Clone(resources), accessReview)

func (r resource) groupVersion() schema.GroupVersion {
	return schema.GroupVersion{Group: r.group, Version: "v1"}
}

func (r resource) groupKind() schema.GroupKind {
	return schema.GroupKind{Group: r.group, Kind: r.kind}
}

func (r resource) groupResource() schema.GroupResource {
	return schema.GroupResource{Group: r.group, Resource: r.plural}
}

// counts reports whether its objects have a generation.
func (r resource) counts() bool { return r.group != "" || r.plural == "pods" }

// new returns an empty object of a kind: that of the resource or of its list.
func (r resource) new(kind string) (runtime.Object, error) {
	o, err := codecs().scheme.New(r.groupVersion().WithKind(kind))
	if err == nil {
		o.GetObjectKind().SetGroupVersionKind(r.groupVersion().WithKind(kind))
	}
	return o, err
}

// resourceOf finds the resource by the type of an object.
func resourceOf(o Object) (resource, error) {
	kind := reflect.TypeOf(o).Elem().Name()
	i := slices.IndexFunc(resources, func(r resource) bool { return r.kind == kind })
	if i < 0 {
		return resource{}, fmt.Errorf("the practice cluster has no objects like %T", o)
	}
	return resources[i], nil
}

// codecs encode and decode the kinds that the server knows.
var codecs = sync.OnceValue(func() (c struct {
	serializer.CodecFactory
	scheme *runtime.Scheme
},
) {
	c.scheme = runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, discoveryv1.AddToScheme, networkingv1.AddToScheme, appsv1.AddToScheme, authorizationv1.AddToScheme,
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

// meets checks what a caller expects an object to be.
func meets(o Object, p *metav1.Preconditions) error {
	switch {
	case p == nil:
	case p.UID != nil && *p.UID != o.GetUID():
		return fmt.Errorf("the UID in the precondition (%s) does not match the UID in record (%s). The object might have been deleted and then recreated", *p.UID, o.GetUID())
	case p.ResourceVersion != nil && *p.ResourceVersion != o.GetResourceVersion():
		return fmt.Errorf("the ResourceVersion in the precondition (%s) does not match the ResourceVersion in record (%s). The object might have been modified", *p.ResourceVersion, o.GetResourceVersion())
	}
	return nil
}
