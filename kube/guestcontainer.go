package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
)

// Guest is a container that podpath adds to the cluster: an ephemeral one of a
// Pod, or the only one of a Pod of its own.
type Guest struct {
	Name    string // of the container
	Image   string
	Command []string
}

// nobody is the user and group of podpath's own containers. A number is needed
// for runAsNonRoot: kubelet cannot tell whether a name is root's.
const nobody = 65534

// container is the guest with as few rights as Pod Security "restricted" asks
// for. The image is used as it is on the Node when it is there.
func (g Guest) container() corev1.EphemeralContainerCommon {
	return corev1.EphemeralContainerCommon{
		Name: g.Name, Image: g.Image, Command: g.Command, ImagePullPolicy: corev1.PullIfNotPresent,
		TerminationMessagePolicy: corev1.TerminationMessageReadFile,
		SecurityContext: &corev1.SecurityContext{
			RunAsNonRoot: new(true), RunAsUser: new(int64(nobody)), RunAsGroup: new(int64(nobody)),
			AllowPrivilegeEscalation: new(false),
			Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			SeccompProfile:           &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
	}
}

// AddEphemeral adds an ephemeral container to the Pod. Nobody can remove it:
// it ends with its command. The error is an *AccessError when the user may
// not; other refusals, such as Pod Security's, are in the API server's words.
func (c *Client) AddEphemeral(ctx context.Context, pod Key, g Guest) error {
	ctx, cancel := c.deadline(ctx)
	defer cancel()
	access := Access{Verb: "patch", Resource: Pods.String(), Subresource: "ephemeralcontainers", Namespace: pod.Namespace}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{
		"ephemeralContainers": []corev1.EphemeralContainer{{EphemeralContainerCommon: g.container()}},
	}})
	if err != nil {
		return err
	}
	err = c.core.Patch(types.StrategicMergePatchType).Namespace(pod.Namespace).Resource(access.Resource).Name(pod.Name).
		SubResource(access.Subresource).VersionedParams(&metav1.PatchOptions{}, metav1.ParameterCodec).Body(patch).Do(ctx).Error()
	if err != nil {
		return access.refusal(err)
	}
	return nil
}

// pollInterval is the pause between two looks at a container that starts:
// short beside what starting one takes, and few requests.
const pollInterval = 200 * time.Millisecond

// AwaitRunning waits until the container of the Pod runs. It fails at once with
// the reason and the words of the kubelet when the container waits for
// something that time does not bring, such as an image that is not there, or
// has ended; and when ctx ends.
func (c *Client) AwaitRunning(ctx context.Context, pod Key, container string) error {
	what := fmt.Sprintf("wait for container %s of %s", container, pod)
	last := "nothing is known of it yet"
	for {
		o, err := c.onePod(ctx, pod)
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("%s: %s: %w", what, last, context.Cause(ctx))
		case err != nil:
			return fmt.Errorf("%s: %w", what, err)
		}
		running, state, hopeless := progress(o, container)
		if running {
			return nil
		}
		if last = state; hopeless {
			return fmt.Errorf("%s: it does not start: %s", what, state)
		}
		select {
		case <-time.After(pollInterval):
		case <-ctx.Done():
		}
	}
}

// onePod reads one Pod by listing it: whoever sees Pods in podpath may list
// them, and need not be allowed to get them.
func (c *Client) onePod(ctx context.Context, pod Key) (*corev1.Pod, error) {
	ctx, cancel := c.deadline(ctx)
	defer cancel()
	access := Access{Verb: "list", Resource: Pods.String(), Namespace: pod.Namespace}
	options := metav1.ListOptions{FieldSelector: fields.Set{"metadata.name": pod.Name}.String()}
	var list corev1.PodList
	err := c.core.Get().Namespace(pod.Namespace).Resource(access.Resource).VersionedParams(&options, metav1.ParameterCodec).Do(ctx).Into(&list)
	if err != nil {
		return nil, access.refusal(err)
	}
	if len(list.Items) == 0 {
		return nil, fmt.Errorf("the Pod is gone")
	}
	return &list.Items[0], nil
}

// progress says whether a container runs, in which state it is otherwise, and
// whether waiting longer is of no use.
func progress(o *corev1.Pod, container string) (running bool, state string, hopeless bool) {
	if o.Status.Phase == corev1.PodFailed || o.Status.Phase == corev1.PodSucceeded {
		return false, Clean(fmt.Sprintf("the Pod is over: %s %s %s", o.Status.Phase, o.Status.Reason, o.Status.Message)), true
	}
	for _, s := range slices.Concat(o.Status.ContainerStatuses, o.Status.EphemeralContainerStatuses) {
		if s.Name != container {
			continue
		}
		switch {
		case s.State.Running != nil:
			return true, "", false
		case s.State.Waiting != nil:
			reason := s.State.Waiting.Reason
			starting := reason == "" || reason == "ContainerCreating" || reason == "PodInitializing"
			return false, Clean(reason + ": " + s.State.Waiting.Message), !starting
		case s.State.Terminated != nil:
			return false, Clean("it has ended: " + end(s.State.Terminated) + " " + s.State.Terminated.Message), true
		}
	}
	return false, "the kubelet has not taken note of it yet", false
}
