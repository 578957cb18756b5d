package main

import (
	"fmt"
	"hash/fnv"
	"net/netip"

	"k8s.io/apimachinery/pkg/util/validation"

	"podpath/kube"
	"podpath/kube/forward"
)

// loopbacks are the addresses of objects in 127.1.0.0/16. An object has always
// the same one for its name, unless two of them meet: what stands in /etc/hosts
// stays right.
type loopbacks struct {
	of    map[string]netip.Addr
	taken map[netip.Addr]bool
}

// assign gives each order the address of its object.
func (l *loopbacks) assign(orders []forward.Order) {
	if l.of == nil {
		l.of, l.taken = map[string]netip.Addr{}, map[netip.Addr]bool{}
	}
	for i, o := range orders {
		word := loopbackWord(o)
		if _, known := l.of[word]; !known {
			l.of[word] = freeLoopback(word, l.taken)
			l.taken[l.of[word]] = true
		}
		orders[i].Address = forward.Address{IP: l.of[word]}
	}
}

// keep forgets the addresses of all other objects: those have gone.
func (l *loopbacks) keep(orders []forward.Order) {
	still := map[string]bool{}
	for _, o := range orders {
		still[loopbackWord(o)] = true
	}
	for word, a := range l.of {
		if !still[word] {
			delete(l.of, word)
			delete(l.taken, a)
		}
	}
}

// loopbackWord names the object that an order is about.
func loopbackWord(o forward.Order) string { return string(o.Kind) + " " + o.Owner + " " + o.String() }

func freeLoopback(word string, taken map[netip.Addr]bool) netip.Addr {
	h := fnv.New32a()
	_, _ = h.Write([]byte(word))
	for n := h.Sum32(); ; n++ {
		// 254 and not 256: neither the first nor the last of a /24.
		a := netip.AddrFrom4([4]byte{127, 1, byte(n / 254 % 254), byte(n%254 + 1)})
		if !taken[a] || len(taken) >= 254*254 {
			return a
		}
	}
}

// hostsLine is a line of /etc/hosts for a Service, with the names that Pods
// have for it. The namespace that podpath looks at needs no suffix. It is "" for
// names that are none in DNS: the file would hold other words than are meant.
func hostsLine(a netip.Addr, k kube.Key, home string) string {
	if len(validation.IsDNS1123Label(k.Name))+len(validation.IsDNS1123Label(k.Namespace)) > 0 {
		return ""
	}
	qualified := k.Name + "." + k.Namespace
	line := fmt.Sprintf("%s %s %s.svc %s.svc.cluster.local", a, qualified, qualified, qualified)
	if k.Namespace == home {
		line += " " + k.Name
	}
	return line
}
