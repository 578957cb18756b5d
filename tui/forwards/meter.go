package forwards

import (
	"strings"
	"time"
)

// remembered is how many seconds a meter looks back: what the sparkline shows.
const remembered = sparkCells * cellSeconds

// The sparkline: a cell stands for two seconds.
const (
	sparkCells  = 8
	cellSeconds = 2
)

// meter turns a count of bytes that is read now and then into bytes for each of
// the last seconds. What moved between two readings counts as spread evenly.
type meter struct {
	at      time.Time // of the last reading
	bytes   int64     // then
	seconds [remembered]float64
	first   int64 // the Unix second of seconds[0], which is the oldest
}

// read takes a reading.
func (m *meter) read(now time.Time, bytes int64) {
	if m.at.IsZero() {
		m.at, m.bytes = now, bytes
		m.first = now.Unix() - remembered + 1
		return
	}
	m.roll(now)
	if elapsed := now.Sub(m.at); elapsed > 0 {
		moved := float64(max(bytes-m.bytes, 0))
		for i := range m.seconds {
			begins := time.Unix(m.first+int64(i), 0)
			overlap := earlier(now, begins.Add(time.Second)).Sub(later(m.at, begins))
			m.seconds[i] += moved * float64(max(overlap, 0)) / float64(elapsed)
		}
		m.at, m.bytes = now, bytes
	}
}

// roll forgets the seconds that are too long ago. Cells begin at even seconds,
// so that what they show only moves.
func (m *meter) roll(now time.Time) {
	last := now.Unix()
	last += cellSeconds - 1 - last%cellSeconds
	first := last - remembered + 1
	var next [remembered]float64
	for i := range next {
		if old := first + int64(i) - m.first; old >= 0 && old < remembered {
			next[i] = m.seconds[old]
		}
	}
	m.seconds, m.first = next, first
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// rate returns the bytes per second of this second and the one before.
func (m *meter) rate() float64 {
	i := int(m.at.Unix() - m.first)
	if m.at.IsZero() || i < 1 || i >= remembered {
		return 0
	}
	part := m.at.Sub(time.Unix(m.at.Unix(), 0)).Seconds()
	return (m.seconds[i] + m.seconds[i-1]) / (1 + part)
}

// quiet reports whether nothing has moved for as long as the meter looks back.
func (m *meter) quiet() bool { return m.seconds == [remembered]float64{} }

// levels are the heights of a bar; none where nothing moved.
var levels = []rune(" ▁▂▃▄▅▆▇█")

// spark draws the last seconds, the newest at the right.
func (m *meter) spark() string {
	var cells [sparkCells]float64
	most := 0.0
	for i, n := range m.seconds {
		cells[i/cellSeconds] += n
		most = max(most, cells[i/cellSeconds])
	}
	var b strings.Builder
	for _, n := range cells {
		level := 0
		if n > 0 {
			level = 1 + int(n/most*float64(len(levels)-2)+0.5)
		}
		b.WriteRune(levels[level])
	}
	return b.String()
}
