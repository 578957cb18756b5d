package path

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
)

// Socket is a line of /proc/net/tcp, tcp6, udp or udp6 (man 5 proc).
type Socket struct {
	Local, Remote netip.AddrPort
	Listens       bool
	// Queue is how many connections wait for the program to take them, where it Listens.
	Queue int
}

// stateListen is TCP_LISTEN; a UDP socket that takes packets of everybody is in TCP_CLOSE.
const (
	stateListen = "0A"
	stateUnbent = "07"
)

// ParseSockets reads a table of the kernel's. Lines that it cannot read are
// left out.
func ParseSockets(table []byte) []Socket {
	var out []Socket
	for lines := bufio.NewScanner(bytes.NewReader(table)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 4 {
			continue
		}
		local, ok1 := parseSocketAddress(f[1])
		remote, ok2 := parseSocketAddress(f[2])
		if !ok1 || !ok2 {
			continue
		}
		s := Socket{Local: local, Remote: remote, Listens: f[3] == stateListen || f[3] == stateUnbent && remote.Port() == 0}
		if len(f) > 4 && s.Listens && f[3] == stateListen { // of a listener the kernel shows its accept queue as rx_queue
			_, waiting, _ := strings.Cut(f[4], ":")
			n, _ := strconv.ParseUint(waiting, 16, 31)
			s.Queue = int(n)
		}
		out = append(out, s)
	}
	return out
}

// parseSocketAddress reads 0100007F:0050. The kernel prints each four bytes of
// an address as one number in the byte order of the machine; all machines that
// Kubernetes runs on but s390x are little-endian.
func parseSocketAddress(s string) (netip.AddrPort, bool) {
	host, port, ok := strings.Cut(s, ":")
	b, err := hex.DecodeString(host)
	n, errPort := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || errPort != nil || len(b) != 4 && len(b) != 16 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(b); i += 4 {
		b[i], b[i+1], b[i+2], b[i+3] = b[i+3], b[i+2], b[i+1], b[i]
	}
	address, _ := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(address.Unmap(), uint16(n)), true
}

// Listener is a place where a program waits for connections, or for packets.
type Listener struct {
	Protocol string // TCP or UDP
	Address  netip.Addr
	Port     int
	// Queue is how many connections wait to be taken.
	Queue int
}

// String writes 0.0.0.0:80, and udp before an address that takes packets.
func (l Listener) String() string {
	at := netip.AddrPortFrom(l.Address, uint16(l.Port)).String()
	if l.Protocol == "UDP" {
		return "udp " + at
	}
	return at
}

// takes reports whether a connection to the address and port reaches it.
func (l Listener) takes(address netip.Addr, port int) bool {
	anywhere := l.Address.IsUnspecified() && (l.Address.Is6() || address.Is4()) // :: is for both
	return l.Port == port && (anywhere || l.Address == address)
}

// Listeners are those of a protocol, TCP or UDP, among sockets.
func Listeners(protocol string, sockets []Socket) []Listener {
	var out []Listener
	for _, s := range sockets {
		if s.Listens {
			out = append(out, Listener{protocol, s.Local.Addr(), int(s.Local.Port()), s.Queue})
		}
	}
	return out
}
