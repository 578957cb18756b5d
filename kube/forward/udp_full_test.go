package forward

import "testing"

// DNS clients ask from a new port each time, and forget the old one.
func TestNewClientsTakeThePlaceOfTheIdlestSession(t *testing.T) {
	a, _ := serveUDP(t, "a")
	r := start(t, Options{Protocol: "UDP"}, a)
	first, second := r.client(t), r.client(t)
	first.ask(t, "x")
	second.ask(t, "x")
	before := r.Stats()
	first.ask(t, "x") // so that the second one is idle for longer
	for range mostOpen - 1 {
		r.client(t).ask(t, "x")
	}
	until(t, "one session has ended", func() bool { return r.Stats().Open == mostOpen })
	first.ask(t, "y")
	if got := r.Stats().All.Total; got != before.All.Total+mostOpen-1 {
		t.Errorf("got %d sessions in all, want %d: the first one lives on", got, before.All.Total+mostOpen-1)
	}
	second.ask(t, "y")
	if s := r.Stats(); s.All.Total != before.All.Total+mostOpen || s.Refused > 0 {
		t.Errorf("got %d sessions in all and %d refused, want %d and none: the second one begins anew", s.All.Total, s.Refused, before.All.Total+mostOpen)
	}
}
