package forward

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func TestHubForwardsAndFollowsTheNamespace(t *testing.T) {
	p := newPractice(t)
	p.serve(t, "a", sayName("a"))
	h, c := p.hub(t, HubOptions{})
	begin(t, h, c, toWeb(t))
	s := only(t, h)
	if s.Phase != Serving || s.Cluster != "raspi" || s.Stats.Via != "direct" || s.Order.Via != ViaAuto || s.URL != "http://"+s.Stats.Listen {
		t.Errorf("got %+v, want it to listen", s)
	}
	if got := askAt(t, s.Stats.Listen); got != "a" {
		t.Errorf("got %q, want the first endpoint", got)
	}
	p.serve(t, "b", sayName("b"))
	p.leave("a")
	until(t, "the other endpoint answers", func() bool { return askAt(t, s.Stats.Listen) == "b" })
	p.leave("b")
	until(t, "there is a reason", func() bool { return only(t, h).Stats.Why != "" })
	h.Stop(s.ID)
	until(t, "it has ended", func() bool { return len(h.List()) == 0 })
	if got := askAt(t, s.Stats.Listen); got != "" {
		t.Errorf("got %q after the end, want nobody to listen", got)
	}
}

func TestHubSaysWhyAForwardDoesNotListen(t *testing.T) {
	busy := serveTCP(t, "busy", echo).endpoint().Port
	for name, c := range map[string]struct {
		change func(*Order, *practice)
		want   string
		again  bool // it works with another port, and with all permissions
	}{
		"a busy port":                {func(o *Order, _ *practice) { o.Local = busy }, "another forward of this podpath has this port already", true},
		"a missing permission":       {func(_ *Order, p *practice) { p.deny("create pods/portforward") }, "svc/web:http: you may not create pods/portforward in namespace shop", true},
		"an unknown Service":         {func(o *Order, _ *practice) { o.Name = "nope" }, `there is no Service "nope"`, false},
		"a list that fails":          {func(_ *Order, p *practice) { p.deny(" services") }, "you may not list services in namespace shop", true},
		"an API server that is gone": {func(_ *Order, p *practice) { p.server.Close() }, "connection refused", false},
		"UDP through the tunnel":     {func(o *Order, _ *practice) { o.Protocol, o.Port, o.Via = "UDP", "dns", ViaTunnel }, errNoUDP.Error(), false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPractice(t)
			p.serve(t, "a", sayName("a"))
			told := 0
			h, cluster := p.hub(t, HubOptions{Ended: func(Status) { told++ }})
			o := toWeb(t)
			c.change(&o, p)
			id := h.Add(cluster, o)
			if err := h.Started(t.Context(), id); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			if s := only(t, h); s.Phase != Failed || s.Err == nil || s.Stats.Listen != "" {
				t.Errorf("got %+v, want it kept as failed", s)
			}
			p.deny("")
			again := h.Again(id, 0)
			err := h.Started(t.Context(), again)
			if c.again != (err == nil) {
				t.Errorf("got %v when it was tried again", err)
			}
			if s := only(t, h); s.ID != again {
				t.Errorf("got %+v, want the new one alone", s)
			}
			h.Stop(again)
			until(t, "it has ended", func() bool { return len(h.List()) == 0 })
			h.Close()
			if told != 0 && err != nil {
				t.Errorf("got told of %d ends, though nothing listened", told)
			}
		})
	}
}

func TestHubLetsOpenConnectionsRunOnUntilTheyAreReset(t *testing.T) {
	p := newPractice(t)
	p.serve(t, "a", echo)
	h, c := p.hub(t, HubOptions{Drain: time.Hour})
	id := begin(t, h, c, toWeb(t))
	client, err := new(net.Dialer).DialContext(t.Context(), "tcp", only(t, h).Stats.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	say := func(text string) error {
		_ = client.SetDeadline(time.Now().Add(patience))
		if _, err := io.WriteString(client, text); err != nil {
			return err
		}
		_, err := io.ReadFull(client, make([]byte, len(text)))
		return err
	}
	if err := say("hello"); err != nil {
		t.Fatal(err)
	}
	h.Stop(id)
	if s := only(t, h); s.Phase != Finishing || s.Stats.Open != 1 {
		t.Errorf("got %+v, want it to finish", s)
	}
	if err := say("still"); err != nil {
		t.Errorf("got %v, want the connection to run on", err)
	}
	h.Abort(id)
	until(t, "it has ended", func() bool { return len(h.List()) == 0 })
	if err := say("gone"); err == nil {
		t.Error("got the connection open after it was reset")
	}
}

func TestHubFollowsANamespaceOnceAndOnlyWhileItIsNeeded(t *testing.T) {
	p := newPractice(t)
	p.serve(t, "a", sayName("a"))
	h, c := p.hub(t, HubOptions{})
	var ids []int
	for range 5 {
		ids = append(ids, h.Add(c, toWeb(t)))
	}
	for _, id := range ids {
		must(t, h.Started(t.Context(), id))
	}
	if stores, reviews := p.granted("watch pods"), p.granted("create pods/portforward"); stores != 1 || reviews != 1 {
		t.Errorf("got %d stores and %d access reviews, want one of each", stores, reviews)
	}
	for _, id := range ids {
		h.Stop(id)
	}
	ended := make(chan struct{})
	go func() { h.following.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("got the store running without a forward")
	}
	begin(t, h, c, toWeb(t))
	if stores := p.granted("watch pods"); stores != 2 {
		t.Errorf("got %d stores, want a new one", stores)
	}
}
