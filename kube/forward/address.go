package forward

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Address is where a forward listens: an IP address, or the path of a unix
// socket.
type Address struct {
	IP netip.Addr
	// Also is a second IP address, with the same port; it may be missing on this
	// machine.
	Also netip.Addr
	Unix string
}

// Loopback is the address that is used unless another one is asked for.
var Loopback = Address{IP: netip.AddrFrom4([4]byte{127, 0, 0, 1})}

// Localhost is what the name means: both families.
var Localhost = Address{IP: Loopback.IP, Also: netip.IPv6Loopback()}

// ParseAddress reads an IP address, [::1] with or without brackets, localhost,
// or unix:PATH.
func ParseAddress(word string) (Address, error) {
	if path, ok := strings.CutPrefix(word, "unix:"); ok {
		path = strings.TrimPrefix(path, "//")
		if path == "" {
			return Address{}, fmt.Errorf("%q has no path: write unix:/run/user/1000/web.sock", word)
		}
		return Address{Unix: path}, nil
	}
	if word == "localhost" {
		return Localhost, nil
	}
	ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(word, "["), "]"))
	if err != nil {
		return Address{}, fmt.Errorf("%q is no address to listen on: write an IP address such as 127.0.0.1 or [::1], or unix:PATH", word)
	}
	return Address{IP: ip}, nil
}

// Public reports whether other machines may reach it.
func (a Address) Public() bool { return a.Unix == "" && !a.IP.IsLoopback() }

// with returns the address with a port, as package net wants it.
func (a Address) with(port int) string {
	if a.Unix != "" {
		return a.Unix
	}
	return net.JoinHostPort(a.IP.String(), strconv.Itoa(port))
}
