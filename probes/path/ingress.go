package path

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"podpath/kube"
)

// ingressAt is the Ingress of a path, or nil.
func (w *World) ingressAt(p Path) *kube.Ingress {
	i := slices.IndexFunc(w.Ingresses, func(i *kube.Ingress) bool { return i.Key() == p.Ingress })
	if i < 0 {
		return nil
	}
	return w.Ingresses[i]
}

func (k kase) ingressWithoutAddress() *Cause {
	if k.Path.Ingress.Name == "" || k.Kind != Status {
		return nil
	}
	return &Cause{
		Summary:  fmt.Sprintf("No controller has given Ingress %s an address.", k.Path.Ingress.Name),
		Evidence: []Evidence{{What: "ingress/" + k.Path.Ingress.Name, Where: k.Path.Ingress.Namespace, Seen: "its status is empty"}},
		Next:     run("is there a class, and a controller for it?", "kubectl", "get", "ingressclass"),
	}
}

// ingressNoRule is a request that came to a controller, and that no rule takes.
// The rule that nearly does is named.
func (k kase) ingressNoRule() *Cause {
	if k.Ask.HTTP == nil || k.Status != http.StatusNotFound || k.Error != BadStatus || k.Path.Ingress.Name != "" {
		return nil
	}
	host := serverName(k.Ask.HTTP.Host)
	path, _, _ := strings.Cut(k.Ask.HTTP.Path, "?")
	address := serverName(k.Address)
	for _, ofHost := range []bool{true, false} { // a rule of the host is nearer than one of the path
		for _, i := range k.Ingresses {
			for _, r := range i.Rules {
				near := nearly(r, host, path, ofHost)
				if near == "" || !slices.Contains(i.Addresses, address) {
					continue
				}
				return &Cause{
					Summary:  fmt.Sprintf("The Ingress controller answers 404 itself: no rule takes %s%s. Ingress %s nearly does: %s.", host, path, i.Name, near),
					Evidence: []Evidence{k.seenAs(k.Detail)}, Next: run("", "kubectl", "describe", "ingress", "-n", i.Namespace, i.Name),
				}
			}
		}
	}
	return nil
}

// nearly says how a rule that does not take a request would: by its host, or
// by its path.
func nearly(r kube.IngressRule, host, path string, ofHost bool) string {
	switch {
	case ofHost && fits(r.Host, host):
		return fmt.Sprintf("it has the path %s (%s) of this host, not %s", r.Path, r.PathType, path)
	case !ofHost && leads(r, path):
		return fmt.Sprintf("it is for the host %s, not %s", r.Host, host)
	default:
		return ""
	}
}

// ingressBackend is an Ingress that sends to a Service, or a port of one, that
// there is not.
func (k kase) ingressBackend() *Cause {
	i := k.ingressAt(k.Path)
	if i == nil || k.Kind == Status || k.Error == NoError || k.Ask.HTTP == nil {
		return nil
	}
	path, _, _ := strings.Cut(k.Ask.HTTP.Path, "?")
	rule, ok := ruleFor(i, serverName(k.Ask.HTTP.Host), path)
	missing := k.missing(i, rule.Backend)
	if !ok || missing == "" {
		return nil
	}
	return &Cause{
		Summary:  fmt.Sprintf("Ingress %s sends to what does not exist: %s.", i.Name, missing),
		Evidence: k.failedHere(), Next: run("", "kubectl", "describe", "ingress", "-n", i.Namespace, i.Name),
	}
}

// missing says that the Service or the port that an Ingress sends to does not
// exist, or "".
func (w *World) missing(i *kube.Ingress, b kube.Backend) string {
	if b.Service == "" {
		return ""
	}
	svc := w.Service(kube.Key{Namespace: i.Namespace, Name: b.Service})
	if svc == nil {
		return fmt.Sprintf("there is no Service %s in namespace %s", b.Service, i.Namespace)
	}
	if _, ok := backendPort(svc, b); !ok && svc.Kind != kube.ExternalName {
		return fmt.Sprintf("%s has no such port; it has %s", backend(b), list(names(svc.Ports, kube.ServicePort.String)))
	}
	return ""
}

func backend(b kube.Backend) string {
	switch {
	case b.Service == "":
		return "a backend that is no Service"
	case b.PortName != "":
		return fmt.Sprintf("Service %s, port %s", b.Service, b.PortName)
	default:
		return fmt.Sprintf("Service %s, port %d", b.Service, b.Port)
	}
}
