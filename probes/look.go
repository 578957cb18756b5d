package probes

import (
	"context"
	"os"

	"podpath/kube"
	"podpath/probes/launch"
)

// Reader reads what a snapshot lacks. *kube.Client is one.
type Reader interface {
	Ingresses(ctx context.Context, scope kube.Scope) ([]*kube.Ingress, error)
	NetworkPolicies(ctx context.Context, scope kube.Scope) ([]*kube.NetworkPolicy, error)
	NamespaceLabels(ctx context.Context) (map[string]kube.Labels, error)
}

// Look completes a snapshot to a World: it reads Ingresses, NetworkPolicies
// and the labels of namespaces, as far as the user may, and finds out whether
// the machine, which podpath runs on, is a Node. What could not be read is in
// World.Unknown.
func Look(ctx context.Context, s *kube.Snapshot, reader Reader, machine launch.Machine) *World {
	here := machine.Addresses()
	w := &World{Snapshot: s, LocalPod: podOf(s, here), LocalNode: nodeOf(s, here, os.Getenv("KUBERNETES_SERVICE_HOST") != ""), Home: s.Scope.Namespace}
	var err error
	if w.Ingresses, err = reader.Ingresses(ctx, s.Scope); err != nil {
		w.Unknown = append(w.Unknown, err)
	}
	if w.Policies, err = reader.NetworkPolicies(ctx, s.Scope); err != nil {
		w.PoliciesUnknown = true
		w.Unknown = append(w.Unknown, err)
	}
	if len(w.Policies) == 0 {
		return w // nothing needs the labels
	}
	if w.NamespaceLabels, err = reader.NamespaceLabels(ctx); err != nil {
		w.Unknown = append(w.Unknown, err)
	}
	return w
}
