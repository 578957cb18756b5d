// Package process tells what a running program costs.
package process

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of processor time in /proc: 1/100 s on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// CPU is what all threads of a process have used so far.
func CPU(pid int) (time.Duration, error) {
	path := fmt.Sprintf("/proc/%d/stat", pid)
	stat, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("read the processor time: %w", err)
	}
	// The name in parentheses may hold spaces. After it, utime and stime are the 12th and 13th field (proc_pid_stat(5)).
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0, fmt.Errorf("read %s: %d fields after the name, want 13 or more", path, len(fields))
	}
	var ticks time.Duration
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", path, err)
		}
		ticks += time.Duration(n)
	}
	return ticks * tick, nil
}

// ResidentMiB is the memory of a process that is in RAM.
func ResidentMiB(pid int) (float64, error) {
	path := fmt.Sprintf("/proc/%d/status", pid)
	status, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("read the memory: %w", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	var kibibytes float64
	if _, err := fmt.Sscan(rest, &kibibytes); err != nil {
		return 0, fmt.Errorf("read VmRSS in %s: %w", path, err)
	}
	return kibibytes / 1024, nil
}
