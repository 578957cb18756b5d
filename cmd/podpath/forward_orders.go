package main

import (
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"podpath/kube"
	"podpath/kube/forward"
)

// order is one thing to forward.
type order struct {
	forward.Destination
	// local is the local port: 0 is any free one, and ownPort that of the
	// destination.
	local   int
	address forward.Address
}

const ownPort = -1

// parseOrders reads targets, each with the ports that follow it.
func parseOrders(args []string, namespace string) ([]order, error) {
	var out []order
	var target forward.Destination
	portless := false // the last order has no port yet
	for _, word := range args {
		if kind, _, slash := strings.Cut(word, "/"); slash && !strings.ContainsAny(kind, ":0123456789") {
			d, err := forward.ParseDestination(word, namespace)
			if err != nil {
				return nil, err
			}
			target, portless = d, d.Port == ""
			out = append(out, order{Destination: d, local: ownPort})
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
func parsePort(target forward.Destination, word string) (order, error) {
	local, port, both := strings.Cut(word, ":")
	if !both {
		local, port = "", word
	}
	o := order{local: ownPort}
	if both {
		n, err := strconv.Atoi("0" + local)
		if err != nil || n > 65535 {
			return order{}, fmt.Errorf("%q: %q is no local port: write LOCAL:PORT, such as 8080:80", word, local)
		}
		o.local = n
	}
	var err error
	o.Destination, err = target.WithPort(port)
	return o, err
}

// complete gives each order a port, and an address where every target has its
// own. What cannot be forwarded of a whole namespace is a notice, else an error.
func (f *forwarding) complete(w *watched, orders []order) (out []order, notices []string, err error) {
	if f.selector != nil {
		orders, notices = wholeServices(w, f.selector)
	}
	for _, o := range orders {
		ports := []forward.Destination{o.Destination}
		if o.Port == "" {
			if ports = o.Ports(w.snapshot(o.Namespace)); len(ports) == 0 {
				if _, err := o.Find(w.snapshot(o.Namespace)); err != nil {
					return nil, nil, err
				}
				return nil, nil, fmt.Errorf("%s has no port of TCP or UDP: write one, as in %s:80", o.Label, o.Label)
			}
		}
		for _, d := range ports {
			v, err := d.Find(w.snapshot(o.Namespace))
			if err != nil {
				return nil, nil, err
			}
			with := order{Destination: d, local: o.local, address: f.address}
			if with.local == ownPort {
				with.local = v.Port
			}
			with.Protocol = v.Protocol
			out = append(out, with)
		}
	}
	if f.addressWord == eachAddress {
		assignLoopbacks(out)
	}
	if len(out) == 0 {
		return nil, nil, fmt.Errorf("there is no Service to forward in %s%s", where(w.scope), becauseOf(notices))
	}
	return out, notices, nil
}

func becauseOf(notices []string) string {
	if len(notices) == 0 {
		return ""
	}
	return ": " + strings.Join(notices, "; ")
}

// wholeServices orders every Service that the selector selects.
func wholeServices(w *watched, selector labels.Selector) (out []order, notices []string) {
	for _, svc := range w.snapshot(w.scope.Namespace).Services {
		if !selector.Matches(svc.Labels) {
			continue
		}
		word := "svc/" + svc.Name
		if w.scope.All() {
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
		if len(d.Ports(w.snapshot(w.scope.Namespace))) == 0 {
			notices = append(notices, d.Label+" is left out: it has no port of TCP or UDP")
			continue
		}
		out = append(out, order{Destination: d, local: ownPort})
	}
	return out, notices
}
