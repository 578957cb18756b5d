package demo

import (
	"maps"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"podpath/kube/demo/api"
)

// Labels of the Pods of a StatefulSet: the version of its template, and which
// one it is.
const (
	revisionLabel = "controller-revision-hash"
	indexLabel    = "apps.kubernetes.io/pod-index"
	podNameLabel  = "statefulset.kubernetes.io/pod-name"
)

// statefulSets makes the Pods of StatefulSets, and removes what has lost its
// owner.
func (c *Cluster) statefulSets() {
	pods := byOwner(api.ListOf[*corev1.Pod](c.store, "pods"), "StatefulSet")
	for _, s := range api.ListOf[*api.StatefulSet](c.store, "statefulsets") {
		c.statefulSet(s.DeepCopy(), pods[s.UID])
		delete(pods, s.UID)
	}
	for _, orphans := range pods {
		for _, p := range orphans {
			c.remove(p)
		}
	}
}

// statefulSet takes one step: the next Pod when those before it are ready, else
// the end of the last one that is too many or of another version.
func (c *Cluster) statefulSet(s *api.StatefulSet, pods []*corev1.Pod) {
	revision, replicas := s.Name+"-"+hash(s.Spec.Template), 1
	if s.Spec.Replicas != nil {
		replicas = int(max(0, *s.Spec.Replicas))
	}
	byNumber, updated := map[int]*corev1.Pod{}, int32(0)
	for _, p := range pods {
		if number, err := strconv.Atoi(p.Labels[indexLabel]); err == nil {
			byNumber[number] = p
		}
		if p.Labels[revisionLabel] == revision {
			updated++
		}
	}
	if c.grow(s, byNumber, replicas, revision) {
		for _, number := range slices.Backward(slices.Sorted(maps.Keys(byNumber))) {
			if p := byNumber[number]; number >= replicas || p.Labels[revisionLabel] != revision {
				c.remove(p)
				break
			}
		}
	}
	if s.Status.CurrentRevision == "" || int(updated) == len(pods) {
		s.Status.CurrentRevision = revision
	}
	s.Status = api.StatefulSetStatus{
		ObservedGeneration: s.Generation, Replicas: int32(len(pods)),
		ReadyReplicas: readyIn(pods), AvailableReplicas: readyIn(pods), CurrentReplicas: updated, UpdatedReplicas: updated,
		CurrentRevision: s.Status.CurrentRevision, UpdateRevision: revision,
	}
	c.put(s)
}

// grow makes the Pod that is missing next, and reports whether all are there and
// ready.
func (c *Cluster) grow(s *api.StatefulSet, pods map[int]*corev1.Pod, replicas int, revision string) (whole bool) {
	whole = true
	for number := range replicas {
		p := pods[number]
		if p == nil {
			c.createNumbered(s, number, revision)
		}
		if p == nil || !podReady(p) {
			whole = false
			if s.Spec.PodManagementPolicy != "Parallel" {
				return false
			}
		}
	}
	return whole
}

// createNumbered makes a Pod once nothing of its name is left.
func (c *Cluster) createNumbered(s *api.StatefulSet, number int, revision string) {
	name := s.Name + "-" + strconv.Itoa(number)
	if _, there := c.store.Get("pods", s.Namespace, name); there {
		return
	}
	template := s.Spec.Template.DeepCopy()
	template.Spec.Hostname, template.Spec.Subdomain = name, s.Spec.ServiceName
	c.put(&corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.Namespace, Name: name, CreationTimestamp: c.now(),
			Annotations: template.Annotations, OwnerReferences: ownedBy(s),
			Labels: labels.Merge(template.Labels, labels.Set{
				revisionLabel: revision, indexLabel: strconv.Itoa(number), podNameLabel: name,
			}),
		},
		Spec: template.Spec,
	})
}
