package api

import (
	"fmt"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

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
	{apps.Group, "deployments", "Deployment", "deploy", false},
	{apps.Group, "replicasets", "ReplicaSet", "rs", false},
	{apps.Group, "statefulsets", "StatefulSet", "sts", false},
}

// accessReview can only be created.
var accessReview = resource{"authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview", "", true}

// served are all that requests may name.
var served = append(slices.Clone(resources), accessReview)

// subresources are what objects have besides themselves.
var subresources = map[string][]string{
	"pods":         {"ephemeralcontainers", "exec", "portforward"},
	"deployments":  {"scale"},
	"statefulsets": {"scale"},
}

func (r resource) groupVersion() schema.GroupVersion {
	return schema.GroupVersion{Group: r.group, Version: "v1"}
}

func (r resource) groupVersionKind() schema.GroupVersionKind {
	return r.groupVersion().WithKind(r.kind)
}

func (r resource) groupResource() schema.GroupResource {
	return schema.GroupResource{Group: r.group, Resource: r.plural}
}

// new returns an empty object of a kind: that of the resource or of its list.
func (r resource) new(kind string) runtime.Object {
	o, err := codecs().scheme.New(r.groupVersion().WithKind(kind))
	if err != nil {
		panic(err) // a resource whose type is not among codecs
	}
	o.GetObjectKind().SetGroupVersionKind(r.groupVersion().WithKind(kind))
	return o
}

// empty returns an object without anything.
func (r resource) empty() Object { return r.new(r.kind).(Object) }

// resourceOf finds the resource by the type of an object.
func resourceOf(o Object) (resource, error) {
	kind := reflect.TypeOf(o).Elem().Name()
	i := slices.IndexFunc(resources, func(r resource) bool { return r.kind == kind })
	if i < 0 {
		return resource{}, fmt.Errorf("the practice cluster has no objects like %T", o)
	}
	return resources[i], nil
}
