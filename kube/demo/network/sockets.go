package network

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

const socketsHead = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

// States of sockets in /proc/net. One of UDP that takes packets of everybody is
// closed, as the kernel sees it.
const (
	stateOpen, stateListens, stateTakes = "01", "0A", "07"
)

// sockets is a table of /proc/net of a host: tcp, tcp6, udp or udp6 (man 5
// proc). In rx_queue are the bytes that a program has not read; of a listener,
// the connections that it has not accepted.
func (n *Network) sockets(h *host, table string) string {
	var b strings.Builder
	b.WriteString(socketsHead)
	line := func(local, remote netip.AddrPort, state string, queue int) {
		fmt.Fprintf(&b, "   0: %s %s %s 00000000:%08X ", hex(local), hex(remote), state, queue)
		b.WriteString("00:00000000 00000000     0        0 0\n")
	}
	proto, six := strings.CutSuffix(table, "6")
	for _, l := range h.listeners {
		state, nobody := stateListens, anywhere(0)
		if l.proto == "udp" {
			state = stateTakes
		}
		if l.at.Addr().Is6() {
			nobody = netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
		}
		if l.proto == proto && l.at.Addr().Is6() == six && !l.since.After(n.store.Now()) {
			line(l.at, nobody, state, n.waiting(l))
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.open {
		if c.host.name == h.name && c.packets == (proto == "udp") && !six {
			line(c.local, c.remote, stateOpen, c.unread())
		}
	}
	return b.String()
}

// hex writes an address as the kernel of a little-endian machine does: in words
// of four bytes, each of which is turned round.
func hex(a netip.AddrPort) string {
	var b strings.Builder
	for ip := a.Addr().AsSlice(); len(ip) > 0; ip = ip[4:] {
		fmt.Fprintf(&b, "%08X", binary.LittleEndian.Uint32(ip))
	}
	return fmt.Sprintf("%s:%04X", b.String(), a.Port())
}

// queue names the accept queue of a listener.
type queue struct {
	pod types.UID
	at  netip.AddrPort
}

const (
	// backlog is how many connections wait for a program that hangs: nginx and
	// redis ask for as many (listen(2)).
	backlog = 511
	// fullQueue is what waits for a program that asked for a backlog of one: the
	// kernel keeps one more.
	fullQueue = 2
)

func (l listener) queue() queue {
	q := queue{at: l.at}
	if l.pod != nil {
		q.pod = l.pod.UID
	}
	return q
}

// waiting is the number of connections in the accept queue of a listener. Those
// that their clients have closed stay in it.
func (n *Network) waiting(l listener) int {
	if l.kind == "full" {
		return fullQueue
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.queued[l.queue()]
}

// full reports whether the kernel takes no more connections for a listener.
func (n *Network) full(l listener) bool {
	return l.kind == "full" || l.kind == "hang" && n.waiting(l) > backlog
}
