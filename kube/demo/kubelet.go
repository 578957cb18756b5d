package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"

	"podpath/kube/demo/network"
)

// Reach is the API server's way to the kubelet of a Node.
func (c *Cluster) Reach(_ context.Context, name string) error {
	o, found := c.store.Get("nodes", "", name)
	if !found {
		return fmt.Errorf("dial tcp: lookup %s: no such host", name)
	}
	if node := o.(*corev1.Node); has(node.Annotations, "down") {
		return fmt.Errorf("dial tcp %s:10250: connect: no route to host", network.NodeAddress(node))
	}
	return nil
}

// Exec runs a command in a container.
func (c *Cluster) Exec(ctx context.Context, namespace, pod, container string, command []string, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	o, found := c.store.Get("pods", namespace, pod)
	if !found {
		return 0, fmt.Errorf("pod %s/%s not found", namespace, pod)
	}
	p := o.(*corev1.Pod)
	statuses := slices.Concat(p.Status.ContainerStatuses, p.Status.EphemeralContainerStatuses)
	i := slices.IndexFunc(statuses, func(s corev1.ContainerStatus) bool { return s.Name == container })
	if i < 0 || statuses[i].State.Running == nil {
		return 0, fmt.Errorf("container not found (%q)", container)
	}
	place, err := c.network.Pod(namespace, pod)
	if err != nil {
		return 0, err
	}
	return place.In(container).Exec(ctx, statuses[i].Image, command, stdin, stdout, stderr)
}

// Dial connects to a port on localhost in a Pod.
func (c *Cluster) Dial(ctx context.Context, namespace, pod string, port int) (net.Conn, error) {
	place, err := c.network.Pod(namespace, pod)
	if err != nil {
		return nil, err
	}
	return place.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
}

// Machine is the machine of the practice cluster that podpath seems to run on.
type Machine struct {
	network *network.Network
	place   atomic.Pointer[network.Place]
}

// Machine is raspi001, the master, unless SetMachine has changed it.
func (c *Cluster) Machine() *Machine { return c.machine }

// SetMachine lets podpath look out of another machine from now on: a Node, or
// network.Outside.
func (c *Cluster) SetMachine(name string) error {
	place, err := c.network.Machine(name)
	if err != nil || strings.Contains(name, "/") {
		return errors.Join(fmt.Errorf("the practice cluster has no machine called %q", name), err)
	}
	c.machine.place.Store(place)
	return nil
}

// DialContext connects from the machine, as network.Place does.
func (m *Machine) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return m.place.Load().DialContext(ctx, network, address)
}

// Open opens a file of the machine.
func (m *Machine) Open(path string) (io.ReadCloser, error) { return m.place.Load().Open(path) }

// Addresses are those of the machine's interfaces, but for loopback.
func (m *Machine) Addresses() []netip.Addr { return m.place.Load().Addresses() }
