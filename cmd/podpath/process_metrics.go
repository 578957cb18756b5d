package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
)

// gauge is a figure of the process, under the name that every Go program with
// a Prometheus client gives it.
type gauge struct {
	name, help string
	value      uint64
}

// processGauges tell whether podpath itself grows. What only Linux counts is
// left out elsewhere.
func processGauges() []gauge {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	gauges := []gauge{
		{"go_goroutines", "Number of goroutines that currently exist.", uint64(runtime.NumGoroutine())},
		{"go_gc_heap_live_bytes", "Heap memory occupied by live objects that were marked by the previous GC.", live[0].Value.Uint64()},
	}
	if files, err := os.ReadDir("/proc/self/fd"); err == nil {
		gauges = append(gauges, gauge{"process_open_fds", "Number of open file descriptors.", uint64(len(files))})
	}
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		if pages, err := strconv.ParseUint(string(bytes.Fields(statm)[1]), 10, 64); err == nil {
			gauges = append(gauges, gauge{"process_resident_memory_bytes", "Resident memory size in bytes.", pages * uint64(os.Getpagesize())})
		}
	}
	return gauges
}

// gaugesText writes gauges in the text format of Prometheus, version 0.0.4.
func gaugesText(gauges []gauge) string {
	var b strings.Builder
	for _, g := range gauges {
		_, _ = fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n%s %d\n", g.name, g.help, g.name, g.name, g.value)
	}
	return b.String()
}
