package forward

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// lab is a pool with a clock that stands still.
type lab struct {
	*pool
	at     time.Time
	events chan Event
}

func newLab(policy Policy) *lab {
	l := &lab{at: noon, events: make(chan Event, 100)}
	l.pool = newPool(policy, func() time.Time { return l.at }, rand.IntN, &events{to: l.events})
	return l
}

func ready(pods ...string) (v View) {
	for i, pod := range pods {
		v.Endpoints = append(v.Endpoints, Endpoint{Target: Target{Address: fmt.Sprintf("10.0.0.%d", i+1), Port: 80, Pod: pod}, Ready: true, Serving: true})
	}
	return v
}

// told returns the events since the last call, in short.
func (l *lab) told() (out []string) {
	for {
		select {
		case e := <-l.events:
			word := string(e.Kind)
			if e.Target.Pod != "" {
				word += " " + e.Target.Pod
			}
			out = append(out, word)
		default:
			slices.Sort(out)
			return out
		}
	}
}

func TestThePoolTellsWhatChanges(t *testing.T) {
	l := newLab(RoundRobin)
	terminating := ready("a", "b")
	terminating.Endpoints[0].Ready, terminating.Endpoints[0].Terminating = false, true
	last := ready("b")
	last.Endpoints[0].Address = "10.0.0.2"
	last.Endpoints[0].Ready, last.Endpoints[0].Terminating = false, true
	notReady := ready("b")
	notReady.Endpoints[0].Address = "10.0.0.2"
	notReady.Endpoints[0].Ready, notReady.Endpoints[0].Serving = false, false
	for _, step := range []struct {
		name string
		view View
		want []string
	}{
		{"both come", ready("a", "b"), []string{"joined a", "joined b"}},
		{"nothing changes", ready("a", "b"), nil},
		{"one terminates", terminating, []string{"left a"}},
		{"it goes, and the last one terminates but serves", last, nil},
		{"that is not even serving", notReady, []string{"left b", "no-endpoints"}},
		{"still so", notReady, nil},
		{"another one takes the address of the first", ready("c"), []string{"joined c", "resumed"}},
	} {
		l.update(step.view)
		if got := l.told(); !slices.Equal(got, step.want) {
			t.Errorf("%s: got %q, want %q", step.name, got, step.want)
		}
	}
}

func TestEjectedEndpointsComeBack(t *testing.T) {
	l := newLab(RoundRobin)
	l.update(ready("a", "b"))
	l.told()
	bad := l.members[identity{"10.0.0.1", 80, "a"}]
	good := l.members[identity{"10.0.0.2", 80, "b"}]
	for range 2 {
		l.failed(bad, errors.New("refused"))
	}
	for range 6 {
		if m, _ := l.take("", nil, &flow{}); m != good {
			t.Fatal("the ejected one was taken")
		}
	}
	for range 2 { // the last one is never ejected
		l.failed(good, errors.New("refused"))
	}
	if m, _ := l.take("", nil, &flow{}); m != good {
		t.Error("the last one was ejected")
	}
	if m, _ := l.take("", []*member{good}, &flow{}); m != bad {
		t.Error("with all others tried the ejected one was not")
	}
	l.at = l.at.Add(5 * time.Second)
	seen := map[*member]bool{}
	for range 2 {
		m, _ := l.take("", nil, &flow{})
		seen[m] = true
	}
	if got := l.told(); !seen[bad] || !slices.Equal(got, []string{"back a", "ejected a"}) {
		t.Errorf("got %q, want it back", got)
	}
}

func TestEndpointsThatGoAreRemembered(t *testing.T) {
	l := newLab(EWMA)
	for n := range mostPast + 10 {
		v := ready("x")
		v.Endpoints[0].Pod = fmt.Sprintf("pod-%d", n)
		l.update(v)
		f := &flow{}
		m, _ := l.take("", nil, f)
		f.endSent(100)
		l.end(m, f)
	}
	l.update(View{})
	var s Stats
	l.stats(&s)
	all := s.All
	for _, e := range s.Endpoints {
		all = all.plus(e.Counts)
		if e.State != "gone" {
			t.Errorf("got %s, want it gone", e.State)
		}
	}
	if len(s.Endpoints) != mostPast || all.Total != mostPast+10 || all.Sent != 100*(mostPast+10) {
		t.Errorf("got %d endpoints and %+v, want the last %d and the sums of all", len(s.Endpoints), all, mostPast)
	}
	if len(l.members) != 0 {
		t.Errorf("%d are kept in full", len(l.members))
	}
	again := ready("x")
	again.Endpoints[0].Pod = s.Endpoints[0].Pod
	l.update(again)
	s = Stats{}
	l.stats(&s)
	if got := s.Endpoints[0]; got.Total != 1 || got.State != "ready" || len(s.Endpoints) != mostPast {
		t.Errorf("got %+v of %d, want the one that came back with its figures, once", got, len(s.Endpoints))
	}
}

func TestEventsThatNobodyTakesAreCounted(t *testing.T) {
	e := &events{forward: "svc/web:80", to: make(chan Event, 1)}
	for range 3 {
		e.send(Event{Kind: Joined})
	}
	if got := e.lost.Load(); got != 2 {
		t.Errorf("got %d lost, want 2", got)
	}
	(&events{}).send(Event{}) // nobody listens at all
}

func TestAFlowThatWasAbortedDoesNotComeAbout(t *testing.T) {
	f := &flow{}
	f.abort()
	ctx, cancel := context.WithCancel(t.Context())
	f.begin(cancel)
	if ctx.Err() == nil || f.attach(nil) {
		t.Error("it came about")
	}
}
