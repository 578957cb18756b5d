package kube

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Ingress is what podpath keeps of an Ingress.
type Ingress struct {
	Namespace, Name string
	// Class is spec.ingressClassName, or the older annotation
	// kubernetes.io/ingress.class; empty for the cluster's default.
	Class string
	// Default takes what no rule matches; nil when there is none.
	Default *Backend
	Rules   []IngressRule
	TLS     []IngressTLS
	// Addresses are where the controller says that it listens: IP addresses and
	// names.
	Addresses []string
}

// Key returns the Ingress's namespace and name.
func (i *Ingress) Key() Key { return Key{i.Namespace, i.Name} }

// IngressRule is one path of one host.
type IngressRule struct {
	Host     string // empty for every host; may begin with "*."
	Path     string // empty for every path
	PathType string // Exact, Prefix or ImplementationSpecific
	Backend  Backend
}

// Backend is where an Ingress sends requests to.
type Backend struct {
	// Service is the name of a Service in the Ingress's namespace; empty for a
	// backend of another kind.
	Service string
	// PortName or Port says which of its ports.
	PortName string
	Port     int
}

// IngressTLS says which Secret has the certificate of which hosts.
type IngressTLS struct {
	Hosts  []string
	Secret string
}

// Ingresses lists the Ingresses of the scope. The error is an *AccessError
// when the user may not.
func (c *Client) Ingresses(ctx context.Context, scope Scope) ([]*Ingress, error) {
	ctx, cancel := c.deadline(ctx)
	defer cancel()
	access := Access{Verb: "list", Group: networkingv1.GroupName, Resource: "ingresses", Namespace: scope.Namespace}
	if scope.All() {
		if err := c.everywhere(ctx, access); err != nil {
			return nil, err
		}
	}
	var list networkingv1.IngressList
	err := c.networking.Get().Namespace(scope.Namespace).Resource(access.Resource).
		VersionedParams(&metav1.ListOptions{}, metav1.ParameterCodec).Do(ctx).Into(&list)
	if err != nil {
		return nil, access.refusal(err)
	}
	in, out := interner{}, make([]*Ingress, len(list.Items))
	for i := range list.Items {
		out[i] = newIngress(in, &list.Items[i])
	}
	return out, nil
}

func newIngress(in interner, o *networkingv1.Ingress) *Ingress {
	i := &Ingress{Namespace: in.text(o.Namespace), Name: Clean(o.Name), Class: in.text(o.Annotations["kubernetes.io/ingress.class"])}
	if o.Spec.IngressClassName != nil {
		i.Class = in.text(*o.Spec.IngressClassName)
	}
	if o.Spec.DefaultBackend != nil {
		b := newBackend(in, o.Spec.DefaultBackend)
		i.Default = &b
	}
	for _, rule := range o.Spec.Rules {
		if rule.HTTP == nil { // everything of this host goes to the default
			if i.Default != nil {
				i.Rules = append(i.Rules, IngressRule{Host: in.text(rule.Host), Backend: *i.Default})
			}
			continue
		}
		for _, path := range rule.HTTP.Paths {
			kept := IngressRule{Host: in.text(rule.Host), Path: in.text(path.Path), Backend: newBackend(in, &path.Backend)}
			if path.PathType != nil {
				kept.PathType = in.text(string(*path.PathType))
			}
			i.Rules = append(i.Rules, kept)
		}
	}
	for _, tls := range o.Spec.TLS {
		i.TLS = append(i.TLS, IngressTLS{Hosts: in.texts(tls.Hosts), Secret: in.text(tls.SecretName)})
	}
	for _, at := range o.Status.LoadBalancer.Ingress {
		for _, address := range []string{at.IP, at.Hostname} {
			if address != "" {
				i.Addresses = append(i.Addresses, Clean(address))
			}
		}
	}
	return i
}

func newBackend(in interner, o *networkingv1.IngressBackend) Backend {
	if o.Service == nil {
		return Backend{}
	}
	return Backend{in.text(o.Service.Name), in.text(o.Service.Port.Name), int(o.Service.Port.Number)}
}

// NamespaceLabels lists the labels of all namespaces, which the selectors of
// NetworkPolicies need. The error is an *AccessError when the user may not.
func (c *Client) NamespaceLabels(ctx context.Context) (map[string]Labels, error) {
	ctx, cancel := c.deadline(ctx)
	defer cancel()
	access := Access{Verb: "list", Resource: Namespaces.String()}
	if err := c.everywhere(ctx, access); err != nil {
		return nil, err
	}
	var list corev1.NamespaceList
	err := c.core.Get().Resource(access.Resource).VersionedParams(&metav1.ListOptions{}, metav1.ParameterCodec).Do(ctx).Into(&list)
	if err != nil {
		return nil, access.refusal(err)
	}
	in, out := interner{}, make(map[string]Labels, len(list.Items))
	for _, o := range list.Items {
		out[in.text(o.Name)] = newLabels(in, o.Labels)
	}
	return out, nil
}
