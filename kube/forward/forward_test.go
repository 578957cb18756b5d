package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestLongLivedConnectionsAreSpreadEvenly(t *testing.T) {
	for _, policy := range []Policy{EWMA, RoundRobin} {
		t.Run(string(policy), func(t *testing.T) {
			var endpoints []Endpoint
			for i := range 3 {
				endpoints = append(endpoints, serveTCP(t, fmt.Sprintf("web-%d", i), echo).endpoint())
			}
			equal := func() time.Time { return noon } // a busy machine would make their latencies differ
			r := start(t, Options{Policy: policy, Now: equal}, endpoints...)
			const all = 1000
			for range all {
				r.dial(t)
			}
			until(t, "all are open", func() bool {
				active := 0
				for _, e := range r.Stats().Endpoints {
					active += e.Active
				}
				return active == all
			})
			for _, e := range r.Stats().Endpoints {
				if got, limit := float64(e.Active)/(all/3.0), 1.02; got > limit {
					t.Errorf("%s has %.3f of the mean, want at most %.2f", e.Pod, got, limit)
				}
			}
		})
	}
}

func TestNoShortConnectionFailsWhileEndpointsChange(t *testing.T) {
	for name, route := range map[string]Route{"direct": NewDirect(nil), "tunnel": tunnel(nil)} {
		t.Run(name, func(t *testing.T) {
			r := start(t, Options{Route: route})
			all := 10_000
			if name == "tunnel" {
				all = 2000
			}
			var failed, done atomic.Int64
			var clients sync.WaitGroup
			generation := func(n int) (backends []*backend) {
				for i := range 3 {
					backends = append(backends, serveTCP(t, fmt.Sprintf("web-%d-%d", n, i), echo))
				}
				return backends
			}
			view := func(backends ...*backend) (v View) {
				for _, b := range backends {
					v.Endpoints = append(v.Endpoints, b.endpoint())
				}
				return v
			}
			current := generation(0)
			r.Update(view(current...))
			for range 8 {
				clients.Go(func() {
					for done.Add(1) <= int64(all) {
						if err := r.exchange(t); err != nil {
							failed.Add(1)
							t.Log(err)
						}
					}
				})
			}
			for n := 1; done.Load() < int64(all); n++ { // a rollout: each of the old ones terminates, then goes
				next := generation(n)
				for i := range current {
					both := append(append([]*backend{}, next[:i+1]...), current[i:]...)
					v := view(both...)
					v.Endpoints[i+1].Ready, v.Endpoints[i+1].Terminating = false, true
					r.Update(v)
					time.Sleep(5 * time.Millisecond)
					_ = current[i].Close() // it refuses before the cluster says that it is gone
					time.Sleep(5 * time.Millisecond)
					r.Update(view(append(append([]*backend{}, next[:i+1]...), current[i+1:]...)...))
				}
				current = next
			}
			clients.Wait()
			if failed.Load() > 0 {
				t.Errorf("%d of %d connections failed, want none", failed.Load(), all)
			}
		})
	}
}

// exchange sends something over a new connection, and reads the same.
func (r *running) exchange(t testing.TB) error {
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", r.Address())
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, "ping"); err != nil {
		return err
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		return err
	}
	if text, err := io.ReadAll(c); err != nil || string(text) != "ping" {
		return fmt.Errorf("got %q, %w", text, err)
	}
	return nil
}

func TestAnEndpointThatRefusesIsEjectedUnseen(t *testing.T) {
	refusing := dead(t, "broken")
	route := tunnel(map[string]error{"late": fmt.Errorf("port-forward: %w", os.NewSyscallError("connect", errRefused))})
	for name, c := range map[string]struct {
		route Route
		bad   Endpoint
	}{
		"on opening":          {NewDirect(nil), refusing},
		"later, by a tunnel":  {route, Endpoint{Target: Target{Address: "127.0.0.1", Port: 1, Pod: "late"}, Ready: true}},
		"opening of a tunnel": {route, refusing},
	} {
		t.Run(name, func(t *testing.T) {
			good := serveTCP(t, "good", echo)
			r := start(t, Options{Route: c.route, Policy: RoundRobin}, good.endpoint(), c.bad)
			for i := range 20 {
				if err := r.exchange(t); err != nil {
					t.Errorf("connection %d: %v", i, err)
				}
			}
			if e := r.await(t, Ejected); e.Target.Pod != c.bad.Pod || !strings.Contains(e.Reason, "for 5s: ") || !strings.Contains(e.Reason, "connection refused") {
				t.Errorf("got %+v, want the ejection with its reason", e)
			}
			bad, fine := r.endpointStats(c.bad.Pod), r.endpointStats("good")
			if bad.State != "ejected" || bad.Failures != 2 || bad.Ejections != 1 || fine.Retries != 2 || fine.Failures != 0 {
				t.Errorf("got %+v and %+v, want 2 failures, 1 ejection and 2 retries", bad, fine)
			}
		})
	}
}

func TestTheOnlyEndpointIsNeverEjected(t *testing.T) {
	r := start(t, Options{}, dead(t, "only"))
	for range 5 {
		if _, err := r.ask(t); !wasReset(err) {
			t.Errorf("got %v, want a reset", err)
		}
	}
	if got := r.endpointStats("only"); got.Ejections != 0 || got.Failures != 5 {
		t.Errorf("got %+v, want 5 failures and no ejection", got)
	}
	if e := r.await(t, Refused); !strings.Contains(e.Reason, "every endpoint has failed") || !strings.Contains(e.Reason, "connection refused") {
		t.Errorf("got %+v, want the reason", e)
	}
}

func TestConnectionsAreHeldWhileThereIsNoEndpoint(t *testing.T) {
	r := start(t, Options{hold: 200 * time.Millisecond})
	r.await(t, NoEndpoints)
	r.Update(View{Endpoints: []Endpoint{serveTCP(t, "web", echo).endpoint()}})
	r.Update(View{Why: "scaled to 0"})
	if e := r.await(t, NoEndpoints); e.Reason != "scaled to 0" {
		t.Errorf("got %+v, want the reason", e)
	}
	began := time.Now()
	if _, err := r.ask(t); !wasReset(err) || time.Since(began) < 200*time.Millisecond {
		t.Errorf("got %v after %v, want a reset after 200 ms", err, time.Since(began))
	}
	if e := r.await(t, Refused); e.Reason != "scaled to 0 (waited 200ms)" || e.Count != 1 {
		t.Errorf("got %+v, want why", e)
	}

	r = start(t, Options{})
	waiting := r.dial(t)
	until(t, "it is held", func() bool { return r.Stats().Held == 1 })
	r.Update(View{Endpoints: []Endpoint{serveTCP(t, "web", sayName("web")).endpoint()}})
	if text, err := io.ReadAll(waiting); string(text) != "web" || err != nil {
		t.Errorf("got %q, %v, want the answer of the endpoint that came", text, err)
	}
	r.await(t, Resumed)
}

func TestOnlySoManyConnectionsAreHeld(t *testing.T) {
	r := start(t, Options{})
	for range mostHeld {
		r.dial(t)
	}
	until(t, "as many as may are held", func() bool { return r.Stats().Held == mostHeld })
	if _, err := r.ask(t); !wasReset(err) {
		t.Errorf("got %v, want a reset", err)
	}
}

func TestOnlySoManyConnectionsAreOpen(t *testing.T) {
	r := start(t, Options{}, serveTCP(t, "web", echo).endpoint())
	for range mostOpen {
		r.dial(t)
	}
	until(t, "all are open", func() bool { return r.Stats().Open == mostOpen })
	if _, err := r.ask(t); !wasReset(err) {
		t.Errorf("got %v, want a reset", err)
	}
	if e := r.await(t, Refused); e.Reason != "1024 connections are open already" {
		t.Errorf("got %+v", e)
	}
}

func TestTerminatingEndpointsServeWhereNoneIsReady(t *testing.T) {
	e := serveTCP(t, "last", sayName("last")).endpoint()
	e.Ready, e.Terminating = false, true
	r := start(t, Options{}, e)
	if text, err := r.ask(t); text != "last" || err != nil {
		t.Errorf("got %q, %v, want the answer", text, err)
	}
}

func TestAnOpeningIsGivenUpWhenItsEndpointLeaves(t *testing.T) {
	fresh := serveTCP(t, "new", sayName("new"))
	opening := make(chan struct{}, 1)
	route := &waiting{Direct: NewDirect(nil), pod: "hole", opening: opening}
	hole := Endpoint{Target: Target{Address: "127.0.0.1", Port: 9, Pod: "hole"}, Ready: true}
	r := start(t, Options{Route: route}, hole)
	c := r.dial(t)
	<-opening
	r.Update(View{Endpoints: []Endpoint{fresh.endpoint()}})
	if text, err := io.ReadAll(c); string(text) != "new" || err != nil {
		t.Errorf("got %q, %v, want the answer of the one that came", text, err)
	}
}

// waiting is the direct route, but openings at one Pod get no answer.
type waiting struct {
	*Direct
	pod     string
	opening chan struct{}
}

func (w *waiting) Open(ctx context.Context, t Target) (Conn, error) {
	if t.Pod != w.pod {
		return w.Direct.Open(ctx, t)
	}
	w.opening <- struct{}{}
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestADownRouteBlamesNoEndpoint(t *testing.T) {
	down := pipe{func(Target) (Conn, error) { return nil, fmt.Errorf("%w: the API server is gone", ErrRouteDown) }}
	r := start(t, Options{Route: down}, dead(t, "a"), dead(t, "b"))
	for range 5 {
		if _, err := r.ask(t); !wasReset(err) {
			t.Errorf("got %v, want a reset", err)
		}
	}
	if e := r.await(t, Refused); !strings.Contains(e.Reason, "the API server is gone") {
		t.Errorf("got %+v, want the reason", e)
	}
	if got := r.Stats().All; got.Failures != 0 || got.Ejections != 0 {
		t.Errorf("got %+v, want nobody blamed", got)
	}
	if !errors.Is(blame(os.NewSyscallError("socket", errTooMany)), ErrRouteDown) {
		t.Error("no file descriptor left is an endpoint's fault, want the route's")
	}
}
