package demo

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"podpath/kube/demo/api"
)

// hashLabel tells the Pods of one version of a Deployment from others.
const hashLabel = appsv1.DefaultDeploymentUniqueLabelKey

// deployments makes the Pods of Deployments, and removes those that have lost
// theirs. There are no ReplicaSets in between: the Pods name one as their owner,
// whose UID begins with that of the Deployment.
func (c *Cluster) deployments() {
	owned := map[string][]*corev1.Pod{}
	for _, p := range api.ListOf[*corev1.Pod](c.store, "pods") {
		if o := controllerOf(p); o.Kind == "ReplicaSet" && p.DeletionTimestamp == nil {
			of, _, _ := strings.Cut(string(o.UID), "/")
			owned[of] = append(owned[of], p)
		}
	}
	for _, d := range api.ListOf[*appsv1.Deployment](c.store, "deployments") {
		c.deployment(d.DeepCopy(), owned[string(d.UID)])
		delete(owned, string(d.UID))
	}
	for _, orphans := range owned {
		for _, p := range orphans {
			c.remove(p)
		}
	}
}

// deployment takes one step of a rolling update: a new Pod while there is at
// most one too many, or the end of one while enough others are ready.
func (c *Cluster) deployment(d *appsv1.Deployment, live []*corev1.Pod) {
	version, replicas := hash(d.Spec.Template), 1
	if d.Spec.Replicas != nil {
		replicas = int(max(0, *d.Spec.Replicas)) // a patch can say anything
	}
	ready, current := 0, 0
	for _, p := range live {
		if podReady(p) {
			ready++
		}
		if p.Labels[hashLabel] == version {
			current++
		}
	}
	switch {
	case current < replicas && len(live) <= replicas:
		c.create(d, version)
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
		if !podReady(worst) || ready > replicas {
			c.remove(worst)
		}
	}
	d.Status = appsv1.DeploymentStatus{
		ObservedGeneration: d.Generation, Replicas: int32(len(live)), UpdatedReplicas: int32(current),
		ReadyReplicas: int32(ready), AvailableReplicas: int32(ready), UnavailableReplicas: int32(max(0, replicas-ready)),
	}
	c.put(d)
}

func (c *Cluster) create(d *appsv1.Deployment, version string) {
	template, set := d.Spec.Template.DeepCopy(), d.Name+"-"+version
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: d.Namespace, Name: set + "-" + c.letters(), CreationTimestamp: c.now(), Labels: map[string]string{},
			Annotations: template.Annotations, OwnerReferences: owner("apps/v1", "ReplicaSet", set, d.UID+types.UID("/"+version)),
		},
		Spec: template.Spec,
	}
	maps.Copy(p.Labels, template.Labels)
	p.Labels[hashLabel] = version
	c.put(p)
}

// remove lets a Pod terminate.
func (c *Cluster) remove(p *corev1.Pod) {
	p = p.DeepCopy()
	c.terminate(p)
	c.put(p)
}

// terminate says when a Pod will be gone.
func (c *Cluster) terminate(p *corev1.Pod) {
	grace := int64(30) // the default of the API
	if p.Spec.TerminationGracePeriodSeconds != nil {
		grace = *p.Spec.TerminationGracePeriodSeconds
	}
	p.DeletionGracePeriodSeconds = &grace
	p.DeletionTimestamp = new(metav1.NewTime(c.now().Add(time.Duration(grace) * time.Second)))
}
