package main

import (
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"podpath/kube"
	"podpath/kube/forward"
)

// parseOrders reads targets, each with the ports that follow it. An order has no
// port where none was named.
func parseOrders(args []string, namespace string) ([]forward.Order, error) {
	var out []forward.Order
	var target forward.Destination
	portless := false // the last order has no port yet
	for _, word := range args {
		if kind, _, slash := strings.Cut(word, "/"); slash && !strings.ContainsAny(kind, ":0123456789") {
			d, err := forward.ParseDestination(word, namespace)
			if err != nil {
				return nil, err
			}
			target, portless = d, d.Port == ""
			out = append(out, forward.Order{Destination: d, Local: forward.OwnPort})
			continue
		}
		if target.Name == "" {
			return nil, fmt.Errorf("%q: a port follows its target: podpath forward svc/NAME %s", word, word)
		}
		o, err := parsePort(target, word)
		if err != nil {
			return nil, err
		}
		if portless {
			out, portless = out[:len(out)-1], false
		}
		out = append(out, o)
	}
	return out, nil
}

// parsePort reads [LOCAL:]PORT[/PROTOCOL].
func parsePort(target forward.Destination, word string) (forward.Order, error) {
	local, port, both := strings.Cut(word, ":")
	if !both {
		local, port = "", word
	}
	o := forward.Order{Local: forward.OwnPort}
	if both {
		n, err := strconv.Atoi("0" + local)
		if err != nil || n > 65535 {
			return forward.Order{}, fmt.Errorf("%q: %q is no local port: write LOCAL:PORT, such as 8080:80", word, local)
		}
		o.Local = n
	}
	var err error
	o.Destination, err = target.WithPort(port)
	return o, err
}

// complete gives each order its ports, with what the flags say.
func (s *session) complete(orders []forward.Order) ([]forward.Order, error) {
	var out []forward.Order
	for _, o := range orders {
		o.Address, o.Policy, o.Via = s.address, s.policy, s.via
		snapshot := s.watches[s.watchOf(o.Namespace)].Snapshot()
		if o.Port != "" {
			if _, err := o.Find(snapshot); err != nil {
				return nil, err
			}
			out = append(out, o)
			continue
		}
		ports := o.Ports(snapshot)
		if len(ports) == 0 {
			if _, err := o.Find(snapshot); err != nil {
				return nil, err
			}
			return nil, fmt.Errorf("%s has no port of TCP or UDP: write one, as in %s:80", o.Label, o.Label)
		}
		for _, d := range ports {
			with := o
			with.Destination = d
			out = append(out, with)
		}
	}
	return out, nil
}

// wholeServices orders every Service that the selector selects. What cannot be
// forwarded is a notice.
func wholeServices(snapshot *kube.Snapshot, selector labels.Selector) (out []forward.Order, notices []string) {
	for _, svc := range snapshot.Services {
		if !selector.Matches(svc.Labels) {
			continue
		}
		word := "svc/" + svc.Name
		if snapshot.Scope.All() {
			word = "svc/" + svc.Namespace + "/" + svc.Name
		}
		d, err := forward.ParseDestination(word, svc.Namespace)
		if err != nil {
			continue // the API server takes no such name
		}
		if svc.Kind == kube.ExternalName {
			notices = append(notices, fmt.Sprintf("%s is left out: it is another name for %s", d.Label, svc.ExternalName))
			continue
		}
		if len(d.Ports(snapshot)) == 0 {
			notices = append(notices, d.Label+" is left out: it has no port of TCP or UDP")
			continue
		}
		out = append(out, forward.Order{Destination: d, Local: forward.OwnPort})
	}
	return out, notices
}
