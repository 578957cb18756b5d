// Package present puts results into words and signs: the same ones for the
// command and for the panes. It knows no colours and no widgets.
package present

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"podpath/probes/path"
)

// Waiting is the sign of a check that has no result yet.
const Waiting = "…"

// Sign says a verdict in one cell; the empty one is that of a check without a
// result.
func Sign(v path.Verdict) string {
	switch v {
	case path.Pass:
		return "✓"
	case path.Fail:
		return "✗"
	case path.Inconclusive:
		return "?"
	case path.Skipped:
		return "–"
	default:
		return Waiting
	}
}

// Rank orders verdicts by how much they matter, the worst first.
func Rank(v path.Verdict) int {
	switch v {
	case path.Fail:
		return 0
	case path.Inconclusive:
		return 1
	case path.Pass:
		return 3
	case path.Skipped:
		return 4
	default:
		return 2
	}
}

// HopSign says the state of a hop in one cell.
func HopSign(s path.HopState) string {
	switch s {
	case path.Works:
		return "✓"
	case path.Broken:
		return "✗"
	case path.ByDesign:
		return "⊘"
	case path.Unknown:
		return "?"
	default:
		return "–"
	}
}

// Heading is what stands above a group of checks.
func Heading(g path.Group) string { return strings.ToUpper(string(g)) }

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
func Target(c path.Check) string {
	if c.Kind == path.Spread {
		return "spread/" + strings.TrimPrefix(c.Target, "svc/")
	}
	return c.Target
}

// Short says in a few words what was seen: the latency, the kind of error, or
// what podpath could not do.
func Short(r path.Result) string {
	switch {
	case r.Blind != nil:
		return "could not look"
	case r.Error != path.NoError:
		return string(r.Error)
	default:
		return Latency(r.Latency())
	}
}

// Outcome says what was seen, and where it is not what one would think, why.
func Outcome(r path.Result) string {
	says := r.Says()
	switch {
	case r.Blind != nil && r.Cause != nil: // below it says more
		return "could not look: " + string(r.Cause.Code)
	case r.Blind != nil:
		return "could not look: " + says
	case r.Spread != nil:
		return fmt.Sprintf("%d connections: %s", r.Spread.Connections, says)
	case r.Error != path.NoError:
		if r.Detail == "" && len(r.Values) > 0 && r.Stage != path.StageResolve { // it is the address that the name led to
			says = "at " + r.Address
		}
		says = strings.TrimSpace(string(r.Error) + " " + says)
		if r.Verdict == path.Pass {
			why := r.Expect.Why
			if r.Cause != nil && r.Cause.ByDesign {
				why = r.Cause.Summary
			}
			says += ", as expected: " + why
		}
		if r.Verdict == path.Inconclusive && r.Expect.Outcome == path.Any && r.Expect.Why != "" {
			says += "; whether it should be reached is not known: " + r.Expect.Why
		}
	case r.Verdict == path.Fail && r.Expect.Outcome == path.Reached:
		says = fmt.Sprintf("got %s, want %s", says, strings.Join(r.Expect.Values, ", "))
	case r.Verdict == path.Fail:
		says = "reached, though it should not be: " + r.Expect.Why
	case says == "" && r.Kind == path.TCP:
		return "opened"
	}
	return says
}

// Timed is the outcome with the time that it took.
func Timed(r path.Result) string {
	if took := r.Latency(); took > 0 && r.Blind == nil && r.Spread == nil {
		return Milliseconds(took) + " ms  " + Outcome(r)
	}
	return Outcome(r)
}

// Milliseconds writes milliseconds with two digits that count.
func Milliseconds(d time.Duration) string {
	ms := float64(d.Microseconds()) / 1000
	if ms < 10 {
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprintf("%.0f", ms)
}
