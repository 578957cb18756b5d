package plane

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Pods lists what Churn may change.
func Pods(ctx context.Context, api kubernetes.Interface) ([]corev1.Pod, error) {
	pods, err := api.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list Pods: %w", err)
	}
	if len(pods.Items) == 0 {
		return nil, errors.New("there are no Pods; run: plane fill")
	}
	return pods.Items, nil
}

// Churn restarts a container of a random Pod, rate times a second, until ctx ends, and returns how many times it did.
func Churn(ctx context.Context, api kubernetes.Interface, pods []corev1.Pod, rate int) (int, error) {
	ticker := time.NewTicker(time.Second / time.Duration(rate))
	defer ticker.Stop()
	for done := 0; ; done++ {
		select {
		case <-ctx.Done():
			return done, nil
		case <-ticker.C:
		}
		pod := &pods[rand.IntN(len(pods))]
		if err := restart(ctx, api, pod); err != nil && ctx.Err() == nil {
			return done, err
		}
	}
}

// restart counts one more restart of the Pod's first container.
func restart(ctx context.Context, api kubernetes.Interface, pod *corev1.Pod) error {
	status := &pod.Status.ContainerStatuses[0]
	status.RestartCount++
	status.State.Running = &corev1.ContainerStateRunning{StartedAt: metav1.Now()}
	updated, err := api.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, pod, metav1.UpdateOptions{})
	if err != nil {
		return fmt.Errorf("update the status of Pod %s: %w", pod.Name, err)
	}
	*pod = *updated
	return nil
}
