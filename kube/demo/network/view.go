package network

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"podpath/kube/demo/api"
)

// Outside is the machine outside of the cluster, in the network of the Nodes.
const Outside = "imac"

// outsiders are the machines outside, and what they serve.
var outsiders = map[string]struct{ ip, listens string }{
	Outside:  {"192.168.100.100", "http:8080"},
	"router": {"192.168.100.1", "dns:53"},
}

// host is one network namespace.
type host struct {
	name      string
	ip        netip.Addr
	node      *corev1.Node // that it runs on, or is; nil outside of the cluster
	pod       *corev1.Pod  // nil for machines
	listeners []listener
}

// endpoint is one address behind a port of a Service.
type endpoint struct {
	netip.AddrPort
	node     string
	ready    bool
	leaving  bool   // it still serves while it terminates
	hostname string // below the name of its Service
	hints    discoveryv1.EndpointHints
}

// view is the cluster at one moment.
type view struct {
	now        func() time.Time
	hosts      map[string]*host // by NAMESPACE/POD, Node or machine; a Pod on the network of its Node has the Node's
	addresses  map[netip.Addr]*host
	pods       map[string]*corev1.Pod
	services   []*corev1.Service
	slices     map[string][]*discoveryv1.EndpointSlice // by NAMESPACE/SERVICE
	policies   []*networkingv1.NetworkPolicy
	ingresses  []*networkingv1.Ingress
	namespaces []*corev1.Namespace
	inCluster  func() names // what CoreDNS knows; made when it is first asked
}

func newView(objects *api.Store) *view {
	v := &view{
		now: objects.Now, hosts: map[string]*host{}, addresses: map[netip.Addr]*host{}, pods: map[string]*corev1.Pod{},
		services: api.ListOf[*corev1.Service](objects, "services"), slices: map[string][]*discoveryv1.EndpointSlice{},
		policies: api.ListOf[*networkingv1.NetworkPolicy](objects, "networkpolicies"), ingresses: api.ListOf[*networkingv1.Ingress](objects, "ingresses"),
		namespaces: api.ListOf[*corev1.Namespace](objects, "namespaces"),
	}
	v.inCluster = sync.OnceValue(v.clusterNames)
	for _, s := range api.ListOf[*discoveryv1.EndpointSlice](objects, "endpointslices") {
		if key := s.Namespace + "/" + s.Labels[discoveryv1.LabelServiceName]; s.AddressType != discoveryv1.AddressTypeFQDN { // which nobody reads
			v.slices[key] = append(v.slices[key], s)
		}
	}
	for name, o := range outsiders {
		v.add(name, &host{name: name, listeners: parseListens(o.listens, nil)}, o.ip)
	}
	for _, node := range api.ListOf[*corev1.Node](objects, "nodes") {
		h := &host{name: node.Name, node: node}
		v.add(node.Name, h, NodeAddress(node))
		for _, a := range node.Status.Addresses {
			if ip, ok := parse4(a.Address); ok && a.Type == corev1.NodeExternalIP && h.ip.IsValid() {
				v.addresses[ip] = h
			}
		}
	}
	for _, p := range api.ListOf[*corev1.Pod](objects, "pods") {
		v.addPod(p)
	}
	return v
}

// NodeAddress is where the other Nodes reach a Node.
func NodeAddress(n *corev1.Node) string {
	i := slices.IndexFunc(n.Status.Addresses, func(a corev1.NodeAddress) bool { return a.Type == corev1.NodeInternalIP })
	if i < 0 {
		return ""
	}
	return n.Status.Addresses[i].Address
}

func (v *view) add(key string, h *host, ip string) {
	var ok bool
	if h.ip, ok = parse4(ip); ok {
		v.hosts[key], v.addresses[h.ip] = h, h
	}
}

// parse4 reads an address of IPv4: others the network does not have.
func parse4(text string) (netip.Addr, bool) {
	ip, err := netip.ParseAddr(text)
	return ip, err == nil && ip.Is4()
}

func (v *view) addPod(p *corev1.Pod) {
	key := p.Namespace + "/" + p.Name
	v.pods[key] = p
	node := v.hosts[p.Spec.NodeName]
	if node == nil || node.node == nil || p.Status.PodIP == "" || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
		return
	}
	if p.Spec.HostNetwork {
		v.hosts[key] = node
		if _, off := Fault(node.node.Annotations, "kube-proxy-down"); !off || p.Labels["k8s-app"] != proxyLabel {
			node.listeners = append(node.listeners, listenersOf(p)...)
		}
		return
	}
	v.add(key, &host{name: key, node: node.node, pod: p, listeners: listenersOf(p)}, p.Status.PodIP)
}

// lives reports whether a host is still the same one, and its Node is up.
func (v *view) lives(h *host) bool {
	now := v.hosts[h.name]
	return now != nil && !down(now.node) && (h.pod == nil || now.pod != nil && now.pod.UID == h.pod.UID)
}

// endpoints are those behind a port of a Service, from its EndpointSlices.
func (v *view) endpoints(s *corev1.Service, port corev1.ServicePort) (out []endpoint) {
	for _, slice := range v.slices[s.Namespace+"/"+s.Name] {
		for _, p := range slice.Ports {
			if p.Port == nil || value(p.Name) != port.Name || protocol(value(p.Protocol)) != protocol(port.Protocol) {
				continue
			}
			for _, e := range slice.Endpoints {
				ready := e.Conditions.Ready == nil || *e.Conditions.Ready
				leaving := value(e.Conditions.Serving) && value(e.Conditions.Terminating)
				for _, a := range e.Addresses {
					if ip, ok := parse4(a); ok {
						hostname := cmp.Or(value(e.Hostname), strings.ReplaceAll(a, ".", "-"))
						out = append(out, endpoint{netip.AddrPortFrom(ip, uint16(*p.Port)), value(e.NodeName), ready, leaving, hostname, value(e.Hints)})
					}
				}
			}
		}
	}
	return out
}

// namespace is an empty one when it is not there.
func (v *view) namespace(name string) *corev1.Namespace {
	for _, ns := range v.namespaces {
		if ns.Name == name {
			return ns
		}
	}
	return &corev1.Namespace{}
}

// value is what a pointer leads to, or nothing.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
