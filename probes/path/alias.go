package path

import (
	"fmt"
	"net/netip"
	"strings"

	"podpath/kube"
)

// mostAliases is how far a chain of names is followed. The cluster's DNS gives
// up sooner or later, too.
const mostAliases = 8

// behindAlias finds the Service of this cluster that an ExternalName Service
// stands for in the end; nil for none, as where they stand for each other.
func (w *World) behindAlias(s Source, svc *kube.Service) *kube.Service {
	for range mostAliases {
		m := w.aliasOf(s, svc)
		next := w.Service(m.Service)
		switch {
		case next == nil || !m.OfCluster() || m.Host != "":
			return nil
		case next.Kind != kube.ExternalName:
			return next
		}
		svc = next
	}
	return nil
}

// aliasOf is what an externalName means. It is a whole name: no search list
// completes it.
func (w *World) aliasOf(s Source, svc *kube.Service) Meaning {
	return w.Mean(s, strings.TrimSuffix(svc.ExternalName, ".")+".")
}

// externalNameAddress is an ExternalName Service with an address: what it says
// is taken for a name (CNAME), and no name looks like an address.
func (k kase) externalNameAddress() *Cause {
	svc := k.service(k.Path)
	if svc == nil || svc.Kind != kube.ExternalName || !k.unresolved() {
		return nil
	}
	if _, err := netip.ParseAddr(strings.TrimSuffix(svc.ExternalName, ".")); err != nil {
		return nil
	}
	return &Cause{
		Summary:  fmt.Sprintf("Service %s is an ExternalName for %s, which is an address: DNS takes it for a name, and there is none.", svc.Name, svc.ExternalName),
		Evidence: append([]Evidence{{What: "svc/" + svc.Name, Where: svc.Namespace, Seen: "externalName: " + svc.ExternalName}}, k.answers()...),
		Next:     run("make it a Service without selector and an EndpointSlice with the address", "kubectl", "edit", "service", "-n", svc.Namespace, svc.Name),
	}
}

// externalNameUnknown is an ExternalName Service for a name that there is not.
// The name that it would be is said.
func (k kase) externalNameUnknown() *Cause {
	svc := k.service(k.Path)
	if svc == nil || svc.Kind != kube.ExternalName || !k.unresolved() || k.Error != NXDomain && k.Error != NoData && k.Error != ServFail {
		return nil
	}
	why, right := k.whyNoAlias(svc)
	c := &Cause{
		Summary:  fmt.Sprintf("Service %s stands for the name %s, which the cluster's DNS cannot resolve%s.", svc.Name, svc.ExternalName, why),
		Evidence: k.answers(), Next: describe(svc),
	}
	if right != "" {
		c.Next = run("set externalName to "+right, "kubectl", "edit", "service", "-n", svc.Namespace, svc.Name)
	}
	return c
}

// whyNoAlias says why there is no such name as an ExternalName Service stands
// for, and the one that it would be, as far as that is known.
func (k kase) whyNoAlias(svc *kube.Service) (why, right string) {
	text := strings.ToLower(strings.TrimSuffix(svc.ExternalName, "."))
	m := k.aliasOf(k.Source, svc)
	switch next := k.Service(m.Service); {
	case m.OfCluster() && next != nil && next.Kind == kube.ExternalName && m.Host == "" && k.circles(svc):
		return ": it leads in a circle, back to Service " + k.name(next.Key()), ""
	case m.OfCluster() && next == nil && k.knowsServices(m.Service.Namespace):
		instead, _ := k.instead(m)
		return fmt.Sprintf(": there is no Service %s in namespace %s%s", m.Service.Name, m.Service.Namespace, instead), ""
	case m.OfCluster():
		return k.emptyAlias(m, next), ""
	}
	short := k.Mean(Source{Kind: FromPod, Pod: svc.Key()}, text) // as a Pod of the namespace would have it
	if short.Service.Name == "" || short.Host != "" || k.Service(short.Service) == nil {
		return "", ""
	}
	domain := k.domain()
	right = fmt.Sprintf("%s.%s.svc.%s", short.Service.Name, short.Service.Namespace, domain)
	if short.Zone != "" {
		return fmt.Sprintf(": this cluster's domain is %s, and the name would be %s", domain, right), right
	}
	return ": it is taken as it stands, no search list completes it, and the whole name would be " + right, right
}

// emptyAlias says why a name of the cluster has no address though its Service is
// there: it is headless, and its name is its endpoints; or "".
func (k kase) emptyAlias(m Meaning, svc *kube.Service) string {
	switch {
	case svc == nil || svc.Kind != kube.Headless:
		return ""
	case m.Host != "" && (k.member(m.Service, m.Host) == nil || !k.member(m.Service, m.Host).Ready):
		return fmt.Sprintf(": Service %s has no member %s that is ready", svc.Name, m.Host)
	case m.Host == "" && len(expectHeadless(svc).Values) == 0:
		return fmt.Sprintf(": Service %s is headless, and has no endpoint that is ready", svc.Name)
	}
	return ""
}

// circles reports that the names behind an ExternalName Service come back to
// one of them.
func (k kase) circles(svc *kube.Service) bool {
	seen := map[kube.Key]bool{}
	for svc != nil && svc.Kind == kube.ExternalName {
		if seen[svc.Key()] {
			return true
		}
		seen[svc.Key()] = true
		svc = k.Service(k.aliasOf(k.Source, svc).Service)
	}
	return false
}
