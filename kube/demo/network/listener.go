package network

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// listener is where a program waits for connections.
type listener struct {
	kind    string
	proto   string     // tcp or udp
	address netip.Addr // the zero Addr for all
	port    uint16
	pod     *corev1.Pod // nil outside of the cluster
}

// listenersOf are what the running containers of a Pod serve: what its
// annotation says, for the first one, else the ports that they declare, and
// those that are known of their images.
func listenersOf(p *corev1.Pod) (out []listener) {
	for _, c := range p.Spec.Containers {
		i := slices.IndexFunc(p.Status.ContainerStatuses, func(s corev1.ContainerStatus) bool { return s.Name == c.Name })
		if i < 0 || p.Status.ContainerStatuses[i].State.Running == nil {
			continue
		}
		if listens, ok := p.Annotations[ListensAnnotation]; ok {
			out = parseListens(listens, p)
			break
		}
		known := imageOf(c.Image)
		if len(c.Ports) == 0 && known.port != 0 {
			out = append(out, listener{kind: known.kind, proto: "tcp", port: known.port, pod: p})
		}
		for _, port := range c.Ports {
			l := listener{kind: known.kind, proto: protocol(port.Protocol), port: uint16(port.ContainerPort), pod: p}
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

// parseListens reads what the ListensAnnotation says.
func parseListens(text string, p *corev1.Pod) (out []listener) {
	for word := range strings.FieldsSeq(text) {
		l := listener{proto: "tcp", pod: p}
		var at string
		l.kind, at, _ = strings.Cut(word, ":")
		if i := strings.LastIndexByte(at, ':'); i >= 0 {
			l.address, _ = netip.ParseAddr(at[:i])
			at = at[i+1:]
		}
		port, _ := strconv.ParseUint(at, 10, 16)
		l.port = uint16(port)
		out = append(out, l)
		if l.kind == "dns" {
			l.proto = "udp"
			out = append(out, l)
		}
	}
	return out
}

func protocol(p corev1.Protocol) string {
	if p == corev1.ProtocolUDP {
		return "udp"
	}
	return "tcp"
}
