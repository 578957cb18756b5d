package forward

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
)

// playFar is the far side of a link, which a test plays by hand.
type playFar struct {
	net.Conn
	frames chan frame // that the link has sent
	*link
}

// newFar starts a link, and opens a stream on it: 1 for errors, and 3.
func newFar(t *testing.T) (*playFar, *stream) {
	t.Helper()
	near, far := net.Pipe()
	p := &playFar{far, make(chan frame, 100), newLink(near, NewTunnel(nil).timing)}
	var work sync.WaitGroup
	work.Go(p.run)
	work.Go(func() {
		defer close(p.frames)
		for {
			f, err := readFrame(far)
			if err == nil {
				payload := make([]byte, f.size)
				if _, err = io.ReadFull(far, payload); err == nil && f.control && f.kind == ping {
					f.stream = binary.BigEndian.Uint32(payload) // its id
				}
			}
			if err != nil {
				return
			}
			p.frames <- f
		}
	})
	t.Cleanup(func() { _ = far.Close(); work.Wait() })
	work.Go(func() {
		p.await(ofKind(synStream))
		p.await(ofKind(synStream))
		p.reply(1)
		p.reply(3)
	})
	s, err := p.openStream(t.Context(), 80)
	must(t, err)
	must(t, s.SetReadDeadline(time.Now().Add(patience)))
	return p, s
}

func ofKind(kind uint16) func(frame) bool {
	return func(f frame) bool { return f.control && f.kind == kind }
}

// await drops frames up to one that is meant. It reports false at the end.
func (p *playFar) await(meant func(frame) bool) bool {
	for f := range p.frames {
		if meant(f) {
			return true
		}
	}
	return false
}

func (p *playFar) reply(id uint32) {
	b := []byte{0x80, spdyVersion, 0, synReply, 0, 0, 0, 4}
	_, _ = p.Write(binary.BigEndian.AppendUint32(b, id))
}

func (p *playFar) data(id uint32, text string, fin bool) {
	b := append(make([]byte, frameHead), text...)
	sealData(b, id, fin)
	_, _ = p.Write(b)
}

func TestAnEndOfDataIsGoodOnlyWithoutAWordAboutIt(t *testing.T) {
	const refused = "dial tcp4 127.0.0.1:80: connect: connection refused"
	for name, c := range map[string]struct {
		play func(p *playFar)
		want error // nil for the proper end
		most time.Duration
	}{
		"both end":                       {func(p *playFar) { p.data(3, "", true); p.data(1, "", true) }, nil, wordGrace / 2},
		"both end, errors first":         {func(p *playFar) { p.data(1, "", true); p.data(3, "", true) }, nil, wordGrace / 2},
		"the word comes last":            {func(p *playFar) { p.data(3, "", true); p.data(1, refused, false); p.data(1, "", true) }, syscall.ECONNREFUSED, wordGrace / 2},
		"the word comes first":           {func(p *playFar) { p.data(1, refused, true); p.data(3, "", true) }, syscall.ECONNREFUSED, wordGrace / 2},
		"the errors never end":           {func(p *playFar) { p.data(3, "", true) }, nil, 2 * wordGrace},
		"a word after part of an answer": {func(p *playFar) { p.data(3, "part", true); p.data(1, "connection reset by peer", true) }, syscall.ECONNRESET, wordGrace / 2},
	} {
		t.Run(name, func(t *testing.T) {
			p, s := newFar(t)
			began := time.Now()
			go c.play(p)
			_, err := io.ReadAll(s)
			if took := time.Since(began); !errors.Is(err, c.want) || took > c.most {
				t.Errorf("got %v after %s, want %v within %s", err, took, c.want, c.most)
			}
			if _, err := s.Write([]byte("x")); err == nil {
				t.Error("it takes data that nobody reads")
			}
		})
	}
}

func TestAConnectionWhoseFarSideMayBeStuckIsLeftAloneUntilItProvesThatItIsNot(t *testing.T) {
	p, s := newFar(t)
	_, err := s.Write([]byte("hello"))
	must(t, err)
	p.await(func(f frame) bool { return !f.control && f.stream == 3 })
	p.data(3, "", true) // and the runtime has not read what was sent to it
	p.data(1, "connection refused", true)
	for i := range pings {
		if !p.await(func(f frame) bool { return f.control && f.kind == ping && f.stream == proof }) {
			t.Fatal("it is not asked")
		}
		if p.health().usable {
			t.Fatalf("it is used with %d of %d workers free", i, pings)
		}
		if _, err := p.Write(appendPing(nil, proof)); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "it is used again", func() bool { return p.health().usable })
}

func TestAConnectionThatHasAnsweredIsUsedFurther(t *testing.T) {
	p, s := newFar(t)
	_, err := s.Write([]byte("hello"))
	must(t, err)
	p.await(func(f frame) bool { return !f.control && f.stream == 3 })
	p.data(3, "answer", true)
	p.data(1, "", true)
	if text, err := io.ReadAll(s); string(text) != "answer" || err != nil || !p.health().usable {
		t.Errorf("got %q, %v, usable %t; want it to be used for others", text, err, p.health().usable)
	}
}
