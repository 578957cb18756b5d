package network

import (
	"net/netip"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// listener is where a program waits for connections.
type listener struct {
	kind  string
	proto string         // tcp or udp
	at    netip.AddrPort // 0.0.0.0 for all addresses; one of IPv6 is seen in /proc/net, and nobody comes
	pod   *corev1.Pod    // nil outside of the cluster
	since time.Time      // when it begins; zero for from the start
}

// listenersOf are what the running containers of a Pod serve: what its
// annotation says, for the first one, else what their commands and images do.
func listenersOf(p *corev1.Pod) (out []listener) {
	for i := range p.Spec.Containers {
		c := &p.Spec.Containers[i]
		state := running(p, c.Name)
		if state == nil {
			continue
		}
		if listens, ok := p.Annotations[ListensAnnotation]; ok {
			out = parseListens(listens, p)
			break
		}
		out = append(out, served(p, c, state)...)
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

// served are the listeners of a container that runs.
func served(p *corev1.Pod, c *corev1.Container, state *corev1.ContainerStateRunning) (out []listener) {
	s := startOf(p, c)
	known := imageOf(c.Image)
	at, elsewhere := bind(s.httpd)
	switch {
	case s.forever:
		return nil
	case elsewhere:
		out = []listener{{kind: "http", proto: "tcp", at: at, pod: p}}
	case known.name == "echo":
		out = echoListeners(p, c)
	case len(c.Ports) == 0 && known.port != 0:
		out = []listener{{kind: known.kind, proto: "tcp", at: anywhere(known.port), pod: p}}
	default:
		out = declared(p, c, known.kind)
	}
	for i := range out {
		if s.sleep > 0 {
			out[i].since = state.StartedAt.Add(s.sleep)
		}
		if s.stopped {
			out[i].kind = "hang"
		}
	}
	return out
}

// declared are the ports that a container says it has.
func declared(p *corev1.Pod, c *corev1.Container, kind string) (out []listener) {
	for _, port := range c.Ports {
		l := listener{kind: kind, proto: protocol(port.Protocol), at: anywhere(uint16(port.ContainerPort)), pod: p}
		if l.proto == "udp" && l.kind != "dns" {
			l.kind = "echo"
		}
		out = append(out, l)
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
		at, ok := bind(address)
		if !ok {
			continue
		}
		proto := "tcp"
		if kind, ok = strings.CutPrefix(kind, "udp-"); ok {
			proto = "udp"
		}
		out = append(out, listener{kind: kind, proto: proto, at: at, pod: p})
		if kind == "dns" && proto == "tcp" {
			out = append(out, listener{kind: kind, proto: "udp", at: at, pod: p})
		}
	}
	return out
}

// takes reports whether packets to an address come to the program at a time.
func (l listener) takes(proto string, to netip.AddrPort, now time.Time) bool {
	own := l.at.Addr()
	reaches := l.at.Port() == to.Port() && (own == netip.IPv4Unspecified() || own == to.Addr())
	return reaches && l.proto == proto && !l.since.After(now)
}

func anywhere(port uint16) netip.AddrPort { return netip.AddrPortFrom(netip.IPv4Unspecified(), port) }

func protocol(p corev1.Protocol) string {
	if p == corev1.ProtocolUDP {
		return "udp"
	}
	return "tcp"
}
