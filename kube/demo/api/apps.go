package api

import (
	"encoding/json"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// apps is the group of Deployments, ReplicaSets and StatefulSets. Its package in k8s.io/api
// makes the program 0.3 MB larger. The types here have the same fields, and are
// encoded as JSON only, as custom resources are: clients who prefer protobuf
// name JSON as well.
var apps = schema.GroupVersion{Group: "apps", Version: "v1"}

func addApps(s *runtime.Scheme) error {
	s.AddKnownTypes(apps, &Deployment{}, &ReplicaSet{}, &StatefulSet{})
	s.AddKnownTypeWithName(apps.WithKind("DeploymentList"), &appsList[Deployment]{})
	s.AddKnownTypeWithName(apps.WithKind("ReplicaSetList"), &appsList[ReplicaSet]{})
	s.AddKnownTypeWithName(apps.WithKind("StatefulSetList"), &appsList[StatefulSet]{})
	metav1.AddToGroupVersion(s, apps)
	return nil
}

// Deployment wants a number of like Pods.
type Deployment struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec   DeploymentSpec   `json:"spec"`
	Status DeploymentStatus `json:"status"`
}

// DeploymentSpec is what is wanted. Below the template are fields that are kept
// for whoever has set them.
type DeploymentSpec struct {
	Replicas *int32                 `json:"replicas,omitempty"`
	Selector *metav1.LabelSelector  `json:"selector,omitempty"`
	Template corev1.PodTemplateSpec `json:"template"`

	Strategy                map[string]any `json:"strategy,omitempty"`
	MinReadySeconds         int32          `json:"minReadySeconds,omitempty"`
	RevisionHistoryLimit    *int32         `json:"revisionHistoryLimit,omitempty"`
	ProgressDeadlineSeconds *int32         `json:"progressDeadlineSeconds,omitempty"`
	Paused                  bool           `json:"paused,omitempty"`
}

// DeploymentStatus is what there is.
type DeploymentStatus struct {
	ObservedGeneration  int64 `json:"observedGeneration,omitempty"`
	Replicas            int32 `json:"replicas"`
	UpdatedReplicas     int32 `json:"updatedReplicas,omitempty"`
	ReadyReplicas       int32 `json:"readyReplicas,omitempty"`
	AvailableReplicas   int32 `json:"availableReplicas,omitempty"`
	UnavailableReplicas int32 `json:"unavailableReplicas,omitempty"`

	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// UnmarshalJSON lets manifests that come from another cluster have fields that
// there are not here: what they say is not kept anyway.
func (s *DeploymentStatus) UnmarshalJSON(text []byte) error {
	type plain DeploymentStatus
	return json.Unmarshal(text, (*plain)(s))
}

// ReplicaSet is one version of a Deployment.
type ReplicaSet Deployment

// DeepCopy returns a copy that shares nothing.
func (d *Deployment) DeepCopy() *Deployment {
	c := *d
	c.ObjectMeta = *d.ObjectMeta.DeepCopy()
	d.Spec.Template.DeepCopyInto(&c.Spec.Template)
	c.Spec.Selector = d.Spec.Selector.DeepCopy()
	c.Spec.Strategy = runtime.DeepCopyJSON(d.Spec.Strategy)
	c.Status.Conditions = slices.Clone(d.Status.Conditions)
	for _, number := range []**int32{&c.Spec.Replicas, &c.Spec.RevisionHistoryLimit, &c.Spec.ProgressDeadlineSeconds} {
		if *number != nil {
			*number = new(**number)
		}
	}
	return &c
}

// DeepCopyObject is for the store.
func (d *Deployment) DeepCopyObject() runtime.Object { return d.DeepCopy() }

// DeepCopy returns a copy that shares nothing.
func (s *ReplicaSet) DeepCopy() *ReplicaSet { return (*ReplicaSet)((*Deployment)(s).DeepCopy()) }

// DeepCopyObject is for the store.
func (s *ReplicaSet) DeepCopyObject() runtime.Object { return s.DeepCopy() }

// appsList is a list of Deployments, ReplicaSets or StatefulSets.
type appsList[T any] struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`

	Items []T `json:"items"`
}

// DeepCopyObject copies the list, and not what is in it: nobody asks for more.
func (l *appsList[T]) DeepCopyObject() runtime.Object {
	c := *l
	c.Items = slices.Clone(l.Items)
	return &c
}
