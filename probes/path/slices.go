package path

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"podpath/kube"
)

// manualSliceMissing is a Service without a selector and without an endpoint. A
// slice that was meant for it is named.
func (k kase) manualSliceMissing() *Cause {
	svc, flag, ok := k.flagged(kube.NoSelectorNoSlice)
	if !ok {
		return nil
	}
	c := &Cause{Summary: flag.Message, Evidence: k.failedHere(), Next: describe(svc)}
	if len(svc.Slices) > 0 {
		s := svc.Slices[0]
		c.Summary = fmt.Sprintf("Service %s has no selector, and its EndpointSlice %s has no endpoint.", svc.Name, s.Name)
		c.Evidence = append(c.Evidence, Evidence{What: "endpointslice/" + s.Name, Where: svc.Namespace, Seen: "no endpoints"})
		c.Next = run("write the addresses into it", "kubectl", "edit", "endpointslice", "-n", svc.Namespace, s.Name)
		return c
	}
	stray, says := k.strayFor(svc)
	if stray.Name == "" {
		return c
	}
	c.Summary += fmt.Sprintf(" EndpointSlice %s %s.", stray.Name, says)
	c.Evidence = append(c.Evidence, Evidence{What: "endpointslice/" + stray.Name, Where: stray.Namespace, Seen: says + "; addresses " + list(stray.Addresses)})
	if stray.Namespace == svc.Namespace {
		c.Next = run("", "kubectl", "label", "endpointslice", "-n", svc.Namespace, stray.Name, "kubernetes.io/service-name="+svc.Name, "--overwrite")
	}
	return c
}

// strayFor is the slice that was meant for a Service, and what keeps it from
// being its: by a label that nearly says so, by its name, or by a namespace
// that is not the Service's. One without label is taken where it is the only one.
func (k kase) strayFor(svc *kube.Service) (found kube.Stray, says string) {
	without := 0
	for _, s := range k.Strays {
		if s.Namespace == svc.Namespace && s.Service == "" {
			without++
		}
	}
	best := 0
	for _, s := range k.Strays {
		_, near := distance(s.Service, svc.Name)
		here, named := s.Namespace == svc.Namespace, strings.HasPrefix(s.Name, svc.Name)
		rank, words := 0, "has the label with "+s.Service
		switch {
		case here && near:
		case here && named && s.Service == "":
			rank, words = 1, "has no such label"
		case here && named:
			rank = 1
		case !here && s.Service == svc.Name:
			rank, words = 2, "of namespace "+s.Namespace+" has it, and counts only there"
		case here && s.Service == "" && without == 1:
			rank, words = 3, "has no such label"
		default:
			continue
		}
		if says == "" || rank < best {
			best, found, says = rank, s, words
		}
	}
	return found, says
}

// unused are the slices of a Service that kube-proxy can take nothing of for
// a port, where no other one gives it an endpoint.
func (k kase) unused() (*kube.Service, []kube.Slice) {
	svc := k.notTranslated()
	if svc == nil || k.Path.Port.Port == 0 || len(k.endpointsUsed(svc)) > 0 {
		return nil, nil
	}
	return svc, slices.DeleteFunc(slices.Clone(svc.Slices), func(s kube.Slice) bool { return s.Endpoints == 0 })
}

// endpointsUsed are those of the port and the family of the address.
func (k kase) endpointsUsed(svc *kube.Service) []kube.Endpoint {
	six := strings.Contains(k.virtualAddress(svc), ":")
	return slices.DeleteFunc(endpointsOf(svc, k.Path.Port), func(e kube.Endpoint) bool {
		return k.Path.Entry == AtClusterIP && strings.Contains(e.Address, ":") != six
	})
}

// virtualAddress is the ClusterIP that a request goes to.
func (k kase) virtualAddress(svc *kube.Service) string {
	if slices.Contains(svc.ClusterIPs, k.Ask.Host) {
		return k.Ask.Host
	}
	if len(svc.ClusterIPs) > 0 {
		return svc.ClusterIPs[0]
	}
	return ""
}

// sliceFQDN is an EndpointSlice with names: the API takes it, and kube-proxy
// does nothing with it.
func (k kase) sliceFQDN() *Cause {
	svc, unused := k.unused()
	i := slices.IndexFunc(unused, func(s kube.Slice) bool { return s.AddressType == "FQDN" })
	if i < 0 {
		return nil
	}
	s := unused[i]
	return &Cause{
		Summary:  fmt.Sprintf("EndpointSlice %s of Service %s has the address type FQDN, which kube-proxy ignores: it needs IP addresses.", s.Name, svc.Name),
		Evidence: append(k.failedHere(), Evidence{What: "endpointslice/" + s.Name, Where: svc.Namespace, Seen: "addressType: FQDN, " + list(s.Addresses)}),
		Next:     run("for a name use a Service of type ExternalName, for addresses addressType IPv4", "kubectl", "edit", "endpointslice", "-n", svc.Namespace, s.Name),
	}
}

// slicePortName is an EndpointSlice without the Service's port: they belong
// together by name and protocol, not by number.
func (k kase) slicePortName() *Cause {
	svc, unused := k.unused()
	port := k.Path.Port
	i := slices.IndexFunc(unused, func(s kube.Slice) bool {
		return !s.Managed && s.AddressType != "FQDN" && !slices.ContainsFunc(s.Ports, func(p kube.SlicePort) bool {
			return p.Name == port.Name && cmp.Or(p.Protocol, "TCP") == port.Protocol && p.Port != 0
		})
	})
	if i < 0 {
		return nil
	}
	s := unused[i]
	has := list(names(s.Ports, slicePort))
	if len(s.Ports) == 0 {
		has = "no port"
	}
	note := "give its port the name " + quoted(port.Name)
	if port.Name == "" {
		note = "take the name from its port"
	}
	if slices.ContainsFunc(s.Ports, func(p kube.SlicePort) bool { return p.Name == port.Name }) {
		note = "give that port the protocol " + port.Protocol + ", and a number"
	}
	return &Cause{
		Summary:  fmt.Sprintf("EndpointSlice %s has %s, and Service %s looks for a port %s of %s: they belong together by name and protocol.", s.Name, has, svc.Name, quoted(port.Name), port.Protocol),
		Evidence: append(k.failedHere(), Evidence{What: "endpointslice/" + s.Name, Where: svc.Namespace, Seen: has}, Evidence{What: "svc/" + svc.Name, Where: svc.Namespace, Seen: fmt.Sprintf("port %s %s", quoted(port.Name), port)}),
		Next:     run(note, "kubectl", "edit", "endpointslice", "-n", svc.Namespace, s.Name),
	}
}

func quoted(name string) string {
	if name == "" {
		return "without a name"
	}
	return strconv.Quote(name)
}

func slicePort(p kube.SlicePort) string {
	number := "no number"
	if p.Port != 0 {
		number = strconv.Itoa(p.Port)
	}
	return fmt.Sprintf("port %s (%s, %s)", quoted(p.Name), number, cmp.Or(p.Protocol, "TCP"))
}

// sliceFamily is a Service of one IP family with slices of the other.
func (k kase) sliceFamily() *Cause {
	svc, unused := k.unused()
	if svc == nil || k.Path.Entry != AtClusterIP || len(unused) == 0 {
		return nil
	}
	want := "IPv4"
	if strings.Contains(k.virtualAddress(svc), ":") {
		want = "IPv6"
	}
	if slices.ContainsFunc(unused, func(s kube.Slice) bool { return s.AddressType == want || s.AddressType == "FQDN" }) {
		return nil
	}
	return &Cause{
		Summary:  fmt.Sprintf("Service %s has an %s address, and its EndpointSlices have none of that family: kube-proxy does not lead from one to the other.", svc.Name, want),
		Evidence: append(k.failedHere(), Evidence{What: "endpointslice/" + unused[0].Name, Where: svc.Namespace, Seen: "addressType: " + unused[0].AddressType}),
		Next:     slicesOf(svc),
	}
}

// sliceClusterIP is an endpoint that is the virtual address of a Service:
// kube-proxy translates a packet once.
func (k kase) sliceClusterIP() *Cause {
	svc := k.service(k.Path)
	if svc == nil || k.Error == NoError || k.Stage == StageResolve || k.Kind == DNS || k.Kind == Env {
		return nil
	}
	for _, e := range endpointsOf(svc, k.Path.Port) {
		other := k.addresses()[e.Address].services
		if len(other) == 0 || k.Path.Entry == AtEndpoint && k.Ask.Host != e.Address {
			continue
		}
		return &Cause{
			Summary:  fmt.Sprintf("EndpointSlice %s of Service %s leads to %s, which is the address of Service %s: kube-proxy translates a packet once, so that it gets lost.", e.Slice, svc.Name, e.Address, k.name(other[0].Key())),
			Evidence: append(k.failedHere(), Evidence{What: "endpointslice/" + e.Slice, Where: svc.Namespace, Seen: "address " + e.Address}, Evidence{What: "svc/" + k.name(other[0].Key()), Seen: list(other[0].ClusterIPs)}),
			Next:     run("use a Service of type ExternalName with the other one's DNS name, or the addresses of its Pods", "kubectl", "edit", "endpointslice", "-n", svc.Namespace, e.Slice),
		}
	}
	return nil
}

// staleSlice is an endpoint that no Pod has, in a slice that nobody keeps up to
// date: beside the Pods that the Service selects, or an address of the Pods'
// network.
func (k kase) staleSlice() *Cause {
	svc, port, ok := k.servicePort()
	if !ok || !k.knows(kube.Pods, svc.Namespace) || k.Error == NoError && k.Spread == nil {
		return nil
	}
	for _, e := range endpointsOf(svc, port) {
		if e.Managed || k.PodAt(e.Address) != nil || k.addresses()[e.Address].node != nil || !k.fails(e) {
			continue
		}
		who := "no Pod has"
		if len(svc.Selector) == 0 {
			if who = k.podGone(svc, e); who == "" {
				continue // it may be anybody's
			}
		}
		return &Cause{
			Summary:  fmt.Sprintf("EndpointSlice %s gives Service %s the endpoint %s, which %s, and no controller keeps that slice up to date.", e.Slice, svc.Name, e.Address, who),
			Evidence: append(k.failedHere(), Evidence{What: "endpointslice/" + e.Slice, Where: svc.Namespace, Seen: "not of the EndpointSlice controller; address " + e.Address}),
			Next:     k.mendSlice(svc, e),
		}
	}
	return nil
}

// podGone says that an endpoint which somebody wrote was a Pod, and is none any
// more; "" where it may be something else.
func (k kase) podGone(svc *kube.Service, e kube.Endpoint) string {
	if e.Pod != "" && k.Pod(kube.Key{Namespace: svc.Namespace, Name: e.Pod}) == nil {
		return "was that of Pod " + e.Pod + ", and that is gone"
	}
	ofPods := slices.ContainsFunc(k.Nodes, func(n *kube.Node) bool {
		return slices.ContainsFunc(n.PodCIDRs, func(cidr string) bool { return within(cidr, e.Address) })
	})
	if ofPods && k.nobody(e.Address) {
		return "is of the Pods' network, where no Pod has it"
	}
	return ""
}

// mendSlice is what to do with a slice that has an endpoint too many.
func (k kase) mendSlice(svc *kube.Service, e kube.Endpoint) Next {
	if len(svc.Selector) > 0 {
		return run("if nobody needs it", "kubectl", "delete", "endpointslice", "-n", svc.Namespace, e.Slice)
	}
	return run("Pods get other addresses: let the Service select them, or write the address of today", "kubectl", "edit", "endpointslice", "-n", svc.Namespace, e.Slice)
}

// fails reports that an endpoint was dialed by itself, and did not answer.
func (k kase) fails(e kube.Endpoint) bool {
	if k.Ask.Host == e.Address {
		return k.Error != NoError
	}
	return slices.ContainsFunc(k.all.from[k.Source.Label], func(r *Result) bool { return r.Ask.Host == e.Address && r.Error != NoError })
}
