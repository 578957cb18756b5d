package forward

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// holder names the program that has a local port, as far as the kernel tells:
// its tables name the socket, and the files of a process those that it has. It
// needs Linux, and the rights to look at the process.
func holder(proc, network string, ip netip.Addr, port int) string {
	for _, table := range []string{network, network + "6"} {
		text, err := os.ReadFile(filepath.Join(proc, "net", table))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if inode := listens(line, ip, port); inode != "" {
				return process(proc, "socket:["+inode+"]")
			}
		}
	}
	return "another program"
}

// listens returns the inode of the socket that a line of /proc/net/tcp or udp
// is about (man 5 proc), if it is in the way of one at the address.
func listens(line string, ip netip.Addr, port int) (inode string) {
	f := strings.Fields(line)
	if len(f) < 10 || f[3] != "0A" && f[3] != "07" { // listening; for UDP, unconnected
		return ""
	}
	host, hexPort, _ := strings.Cut(f[1], ":")
	n, err := strconv.ParseUint(hexPort, 16, 16)
	held, ok := parseKernelAddress(host)
	if err != nil || !ok || int(n) != port || held != ip.Unmap() && !held.IsUnspecified() && !ip.IsUnspecified() {
		return ""
	}
	return f[9]
}

// parseKernelAddress reads 0100007F. The kernel prints each four bytes of an
// address as one number in the byte order of the machine, which is little
// endian wherever podpath runs.
func parseKernelAddress(s string) (netip.Addr, bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 4 && len(b) != 16 {
		return netip.Addr{}, false
	}
	for i := 0; i < len(b); i += 4 {
		b[i], b[i+1], b[i+2], b[i+3] = b[i+3], b[i+2], b[i+1], b[i]
	}
	a, _ := netip.AddrFromSlice(b)
	return a.Unmap(), true
}

// process names the process that has a file open.
func process(proc, file string) string {
	links, _ := filepath.Glob(filepath.Join(proc, "[0-9]*", "fd", "*"))
	for _, link := range links {
		if target, err := os.Readlink(link); err != nil || target != file {
			continue
		}
		dir := filepath.Dir(filepath.Dir(link))
		pid := filepath.Base(dir)
		name, _ := os.ReadFile(filepath.Join(dir, "comm"))
		if n, err := strconv.Atoi(pid); err == nil && n == os.Getpid() {
			return "another forward of this podpath"
		}
		return fmt.Sprintf("%q (process %s)", strings.TrimSpace(string(name)), pid)
	}
	return "another program"
}
