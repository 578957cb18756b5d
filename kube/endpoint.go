package kube

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// Endpoint is one address and port behind a Service, merged over all its
// EndpointSlices.
type Endpoint struct {
	Address string `json:"address"`
	// Port is 0 when the slice gives no port number.
	Port     int    `json:"port"`
	PortName string `json:"portName"`
	Protocol string `json:"protocol"`
	// Pod is the name of the Pod behind the address; empty when the slice was
	// written by hand and refers to none.
	Pod  string `json:"pod"`
	Node string `json:"node"`
	Zone string `json:"zone"`
	// Ready, Serving and Terminating are the conditions of discovery/v1
	// (KEP-1672). A missing ready condition means true.
	Ready       bool `json:"ready"`
	Serving     bool `json:"serving"`
	Terminating bool `json:"terminating"`
	// Slice is the name of the EndpointSlice that it stands in; of an endpoint
	// that stands in several, one of them.
	Slice string `json:"-"`
	// Managed is set when at least one of its slices is kept by the
	// EndpointSlice controller or its mirroring; see Slice.Managed.
	Managed bool `json:"-"`
	// Hostname is the name that DNS gives the endpoint below the name of a
	// headless Service (discovery/v1, Endpoint.hostname); empty for none.
	Hostname string `json:"-"`

	// hintNodes and hintZones are lists with commas between, so that endpoints
	// can be compared.
	hintNodes, hintZones string
}

// ForNodes lists the Nodes that the endpoint is meant for by its hints
// (discovery/v1 EndpointHints.forNodes, KEP-3015); none when it has no such
// hint. Of an endpoint in several slices, the preferred copy's count.
func (e Endpoint) ForNodes() []string { return split(e.hintNodes) }

// ForZones lists the zones that the endpoint is meant for by its hints
// (discovery/v1 EndpointHints.forZones, KEP-2433); none when it has no such
// hint. Of an endpoint in several slices, the preferred copy's count.
func (e Endpoint) ForZones() []string { return split(e.hintZones) }

func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// State says the conditions in one word.
func (e Endpoint) State() string {
	switch {
	case e.Terminating && e.Serving:
		return "terminating, serving"
	case e.Terminating:
		return "terminating"
	case e.Ready:
		return "ready"
	default:
		return "not ready"
	}
}

// EndpointCounts counts the backends of a Service. A backend is a Pod, or an
// address where no Pod is named: several ports or IP families are one backend.
type EndpointCounts struct {
	Total       int `json:"total"`
	Ready       int `json:"ready"`
	NotReady    int `json:"notReady"`
	Terminating int `json:"terminating"`
}

// mergeEndpoints joins the slices of one Service, in any order. While endpoints
// move between slices the same one may stand in two (KEP-752): it is kept once,
// ready if any copy is ready, and terminating only if every copy is.
func mergeEndpoints(slicesOf []*slice) []Endpoint {
	var all []Endpoint
	for _, s := range slicesOf {
		all = append(all, s.endpoints...)
	}
	slices.SortFunc(all, func(a, b Endpoint) int { return cmp.Or(compareIdentity(a, b), comparePreference(a, b)) })
	merged := all[:0]
	for _, e := range all {
		if n := len(merged); n > 0 && compareIdentity(merged[n-1], e) == 0 {
			merged[n-1] = merged[n-1].with(e)
		} else {
			merged = append(merged, e)
		}
	}
	return merged
}

// with adds what another copy of the endpoint knows.
func (e Endpoint) with(other Endpoint) Endpoint {
	e.Ready = e.Ready || other.Ready
	e.Serving = e.Serving || other.Serving
	e.Terminating = e.Terminating && other.Terminating
	e.Pod = cmp.Or(e.Pod, other.Pod)
	e.Node = cmp.Or(e.Node, other.Node)
	e.Zone = cmp.Or(e.Zone, other.Zone)
	e.Slice = cmp.Or(e.Slice, other.Slice)
	e.Managed = e.Managed || other.Managed
	e.Hostname = cmp.Or(e.Hostname, other.Hostname)
	return e // with its own hints: those of two copies together would be nobody's
}

func compareIdentity(a, b Endpoint) int {
	return cmp.Or(CompareAddresses(a.Address, b.Address), cmp.Compare(a.Port, b.Port), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.PortName, b.PortName))
}

// comparePreference puts first the copy that names the Pod: a ready one is
// right where a stale copy names the Pod that had the address before.
func comparePreference(a, b Endpoint) int {
	return cmp.Or(compareBools(b.Ready, a.Ready), compareBools(b.Serving, a.Serving), compareBools(a.Terminating, b.Terminating),
		cmp.Compare(b.Pod, a.Pod), cmp.Compare(b.Node, a.Node), cmp.Compare(b.Zone, a.Zone),
		compareBools(b.Managed, a.Managed), cmp.Compare(b.Hostname, a.Hostname), cmp.Compare(b.hintNodes, a.hintNodes), cmp.Compare(b.hintZones, a.hintZones),
		cmp.Compare(a.Slice, b.Slice))
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// CompareAddresses orders IP addresses by number, so that 10.0.0.9 comes before
// 10.0.0.10; what is no address, such as the host names of FQDN slices, comes
// last.
func CompareAddresses(a, b string) int {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	return cmp.Or(compareBools(errX != nil, errY != nil), x.Compare(y), cmp.Compare(a, b))
}

// countEndpoints counts backends. One that is ready on one of its ports is
// ready.
func countEndpoints(endpoints []Endpoint) EndpointCounts {
	backends := map[string]Endpoint{}
	for _, e := range endpoints {
		id := e.Pod
		if id == "" {
			id = "address " + e.Address
		}
		b, known := backends[id]
		b.Ready = b.Ready || e.Ready
		b.Terminating = e.Terminating && (b.Terminating || !known)
		backends[id] = b
	}
	c := EndpointCounts{Total: len(backends)}
	for _, b := range backends {
		switch {
		case b.Ready: // also while terminating, if not-ready addresses are published
			c.Ready++
		case b.Terminating:
			c.Terminating++
		default:
			c.NotReady++
		}
	}
	return c
}
