package network

import (
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"syscall"

	corev1 "k8s.io/api/core/v1"
)

// tables are the sockets of a host.
var tables = []string{"/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp", "/proc/net/udp6"}

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
		text = fmt.Sprintf("127.0.0.1\tlocalhost\n%s\t%s\n", h.ip, strings.Join(ownNames(h), "\t"))
	case slices.Contains(tables, path):
		text = p.network.sockets(h, strings.TrimPrefix(path, "/proc/net/"))
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
	env = append(env, variables(pod, &pod.Spec.Containers[i])...)
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

// variables are those that a container of a Pod declares, as NAME=VALUE.
func variables(pod *corev1.Pod, c *corev1.Container) (env []string) {
	for _, e := range c.Env {
		text := e.Value
		if from := e.ValueFrom; from != nil && from.FieldRef != nil {
			text = field(pod, from.FieldRef.FieldPath)
		}
		env = append(env, e.Name+"="+text)
	}
	return env
}

// field is what the downward API tells of a Pod.
func field(pod *corev1.Pod, path string) string {
	return map[string]string{
		"metadata.name": pod.Name, "metadata.namespace": pod.Namespace, "metadata.uid": string(pod.UID), "spec.nodeName": pod.Spec.NodeName,
		"spec.serviceAccountName": pod.Spec.ServiceAccountName, "status.podIP": pod.Status.PodIP, "status.hostIP": pod.Status.HostIP,
	}[path]
}

// hostname is the name of a machine: a Pod may have another one than its own.
func hostname(h *host) string {
	if h.pod != nil && h.pod.Spec.Hostname != "" {
		return h.pod.Spec.Hostname
	}
	return h.name[strings.LastIndexByte(h.name, '/')+1:]
}

// ownNames are what a host calls itself. With a subdomain, a Pod takes a name of
// a Service for its own, whether DNS knows it or not.
func ownNames(h *host) []string {
	if h.pod != nil && h.pod.Spec.Subdomain != "" {
		return []string{hostname(h) + "." + h.pod.Spec.Subdomain + "." + h.pod.Namespace + ".svc." + strings.TrimSuffix(zone, "."), hostname(h)}
	}
	return []string{hostname(h)}
}
