package network

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"

	corev1 "k8s.io/api/core/v1"
)

// Open opens one of the few files that there are.
func (p *Place) Open(path string) (io.ReadCloser, error) {
	v := p.network.view()
	h, err := p.at(v)
	if err != nil {
		return nil, err
	}
	var text string
	switch {
	case path == "/etc/resolv.conf":
		server, search, ndots := p.resolver(v)
		text = "nameserver " + server + "\n"
		if len(search) > 0 {
			text = fmt.Sprintf("search %s\n%soptions ndots:%d\n", strings.Join(search, " "), text, ndots)
		}
	case path == "/etc/hostname":
		text = hostname(h) + "\n"
	case path == "/etc/hosts":
		text = fmt.Sprintf("127.0.0.1\tlocalhost\n%s\t%s\n", h.ip, hostname(h))
	case path == "/proc/net/tcp":
		text = p.network.sockets(h)
	case path == "/proc/net/tcp6":
		text = socketsHead
	case strings.HasPrefix(path, "/proc/") && strings.HasSuffix(path, "/environ"):
		text = strings.Join(append(p.environ(v), ""), "\x00")
	default:
		return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.ENOENT}
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

// resolver is where names are looked up: in the cluster's DNS, or on the
// network of Nodes at the router.
func (p *Place) resolver(v *view) (server string, search []string, ndots int) {
	pod := v.pods[p.key]
	clusterFirst := pod != nil && (pod.Spec.DNSPolicy == corev1.DNSClusterFirstWithHostNet ||
		!pod.Spec.HostNetwork && (pod.Spec.DNSPolicy == corev1.DNSClusterFirst || pod.Spec.DNSPolicy == ""))
	if !clusterFirst {
		return outsiders["router"].ip, nil, 1
	}
	for _, s := range v.services {
		if s.Namespace == "kube-system" && s.Name == "kube-dns" {
			server = s.Spec.ClusterIP
		}
	}
	domain := strings.TrimSuffix(zone, ".")
	return server, []string{pod.Namespace + ".svc." + domain, "svc." + domain, domain}, 5
}

// environ are the variables of a container: its own, and those of the Services
// that were there when it started (the kubelet's makeEnvironmentVariables).
func (p *Place) environ(v *view) []string {
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	pod, h := v.pods[p.key], v.hosts[p.key]
	if pod == nil || h == nil || len(pod.Spec.Containers) == 0 {
		return env
	}
	env = append(env, "HOSTNAME="+hostname(h))
	i := max(0, slices.IndexFunc(pod.Spec.Containers, func(c corev1.Container) bool { return c.Name == p.container }))
	for _, e := range pod.Spec.Containers[i].Env {
		env = append(env, e.Name+"="+e.Value)
	}
	started := pod.CreationTimestamp
	if state := running(pod, pod.Spec.Containers[i].Name); state != nil {
		started = state.StartedAt
	}
	links := pod.Spec.EnableServiceLinks == nil || *pod.Spec.EnableServiceLinks
	for _, s := range v.services {
		told := links && s.Namespace == pod.Namespace || s.Namespace == "default" && s.Name == "kubernetes"
		if _, virtual := parse4(s.Spec.ClusterIP); !virtual || !told || s.CreationTimestamp.After(started.Time) {
			continue
		}
		prefix := strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))
		for i, p := range s.Spec.Ports {
			port := strconv.Itoa(int(p.Port))
			if i == 0 {
				env = append(env, prefix+"_SERVICE_HOST="+s.Spec.ClusterIP, prefix+"_SERVICE_PORT="+port)
			}
			if p.Name != "" {
				env = append(env, prefix+"_SERVICE_PORT_"+strings.ToUpper(strings.ReplaceAll(p.Name, "-", "_"))+"="+port)
			}
		}
	}
	return env
}

const socketsHead = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

// sockets is /proc/net/tcp of a host (man 5 proc).
func (n *Network) sockets(h *host) string {
	var b strings.Builder
	b.WriteString(socketsHead)
	line := func(local, remote netip.AddrPort, state string) {
		fmt.Fprintf(&b, "   0: %s %s %s 00000000:00000000 00:00000000 00000000     0        0 0\n", hex(local), hex(remote), state)
	}
	for _, l := range h.listeners {
		if l.proto == "tcp" {
			line(l.at, anywhere(0), "0A")
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.open {
		if c.host.name == h.name && !c.packets {
			line(c.local, c.remote, "01")
		}
	}
	return b.String()
}

// hex writes an address as the kernel of a little-endian machine does.
func hex(a netip.AddrPort) string {
	ip := a.Addr().As4()
	return fmt.Sprintf("%08X:%04X", binary.LittleEndian.Uint32(ip[:]), a.Port())
}
