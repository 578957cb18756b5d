package probes

import (
	"context"
	"fmt"
	"os"
	"slices"

	"podpath/kube"
	"podpath/probes/launch"
	"podpath/probes/path"
)

// Reader reads what a snapshot lacks. *kube.Client is one.
type Reader interface {
	Ingresses(ctx context.Context, scope kube.Scope) ([]*kube.Ingress, error)
	NetworkPolicies(ctx context.Context, scope kube.Scope) ([]*kube.NetworkPolicy, error)
	NamespaceLabels(ctx context.Context) (map[string]kube.Labels, error)
	NamespaceExists(ctx context.Context, name string) (bool, error)
	ReadNamespace(ctx context.Context, namespace string) (*kube.Snapshot, error)
	ServiceAt(ctx context.Context, clusterIP string) (key kube.Key, ok bool, err error)
	PolicyEngines(ctx context.Context) ([]string, error)
}

// Look completes a snapshot to a World: it reads Ingresses, NetworkPolicies
// and the labels of namespaces, as far as the user may, and finds out whether
// the machine, which podpath runs on, is a Node. Where the targets of the intent
// lie in other namespaces, those are read, too. What could not be read is in
// World.Unknown.
func Look(ctx context.Context, s *kube.Snapshot, reader Reader, machine launch.Machine, intent path.Intent) *path.World {
	here := machine.Addresses()
	w := &path.World{
		Snapshot: s, Here: here, LocalPod: path.PodOf(s, here), LocalNode: path.NodeOf(s, here, os.Getenv("KUBERNETES_SERVICE_HOST") != ""),
		Home: s.Scope.Namespace, Looked: map[string]*kube.Snapshot{},
	}
	w.Engines, _ = reader.PolicyEngines(ctx) // without them there is only less to say
	look := looking{w, reader}
	look.complete(ctx, s.Scope)
	w.Ingresses = append(w.Ingresses, look.foreignIngresses(ctx, intent)...)
	for _, elsewhere := range intent.Namespaces(w) {
		look.into(ctx, elsewhere)
	}
	look.strangers(ctx, intent.Strangers(w))
	if len(w.Policies) == 0 {
		return w // nothing needs the labels
	}
	var err error
	if w.NamespaceLabels, err = reader.NamespaceLabels(ctx); err != nil {
		w.Unknown = append(w.Unknown, err)
	}
	return w
}

// looking completes a World.
type looking struct {
	*path.World
	reader Reader
}

// complete reads what the snapshot of a scope lacks.
func (l looking) complete(ctx context.Context, scope kube.Scope) {
	ingresses, err := l.reader.Ingresses(ctx, scope)
	l.Ingresses = append(l.Ingresses, ingresses...)
	if err != nil {
		l.Unknown = append(l.Unknown, err)
	}
	policies, err := l.reader.NetworkPolicies(ctx, scope)
	l.Policies = append(l.Policies, policies...)
	if err != nil {
		l.PoliciesUnknown = true
		l.Unknown = append(l.Unknown, err)
	}
}

// strangers reads the namespaces of the Services that have some addresses.
func (l looking) strangers(ctx context.Context, addresses []string) {
	for _, address := range addresses {
		if key, ok, err := l.reader.ServiceAt(ctx, address); err == nil && ok && l.Looked[key.Namespace] == nil {
			l.into(ctx, path.Elsewhere{Namespace: key.Namespace})
		}
	}
}

// into reads another namespace, if there is one of the name.
func (l looking) into(ctx context.Context, e path.Elsewhere) {
	namespace := e.Namespace
	if exists, err := l.reader.NamespaceExists(ctx, namespace); err == nil && !exists || err != nil && e.Guessed {
		return
	}
	found, err := l.reader.ReadNamespace(ctx, namespace)
	if err != nil {
		l.Unknown = append(l.Unknown, fmt.Errorf("read namespace %s: %w", namespace, err))
		return
	}
	l.Looked[namespace] = found
	if err := found.Failure(kube.Pods, kube.Services, kube.EndpointSlices); err != nil {
		l.Unknown = append(l.Unknown, err)
	}
	l.Snapshot = kube.Merge(l.Snapshot, found)
	l.complete(ctx, kube.Scope{Namespace: namespace})
}

// foreignIngresses are those of other namespaces that the URLs of an intent may
// be for. Who may not list them is told nothing: most hosts are no Ingress'.
func (l looking) foreignIngresses(ctx context.Context, intent path.Intent) []*kube.Ingress {
	if l.Scope.All() || !intent.HasHosts(l.World) {
		return nil
	}
	all, err := l.reader.Ingresses(ctx, kube.Scope{})
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(all, func(i *kube.Ingress) bool { return i.Namespace == l.Scope.Namespace })
}
