package path

import (
	"bufio"
	"bytes"
	"net/netip"
	"strconv"
	"strings"
)

// Resolver is how a source looks names up (man 5 resolv.conf).
type Resolver struct {
	Nameservers []string
	Search      []string
	Ndots       int
}

// maxNdots and maxNameservers are the limits of the C library.
// maxSearch is that of Kubernetes.
const (
	maxNdots       = 15
	maxNameservers = 3
	maxSearch      = 32
)

// ParseResolver reads a resolv.conf. What it does not know it leaves out.
func ParseResolver(text []byte) Resolver {
	c := Resolver{Ndots: 1}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 2 {
			continue
		}
		switch f[0] {
		case "nameserver":
			if len(c.Nameservers) < maxNameservers {
				c.Nameservers = append(c.Nameservers, f[1])
			}
		case "search", "domain":
			c.Search = f[1:min(len(f), maxSearch+1)]
		case "options":
			for _, o := range f[1:] {
				if n, ok := strings.CutPrefix(o, "ndots:"); ok {
					v, _ := strconv.Atoi(n)
					c.Ndots = min(max(v, 0), maxNdots)
				}
			}
		}
	}
	if len(c.Nameservers) == 0 {
		c.Nameservers = []string{"127.0.0.1"} // what the C library does
	}
	return c
}

// Candidates are the full names that a program in the Pod asks for, in order,
// until one has an answer: a name with fewer dots than ndots tries the search
// list first.
func (c Resolver) Candidates(name string) []string {
	if strings.HasSuffix(name, ".") {
		return []string{name}
	}
	var searched []string
	for _, domain := range c.Search {
		if domain = strings.TrimSuffix(domain, "."); domain != "" { // "." is the root, which is tried anyway
			searched = append(searched, name+"."+domain+".")
		}
	}
	if strings.Count(name, ".") >= c.Ndots {
		return append([]string{name + "."}, searched...)
	}
	return append(searched, name+".")
}

// ClusterDomain is the domain of the cluster's Services, as the search list
// has it, or "".
func (c Resolver) ClusterDomain() string {
	for _, domain := range c.Search {
		if rest, ok := strings.CutPrefix(domain, "svc."); ok {
			return strings.TrimSuffix(rest, ".")
		}
	}
	return ""
}

// HostsAddresses are the addresses that a hosts file has for a name.
func HostsAddresses(hosts []byte, name string) []string {
	var out []string
	for lines := bufio.NewScanner(bytes.NewReader(hosts)); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), "#")
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		for _, n := range f[1:] {
			if address, err := netip.ParseAddr(f[0]); err == nil && strings.EqualFold(n, strings.TrimSuffix(name, ".")) {
				out = append(out, address.String())
			}
		}
	}
	return out
}
