package kube

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Labels of the Pods that podpath creates.
const (
	ManagedByLabel = "app.kubernetes.io/managed-by"
	ManagedBy      = "podpath"
	RunLabel       = "podpath/run"
)

// HelperPod is a Pod of podpath's own in the network of one Node.
type HelperPod struct {
	Key
	UID string // known once it exists
	// Node is where it is pinned to, past the scheduler and all taints.
	Node string
	// Run is the run of podpath that it belongs to.
	Run string
	// Created is zero until it exists.
	Created time.Time
}

// ErrTaken means that another Pod has the name already.
var ErrTaken = errors.New("there is a Pod of that name already, which podpath leaves alone")

// CreateHelper creates a helper Pod that runs the guest for at most life, and
// returns it with its UID. The error is an *AccessError when the user may not,
// and ErrTaken when another Pod has its name; other refusals, such as Pod
// Security's, are in the API server's words.
func (c *Client) CreateHelper(ctx context.Context, h HelperPod, g Guest, life time.Duration) (HelperPod, error) {
	ctx, cancel := c.deadline(ctx)
	defer cancel()
	access := Access{Verb: "create", Resource: Pods.String(), Namespace: h.Namespace}
	var made corev1.Pod
	err := c.core.Post().Namespace(h.Namespace).Resource(access.Resource).
		VersionedParams(&metav1.CreateOptions{}, metav1.ParameterCodec).Body(h.pod(g, life)).Do(ctx).Into(&made)
	switch {
	case apierrors.IsAlreadyExists(err):
		return h, fmt.Errorf("create Pod %s: %w", h.Key, ErrTaken)
	case err != nil:
		return h, access.refusal(err)
	}
	return newHelper(&made), nil
}

func (h HelperPod) pod(g Guest, life time.Duration) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: h.Namespace, Name: h.Name,
			Labels: map[string]string{ManagedByLabel: ManagedBy, RunLabel: h.Run},
		},
		Spec: corev1.PodSpec{
			NodeName: h.Node, HostNetwork: true,
			DNSPolicy:                     corev1.DNSDefault, // the Node's own resolv.conf
			Tolerations:                   []corev1.Toleration{{Operator: corev1.TolerationOpExists}},
			Containers:                    []corev1.Container{corev1.Container(g.container())},
			RestartPolicy:                 corev1.RestartPolicyNever,
			ActiveDeadlineSeconds:         new(int64(life.Seconds())), // should podpath be killed
			TerminationGracePeriodSeconds: new(int64(0)),
			AutomountServiceAccountToken:  new(false),
			EnableServiceLinks:            new(false),
		},
	}
}

func newHelper(o *corev1.Pod) HelperPod {
	return HelperPod{
		Key: Key{Clean(o.Namespace), Clean(o.Name)}, UID: Clean(string(o.UID)), Node: Clean(o.Spec.NodeName),
		Run: Clean(o.Labels[RunLabel]), Created: o.CreationTimestamp.Time,
	}
}

// DeleteHelper deletes a helper Pod at once, and no other Pod that got its
// name meanwhile. One that is gone already is no error.
func (c *Client) DeleteHelper(ctx context.Context, h HelperPod) error {
	ctx, cancel := c.deadline(ctx)
	defer cancel()
	access := Access{Verb: "delete", Resource: Pods.String(), Namespace: h.Namespace}
	options := metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}
	if h.UID != "" {
		options.Preconditions = &metav1.Preconditions{UID: new(types.UID(h.UID))}
	}
	err := c.core.Delete().Namespace(h.Namespace).Resource(access.Resource).Name(h.Name).Body(&options).Do(ctx).Error()
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("%w; delete it with: kubectl delete pod -n %s %s", access.refusal(err), h.Namespace, h.Name)
	}
	return nil
}

// Helpers lists the helper Pods of all runs in the scope. The error is an
// *AccessError when the user may not.
func (c *Client) Helpers(ctx context.Context, scope Scope) ([]HelperPod, error) {
	ctx, cancel := c.deadline(ctx)
	defer cancel()
	access := Access{Verb: "list", Resource: Pods.String(), Namespace: scope.Namespace}
	options := metav1.ListOptions{LabelSelector: ManagedByLabel + "=" + ManagedBy + "," + RunLabel}
	var list corev1.PodList
	err := c.core.Get().Namespace(scope.Namespace).Resource(access.Resource).VersionedParams(&options, metav1.ParameterCodec).Do(ctx).Into(&list)
	if err != nil {
		return nil, access.refusal(err)
	}
	var helpers []HelperPod
	for i := range list.Items {
		helpers = append(helpers, newHelper(&list.Items[i]))
	}
	return helpers, nil
}
