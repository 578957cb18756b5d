package path

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
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
	c := &Cause{
		Summary:  fmt.Sprintf("No controller has given Ingress %s an address.", k.Path.Ingress.Name),
		Evidence: []Evidence{{What: "ingress/" + k.Path.Ingress.Name, Where: k.Path.Ingress.Namespace, Seen: "its status is empty"}},
		Next:     run("is there a class, and a controller for it?", "kubectl", "get", "ingressclass"),
	}
	if i := k.ingressAt(k.Path); i != nil {
		served := slices.DeleteFunc(slices.Clone(k.Ingresses), func(other *kube.Ingress) bool { return len(other.Addresses) == 0 })
		c.Summary = fmt.Sprintf("No controller has given Ingress %s an address: %s.", i.Name, classes(i, served, "those that a controller serves are of "))
	}
	return c
}

// ingressNoRule is a request that came to a controller, and that no rule takes.
// The rule that nearly does is named.
func (k kase) ingressNoRule() *Cause {
	if k.Ask.HTTP == nil || k.Status != http.StatusNotFound || k.Error != BadStatus {
		return nil
	}
	if i := k.ingressAt(k.Path); i != nil && len(i.Addresses) > 0 {
		return nil // its rule took it
	}
	host := serverName(k.Ask.HTTP.Host)
	path, _, _ := strings.Cut(k.Ask.HTTP.Path, "?")
	i, near := k.nearestRule(host, path, serverName(k.Address))
	if i == nil {
		return nil
	}
	return &Cause{
		Summary:  fmt.Sprintf("The Ingress controller answers 404 itself: no rule takes %s%s. Ingress %s nearly does: %s.", host, path, i.Name, near),
		Evidence: []Evidence{k.seenAs(k.Detail)}, Next: run("", "kubectl", "describe", "ingress", "-n", i.Namespace, i.Name),
	}
}

// nearestRule finds the Ingress with the rule that nearly takes a request to a
// controller, and says how: one that no controller serves is nearer than one
// of the host, and that nearer than one of the path.
func (w *World) nearestRule(host, path, controller string) (*kube.Ingress, string) {
	var served []*kube.Ingress
	for _, i := range w.Ingresses {
		if slices.Contains(i.Addresses, controller) {
			served = append(served, i)
		}
	}
	for _, i := range w.Ingresses {
		if _, ok := ruleFor(i, host, path); ok && len(i.Addresses) == 0 {
			return i, "it has this host and path, but no controller has given it an address; " + classes(i, served, "the controller that answered serves ")
		}
	}
	for _, i := range served {
		for _, r := range i.Rules {
			if fits(r.Host, host) {
				return i, fmt.Sprintf("it has the path %s (%s) of this host, not %s", r.Path, r.PathType, path)
			}
		}
	}
	return w.nearestHost(served, host, path)
}

// nearestHost finds the Ingress with a rule for a path and another host: one
// that is called nearly so, else one of the namespace that podpath looks at.
func (w *World) nearestHost(served []*kube.Ingress, host, path string) (found *kube.Ingress, says string) {
	const nobody = 3
	best := nobody
	for _, i := range served {
		for _, r := range i.Rules {
			if !leads(r, path) {
				continue
			}
			far := 2
			if _, near := distance(r.Host, host); near {
				far = 0
			} else if i.Namespace == w.Home {
				far = 1
			}
			if far < best {
				best, found, says = far, i, fmt.Sprintf("it is for the host %s, not %s", r.Host, host)
			}
		}
	}
	return found, says
}

// classes says of which class an Ingress is that nobody serves, and of which
// those are that a controller serves.
func classes(i *kube.Ingress, served []*kube.Ingress, by string) string {
	class := func(i *kube.Ingress) string { return cmp.Or(i.Class, "the default") }
	says := "its class is " + class(i)
	theirs := names(served, class)
	slices.Sort(theirs)
	if theirs = slices.Compact(theirs); len(theirs) > 0 {
		says += ", and " + by + list(theirs)
	}
	return says
}

// ingressBackend is an Ingress that sends to a Service, or a port of one, that
// there is not.
func (k kase) ingressBackend() *Cause {
	i := k.ingressAt(k.Path)
	if i == nil || k.Kind == Status || k.Error == NoError || k.Ask.HTTP == nil || k.Stage == StageResolve {
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
		return fmt.Sprintf("there is no Service %s in namespace %s%s", b.Service, i.Namespace, w.nearBackend(i, b))
	}
	if _, ok := backendPort(svc, b); ok || svc.Kind == kube.ExternalName {
		return ""
	}
	says := fmt.Sprintf("%s has no such port; it has %s", backend(b), list(names(svc.Ports, kube.ServicePort.String)))
	for _, sp := range svc.Ports {
		if b.Port != 0 && sp.TargetPort == strconv.Itoa(b.Port) || b.PortName != "" && sp.TargetPort == b.PortName {
			says += fmt.Sprintf(": %s is the port of its Pods, and an Ingress takes that of the Service, %d", sp.TargetPort, sp.Port)
		}
	}
	return says
}

// nearBackend says where there is the Service that an Ingress sends to, or
// which one is called nearly so.
func (w *World) nearBackend(i *kube.Ingress, b kube.Backend) string {
	for _, svc := range w.Services {
		if svc.Name == b.Service {
			return fmt.Sprintf(", but one in %s: an Ingress sends to Services of its own namespace only", svc.Namespace)
		}
	}
	return w.called(kube.Key{Namespace: i.Namespace, Name: b.Service})
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
