package probes

import (
	"fmt"
	"slices"

	"podpath/kube"
)

// dnsDown is a DNS server that does not answer at all.
func (k kase) dnsDown() *Cause {
	down := func(e ErrorKind) bool { return lost(e) || e == Refused }
	if k.Stage != StageResolve || !down(k.Error) || k.Kind == Env || k.Kind == Status || k.unknown("") {
		return nil
	}
	lookups := k.others(k.all.at[k.Address], func(r *Result) bool { return r.Kind == DNS })
	if slices.ContainsFunc(lookups, func(r *Result) bool { return !down(r.Error) }) {
		return nil
	}
	c := &Cause{
		Code: DNSDown, Summary: fmt.Sprintf("The cluster's DNS at %s does not answer any question.", k.Address),
		Evidence: []string{fmt.Sprintf("%d of %d lookups there failed: %s", len(lookups)+1, len(lookups)+1, k.Error)},
		Next:     "kubectl get pods -n kube-system -l k8s-app=kube-dns",
	}
	if svc := k.Service(kube.Key{Namespace: "kube-system", Name: "kube-dns"}); svc != nil {
		c.Evidence = append(c.Evidence, fmt.Sprintf("Service kube-dns has %d of %d endpoints ready", svc.Counts.Ready, svc.Counts.Total))
	}
	return c
}

func (k kase) externalName() *Cause {
	svc := k.Service(k.About.Service)
	if svc == nil || svc.Kind != kube.ExternalName || k.Kind != DNS || k.Error != NXDomain && k.Error != NoData && k.Error != ServFail {
		return nil
	}
	return &Cause{
		Code: ExternalNameUnknown, Summary: fmt.Sprintf("Service %s stands for the name %s, which the cluster's DNS cannot resolve.", svc.Name, svc.ExternalName),
		Evidence: k.Asked, Next: fmt.Sprintf("kubectl describe service -n %s %s", svc.Namespace, svc.Name),
	}
}

func (k kase) ingressWithoutAddress() *Cause {
	if k.About.Ingress == (kube.Key{}) || k.Kind != Status {
		return nil
	}
	return &Cause{
		Code: IngressNoAddress, Summary: fmt.Sprintf("No controller has given Ingress %s an address.", k.About.Ingress.Name),
		Evidence: []string{"its status is empty"}, Next: "kubectl get ingressclass; kubectl get pods -A | grep -i ingress",
	}
}

// ingressBackend is an Ingress that sends to a Service, or a port of one, that
// there is not.
func (k kase) ingressBackend() *Cause {
	i := slices.IndexFunc(k.Ingresses, func(i *kube.Ingress) bool { return i.Key() == k.About.Ingress })
	if i < 0 || k.Kind == Status {
		return nil
	}
	ingress := k.Ingresses[i]
	for _, rule := range append(slices.Clone(ingress.Rules), defaultRule(ingress)...) {
		if rule.Backend.Service == "" || rule.Backend.Service != k.About.Service.Name {
			continue
		}
		missing := k.missing(ingress, rule.Backend)
		if missing == "" {
			continue
		}
		return &Cause{
			Code: IngressBackendMissing, Summary: fmt.Sprintf("Ingress %s sends to what does not exist: %s.", ingress.Name, missing),
			Evidence: []string{fmt.Sprintf("%s: %s %s", k.Target, k.Error, k.Detail)}, Next: fmt.Sprintf("kubectl describe ingress -n %s %s", ingress.Namespace, ingress.Name),
		}
	}
	return nil
}

func defaultRule(i *kube.Ingress) []kube.IngressRule {
	if i.Default == nil {
		return nil
	}
	return []kube.IngressRule{{Backend: *i.Default}}
}
