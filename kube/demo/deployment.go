package demo

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"podpath/kube/demo/api"
)

// hashLabel tells the Pods of one version of a Deployment from others.
const hashLabel = "pod-template-hash"

// deployments makes the Pods of Deployments and the ReplicaSets that own them,
// and removes what has lost its owner. A ReplicaSet does nothing by itself.
func (c *Cluster) deployments() {
	sets := byOwner(api.ListOf[*api.ReplicaSet](c.store, "replicasets"), "Deployment")
	pods := byOwner(api.ListOf[*corev1.Pod](c.store, "pods"), "ReplicaSet")
	all := api.ListOf[*api.Deployment](c.store, "deployments")
	for owner, orphans := range sets { // first: a new Deployment may need their names
		if slices.ContainsFunc(all, func(d *api.Deployment) bool { return d.UID == owner }) {
			continue
		}
		for _, s := range orphans {
			c.store.Delete("replicasets", s.Namespace, s.Name)
		}
	}
	for _, d := range all {
		c.deployment(d.DeepCopy(), sets[d.UID], pods)
	}
	for _, orphans := range pods {
		for _, p := range orphans {
			c.remove(p)
		}
	}
}

// byOwner are the objects that have a controller of a kind, and shall stay.
func byOwner[T api.Object](objects []T, kind string) map[types.UID][]T {
	owned := map[types.UID][]T{}
	for _, o := range objects {
		if r := controllerOf(o); r.Kind == kind && o.GetDeletionTimestamp() == nil {
			owned[r.UID] = append(owned[r.UID], o)
		}
	}
	return owned
}

// deployment takes one step of a rolling update: a new Pod while there is at
// most one too many, or the end of one while enough others are ready. It takes
// the Pods of the Deployment out of those of all.
func (c *Cluster) deployment(d *api.Deployment, sets []*api.ReplicaSet, pods map[types.UID][]*corev1.Pod) {
	version, replicas := hash(d.Spec.Template), 1
	if d.Spec.Replicas != nil {
		replicas = int(max(0, *d.Spec.Replicas)) // a patch can say anything
	}
	var current *api.ReplicaSet
	var updated, live []*corev1.Pod
	for _, s := range sets {
		own := pods[s.UID]
		delete(pods, s.UID)
		live = append(live, own...)
		if s.Labels[hashLabel] == version {
			current, updated = s, own
		} else if len(own) == 0 {
			c.store.Delete("replicasets", s.Namespace, s.Name)
			continue
		}
		c.replicaSet(s.DeepCopy(), own)
	}
	ready := readyIn(live)
	switch {
	case len(updated) < replicas && len(live) <= replicas:
		if current == nil {
			current = c.newReplicaSet(d, version)
		}
		c.create(current)
	case len(live) > replicas:
		// The first to go are old, not ready, and young.
		rank := func(p *corev1.Pod) (r int) {
			if p.Labels[hashLabel] == version {
				r += 2
			}
			if podReady(p) {
				r++
			}
			return r
		}
		worst := slices.MinFunc(live, func(a, b *corev1.Pod) int {
			return cmp.Or(rank(a)-rank(b), b.CreationTimestamp.Compare(a.CreationTimestamp.Time))
		})
		if !podReady(worst) || int(ready) > replicas {
			c.remove(worst)
		}
	}
	d.Status = api.DeploymentStatus{
		ObservedGeneration: d.Generation, Replicas: int32(len(live)), UpdatedReplicas: int32(len(updated)),
		ReadyReplicas: ready, AvailableReplicas: ready, UnavailableReplicas: max(0, int32(replicas)-ready),
		Conditions: c.available(d.Status.Conditions, int(ready) >= replicas),
	}
	c.put(d)
}

// available is the condition of a Deployment for which kubectl can wait.
func (c *Cluster) available(conditions []metav1.Condition, enough bool) []metav1.Condition {
	condition := metav1.Condition{Type: "Available", Status: metav1.ConditionFalse, Reason: "MinimumReplicasUnavailable", LastTransitionTime: c.now()}
	if enough {
		condition.Status, condition.Reason = metav1.ConditionTrue, "MinimumReplicasAvailable"
	}
	meta.SetStatusCondition(&conditions, condition)
	return conditions
}

// replicaSet notes the Pods of a ReplicaSet.
func (c *Cluster) replicaSet(s *api.ReplicaSet, pods []*corev1.Pod) {
	number := int32(len(pods))
	s.Spec.Replicas = &number
	s.Status = api.DeploymentStatus{ObservedGeneration: s.Generation, Replicas: number, ReadyReplicas: readyIn(pods), AvailableReplicas: readyIn(pods)}
	c.put(s)
}

func readyIn(pods []*corev1.Pod) (n int32) {
	for _, p := range pods {
		if podReady(p) {
			n++
		}
	}
	return n
}

// newReplicaSet makes the owner of the Pods of a version.
func (c *Cluster) newReplicaSet(d *api.Deployment, version string) *api.ReplicaSet {
	selector := cmp.Or(d.Spec.Selector, &metav1.LabelSelector{}).DeepCopy()
	template := *d.Spec.Template.DeepCopy()
	template.Labels = labels.Merge(template.Labels, labels.Set{hashLabel: version})
	made, _ := c.store.Put(&api.ReplicaSet{ // which only fails for a version that is not the latest
		ObjectMeta: metav1.ObjectMeta{
			Namespace: d.Namespace, Name: d.Name + "-" + version, CreationTimestamp: c.now(), Labels: template.Labels,
			OwnerReferences: ownedBy(d),
		},
		Spec: api.DeploymentSpec{Selector: metav1.AddLabelToSelector(selector, hashLabel, version), Template: template},
	})
	return made.(*api.ReplicaSet)
}

func (c *Cluster) create(s *api.ReplicaSet) {
	template := s.Spec.Template
	c.put(&corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.Namespace, Name: s.Name + "-" + c.letters(), CreationTimestamp: c.now(),
			Labels: template.Labels, Annotations: template.Annotations, OwnerReferences: ownedBy(s),
		},
		Spec: template.Spec,
	})
}

// remove lets a Pod terminate.
func (c *Cluster) remove(p *corev1.Pod) {
	p = p.DeepCopy()
	c.terminate(p)
	c.put(p)
}

// terminate says when a Pod will be gone.
func (c *Cluster) terminate(p *corev1.Pod) {
	api.Terminate(p, c.now().Time, api.Grace(p, nil))
}
