package forward

import (
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestHubChangesPolicyAndRouteWhileItListens(t *testing.T) {
	a := serveTCP(t, "a", sayName("a"))
	h, c, api := newTestHub(t, HubOptions{}, a.endpoint())
	api.tunnels = noTunnel{}
	o := web(t)
	o.Via = ViaDirect
	api.denied = true
	id := begin(t, h, c, o) // direct takes no permission
	h.SetPolicy(id, Sticky)
	if err := h.SetVia(t.Context(), id, ViaTunnel); err == nil || !strings.Contains(err.Error(), "you may not create pods/portforward") {
		t.Errorf("got %v, want the missing permission", err)
	}
	if s := only(t, h); s.Order.Via != ViaDirect || s.Stats.Via != "direct" || s.Order.Policy != Sticky || s.Stats.Policy != Sticky || askAt(t, s.Stats.Listen) != "a" {
		t.Errorf("got %+v, want it to go on directly", s)
	}
	api.set(false)
	if err := h.SetVia(t.Context(), id, ViaTunnel); err != nil {
		t.Fatal(err)
	}
	if s := only(t, h); s.Order.Via != ViaTunnel || s.Stats.Via != "tunnel" || askAt(t, s.Stats.Listen) != "" {
		t.Errorf("got %+v, want the tunnel, which fails here", s)
	}
	if err := h.SetVia(t.Context(), 99, ViaAuto); !errors.Is(err, errUnknown) {
		t.Errorf("got %v for an unknown forward", err)
	}
}

func TestHubTellsWhenAClientComes(t *testing.T) {
	a := serveTCP(t, "a", sayName("a"))
	h, c, _ := newTestHub(t, HubOptions{}, a.endpoint())
	begin(t, h, c, web(t))
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
	a := serveTCP(t, "a", echo)
	var mu sync.Mutex
	var ended []Status
	h, c, api := newTestHub(t, HubOptions{Drain: time.Hour, Ended: func(s Status) { mu.Lock(); defer mu.Unlock(); ended = append(ended, s) }}, a.endpoint())
	begin(t, h, c, web(t))
	client, err := new(net.Dialer).DialContext(t.Context(), "tcp", only(t, h).Stats.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	api.snapshot = nil
	starting := h.Add(&Cluster{Name: "slow", api: api}, web(t))
	go func() { time.Sleep(50 * time.Millisecond); h.AbortAll() }()
	h.Close()
	if len(ended) != 1 || ended[0].Err != nil || ended[0].Stats.Listen == "" || len(h.List()) != 0 {
		t.Errorf("got %+v told, want the end of the one that has listened", ended)
	}
	if err := h.Started(t.Context(), starting); err == nil {
		t.Error("got a forward started after Close")
	}
	h.Add(c, web(t))
	if len(h.List()) != 0 {
		t.Error("got a forward after Close")
	}
}

func TestHubToldOfAStoreThatBreaks(t *testing.T) {
	a := serveTCP(t, "a", sayName("a"))
	ended := make(chan Status, 1)
	h, c, api := newTestHub(t, HubOptions{Ended: func(s Status) { ended <- s }}, a.endpoint())
	begin(t, h, c, web(t))
	broke := errors.New("panic while following pods")
	api.source().breaks <- broke
	if s := <-ended; !errors.Is(s.Err, broke) || s.Phase != Failed {
		t.Errorf("got %+v, want it failed", s)
	}
	if s := only(t, h); s.Phase != Failed {
		t.Errorf("got %+v, want it kept", s)
	}
}
