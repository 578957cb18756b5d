package forward

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// slowWire takes one write at a time, when it is told to, and never brings
// anything.
type slowWire struct {
	writes chan []byte
	closed chan struct{}
	once   sync.Once
}

func (w *slowWire) Read([]byte) (int, error) {
	<-w.closed
	return 0, io.EOF
}

func (w *slowWire) Write(p []byte) (int, error) {
	select {
	case w.writes <- bytes.Clone(p):
		return len(p), nil
	case <-w.closed:
		return 0, io.ErrClosedPipe
	}
}

func (w *slowWire) Close() error {
	w.once.Do(func() { close(w.closed) })
	return nil
}

func TestLinkSendsSmallWritesInOneFrame(t *testing.T) {
	wire := &slowWire{writes: make(chan []byte), closed: make(chan struct{})}
	l := newLink(wire, NewTunnel(nil).timing)
	var running sync.WaitGroup
	running.Go(l.run)
	l.mu.Lock()
	s := newStream(l, 1)
	l.streams[s.data] = s
	l.mu.Unlock()

	write := func(n, times int) {
		for range times {
			if _, err := s.Write(make([]byte, n)); err != nil {
				t.Error(err)
			}
		}
	}
	write(512, 1)
	for unblocked := false; !unblocked; time.Sleep(time.Millisecond) { // until the sender writes it
		l.mu.Lock()
		unblocked = !l.writingSince.IsZero()
		l.mu.Unlock()
	}
	write(512, 20)
	for i, want := range []int{512, 20 * 512} {
		got := <-wire.writes
		f, err := readFrame(bytes.NewReader(got))
		must(t, err)
		if f.control || f.stream != s.data || f.size != want || f.fin || len(got) != frameHead+want {
			t.Errorf("write %d: got %d bytes, %+v; want a frame of %d", i, len(got), f, want)
		}
	}
	must(t, wire.Close())
	running.Wait()
}

func TestReadFrameRefusesHugeControlFrames(t *testing.T) {
	if _, err := readFrame(bytes.NewReader([]byte{0x80, 3, 0, synReply, 0, 0xff, 0xff, 0xff})); err == nil {
		t.Error("got no error for 16 MiB of headers")
	}
}

func TestLinkOpensThoughDataOvertakesAReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where nobody can wait for ever, and a deadlock is named
		near, far := net.Pipe()
		l := newLink(near, NewTunnel(nil).timing)
		var running sync.WaitGroup
		running.Go(l.run)
		running.Go(func() {
			_, _ = io.ReadFull(far, make([]byte, 100)) // the streams are there
			running.Go(func() { _, _ = io.Copy(io.Discard, far) })
			data := make([]byte, frameHead+maxFrame)
			sealData(data, 3, false)
			for {
				if _, err := far.Write(data); err != nil {
					return
				}
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		s, err := l.openStream(ctx, 80)
		must(t, err)
		must(t, s.SetReadDeadline(time.Now().Add(patience)))
		if _, err := io.ReadFull(s, make([]byte, 4*window)); err != nil {
			t.Error(err)
		}
		l.mu.Lock()
		s.leave()
		l.mu.Unlock()
		must(t, far.Close())
		running.Wait()
	})
}
