// Package plane fills the bare plane with objects as large as real ones, and changes them.
package plane

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// workers is how many requests are under way at a time: enough to keep an API server on two cores busy.
const workers = 32

// Size is how many objects there are.
type Size struct{ Pods, Nodes, Services int }

// The sizes that podpath is measured at.
var (
	Small = Size{Pods: 100, Nodes: 3, Services: 20}
	Full  = Size{Pods: 10_000, Nodes: 400, Services: 2_000}
)

// Connect makes a client that is not slowed down.
func Connect(kubeconfig string) (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", kubeconfig, err)
	}
	config.QPS = -1              // no limit
	config.UserAgent = "kubelet" // becomes the manager of the fields
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = config.ContentType
	api, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client from %s: %w", kubeconfig, err)
	}
	return api, nil
}

// Fill creates what is missing to a size. Each Service has its share of the Pods, which are ready, and one EndpointSlice.
func Fill(ctx context.Context, api kubernetes.Interface, size Size) error {
	if err := each(ctx, namespaces, func(ctx context.Context, i int) error {
		_, err := api.CoreV1().Namespaces().Create(ctx, namespace(i), metav1.CreateOptions{})
		return unlessThere("Namespace", err)
	}); err != nil {
		return err
	}
	if err := each(ctx, size.Nodes, func(ctx context.Context, i int) error {
		_, err := api.CoreV1().Nodes().Create(ctx, node(i), metav1.CreateOptions{})
		return unlessThere("Node", err)
	}); err != nil {
		return err
	}
	return each(ctx, size.Services, func(ctx context.Context, i int) error {
		return fillService(ctx, api, size, i)
	})
}

// fillService creates the Service of a number, its Pods and its EndpointSlice.
func fillService(ctx context.Context, api kubernetes.Interface, size Size, i int) error {
	svc, err := api.CoreV1().Services(namespaceName(i)).Create(ctx, service(i), metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("create Service %s: %w", serviceName(i), err)
	}
	slice := endpointSlice(svc)
	for number := size.Pods * i / size.Services; number < size.Pods*(i+1)/size.Services; number++ {
		pods := api.CoreV1().Pods(svc.Namespace)
		pod, err := pods.Create(ctx, pod(svc, number, number%size.Nodes), metav1.CreateOptions{})
		if err != nil {
			return fmt.Errorf("create a Pod of %s: %w", svc.Name, err)
		}
		run(pod, number, number%size.Nodes)
		if pod, err = pods.UpdateStatus(ctx, pod, metav1.UpdateOptions{}); err != nil {
			return fmt.Errorf("set the status of Pod %s: %w", pod.Name, err)
		}
		slice.Endpoints = append(slice.Endpoints, endpoint(pod))
	}
	if _, err := api.DiscoveryV1().EndpointSlices(svc.Namespace).Create(ctx, slice, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create the EndpointSlice of %s: %w", svc.Name, err)
	}
	return nil
}

// each calls do for the numbers from 0 to n-1, several at a time, until one fails.
func each(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for i := range n {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}

func unlessThere(kind string, err error) error {
	if err == nil || apierrors.IsAlreadyExists(err) {
		return nil
	}
	return fmt.Errorf("create a %s: %w", kind, err)
}
