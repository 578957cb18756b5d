package probes

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
)

// socket is a line of /proc/net/tcp or /proc/net/tcp6 (man 5 proc).
type socket struct {
	Local, Remote netip.AddrPort
	Listens       bool
}

const stateListen = "0A"

// parseSockets reads a table of the kernel's. Lines that it cannot read are
// left out.
func parseSockets(table []byte) []socket {
	var out []socket
	for lines := bufio.NewScanner(bytes.NewReader(table)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 4 {
			continue
		}
		local, ok1 := parseSocketAddress(f[1])
		remote, ok2 := parseSocketAddress(f[2])
		if ok1 && ok2 {
			out = append(out, socket{local, remote, f[3] == stateListen})
		}
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

// listener is a place where a program waits for connections.
type listener struct {
	Address netip.Addr
	Port    int
}

// takes reports whether a connection to the address and port reaches it.
func (l listener) takes(address netip.Addr, port int) bool {
	anywhere := l.Address.IsUnspecified() && (l.Address.Is6() || address.Is4()) // :: is for both
	return l.Port == port && (anywhere || l.Address == address)
}

func listeners(sockets []socket) []listener {
	var out []listener
	for _, s := range sockets {
		if s.Listens {
			out = append(out, listener{s.Local.Addr(), int(s.Local.Port())})
		}
	}
	return out
}
