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
	ServiceNamed(ctx context.Context, name string) (key kube.Key, ok bool, err error)
	PodAt(ctx context.Context, address string) (key kube.Key, ok bool, err error)
	PodSelected(ctx context.Context, selector kube.Labels) (key kube.Key, ok bool, err error)
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
	first := intent.Namespaces(w)
	for _, elsewhere := range first {
		look.into(ctx, elsewhere)
	}
	for _, elsewhere := range intent.Namespaces(w) { // what was read may be another name for what lies there
		if !slices.Contains(first, elsewhere) {
			look.into(ctx, elsewhere)
		}
	}
	look.strangers(ctx, intent.Strangers(w))
	look.elsewhere(ctx, intent)
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

// strangers reads the namespaces of the Services and Pods that have some
// addresses.
func (l looking) strangers(ctx context.Context, addresses []string) {
	for _, address := range addresses {
		service, isService, err := l.reader.ServiceAt(ctx, address)
		if err != nil || l.found(ctx, service, isService) {
			continue
		}
		if pod, isPod, err := l.reader.PodAt(ctx, address); err == nil && !l.found(ctx, pod, isPod) {
			l.Nobody = append(l.Nobody, address)
		}
	}
}

// elsewhere reads the namespaces that have what targets lack in theirs: the
// Service of a name, or Pods for a selector. Who may not look there is told
// nothing.
func (l looking) elsewhere(ctx context.Context, intent path.Intent) {
	for _, name := range intent.Names(l.World) {
		if key, ok, err := l.reader.ServiceNamed(ctx, name); err == nil {
			l.found(ctx, key, ok)
		}
	}
	for _, selector := range intent.Selectors(l.World) {
		if key, ok, err := l.reader.PodSelected(ctx, selector); err == nil {
			l.found(ctx, key, ok)
		}
	}
}

// found reads the namespace of what was found in another one, and reports
// whether anything was.
func (l looking) found(ctx context.Context, key kube.Key, ok bool) bool {
	if ok && key.Namespace != l.Scope.Namespace && l.Looked[key.Namespace] == nil {
		l.into(ctx, path.Elsewhere{Namespace: key.Namespace})
	}
	return ok
}

// into reads another namespace, if there is one of the name.
func (l looking) into(ctx context.Context, e path.Elsewhere) {
	namespace := e.Namespace
	switch exists, err := l.reader.NamespaceExists(ctx, namespace); {
	case err == nil && !exists:
		l.Absent = append(l.Absent, namespace)
		return
	case err != nil && e.Guessed:
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
