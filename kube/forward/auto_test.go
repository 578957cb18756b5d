package forward

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// scripted is a route that answers as it is told.
type scripted struct {
	name  string
	err   error
	hangs bool
	opens int
}

func (s *scripted) Via() string  { return s.name }
func (s *scripted) Close() error { return nil }
func (s *scripted) Open(ctx context.Context, _ Target) (Conn, error) {
	s.opens++
	if s.hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if s.err != nil {
		return nil, s.err
	}
	return &tunnelled{}, nil
}

func TestAutoChoosesByMeasuring(t *testing.T) {
	pod := Target{Address: "10.0.0.1", Port: 80, Pod: "web"}
	for name, c := range map[string]struct {
		direct scripted
		target Target
		want   string
		fails  bool
	}{
		"a Pod that answers":         {scripted{}, pod, "direct", false},
		"one that refuses, too":      {scripted{err: errRefused}, pod, "direct", true},
		"no answer":                  {scripted{hangs: true}, pod, "tunnel", false},
		"no way there":               {scripted{err: errUnreachable}, pod, "tunnel", false},
		"podpath's own trouble":      {scripted{err: fmt.Errorf("%w: too many files", ErrRouteDown)}, pod, "auto", true},
		"without a Pod only direct":  {scripted{}, Target{Address: "198.51.100.9"}, "auto", false},
		"which may not work, either": {scripted{err: errUnreachable}, Target{Address: "198.51.100.9"}, "auto", true},
	} {
		c.direct.name = "direct"
		a := NewAuto(&c.direct, &scripted{name: "tunnel"}, func() time.Time { return noon })
		_, err := a.Open(t.Context(), c.target)
		if got := a.Via(); got != c.want || (err != nil) != c.fails {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, c.want)
		}
	}
}

func TestAutoMeasuresAgainAfterAMinute(t *testing.T) {
	at := noon
	direct, tunnel := &scripted{name: "direct", err: errUnreachable}, &scripted{name: "tunnel"}
	a := NewAuto(direct, tunnel, func() time.Time { return at })
	open := func() string {
		if _, err := a.Open(t.Context(), Target{Pod: "web"}); err != nil {
			t.Fatal(err)
		}
		return a.Via()
	}
	if got := open(); got != "tunnel" {
		t.Errorf("got %s, want tunnel", got)
	}
	direct.err = nil
	if got := open(); got != "tunnel" || direct.opens != 1 {
		t.Errorf("got %s after %d tries, want what was chosen", got, direct.opens)
	}
	at = at.Add(time.Minute)
	if got := open(); got != "direct" {
		t.Errorf("got %s a minute later, want direct", got)
	}
}

func TestMeasureTakesOneAnswerForAll(t *testing.T) {
	alive := serveTCP(t, "web", echo).endpoint().Target
	a := NewAuto(NewDirect(nil), &scripted{name: "tunnel"}, time.Now)
	a.Measure(t.Context(), nil)
	if got := a.Via(); got != "auto" {
		t.Errorf("got %s without a target, want nothing chosen", got)
	}
	a.Measure(t.Context(), []Target{{Address: "240.0.0.1", Port: 80}, alive})
	if got := a.Via(); got != "direct" {
		t.Errorf("got %s, want direct", got)
	}
}
