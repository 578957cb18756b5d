package network

import (
	"net"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// ingressClass is the class that the Ingress controller serves.
const ingressClass = "nginx"

// backend finds where the Ingresses send a host and path to: the endpoints of a
// Service that are ready, none when there is no such Service or port. Of several
// paths the longest wins.
func (v *view) backend(host, path string) (ready []endpoint, matched bool) {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	var best *networkingv1.IngressBackend
	namespace, length := "", -1
	consider := func(i *networkingv1.Ingress, b *networkingv1.IngressBackend, size int) {
		if b != nil && size > length {
			best, namespace, length = b, i.Namespace, size
		}
	}
	for _, i := range v.ingresses {
		if value(i.Spec.IngressClassName) != ingressClass {
			continue
		}
		consider(i, i.Spec.DefaultBackend, 0)
		for _, rule := range i.Spec.Rules {
			_, domain, _ := strings.Cut(host, ".")
			if rule.HTTP == nil || rule.Host != "" && rule.Host != host && rule.Host != "*."+domain {
				continue
			}
			for _, p := range rule.HTTP.Paths {
				if p.Path == path || value(p.PathType) != networkingv1.PathTypeExact && within(path, p.Path) {
					consider(i, &p.Backend, 1+len(p.Path)+100*len(rule.Host))
				}
			}
		}
	}
	if best == nil || best.Service == nil {
		return nil, best != nil
	}
	port := best.Service.Port
	for _, s := range v.services {
		if s.Namespace != namespace || s.Name != best.Service.Name {
			continue
		}
		i := slices.IndexFunc(s.Spec.Ports, func(p corev1.ServicePort) bool {
			return port.Name != "" && p.Name == port.Name || port.Number != 0 && p.Port == port.Number
		})
		if i >= 0 {
			return slices.DeleteFunc(v.endpoints(s, s.Spec.Ports[i]), func(e endpoint) bool { return !e.ready }), true
		}
	}
	return nil, true
}

// within reports whether a path is below a prefix, element by element.
func within(path, prefix string) bool {
	prefix = strings.TrimSuffix(prefix, "/")
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}
