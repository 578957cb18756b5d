// Package results keeps the last result of every check, finds those of an
// object, and says them shortly.
package results

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"podpath/probes"
	"podpath/tui/style"
)

// Waiting is the sign of a check that has no result yet.
const Waiting = "…"

// signs are how verdicts are drawn: as a sign first, so that nothing hangs on
// the colour.
var signs = map[probes.Verdict]struct {
	sign string
	role style.Role
}{
	probes.Pass:         {"✓", style.Good},
	probes.Fail:         {"✗", style.Bad},
	probes.Inconclusive: {"?", style.Warn},
	probes.Skipped:      {"–", style.Dim},
	"":                  {Waiting, style.Dim},
}

// Sign returns the sign of a verdict; it is one cell wide. The empty verdict
// is that of a check without a result.
func Sign(v probes.Verdict) string { return signs[v].sign }

// Role returns the colour of a verdict.
func Role(v probes.Verdict) style.Role { return signs[v].role }

// rank orders verdicts by how much they matter, the worst first.
func rank(v probes.Verdict) int {
	return map[probes.Verdict]int{probes.Fail: 0, probes.Inconclusive: 1, "": 2, probes.Pass: 3, probes.Skipped: 4}[v]
}

// Latency says a duration in at most six cells, or "" where nothing was
// measured.
func Latency(d time.Duration) string {
	ms := float64(d.Microseconds()) / 1000
	switch {
	case d <= 0:
		return ""
	case ms < 1:
		return fmt.Sprintf("%.2fms", ms)
	case ms < 10:
		return fmt.Sprintf("%.1fms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0fms", ms)
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	default:
		return strconv.Itoa(int(d.Minutes())) + "min"
	}
}

// Target names what a check goes to. The spread of a Service is another thing
// than the Service.
func Target(c probes.Check) string {
	if c.Kind == probes.Spread {
		return "spread/" + strings.TrimPrefix(c.Target, "svc/")
	}
	return c.Target
}

// Outcome says in a few words what was seen: the latency, the kind of error, or
// what podpath could not do.
func Outcome(r probes.Result) string {
	switch {
	case r.Blind != nil:
		return "could not look"
	case r.Error != probes.NoError:
		return string(r.Error)
	default:
		return Latency(r.Latency())
	}
}
