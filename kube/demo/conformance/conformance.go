// Package conformance is one suite of client-go calls for two API servers: that
// of the practice cluster, and a real one. What it expects is what the real
// one does; a difference fails a test.
package conformance

import (
	"context"
	"errors"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Subject is the API server that the suite looks at.
type Subject struct {
	// Config is of somebody who may do everything in the namespace.
	Config *rest.Config
	// Powerless is of somebody who may do nothing, whatever the name.
	Powerless *rest.Config
	// Namespace holds the Pods of Manifest: web runs, over has ended, and
	// nowhere was put on no Node.
	Namespace string
	// Young is set while the API server remembers its first version still: then
	// nobody can see how that expires.
	Young bool
}

// Manifest are the Pods that the suite needs. It runs commands of busybox in
// the container shell, and the container echo answers HTTP on port 8080 with
// the name of the Pod.
const Manifest = `
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: shell, image: "busybox:1.35", imagePullPolicy: IfNotPresent, command: [sleep, "1000000"]}
  - {name: echo, image: "example.test/echo:1", imagePullPolicy: IfNotPresent}
---
apiVersion: v1
kind: Pod
metadata: {name: over}
spec:
  restartPolicy: Never
  containers:
  - {name: shell, image: "busybox:1.35", imagePullPolicy: IfNotPresent, command: ["true"]}
---
apiVersion: v1
kind: Pod
metadata: {name: nowhere}
spec:
  nodeSelector: {example.test/none: has-this}
  containers:
  - {name: shell, image: "busybox:1.35", imagePullPolicy: IfNotPresent}
`

// patience is longer than anything takes that does not hang.
const patience = 30 * time.Second

// Run runs the suite.
func Run(t *testing.T, s Subject) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Subject)
	}{
		{"discovery names the kinds", discoveryNamesTheKinds},
		{"lists name their kind once", listsNameTheirKindOnce},
		{"lists come in pages of one moment", listsComeInPages},
		{"selectors choose", selectorsChoose},
		{"errors have the same words", errorsHaveTheSameWords},
		{"refusals name the missing right", refusalsNameTheRight},
		{"access reviews answer", accessReviewsAnswer},
		{"a watch tells what happens and can be resumed", watchTells},
		{"a watch follows a selection", watchFollowsSelection},
		{"a watch from long ago is expired", watchExpires},
		{"a watch can begin with a list", watchBeginsWithList},
		{"a bookmark comes before the end of a watch", bookmarkComes},
		{"protobuf, JSON and YAML say the same", encodingsAgree},
		{"objects are created, changed and deleted", objectsChange},
		{"patches of every kind", patches},
		{"Deployments are sent in every encoding", deploymentsAreSent},
		{"lists are patched by their keys", listsArePatched},
		{"ports of one number are patched", portsArePatched},
		{"ephemeral containers are added", ephemeralContainersAreAdded},
		{"exec", execs},
		{"exec that cannot be", impossibleExecs},
		{"port-forward", portForwards},
		{"Pods are deleted", podsAreDeleted},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, s) })
	}
}

// as returns a client for a group that speaks JSON or protobuf.
func as(t *testing.T, config *rest.Config, group schema.GroupVersion, media string) rest.Interface {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, discoveryv1.AddToScheme, authorizationv1.AddToScheme, appsv1.AddToScheme} {
		must(t, add(scheme))
	}
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	config = rest.CopyConfig(config)
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.ContentType, config.AcceptContentTypes = media, media+","+runtime.ContentTypeJSON // as kubectl does
	config.GroupVersion, config.APIPath = &group, "/apis"
	if group.Group == "" {
		config.APIPath = "/api"
	}
	config.QPS, config.WarningHandler = -1, rest.NoWarnings{}
	client, err := rest.RESTClientFor(config)
	must(t, err)
	t.Cleanup(client.Client.CloseIdleConnections)
	return client
}

// core and slices are the clients that most tests use.
func core(t *testing.T, s Subject) rest.Interface {
	t.Helper()
	return as(t, s.Config, corev1.SchemeGroupVersion, runtime.ContentTypeProtobuf)
}

func slices(t *testing.T, s Subject) rest.Interface {
	t.Helper()
	return as(t, s.Config, discoveryv1.SchemeGroupVersion, runtime.ContentTypeProtobuf)
}

// within is a request with a deadline.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// slice makes an EndpointSlice, which no controller cares about.
func slice(t *testing.T, s Subject, name string, labels map[string]string) *discoveryv1.EndpointSlice {
	t.Helper()
	o := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, AddressType: discoveryv1.AddressTypeIPv4, Endpoints: []discoveryv1.Endpoint{}}
	must(t, slices(t, s).Post().Namespace(s.Namespace).Resource("endpointslices").Body(o).Do(within(t)).Into(o))
	return o
}

func change(t *testing.T, s Subject, o *discoveryv1.EndpointSlice, labels map[string]string) {
	t.Helper()
	o.Labels = labels
	must(t, slices(t, s).Put().Namespace(s.Namespace).Resource("endpointslices").Name(o.Name).Body(o).Do(within(t)).Into(o))
}

func remove(t *testing.T, s Subject, name string) {
	t.Helper()
	must(t, slices(t, s).Delete().Namespace(s.Namespace).Resource("endpointslices").Name(name).Do(within(t)).Error())
}

// checkStatus checks the words and the code of an error.
func checkStatus(t *testing.T, err error, code int32, reason metav1.StatusReason, message string) {
	t.Helper()
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		t.Errorf("got %v, want a Status: %d %s: %s", err, code, reason, message)
		return
	}
	if got := status.Status(); got.Code != code || got.Reason != reason || got.Message != message {
		t.Errorf("got  %d %s: %s\nwant %d %s: %s", got.Code, got.Reason, got.Message, code, reason, message)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
