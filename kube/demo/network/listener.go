package network

import (
	"net/netip"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// listener is where a program waits for connections.
type listener struct {
	kind  string
	proto string         // tcp or udp
	at    netip.AddrPort // of IPv4; 0.0.0.0 for all addresses
	pod   *corev1.Pod    // nil outside of the cluster
}

// listenersOf are what the running containers of a Pod serve: what its
// annotation says, for the first one, else the ports that they declare, and
// those that are known of their images.
func listenersOf(p *corev1.Pod) (out []listener) {
	for _, c := range p.Spec.Containers {
		if running(p, c.Name) == nil {
			continue
		}
		if listens, ok := p.Annotations[ListensAnnotation]; ok {
			out = parseListens(listens, p)
			break
		}
		known := imageOf(c.Image)
		if len(c.Ports) == 0 && known.port != 0 {
			out = append(out, listener{known.kind, "tcp", anywhere(known.port), p})
		}
		for _, port := range c.Ports {
			l := listener{known.kind, protocol(port.Protocol), anywhere(uint16(port.ContainerPort)), p}
			if l.proto == "udp" && l.kind != "dns" {
				l.kind = "echo"
			}
			out = append(out, l)
		}
	}
	if _, refuses := Fault(p.Annotations, "refuse"); refuses {
		return nil
	}
	if _, resets := Fault(p.Annotations, "reset"); resets {
		for i := range out {
			out[i].kind = "reset"
		}
	}
	return out
}

// running is the state of a container that runs, else nil.
func running(p *corev1.Pod, container string) *corev1.ContainerStateRunning {
	for _, s := range p.Status.ContainerStatuses {
		if s.Name == container {
			return s.State.Running
		}
	}
	return nil
}

// parseListens reads what the ListensAnnotation says, without what cannot be.
func parseListens(text string, p *corev1.Pod) (out []listener) {
	for word := range strings.FieldsSeq(text) {
		kind, address, _ := strings.Cut(word, ":")
		if !strings.Contains(address, ":") {
			address = "0.0.0.0:" + address
		}
		at, err := netip.ParseAddrPort(address)
		if err != nil || !at.Addr().Is4() {
			continue
		}
		out = append(out, listener{kind, "tcp", at, p})
		if kind == "dns" {
			out = append(out, listener{kind, "udp", at, p})
		}
	}
	return out
}

func anywhere(port uint16) netip.AddrPort { return netip.AddrPortFrom(netip.IPv4Unspecified(), port) }

func protocol(p corev1.Protocol) string {
	if p == corev1.ProtocolUDP {
		return "udp"
	}
	return "tcp"
}
