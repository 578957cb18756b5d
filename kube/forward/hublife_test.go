package forward

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"podpath/kube"
	"podpath/kube/demo/fixture"
)

func TestHubChangesPolicyAndRouteWhileItListens(t *testing.T) {
	p := newPractice(t)
	p.serve(t, "a", sayName("a"))
	p.deny("create pods/portforward")
	h, c := p.hub(t, HubOptions{})
	o := toWeb(t)
	o.Via = ViaDirect
	id := begin(t, h, c, o) // direct takes no permission
	h.SetPolicy(id, Sticky)
	if err := h.SetVia(t.Context(), id, ViaTunnel); err == nil || !strings.Contains(err.Error(), "you may not create pods/portforward") {
		t.Errorf("got %v, want the missing permission", err)
	}
	if s := only(t, h); s.Order.Via != ViaDirect || s.Stats.Via != "direct" || s.Order.Policy != Sticky || s.Stats.Policy != Sticky || askAt(t, s.Stats.Listen) != "a" {
		t.Errorf("got %+v, want it to go on directly", s)
	}
	p.deny("")
	must(t, h.SetVia(t.Context(), id, ViaTunnel))
	before := p.upgrades()
	if s := only(t, h); s.Order.Via != ViaTunnel || s.Stats.Via != "tunnel" || askAt(t, s.Stats.Listen) != "a" || p.upgrades() == before {
		t.Errorf("got %+v and %d upgrades, want the tunnel", s, p.upgrades()-before)
	}
	if err := h.SetVia(t.Context(), 99, ViaAuto); !errors.Is(err, errUnknown) {
		t.Errorf("got %v for an unknown forward", err)
	}
}

func TestHubForwardsOnWithoutTheAPIServer(t *testing.T) {
	p := newPractice(t)
	p.serve(t, "a", sayName("a"))
	h, c := p.hub(t, HubOptions{})
	begin(t, h, c, toWeb(t))
	p.server.Close()
	time.Sleep(300 * time.Millisecond) // longer than a store takes to tell of it
	if s := only(t, h); s.Phase != Serving || askAt(t, s.Stats.Listen) != "a" {
		t.Errorf("got %+v, want it to go on with what it knows", s)
	}
}

func TestHubTellsWhenAClientComes(t *testing.T) {
	p := newPractice(t)
	p.serve(t, "a", sayName("a"))
	h, c := p.hub(t, HubOptions{})
	begin(t, h, c, toWeb(t))
	told := func() bool {
		select {
		case <-h.Changed():
			return true
		case <-time.After(50 * time.Millisecond):
			return false
		}
	}
	for told() { // of the start
		continue
	}
	askAt(t, only(t, h).Stats.Listen)
	if !told() {
		t.Error("got nothing told of a client")
	}
}

func TestHubThatIsClosedEndsWhatListensAndWhatStarts(t *testing.T) {
	p := newPractice(t)
	p.serve(t, "a", echo)
	slow, _ := fixture.Connect(t, p.server, kube.Options{Dial: fixture.NewPipe().DialContext}) // which nobody answers
	var mu sync.Mutex
	var ended []Status
	h, c := p.hub(t, HubOptions{Drain: time.Hour, Ended: func(s Status) { mu.Lock(); defer mu.Unlock(); ended = append(ended, s) }})
	begin(t, h, c, toWeb(t))
	client, err := new(net.Dialer).DialContext(t.Context(), "tcp", only(t, h).Stats.Listen)
	must(t, err)
	defer func() { _ = client.Close() }()
	starting := h.Add(NewCluster("slow", slow, nil), toWeb(t))
	go func() { time.Sleep(50 * time.Millisecond); h.AbortAll() }()
	h.Close()
	if len(ended) != 1 || ended[0].Err != nil || ended[0].Stats.Listen == "" || len(h.List()) != 0 {
		t.Errorf("got %+v told, want the end of the one that has listened", ended)
	}
	if err := h.Started(t.Context(), starting); err == nil {
		t.Error("got a forward started after Close")
	}
	h.Add(c, toWeb(t))
	if len(h.List()) != 0 {
		t.Error("got a forward after Close")
	}
}

func TestHubToldOfAStoreThatBreaks(t *testing.T) {
	p := newPractice(t)
	p.serve(t, "a", sayName("a"))
	ended := make(chan Status, 1)
	h, c := p.hub(t, HubOptions{Ended: func(s Status) { ended <- s }})
	broken, breaks := context.WithCancelCause(t.Context())
	c.api = brittle{c.api, broken}
	begin(t, h, c, toWeb(t))
	broke := errors.New("panic while following pods")
	breaks(broke)
	until(t, "it is kept as failed", func() bool { return only(t, h).Phase == Failed })
	if s := <-ended; !errors.Is(s.Err, broke) || s.Phase != Failed {
		t.Errorf("got %+v, want it failed", s)
	}
}
