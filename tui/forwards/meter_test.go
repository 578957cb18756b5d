package forwards

import (
	"math"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, time.March, 14, 12, 0, 0, 0, time.UTC)

// moves reads a meter twice a second, while so many bytes a second move.
func moves(m *meter, from time.Time, bytes int64, perSecond ...int64) (time.Time, int64) {
	now := from
	for _, n := range perSecond {
		for range 2 {
			now, bytes = now.Add(time.Second/2), bytes+n/2
			m.read(now, bytes)
		}
	}
	return now, bytes
}

func TestMeterShowsBytesPerSecond(t *testing.T) {
	for name, c := range map[string]struct {
		perSecond []int64
		rate      float64
		spark     string
	}{
		"nothing":            {[]int64{0, 0, 0}, 0, "        "},
		"steady":             {[]int64{100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100}, 100, "███████ "},
		"rising":             {[]int64{10, 10, 20, 20, 40, 40, 80, 80, 80}, 80, "   ▂▃▅█▅"},
		"a burst, then none": {[]int64{1000, 0, 0, 0, 0, 0}, 0, "    █   "},
		"a byte beside many": {[]int64{1000000, 1000000, 0, 2, 0, 0}, 0, "    █▁  "},
	} {
		var m meter
		m.read(start, 5000)
		moves(&m, start, 5000, c.perSecond...)
		if got := m.spark(); got != c.spark || math.Abs(m.rate()-c.rate) > 0.01*c.rate {
			t.Errorf("%s: got %q at %.1f/s, want %q at %.1f/s", name, got, m.rate(), c.spark, c.rate)
		}
	}
}

func TestMeterSettlesWhenNothingMoves(t *testing.T) {
	var m meter
	m.read(start, 0)
	if !m.quiet() {
		t.Error("got a new meter not quiet")
	}
	now, bytes := moves(&m, start, 0, 1000)
	if m.quiet() {
		t.Error("got it quiet though something moved")
	}
	now, bytes = moves(&m, now, bytes, make([]int64, remembered+2)...)
	if before := m.spark(); !m.quiet() || strings.TrimSpace(before) != "" || m.rate() != 0 {
		t.Errorf("got %q, want it quiet after %d seconds", before, remembered)
	}
	m.read(now.Add(time.Hour), bytes+3600*100) // nobody looked for an hour
	if got := m.rate(); math.Abs(got-100) > 1 {
		t.Errorf("got %.1f/s, want what moved spread over the time", got)
	}
}

func TestMeterTakesAClockThatStandsOrGoesBack(t *testing.T) {
	var m meter
	m.read(start, 0)
	m.read(start, 1000)
	m.read(start.Add(-time.Minute), 2000)
	m.read(start.Add(time.Second), 3000)
	if got := m.spark(); len([]rune(got)) != sparkCells {
		t.Errorf("got %q", got)
	}
}
