package main

import (
	"runtime"
	"testing"
)

func TestProcessGaugesAreThere(t *testing.T) {
	got := map[string]uint64{}
	for _, g := range processGauges() {
		got[g.name] = g.value
	}
	names := []string{"go_goroutines"} // the live heap is 0 before the first collection
	if runtime.GOOS == "linux" {
		names = append(names, "process_open_fds", "process_resident_memory_bytes")
	}
	for _, name := range names {
		if got[name] == 0 {
			t.Errorf("got no %s in %v", name, got)
		}
	}
	const want = "# HELP a What.\n# TYPE a gauge\na 7\n"
	if text := gaugesText([]gauge{{"a", "What.", 7}}); text != want {
		t.Errorf("got %q, want %q", text, want)
	}
}
