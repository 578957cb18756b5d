package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"podpath/kube/forward"
)

// serveMetrics answers GET /metrics until done is closed.
func (s *session) serveMetrics(done <-chan struct{}) {
	if s.metrics == nil {
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		var all []forward.Stats
		for _, status := range s.hub.List() {
			all = append(all, status.Stats)
		}
		_, _ = io.WriteString(w, metricsText(all)+gaugesText(processGauges()))
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(s.metrics); !errors.Is(err, http.ErrServerClosed) {
			s.notice(fmt.Sprintf("metrics are not served any more: %v", err))
		}
	}()
	<-done
	_ = server.Close()
	<-ended
}

// endpointCounters are the counters of each endpoint.
var endpointCounters = []struct {
	name, help string
	value      func(forward.Counts) uint64
}{
	{"connections", "Connections that were given to the endpoint.", func(c forward.Counts) uint64 { return c.Total }},
	{"failures", "Connections that the endpoint did not take.", func(c forward.Counts) uint64 { return c.Failures }},
	{"retries", "Connections that came after another endpoint had failed.", func(c forward.Counts) uint64 { return c.Retries }},
	{"broken", "Connections that the endpoint broke off.", func(c forward.Counts) uint64 { return c.Broken }},
	{"ejections", "How often the endpoint was left alone for failing.", func(c forward.Counts) uint64 { return c.Ejections }},
	{"sent_bytes", "Bytes to the endpoint.", func(c forward.Counts) uint64 { return uint64(c.Sent) }},
	{"received_bytes", "Bytes from the endpoint.", func(c forward.Counts) uint64 { return uint64(c.Received) }},
}

// metricsText writes the counters in the text format of Prometheus, version
// 0.0.4.
func metricsText(all []forward.Stats) string {
	var b strings.Builder
	head := func(name, help string) {
		_, _ = fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s counter\n", name, help, name)
	}
	for _, c := range endpointCounters {
		name := "podpath_forward_endpoint_" + c.name + "_total"
		head(name, c.help)
		for _, s := range all {
			for _, e := range s.Endpoints {
				_, _ = fmt.Fprintf(&b, "%s{forward=%s,listen=%s,endpoint=%s,pod=%s} %d\n",
					name, label(s.Forward), label(s.Listen), label(e.HostPort()), label(e.Pod), c.value(e.Counts))
			}
		}
	}
	head("podpath_forward_refused_total", "Connections of clients that got no endpoint.")
	for _, s := range all {
		_, _ = fmt.Fprintf(&b, "podpath_forward_refused_total{forward=%s,listen=%s} %d\n", label(s.Forward), label(s.Listen), s.Refused)
	}
	return b.String()
}

// label quotes a value as the format wants it.
func label(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value) + `"`
}
