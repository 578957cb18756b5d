//go:build linux

package wire_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"podpath/probes/wire"
)

// conversations are the behaviours of several requests, and of the ends.
func conversations() []behaviour {
	request := func(id int, op wire.Op, port, count int, data []byte) wire.Request {
		return wire.Request{ID: id, Op: op, Timeout: 5 * time.Second, Address: loopback, Port: port, Count: count, Data: data}
	}
	return []behaviour{
		{"ends at once when nothing is asked", "", func(t *testing.T, p prober) {
			p.begin(t).end()
		}},
		{"keeps connections apart until they are dropped", "hold", func(t *testing.T, p prober) {
			port := serve(t, loopback, echoes)
			c := p.begin(t)
			want(t, c.ask(request(1, wire.Hold, port, 0, nil)), wire.OK, true, nil)
			want(t, c.ask(request(2, wire.Hold, port, 0, nil)), wire.OK, true, nil)
			for range 3 {
				want(t, c.ask(request(1, wire.More, 0, 999, allBytes())), wire.OK, false, allBytes())
				want(t, c.ask(request(2, wire.More, 0, 999, []byte("second"))), wire.OK, false, []byte("second"))
			}
			want(t, c.ask(request(1, wire.More, 0, 0, []byte("only sent"))), wire.OK, false, nil)
			want(t, c.ask(request(1, wire.More, 0, 4, nil)), wire.OK, false, []byte("only"))
			want(t, c.ask(request(1, wire.More, 0, 99, nil)), wire.OK, false, []byte(" sent"))
			want(t, c.ask(request(1, wire.Drop, 0, 0, nil)), wire.OK, false, nil)
			want(t, c.ask(request(1, wire.More, 0, 9, nil)), wire.Failed, false, []byte("nothing is held under this ID"))
			want(t, c.ask(request(2, wire.More, 0, 9, []byte("still"))), wire.OK, false, []byte("still"))
			c.end()
		}},
		{"holds 64 connections and answers others meanwhile", "hold", func(t *testing.T, p prober) {
			port := serve(t, loopback, echoes)
			c := p.begin(t)
			for id := 1; id <= 64; id++ {
				c.send(request(id, wire.Hold, port, 0, nil))
			}
			for range 64 {
				want(t, c.next(), wire.OK, true, nil)
			}
			want(t, c.ask(wire.Request{ID: 99, Op: wire.TCP, Timeout: patience, Address: loopback, Port: port, Count: 1, Data: []byte("x")}), wire.OK, true, []byte("x"))
			want(t, c.ask(request(64, wire.More, 0, 9, []byte("last"))), wire.OK, false, []byte("last"))
			c.end()
		}},
		{"holds on after a timeout", "hold", func(t *testing.T, p prober) {
			port := serve(t, loopback, echoes)
			c := p.begin(t)
			want(t, c.ask(request(1, wire.Hold, port, 0, nil)), wire.OK, true, nil)
			slow := request(1, wire.More, 0, 9, nil)
			slow.Timeout = 300 * time.Millisecond
			want(t, c.ask(slow), wire.Timeout, false, nil)
			want(t, c.ask(request(1, wire.More, 0, 9, []byte("alive"))), wire.OK, false, []byte("alive"))
			c.end()
		}},
		{"tells a held connection's end from its reset", "hold", func(t *testing.T, p prober) {
			c := p.begin(t)
			want(t, c.ask(request(1, wire.Hold, serve(t, loopback, returns(1)), 0, nil)), wire.OK, true, nil)
			want(t, c.ask(request(1, wire.More, 0, 9, []byte("x"))), wire.OK, false, []byte("x"))
			want(t, c.ask(request(1, wire.More, 0, 9, nil)), wire.OK, false, nil)
			want(t, c.ask(request(2, wire.Hold, serve(t, loopback, resets), 0, nil)), wire.OK, true, nil)
			want(t, c.ask(request(2, wire.More, 0, 9, []byte("x"))), wire.Reset, false, nil)
			c.end()
		}},
		{"says why nothing is held", "hold", func(t *testing.T, p prober) {
			c := p.begin(t)
			want(t, c.ask(request(1, wire.Hold, closedPort(t), 0, nil)), wire.Refused, false, nil)
			want(t, c.ask(request(1, wire.More, 0, 9, []byte("x"))), wire.Failed, false, []byte("nothing is held under this ID"))
			stuck := request(2, wire.Hold, blackHole(t), 0, nil)
			stuck.Timeout = 500 * time.Millisecond
			want(t, c.ask(stuck), wire.Timeout, false, nil)
			want(t, c.ask(request(2, wire.Drop, 0, 0, nil)), wire.Failed, false, []byte("nothing is held under this ID"))
			c.end()
		}},
		{"answers what is open when its input ends, and no request that was cut", "", func(t *testing.T, p prober) {
			port := serve(t, loopback, returns(3))
			c := p.begin(t)
			c.send(request(1, wire.TCP, port, 9, []byte("abc")))
			if _, err := io.WriteString(c.in, "2 tcp 5000 127.0.0."); err != nil {
				t.Fatal(err)
			}
			if err := c.in.Close(); err != nil {
				t.Fatal(err)
			}
			want(t, c.next(), wire.OK, true, []byte("abc"))
			c.ended()
		}},
		{"answers while its input is open", "", func(t *testing.T, p prober) {
			port := serve(t, loopback, returns(3))
			c := p.begin(t)
			for id := range 5 {
				want(t, c.ask(request(id+1, wire.TCP, port, 9, []byte("abc"))), wire.OK, true, []byte("abc"))
			}
			c.end()
		}},
		{"does not mix the lines of many long answers", "", func(t *testing.T, p prober) {
			long := bytes.Repeat(allBytes(), 20)
			port := serve(t, loopback, sends(long))
			var requests []wire.Request
			for id := range 20 {
				r := request(id+1, wire.TCP, port, 1<<20, nil)
				r.Timeout = patience // for bash it is much to do
				requests = append(requests, r)
			}
			for _, a := range p.whole(t, requests...) {
				want(t, a, wire.OK, true, long)
			}
		}},
		{"ends when nobody reads its answers", "", func(t *testing.T, p prober) {
			port := serve(t, loopback, returns(1))
			c := p.begin(t)
			c.send(request(1, wire.TCP, port, 9, []byte("a")))
			c.next()
			if err := c.out.Close(); err != nil {
				t.Fatal(err)
			}
			for id := range 3 { // a shell notices with its second write
				_, _ = io.WriteString(c.in, request(id+2, wire.TCP, port, 9, []byte("a")).String()+"\n")
				time.Sleep(50 * time.Millisecond)
			}
			c.gone()
		}},
	}
}
