package forward

import (
	"math"
	"time"
)

// latencyMemory is the time in which a latency counts for 1/e of what it was.
// Finagle and tower use 10 s as well.
const latencyMemory = 10 * time.Second

// latencyStep is the unit in which latencies are compared, in whole steps: what
// is less is the noise of networks and schedulers, or the difference between
// this Node and the next one. Connections that stay open must not gather where
// the first packet came back a few milliseconds earlier.
const latencyStep = 100 * time.Millisecond

// latency is a peak EWMA of how long opening takes: it rises at once and falls
// slowly, so that one bad answer counts (Finagle's PeakEwma).
type latency struct {
	value float64 // nanoseconds, at the time of stamp
	stamp time.Time
}

// at returns the latency at a time. Without news it fades, so that a slow
// endpoint is tried again.
func (l latency) at(now time.Time) time.Duration {
	return time.Duration(l.value * l.fade(now))
}

func (l latency) fade(now time.Time) float64 {
	elapsed := max(now.Sub(l.stamp), 0)
	return math.Exp(-float64(elapsed) / float64(latencyMemory))
}

// seen adds an observation.
func (l *latency) seen(took time.Duration, now time.Time) {
	fresh := float64(max(took, 0))
	switch w := l.fade(now); {
	case l.stamp.IsZero() || fresh > l.value*w:
		l.value = fresh
	default:
		l.value = l.value*w + fresh*(1-w)
	}
	l.stamp = now
}
