package forward

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"podpath/kube"
	"podpath/kube/demo/fixture"
)

func TestHubForwardsAndFollowsTheNamespace(t *testing.T) {
	a, b := serveTCP(t, "a", sayName("a")), serveTCP(t, "b", sayName("b"))
	h, c, api := newTestHub(t, HubOptions{}, a.endpoint())
	begin(t, h, c, web(t))
	s := only(t, h)
	if s.Phase != Serving || s.Cluster != "raspi" || s.Stats.Via != "direct" || s.Order.Via != ViaAuto || s.URL != "http://"+s.Stats.Listen {
		t.Errorf("got %+v, want it to listen", s)
	}
	if got := askAt(t, s.Stats.Listen); got != "a" {
		t.Errorf("got %q, want the first endpoint", got)
	}
	api.source().snapshots <- webShop(t, b.endpoint())
	happens(t, "the other endpoint", func() bool { return askAt(t, s.Stats.Listen) == "b" })
	api.source().snapshots <- webShop(t)
	happens(t, "the reason", func() bool { return only(t, h).Stats.Why != "" })
	h.Stop(s.ID)
	happens(t, "the end", func() bool { return len(h.List()) == 0 })
	if got := askAt(t, s.Stats.Listen); got != "" {
		t.Errorf("got %q after the end, want nobody to listen", got)
	}
}

func TestHubSaysWhyAForwardDoesNotListen(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	for name, c := range map[string]struct {
		change func(*Order, *fakeAPI)
		want   string
	}{
		"a busy port":          {func(o *Order, _ *fakeAPI) { o.Local = l.Addr().(*net.TCPAddr).Port }, "another forward of this podpath has this port already"},
		"a missing permission": {func(_ *Order, a *fakeAPI) { a.denied = true }, "svc/web:http: you may not create pods/portforward in namespace shop"},
		"an unknown Service":   {func(o *Order, _ *fakeAPI) { o.Name = "nope" }, `there is no Service "nope"`},
		"a list that fails": {func(_ *Order, a *fakeAPI) {
			a.snapshot = fixture.WithState(a.snapshot, kube.Services, kube.State{Phase: kube.Forbidden, Denied: kube.Denied{Verb: "list", Resource: kube.Services, Namespace: "shop"}})
		}, "you may not list services in namespace shop"},
		"UDP through the tunnel": {func(o *Order, _ *fakeAPI) { o.Protocol, o.Port, o.Via = "UDP", "80", ViaTunnel }, `no port "80"`},
	} {
		t.Run(name, func(t *testing.T) {
			a := serveTCP(t, "a", sayName("a"))
			told := 0
			h, cluster, api := newTestHub(t, HubOptions{Ended: func(Status) { told++ }}, a.endpoint())
			o := web(t)
			c.change(&o, api)
			id := h.Add(cluster, o)
			if err := h.Started(t.Context(), id); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			if s := only(t, h); s.Phase != Failed || s.Err == nil || s.Stats.Listen != "" {
				t.Errorf("got %+v, want it kept as failed", s)
			}
			api.set(false)
			again := h.Again(id, 0)
			err := h.Started(t.Context(), again)
			if works := name == "a busy port" || name == "a missing permission"; works != (err == nil) {
				t.Errorf("got %v when it was tried again", err)
			}
			if s := only(t, h); s.ID != again {
				t.Errorf("got %+v, want the new one alone", s)
			}
			h.Stop(again)
			happens(t, "the end", func() bool { return len(h.List()) == 0 })
			h.Close()
			if told != 0 && err != nil {
				t.Errorf("got told of %d ends, though nothing listened", told)
			}
		})
	}
}

func TestHubLetsOpenConnectionsRunOnUntilTheyAreReset(t *testing.T) {
	a := serveTCP(t, "a", echo)
	h, c, _ := newTestHub(t, HubOptions{Drain: time.Hour}, a.endpoint())
	id := begin(t, h, c, web(t))
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
	happens(t, "the end", func() bool { return len(h.List()) == 0 })
	if err := say("gone"); err == nil {
		t.Error("got the connection open after it was reset")
	}
}

func TestHubFollowsANamespaceOnceAndOnlyWhileItIsNeeded(t *testing.T) {
	a := serveTCP(t, "a", sayName("a"))
	h, c, api := newTestHub(t, HubOptions{}, a.endpoint())
	var ids []int
	for range 5 {
		ids = append(ids, h.Add(c, web(t)))
	}
	for _, id := range ids {
		if err := h.Started(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if len(api.sources) != 1 || api.asked != 1 {
		t.Errorf("got %d stores and %d access reviews, want one of each", len(api.sources), api.asked)
	}
	for _, id := range ids {
		h.Stop(id)
	}
	select {
	case <-api.source().ended:
	case <-time.After(patience):
		t.Error("got the store running without a forward")
	}
	begin(t, h, c, web(t))
	if len(api.sources) != 2 {
		t.Errorf("got %d stores, want a new one", len(api.sources))
	}
}
