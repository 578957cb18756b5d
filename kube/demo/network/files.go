package network

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"net"
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
	text := ""
	name := h.name
	if p.pod != "" {
		name = p.pod
	}
	name = name[strings.LastIndexByte(name, '/')+1:]
	switch {
	case path == "/etc/resolv.conf":
		server, search, ndots := p.resolver()
		text = "nameserver " + server + "\n"
		if len(search) > 0 {
			text = fmt.Sprintf("search %s\n%soptions ndots:%d\n", strings.Join(search, " "), text, ndots)
		}
	case path == "/etc/hostname":
		text = name + "\n"
	case path == "/etc/hosts":
		text = fmt.Sprintf("127.0.0.1\tlocalhost\n%s\t%s\n", h.ip, name)
	case path == "/proc/net/tcp":
		text = p.network.sockets(h)
	case path == "/proc/net/tcp6":
		text = socketsHead
	case strings.HasPrefix(path, "/proc/") && strings.HasSuffix(path, "/environ"):
		text = strings.Join(append(v.environ(v.pods[p.pod], p.container), ""), "\x00")
	default:
		return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.ENOENT}
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

// resolver is where names are looked up: in the cluster's DNS, or on the
// network of Nodes at the router.
func (p *Place) resolver() (server string, search []string, ndots int) {
	v := p.network.view()
	pod := v.pods[p.pod]
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
func (v *view) environ(pod *corev1.Pod, container string) []string {
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	if pod == nil || len(pod.Spec.Containers) == 0 {
		return env
	}
	env = append(env, "HOSTNAME="+pod.Name)
	i := max(0, slices.IndexFunc(pod.Spec.Containers, func(c corev1.Container) bool { return c.Name == container }))
	for _, e := range pod.Spec.Containers[i].Env {
		env = append(env, e.Name+"="+e.Value)
	}
	started := pod.CreationTimestamp
	for _, s := range pod.Status.ContainerStatuses {
		if s.Name == pod.Spec.Containers[i].Name && s.State.Running != nil {
			started = s.State.Running.StartedAt
		}
	}
	links := pod.Spec.EnableServiceLinks == nil || *pod.Spec.EnableServiceLinks
	for _, s := range v.services {
		master := s.Namespace == "default" && s.Name == "kubernetes"
		if s.Spec.ClusterIP == "" || s.Spec.ClusterIP == corev1.ClusterIPNone || s.CreationTimestamp.After(started.Time) || !master && (!links || s.Namespace != pod.Namespace) {
			continue
		}
		prefix := strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))
		for i, p := range s.Spec.Ports {
			port, proto := strconv.Itoa(int(p.Port)), protocol(p.Protocol)
			url := proto + "://" + s.Spec.ClusterIP + ":" + port
			if i == 0 {
				env = append(env, prefix+"_SERVICE_HOST="+s.Spec.ClusterIP, prefix+"_SERVICE_PORT="+port, prefix+"_PORT="+url)
			}
			if p.Name != "" {
				env = append(env, prefix+"_SERVICE_PORT_"+strings.ToUpper(strings.ReplaceAll(p.Name, "-", "_"))+"="+port)
			}
			at := prefix + "_PORT_" + port + "_" + strings.ToUpper(proto)
			env = append(env, at+"="+url, at+"_PROTO="+proto, at+"_PORT="+port, at+"_ADDR="+s.Spec.ClusterIP)
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
	nowhere := netip.AddrFrom4([4]byte{})
	for _, l := range h.listeners {
		if l.proto == "tcp" {
			at := nowhere
			if l.address.IsValid() {
				at = l.address
			}
			line(netip.AddrPortFrom(at, l.port), netip.AddrPortFrom(nowhere, 0), "0A")
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for s := range n.open {
		for _, end := range []struct {
			host *host
			conn *conn
		}{{s.from, s.near}, {s.to, s.far}} {
			if end.host.name == h.name && !end.conn.packets {
				line(end.conn.local.(*net.TCPAddr).AddrPort(), end.conn.remote.(*net.TCPAddr).AddrPort(), "01")
			}
		}
	}
	return b.String()
}

// hex writes an address as the kernel of a little-endian machine does.
func hex(a netip.AddrPort) string {
	ip := a.Addr().Unmap().As4()
	return fmt.Sprintf("%08X:%04X", binary.LittleEndian.Uint32(ip[:]), a.Port())
}
