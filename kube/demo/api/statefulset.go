package api

import (
	"encoding/json"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// StatefulSet wants a number of Pods, each with a name of its own that stays.
type StatefulSet struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec   StatefulSetSpec   `json:"spec"`
	Status StatefulSetStatus `json:"status"`
}

// StatefulSetSpec is what is wanted. Below the policy are fields that are kept
// for whoever has set them.
type StatefulSetSpec struct {
	DeploymentSpec `json:",inline"`

	ServiceName         string `json:"serviceName,omitempty"`
	PodManagementPolicy string `json:"podManagementPolicy,omitempty"`

	UpdateStrategy                       map[string]any   `json:"updateStrategy,omitempty"`
	VolumeClaimTemplates                 []map[string]any `json:"volumeClaimTemplates,omitempty"`
	PersistentVolumeClaimRetentionPolicy map[string]any   `json:"persistentVolumeClaimRetentionPolicy,omitempty"`
	Ordinals                             map[string]any   `json:"ordinals,omitempty"`
}

// StatefulSetStatus is what there is. A revision is a version of the template.
type StatefulSetStatus struct {
	ObservedGeneration int64  `json:"observedGeneration,omitempty"`
	Replicas           int32  `json:"replicas"`
	ReadyReplicas      int32  `json:"readyReplicas,omitempty"`
	AvailableReplicas  int32  `json:"availableReplicas"`
	CurrentReplicas    int32  `json:"currentReplicas,omitempty"`
	UpdatedReplicas    int32  `json:"updatedReplicas,omitempty"`
	CurrentRevision    string `json:"currentRevision,omitempty"`
	UpdateRevision     string `json:"updateRevision,omitempty"`
}

// UnmarshalJSON is as that of a DeploymentStatus.
func (s *StatefulSetStatus) UnmarshalJSON(text []byte) error {
	type plain StatefulSetStatus
	return json.Unmarshal(text, (*plain)(s))
}

// DeepCopy returns a copy that shares nothing.
func (s *StatefulSet) DeepCopy() *StatefulSet {
	c := *s
	c.ObjectMeta = *s.ObjectMeta.DeepCopy()
	c.Spec.DeploymentSpec = (&Deployment{Spec: s.Spec.DeploymentSpec}).DeepCopy().Spec
	c.Spec.UpdateStrategy = runtime.DeepCopyJSON(s.Spec.UpdateStrategy)
	c.Spec.PersistentVolumeClaimRetentionPolicy = runtime.DeepCopyJSON(s.Spec.PersistentVolumeClaimRetentionPolicy)
	c.Spec.Ordinals = runtime.DeepCopyJSON(s.Spec.Ordinals)
	c.Spec.VolumeClaimTemplates = slices.Clone(s.Spec.VolumeClaimTemplates)
	for i, claim := range c.Spec.VolumeClaimTemplates {
		c.Spec.VolumeClaimTemplates[i] = runtime.DeepCopyJSON(claim)
	}
	return &c
}

// DeepCopyObject is for the store.
func (s *StatefulSet) DeepCopyObject() runtime.Object { return s.DeepCopy() }
