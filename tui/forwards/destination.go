package forwards

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"podpath/kube"
	"podpath/kube/forward"
	"podpath/tui/intent"
	"podpath/tui/menu"
)

// Destinations are what f can mean: one for each port. The only one has no port
// where a Pod declares none. The error is for the user.
func Destinations(s *kube.Snapshot, of intent.Forward) ([]forward.Destination, error) {
	kind := map[kube.Resource]string{kube.Pods: "pod", kube.Services: "svc"}[of.Of.Resource]
	if kind == "" {
		return nil, errors.New("Nodes are not forwarded to: f works on Pods, Services and endpoints.") //nolint:staticcheck,revive // a sentence on the screen
	}
	d, err := forward.ParseDestination(kind+"/"+of.Of.Name, of.Of.Namespace)
	if err != nil {
		return nil, err
	}
	if of.Port != "" {
		if d, err = d.WithPort(of.Port); err != nil {
			return nil, err
		}
		_, err = d.Find(s)
		return []forward.Destination{d}, err
	}
	if ports := d.Ports(s); len(ports) > 0 {
		return ports, nil
	}
	if kind == "pod" && s.Pod(of.Of.Key) != nil {
		return []forward.Destination{d}, nil
	}
	_, err = d.Find(s)
	return nil, err
}

// Ask is the menu of the ports of something.
func Ask(of intent.Forward, destinations []forward.Destination) menu.Open {
	return menu.Open{Title: "Forward " + of.Of.Name, About: "FOR", Choices: func(s *kube.Snapshot) []menu.Choice {
		var choices []menu.Choice
		for _, d := range destinations {
			choices = append(choices, menu.Choice{Label: d.Label, Note: describe(s, d), Pick: AskLocal{d}})
		}
		return choices
	}}
}

// describe says what is known of a port.
func describe(s *kube.Snapshot, d forward.Destination) string {
	v, err := d.Find(s)
	if err != nil {
		return ""
	}
	ready := 0
	for _, e := range v.Endpoints {
		if e.Ready {
			ready++
		}
	}
	text := fmt.Sprintf("%d of %d ready", ready, len(v.Endpoints))
	if v.PortName != "" {
		text = v.PortName + ", " + text
	}
	return text
}

// ParseLocal reads the local port that a user types: a number, or nothing or 0
// for any free one. Where the destination has no port yet, that follows a colon,
// or is the number itself.
func ParseLocal(d forward.Destination, typed string) (forward.Destination, int, error) {
	local, port, both := strings.Cut(strings.TrimSpace(typed), ":")
	switch {
	case d.Port != "" && both:
		return d, 0, errors.New("one number is enough")
	case d.Port == "" && !both:
		port = local
	}
	if d.Port == "" {
		var err error
		if d, err = d.WithPort(port); err != nil {
			return d, 0, fmt.Errorf("%q is no port", port)
		}
	}
	n, err := strconv.Atoi("0" + local)
	if err != nil || n > 65535 {
		return d, 0, fmt.Errorf("%q is no port", local)
	}
	return d, n, nil
}
