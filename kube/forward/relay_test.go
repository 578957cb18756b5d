package forward

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
)

func TestWhatTheClientSentGoesToTheNextEndpoint(t *testing.T) {
	late := Endpoint{Target: Target{Address: "127.0.0.1", Port: 1, Pod: "late"}, Ready: true}
	for name, c := range map[string]struct {
		err  error
		size int
		want bool
	}{
		"after a refusal":          {errRefused, 1000, true},
		"as much as may be":        {errRefused, replayLimit - firstChunk, true},
		"where it is unreachable":  {errUnreachable, 1000, true},
		"after a reset":            {errReset, 1000, true},
		"not after another error":  {io.ErrUnexpectedEOF, 1000, false},
		"not when it was too much": {errRefused, 4 * replayLimit, false},
	} {
		t.Run(name, func(t *testing.T) {
			sent := bytes.Repeat([]byte("0123456789"), c.size/10)
			received := make(chan []byte, 1)
			good := serveTCP(t, "good", func(conn *net.TCPConn) {
				all, _ := io.ReadAll(conn)
				received <- all
				_, _ = io.WriteString(conn, "thanks")
			})
			hold := make(chan struct{})
			route := pipe{func(target Target) (Conn, error) {
				if target.Pod != "late" {
					return tunnel(nil).Open(t.Context(), target)
				}
				return &refusing{err: c.err, hold: hold, want: len(sent)}, nil
			}}
			r := start(t, Options{Route: route, Policy: RoundRobin}, late, good.endpoint())
			conn := r.dial(t)
			go func() { _, _ = conn.Write(sent); _ = conn.CloseWrite() }()
			text, err := io.ReadAll(conn)
			if !c.want {
				if !wasReset(err) {
					t.Errorf("got %q, %v, want a reset", text, err)
				}
				return
			}
			if string(text) != "thanks" || err != nil {
				t.Fatalf("got %q, %v, want the answer of the other endpoint", text, err)
			}
			if got := <-received; !bytes.Equal(got, sent) {
				t.Errorf("got %d bytes there, want the %d that were sent", len(got), len(sent))
			}
		})
	}
}

// refusing takes what is sent, and refuses when it has it all.
type refusing struct {
	net.Conn
	err  error
	hold chan struct{}
	want int
	got  atomic.Int64
}

func (c *refusing) Write(b []byte) (int, error) {
	if c.got.Add(int64(len(b))) == int64(c.want) {
		close(c.hold)
	}
	return len(b), nil
}
func (c *refusing) Read([]byte) (int, error) { <-c.hold; return 0, c.err }
func (c *refusing) Close() error             { return nil }
func (c *refusing) CloseWrite() error        { return nil }

func TestARequestBringsDownTwoEndpointsAtMost(t *testing.T) {
	var hit atomic.Int64
	var endpoints []Endpoint
	for i := range 5 {
		endpoints = append(endpoints, serveTCP(t, fmt.Sprintf("web-%d", i), func(c *net.TCPConn) {
			_, _ = c.Read(make([]byte, 100))
			hit.Add(1)
			_ = c.SetLinger(0)
		}).endpoint())
	}
	r := start(t, Options{}, endpoints...)
	c := r.dial(t)
	_, _ = io.WriteString(c, "poison")
	if text, err := io.ReadAll(c); !wasReset(err) {
		t.Errorf("got %q, %v, want a reset", text, err)
	}
	if got := hit.Load(); got != 2 {
		t.Errorf("%d endpoints got it, want 2", got)
	}
}

func TestLargeTransfersAreWhole(t *testing.T) {
	for name, route := range map[string]Route{"direct": NewDirect(nil), "tunnel": tunnel(nil)} {
		t.Run(name, func(t *testing.T) {
			r := start(t, Options{Route: route}, serveTCP(t, "web", echo).endpoint())
			c := r.dial(t)
			sent := bytes.Repeat([]byte(strings.Repeat("x", 999)+"\n"), 5000)
			go func() { _, _ = c.Write(sent); _ = c.CloseWrite() }()
			if got, err := io.ReadAll(c); !bytes.Equal(got, sent) || err != nil {
				t.Errorf("got %d bytes, %v, want %d", len(got), err, len(sent))
			}
			_ = c.Close()
			until(t, "it is over", func() bool { return r.Stats().Open == 0 })
			if s := r.Stats().All; s.Sent != int64(len(sent)) || s.Received != int64(len(sent)) {
				t.Errorf("got %+v, want %d bytes both ways", s, len(sent))
			}
		})
	}
}
