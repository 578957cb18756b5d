package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"podpath/kube/forward"
)

// forwardPrinter says what a session does.
type forwardPrinter interface {
	// opened tells where everything listens at the start.
	opened([]forward.Status) error
	// joined tells of a forward that came later.
	joined(forward.Status) error
	// events tells what happens until the channel is closed.
	events(<-chan forward.Event)
	// summary tells what was done for each endpoint.
	summary([]forward.Status) error
}

func (s *session) newPrinter() forwardPrinter {
	if s.output == "json" {
		return &jsonForwards{session: s}
	}
	return textForwards{s}
}

// notice says something on stderr that is no event.
func (f *forwarding) notice(text string) {
	_, _ = fmt.Fprintf(f.streams.err, "podpath: %s\n", text)
}

// warn tells of what other machines may reach.
func (s *session) warn(all []forward.Status) {
	for _, status := range all {
		if status.Phase == forward.Serving && status.Order.Address.Public() {
			s.notice("whoever reaches this machine can use " + status.Stats.Listen)
		}
	}
	if s.metrics != nil && isPublic(s.metrics.Addr()) {
		s.notice(fmt.Sprintf("whoever reaches this machine can read the counters at http://%s/metrics", s.metrics.Addr()))
	}
}

// isPublic reports whether other machines may reach an address.
func isPublic(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && !tcp.IP.IsLoopback()
}

// textForwards prints for people.
type textForwards struct{ *session }

func (p textForwards) opened(all []forward.Status) error {
	all = slices.DeleteFunc(all, func(s forward.Status) bool { return s.Phase != forward.Serving })
	if p.addressWord == eachAddress {
		return p.say(all, forwardTable(all))
	}
	for _, s := range all {
		if err := p.say(nil, openedLine(s.Stats)); err != nil {
			return err
		}
	}
	return nil
}

func (p textForwards) joined(s forward.Status) error {
	return p.say([]forward.Status{s}, openedLine(s.Stats))
}

// say prints a text on stdout, or with --hosts on stderr and there the lines of
// those forwards.
func (p textForwards) say(hosts []forward.Status, text string) error {
	if p.hosts {
		if _, err := io.WriteString(p.streams.out, p.hostsLines(hosts)); err != nil {
			return err
		}
	}
	_, err := io.WriteString(p.beside(), inLocale(text))
	return err
}

// beside is where goes what is no line of /etc/hosts.
func (p textForwards) beside() io.Writer {
	if p.hosts {
		return p.streams.err
	}
	return p.streams.out
}

// openedLine says where a forward listens, what for, and how it gets there.
func openedLine(s forward.Stats) string {
	line := fmt.Sprintf("%s → %s  (%s, %s, %s)", s.Listen, s.Forward, endpointsReady(s), s.Via, s.Policy)
	if s.Why != "" {
		line += ": " + s.Why
	}
	return line + "\n"
}

func endpointsReady(s forward.Stats) string {
	n := 0
	for _, e := range s.Endpoints {
		if e.State == "ready" {
			n++
		}
	}
	if n == 1 {
		return "1 endpoint"
	}
	return fmt.Sprintf("%d endpoints", n)
}

func forwardTable(all []forward.Status) string {
	return tabulate("LISTENS ON\tFORWARDS TO\tENDPOINTS\tVIA\tPOLICY", func(row func(string, ...any)) {
		for _, status := range all {
			s := status.Stats
			ready, _, _ := strings.Cut(endpointsReady(s), " ")
			row("%s\t%s\t%s\t%s\t%s", s.Listen, s.Forward, ready, s.Via, s.Policy)
		}
	})
}

func (p textForwards) hostsLines(all []forward.Status) string {
	var b strings.Builder
	seen := map[string]bool{}
	for _, s := range all {
		line := hostsLine(s.Order.Address.IP, s.Order.Key, p.config.Scope.Namespace)
		switch {
		case s.Order.Kind != forward.ToService || seen[line]:
		case line == "":
			p.notice(fmt.Sprintf("%s has no line for /etc/hosts: %q is no name in DNS", s.Stats.Forward, s.Order.String()))
		default:
			seen[line] = true
			_, _ = fmt.Fprintln(&b, line)
		}
	}
	return b.String()
}

func (p textForwards) events(events <-chan forward.Event) {
	for e := range events {
		if e.Kind == forward.Listening || e.Kind == forward.Stopped {
			continue // stdout says so
		}
		_, _ = fmt.Fprintf(p.streams.err, "%s %s: %s\n", e.At.Format(time.TimeOnly), e.Forward, eventWords(e))
	}
}

// eventWords says an event in words.
func eventWords(e forward.Event) string {
	words := map[forward.EventKind]string{
		forward.Joined: "joined", forward.Left: "left", forward.Ejected: "is left alone", forward.Back: "is tried again",
		forward.NoEndpoints: "no endpoint: connections wait up to 5s, then they are refused", forward.Resumed: "there are endpoints again",
	}[e.Kind]
	switch {
	case e.Kind == forward.Refused && e.Count == 1:
		words = "refused a connection"
	case e.Kind == forward.Refused:
		words = fmt.Sprintf("refused %d connections", e.Count)
	case words == "":
		return e.Reason
	case e.Target != forward.Target{}:
		words = e.Target.String() + " " + words
	}
	switch e.Kind {
	case forward.Ejected:
		return words + " " + e.Reason
	case forward.Left:
		return words + " (" + e.Reason + ")"
	default:
		if e.Reason != "" {
			words += ": " + e.Reason
		}
		return words
	}
}

func (p textForwards) summary(ended []forward.Status) error {
	var b strings.Builder
	for _, status := range ended {
		s := status.Stats
		_, _ = fmt.Fprintf(&b, "\n%s on %s: %d connections, %d refused\n", s.Forward, s.Listen, s.All.Total-s.All.Retries, s.Refused)
		if len(s.Endpoints) == 0 {
			continue
		}
		b.WriteString(tabulate("ENDPOINT\tPOD\tCONNECTIONS\tFAILED\tRETRIES\tBROKEN\tEJECTED\tSENT\tRECEIVED", func(row func(string, ...any)) {
			for _, e := range s.Endpoints {
				pod := e.Pod
				if pod == "" {
					pod = "–"
				}
				row("%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s", e.HostPort(), pod, e.Total, e.Failures, e.Retries, e.Broken, e.Ejections, byteCount(e.Sent), byteCount(e.Received))
			}
		}))
	}
	_, err := io.WriteString(p.beside(), inLocale(b.String()))
	return err
}

// tabulate lays rows out under a heading.
func tabulate(heading string, rows func(row func(format string, values ...any))) string {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, heading)
	rows(func(format string, values ...any) { _, _ = fmt.Fprintf(w, format+"\n", values...) })
	_ = w.Flush() // a buffer takes everything
	return b.String()
}

// byteCount writes a number of bytes in binary units.
func byteCount(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%dB", n)
	}
	value, unit := float64(n)/1024, 0
	for value >= 1024 && unit < 3 {
		value, unit = value/1024, unit+1
	}
	return fmt.Sprintf("%.1f%ciB", value, "KMGT"[unit])
}
