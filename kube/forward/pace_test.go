package forward

import (
	"bytes"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

func TestPaceRestsOnlyInAFlowOfSmallPiecesInOneDirection(t *testing.T) {
	type piece struct {
		after    time.Duration
		size     int
		answered int64 // bytes since the last piece
	}
	repeat := func(p piece) []piece { return []piece{p, p, p, p, p} }
	for name, c := range map[string]struct {
		pieces []piece
		want   []bool
	}{
		"a flow":           {repeat(piece{size: 512}), []bool{false, false, true, true, true}},
		"a dialogue":       {repeat(piece{size: 512, answered: 10}), []bool{false, false, false, false, false}},
		"keys":             {repeat(piece{size: 1, after: 50 * time.Millisecond}), []bool{false, false, false, false, false}},
		"a bulk of data":   {repeat(piece{size: carryChunk}), []bool{false, false, false, false, false}},
		"the end of bulks": {[]piece{{size: carryChunk}, {size: carryChunk}, {size: 512}}, []bool{false, false, true}},
	} {
		t.Run(name, func(t *testing.T) {
			var p pace
			var received int64
			now := time.Now()
			for i, piece := range c.pieces {
				now, received = now.Add(piece.after), received+piece.answered
				if got := p.due(piece.size, received, now); got != c.want[i] {
					t.Errorf("piece %d: got %v, want %v", i+1, got, c.want[i])
				}
			}
		})
	}
}

// pieces is an endpoint that is no socket, and counts what is written to it at once.
type pieces struct {
	net.Conn
	data  bytes.Buffer
	count int
}

func (p *pieces) Write(data []byte) (int, error) {
	p.count++
	return p.data.Write(data)
}

func (*pieces) CloseWrite() error { return nil }

// connected returns the two ends of a TCP connection.
func connected(t *testing.T) (client, near net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0") //nolint:noctx // loopback
	must(t, err)
	defer func() { _ = listener.Close() }()
	client, err = net.Dial("tcp4", listener.Addr().String()) //nolint:noctx // loopback
	must(t, err)
	near, err = listener.Accept()
	must(t, err)
	for _, c := range []net.Conn{client, near} {
		must(t, c.SetDeadline(time.Now().Add(30*time.Second)))
		t.Cleanup(func() { _ = c.Close() })
	}
	return client, near
}

func TestPaceJoinsSmallPiecesAndLosesNone(t *testing.T) {
	const size, count = 512, 4000
	client, near := connected(t)
	want := make([]byte, size*count)
	for i := range want {
		want[i] = byte(i / 7)
	}
	sent := make(chan error, 1)
	go func() {
		var err error
		for i := 0; err == nil && i < len(want); i += size {
			_, err = client.Write(want[i : i+size])
		}
		_ = client.(*net.TCPConn).CloseWrite()
		sent <- err
	}()
	var moved, received atomic.Int64
	far, p := &pieces{}, pace{client: near, received: &received}
	n, _, err := carry(far, near, far, &moved, p.rest)
	must(t, err)
	must(t, <-sent)
	if n != int64(len(want)) || !bytes.Equal(far.data.Bytes(), want) {
		t.Errorf("got %d bytes, want the %d that were sent", n, len(want))
	}
	if far.count > count/4 {
		t.Errorf("got %d pieces for %d writes, want them joined", far.count, count)
	}
}

func TestGatherLeavesASocketThatWakesForOneByte(t *testing.T) {
	client, near := connected(t)
	gather(near, time.Millisecond, carryChunk)
	sent := make(chan error, 1)
	go func() {
		time.Sleep(20 * time.Millisecond) // by then the reader waits
		_, err := client.Write([]byte("x"))
		sent <- err
	}()
	_, err := io.ReadFull(near, make([]byte, 1))
	must(t, err)
	must(t, <-sent)
}
