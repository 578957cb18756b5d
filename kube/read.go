package kube

import (
	"context"
	"errors"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
)

// readTimeout is how long reading another namespace may take.
const readTimeout = 10 * time.Second

// ReadNamespace reads the Pods, Services and EndpointSlices of one namespace
// once. What may not be read is told by the States of the snapshot.
func (c *Client) ReadNamespace(ctx context.Context, namespace string) (_ *Snapshot, err error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	store := NewStore(c, Scope{namespace}, Pods, Services, EndpointSlices)
	ended := make(chan error, 1)
	go func() { ended <- store.Run(ctx) }()
	defer func() {
		cancel()
		err = errors.Join(err, <-ended)
	}()
	return Await(ctx, store.Next, nil, store.Resources())
}

// ServiceAt finds the Service of any namespace that has a cluster IP; ok is false
// when there is none.
func (c *Client) ServiceAt(ctx context.Context, clusterIP string) (key Key, ok bool, err error) {
	ctx, cancel := c.deadline(ctx)
	defer cancel()
	access := Access{Verb: "list", Resource: Services.String()}
	if err := c.everywhere(ctx, access); err != nil {
		return Key{}, false, err
	}
	var list corev1.ServiceList
	options := &metav1.ListOptions{FieldSelector: "spec.clusterIP=" + clusterIP}
	err = c.core.Get().Resource(access.Resource).VersionedParams(options, metav1.ParameterCodec).Do(ctx).Into(&list)
	if err != nil {
		return Key{}, false, access.refusal(err)
	}
	for _, s := range list.Items {
		if slices.Contains(s.Spec.ClusterIPs, clusterIP) {
			return Key{Namespace: Clean(s.Namespace), Name: Clean(s.Name)}, true, nil
		}
	}
	return Key{}, false, nil
}

// ServiceNamed finds a Service of a name in any namespace; ok is false when there
// is none.
func (c *Client) ServiceNamed(ctx context.Context, name string) (key Key, ok bool, err error) {
	return c.first(ctx, Services, metav1.ListOptions{FieldSelector: "metadata.name=" + name}, &corev1.ServiceList{})
}

// PodAt finds the Pod of any namespace that has an address of its own; ok is
// false when there is none.
func (c *Client) PodAt(ctx context.Context, address string) (key Key, ok bool, err error) {
	options := metav1.ListOptions{FieldSelector: "status.podIP=" + address + "," + unfinished}
	return c.first(ctx, Pods, options, &corev1.PodList{})
}

// PodSelected finds a Pod of any namespace that has all of some labels; ok is
// false when there is none.
func (c *Client) PodSelected(ctx context.Context, selector Labels) (key Key, ok bool, err error) {
	wanted := make(map[string]string, len(selector))
	for _, l := range selector {
		wanted[l.Key] = l.Value
	}
	options := metav1.ListOptions{LabelSelector: labels.FormatLabels(wanted), FieldSelector: unfinished}
	return c.first(ctx, Pods, options, &corev1.PodList{})
}

// unfinished selects Pods that have not ended for good.
const unfinished = "status.phase!=Succeeded,status.phase!=Failed"

// first finds the first object of all namespaces that options select.
func (c *Client) first(
	ctx context.Context, r Resource, options metav1.ListOptions, list runtime.Object,
) (key Key, ok bool, err error) {
	ctx, cancel := c.deadline(ctx)
	defer cancel()
	options.Limit = 1
	access := Access{Verb: "list", Resource: r.String()}
	if err := c.everywhere(ctx, access); err != nil {
		return Key{}, false, err
	}
	err = c.core.Get().Resource(access.Resource).VersionedParams(&options, metav1.ParameterCodec).Do(ctx).Into(list)
	if err != nil {
		return Key{}, false, access.refusal(err)
	}
	err = meta.EachListItem(list, func(o runtime.Object) error {
		found, err := meta.Accessor(o)
		if err == nil && !ok {
			key, ok = Key{Namespace: Clean(found.GetNamespace()), Name: Clean(found.GetName())}, true
		}
		return err
	})
	return key, ok, err
}

// policyEngines are the API groups of policies besides NetworkPolicy that
// decide who reaches whom.
var policyEngines = []string{
	"cilium.io", "crd.projectcalico.org", "projectcalico.org", "crd.antrea.io", "policy.networking.k8s.io", "security.istio.io", "policy.linkerd.io",
}

// PolicyEngines lists the API groups of the cluster that have policies besides
// NetworkPolicy. Every user may ask for them (the role system:discovery).
func (c *Client) PolicyEngines(ctx context.Context) ([]string, error) {
	ctx, cancel := c.deadline(ctx)
	defer cancel()
	var list metav1.APIGroupList
	if err := c.core.Get().AbsPath("/apis").SetHeader("Accept", "application/json").Do(ctx).Into(&list); err != nil {
		return nil, err
	}
	var found []string
	for _, group := range list.Groups {
		if slices.Contains(policyEngines, group.Name) {
			found = append(found, group.Name)
		}
	}
	return found, nil
}
