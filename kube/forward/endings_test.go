package forward

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

func TestHalfClosedConnectionsGetTheirAnswer(t *testing.T) {
	for name, route := range map[string]Route{"direct": NewDirect(nil), "tunnel": tunnel(nil)} {
		t.Run(name, func(t *testing.T) {
			late := serveTCP(t, "late", func(c *net.TCPConn) {
				text, _ := io.ReadAll(c) // to the client's end
				time.Sleep(300 * time.Millisecond)
				_, _ = c.Write(bytes.ToUpper(text))
			})
			early := serveTCP(t, "early", func(c *net.TCPConn) {
				_, _ = io.WriteString(c, "all said")
				_ = c.CloseWrite()
				text, _ := io.ReadAll(c)
				if string(text) != "heard" {
					t.Errorf("got %q from the client, want it all", text)
				}
			})
			r := start(t, Options{Route: route}, late.endpoint())
			c := r.dial(t)
			_, _ = io.WriteString(c, "hello")
			_ = c.CloseWrite()
			if text, err := io.ReadAll(c); string(text) != "HELLO" || err != nil {
				t.Errorf("got %q, %v, want the whole answer", text, err)
			}
			r.Update(View{Endpoints: []Endpoint{early.endpoint()}})
			c = r.dial(t)
			if text, err := io.ReadAll(c); string(text) != "all said" || err != nil {
				t.Errorf("got %q, %v, want the end", text, err)
			}
			_, _ = io.WriteString(c, "heard")
			_ = c.CloseWrite()
			until(t, "the connection is over", func() bool { return r.Stats().Open == 0 })
		})
	}
}

func TestABrokenConnectionIsReset(t *testing.T) {
	breaks := func(c *net.TCPConn) {
		_, _ = io.WriteString(c, "half of it")
		_, _ = c.Read(make([]byte, 1))
		_ = c.SetLinger(0)
	}
	for name, route := range map[string]Route{"direct": NewDirect(nil), "tunnel": tunnel(nil)} {
		t.Run(name, func(t *testing.T) {
			r := start(t, Options{Route: route}, serveTCP(t, "web", breaks).endpoint())
			c := r.dial(t)
			_, _ = io.ReadFull(c, make([]byte, 10))
			_, _ = io.WriteString(c, "x")
			if text, err := io.ReadAll(c); !wasReset(err) {
				t.Errorf("got %q, %v, want a reset", text, err)
			}
			until(t, "it is counted", func() bool { return r.endpointStats("web").Broken == 1 })
		})
	}
}

func TestAClientThatBreaksOffEndsItsConnectionOnly(t *testing.T) {
	for name, route := range map[string]Route{"direct": NewDirect(nil), "tunnel": tunnel(nil)} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan struct{})
			b := serveTCP(t, "web", func(c *net.TCPConn) {
				_, _ = io.Copy(io.Discard, c) // waits for the client, says nothing
				ended <- struct{}{}
			})
			r := start(t, Options{Route: route}, b.endpoint())
			sibling, c := r.dial(t), r.dial(t)
			_, _ = io.WriteString(c, "hello")
			until(t, "both are open", func() bool { return b.served.Load() == 2 })
			_ = c.SetLinger(0)
			_ = c.Close()
			<-ended
			until(t, "one is left", func() bool { return r.Stats().Open == 1 })
			_ = sibling.CloseWrite()
			<-ended
			if got := r.endpointStats("web").Broken; got != 0 {
				t.Errorf("the endpoint is blamed %d times, want it not to be", got)
			}
		})
	}
}

func TestASlowClientDoesNotHinderOthers(t *testing.T) {
	flood := serveTCP(t, "flood", func(c *net.TCPConn) {
		first := make([]byte, 1)
		if _, err := c.Read(first); err == nil && first[0] == 'f' {
			_, _ = io.Copy(c, neverEnding{})
			return
		}
		_, _ = io.WriteString(c, "quick")
	})
	for name, route := range map[string]Route{"direct": NewDirect(nil), "tunnel": tunnel(nil)} {
		t.Run(name, func(t *testing.T) {
			r := start(t, Options{Route: route}, flood.endpoint())
			slow := r.dial(t)
			_, _ = io.WriteString(slow, "f") // and reads nothing
			time.Sleep(100 * time.Millisecond)
			for range 50 {
				began := time.Now()
				c := r.dial(t)
				_, _ = io.WriteString(c, "q")
				if text, err := io.ReadAll(c); string(text) != "quick" || err != nil || time.Since(began) > time.Second {
					t.Fatalf("got %q, %v after %v", text, err, time.Since(began))
				}
				_ = c.Close()
			}
		})
	}
}

type neverEnding struct{}

func (neverEnding) Read(b []byte) (int, error) { return len(b), nil }

func TestTerminatingEndpointsKeepTheirConnections(t *testing.T) {
	old, fresh := serveTCP(t, "old", echo), serveTCP(t, "new", sayName("new"))
	r := start(t, Options{}, old.endpoint())
	c := r.dial(t)
	_, _ = io.WriteString(c, "a")
	_, _ = io.ReadFull(c, make([]byte, 1))
	leaving := old.endpoint()
	leaving.Ready, leaving.Terminating = false, true
	r.Update(View{Endpoints: []Endpoint{leaving, fresh.endpoint()}})
	for range 10 {
		if text, err := r.ask(t); text != "new" || err != nil {
			t.Fatalf("got %q, %v, want only the new one", text, err)
		}
	}
	if e := r.await(t, Left); e.Target.Pod != "old" || e.Reason != "terminating" {
		t.Errorf("got %+v", e)
	}
	r.Update(View{Endpoints: []Endpoint{fresh.endpoint()}, Exists: func(Target) bool { return true }})
	_, _ = io.WriteString(c, "b")
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Errorf("the old connection: %v, want it to run on", err)
	}
	r.Update(View{Endpoints: []Endpoint{fresh.endpoint()}, Exists: func(t Target) bool { return t.Pod != "old" }})
	if _, err := c.Read(make([]byte, 1)); !wasReset(err) {
		t.Errorf("got %v after the Pod is gone, want a reset", err)
	}
}

func TestTheEndWaitsForOpenConnections(t *testing.T) {
	slow := serveTCP(t, "slow", func(c *net.TCPConn) { time.Sleep(300 * time.Millisecond); _, _ = io.WriteString(c, "done") })
	r := start(t, Options{Drain: patience}, slow.endpoint())
	c := r.dial(t)
	until(t, "it is open", func() bool { return slow.served.Load() == 1 })
	var reader sync.WaitGroup
	reader.Go(func() {
		defer func() { _ = c.Close() }()
		if text, err := io.ReadAll(c); string(text) != "done" || err != nil {
			t.Errorf("got %q, %v, want the whole answer", text, err)
		}
	})
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	reader.Wait()
	r.await(t, Stopped)
}

func TestTheEndResetsWhatStaysOpen(t *testing.T) {
	for name, abort := range map[string]bool{"after the time": false, "at once when asked": true} {
		t.Run(name, func(t *testing.T) {
			b := serveTCP(t, "web", echo)
			o := Options{Drain: 50 * time.Millisecond}
			if abort {
				o.Drain = time.Hour
			}
			r := start(t, o, b.endpoint())
			c := r.dial(t)
			until(t, "it is open", func() bool { return b.served.Load() == 1 })
			if abort {
				r.Abort()
			}
			if err := r.stop(); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Read(make([]byte, 1)); !wasReset(err) {
				t.Errorf("got %v, want a reset", err)
			}
		})
	}
}
