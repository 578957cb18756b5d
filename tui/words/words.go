// Package words says values the way podpath's screens and listings do.
package words

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"podpath/kube"
)

// None stands for a value that there is not: never 0, never empty.
const None = "–"

// Unknown stands for a value that podpath cannot know: it has not read, or may
// not read, what it follows from.
const Unknown = "?"

// OrNone returns s, or None when it is empty.
func OrNone(s string) string {
	if s == "" {
		return None
	}
	return s
}

// List joins values with commas, or returns None.
func List(values []string) string { return OrNone(strings.Join(values, ",")) }

// Age says how long before now t was, in one unit. It counts minutes at the
// finest, so that an idle screen need not change more often.
func Age(now, t time.Time) string {
	d := now.Sub(t)
	switch {
	case t.IsZero():
		return None
	case d < time.Minute:
		return "<1m"
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
}

// ContainerPorts lists declared ports shortly: 80,53/UDP.
func ContainerPorts(ports []kube.ContainerPort) string {
	out := make([]string, len(ports))
	for i, p := range ports {
		out[i] = strconv.Itoa(p.Port)
		if p.Protocol != "TCP" {
			out[i] += "/" + p.Protocol
		}
	}
	return List(out)
}

// ServicePorts lists the ways through a Service: 8080→80/TCP.
func ServicePorts(ports []kube.ServicePort) string {
	out := make([]string, len(ports))
	for i, p := range ports {
		out[i] = p.String()
	}
	return List(out)
}

// External lists the addresses of a Service from outside, in the words of the
// EXTERNAL-IP column of kubectl.
func External(s *kube.Service) string {
	if s.Kind == kube.LoadBalancer && len(s.External()) == 0 {
		return "<pending>"
	}
	return List(s.External())
}

// Endpoints says how many backends of a Service are ready, and what is with
// the others.
func Endpoints(c kube.EndpointCounts) string {
	var rest []string
	if c.NotReady > 0 {
		rest = append(rest, fmt.Sprintf("%d not ready", c.NotReady))
	}
	if c.Terminating > 0 {
		rest = append(rest, fmt.Sprintf("%d terminating", c.Terminating))
	}
	s := fmt.Sprintf("%d/%d", c.Ready, c.Total)
	if len(rest) > 0 {
		s += " (" + strings.Join(rest, ", ") + ")"
	}
	return s
}

// Restarts says how often containers were restarted, and how long ago.
func Restarts(now time.Time, p *kube.Pod) string {
	if p.Restarts == 0 || p.LastRestart.IsZero() {
		return strconv.Itoa(p.Restarts)
	}
	return fmt.Sprintf("%d (%s ago)", p.Restarts, Age(now, p.LastRestart))
}

// Scope names what is looked at.
func Scope(s kube.Scope) string {
	if s.All() {
		return "all namespaces"
	}
	return s.Namespace
}

// YesNo says a bool.
func YesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// Bytes writes a number of bytes, 0 or more, in at most five cells and binary
// units: 999B, 1.5K, 20M.
func Bytes(n float64) string {
	unit := 0
	for n >= 999.5 && unit < 5 {
		n, unit = n/1024, unit+1
	}
	if unit > 0 && n < 9.95 {
		return fmt.Sprintf("%.1f%c", n, "BKMGTP"[unit])
	}
	return fmt.Sprintf("%.0f%c", n, "BKMGTP"[unit])
}
