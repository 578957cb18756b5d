package forward

import (
	"runtime"
	"testing"
)

func TestSessionsThatWaitHoldNoBuffers(t *testing.T) {
	a, _ := serveUDP(t, "a")
	r := start(t, Options{Protocol: "UDP"}, a)
	r.client(t).ask(t, "x")
	inUse := func() uint64 {
		for range 2 { // buffers that are lent go with the second one
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const sessions, most = 400, 16 << 10 // bytes for each, of both sides
	before := inUse()
	for range sessions {
		r.client(t).ask(t, "x")
	}
	if after := inUse(); after > before+sessions*most {
		t.Errorf("got %d KiB held for each session, want at most %d", (after-before)>>10/sessions, most>>10)
	}
	if got := r.Stats().Open; got != sessions+1 {
		t.Errorf("got %d sessions open, want %d", got, sessions+1)
	}
}

func TestDatagramsOfEverySizeArrive(t *testing.T) {
	a, _ := serveUDP(t, "a")
	r := start(t, Options{Protocol: "UDP"}, a)
	c := r.client(t)
	for _, size := range []int{1, 508, 1472, 1990} {
		if got := c.ask(t, string(make([]byte, size))); len(got) != len("a ")+size {
			t.Errorf("got %d bytes back, want %d", len(got), len("a ")+size)
		}
	}
}
