package kube

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Selector is a label selector as NetworkPolicies have it. An empty one
// selects everything, unlike a Service's.
type Selector struct {
	Labels      Labels
	Expressions []Requirement
}

// Requirement is one of the matchExpressions of a selector.
type Requirement struct {
	Key, Operator string // In, NotIn, Exists or DoesNotExist
	Values        []string
}

// Matches reports whether the selector selects an object with these labels. An
// operator that podpath does not know selects nothing.
func (s Selector) Matches(object Labels) bool {
	if len(s.Labels) > 0 && !s.Labels.Select(object) {
		return false
	}
	for _, r := range s.Expressions {
		if !r.matches(object) {
			return false
		}
	}
	return true
}

// matches follows the API: NotIn is true of an object without the key, too
// (metav1.LabelSelectorOpNotIn).
func (r Requirement) matches(object Labels) bool {
	value, exists := object.Lookup(r.Key)
	switch metav1.LabelSelectorOperator(r.Operator) {
	case metav1.LabelSelectorOpIn:
		return exists && slices.Contains(r.Values, value)
	case metav1.LabelSelectorOpNotIn:
		return !exists || !slices.Contains(r.Values, value)
	case metav1.LabelSelectorOpExists:
		return exists
	case metav1.LabelSelectorOpDoesNotExist:
		return !exists
	default:
		return false
	}
}

func newSelector(in interner, o metav1.LabelSelector) Selector {
	s := Selector{Labels: newLabels(in, o.MatchLabels)}
	for _, e := range o.MatchExpressions {
		s.Expressions = append(s.Expressions, Requirement{in.text(e.Key), in.text(string(e.Operator)), in.texts(e.Values)})
	}
	return s
}
