package forward

import (
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

func TestNothingIsLeftOfManyConnections(t *testing.T) {
	all := 20_000
	if testing.Short() {
		all = 2000
	}
	var endpoints []Endpoint
	for i := range 3 {
		endpoints = append(endpoints, serveTCP(t, fmt.Sprintf("web-%d", i), echo).endpoint())
	}
	r := start(t, Options{}, endpoints...)
	for range 50 { // pools of pipes and goroutines fill up
		if err := r.exchange(t); err != nil {
			t.Fatal(err)
		}
	}
	idle := func() bool { return r.Stats().Open == 0 }
	until(t, "all are over", idle)
	runtime.GC()
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	var done atomic.Int64
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for done.Add(1) <= int64(all) {
				if err := r.exchange(t); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	clients.Wait()
	until(t, "all are over", idle)
	until(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines })
	until(t, "no file is left", func() bool { runtime.GC(); return openFiles(t) <= files+8 }) // idle pipes of splice
}

func openFiles(t testing.TB) int {
	t.Helper()
	list, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(list) == 0 {
		t.Skip("no /proc here")
	}
	return len(list)
}

func TestFiguresCountWhileConnectionsAreOpen(t *testing.T) {
	for name, route := range map[string]Route{"direct": NewDirect(nil), "tunnel": tunnel(nil)} {
		t.Run(name, func(t *testing.T) {
			if name == "direct" && runtime.GOOS != "linux" {
				t.Skip("only Linux tells")
			}
			r := start(t, Options{Route: route}, serveTCP(t, "web", echo).endpoint())
			c := r.dial(t)
			var sender sync.WaitGroup
			defer sender.Wait()
			sender.Go(func() { _, _ = c.Write(make([]byte, 100_000)) })
			if _, err := io.ReadFull(c, make([]byte, 100_000)); err != nil {
				t.Fatal(err)
			}
			until(t, "the bytes are counted", func() bool { s := r.endpointStats("web"); return s.Sent == 100_000 && s.Received == 100_000 })
			_ = c.Close()
			until(t, "it is over", func() bool { return r.Stats().Open == 0 })
			if got := r.endpointStats("web"); got.Sent != 100_000 || got.Received != 100_000 || got.Total != 1 || got.Active != 0 {
				t.Errorf("got %+v at the end", got)
			}
		})
	}
}

func TestFiguresMayBeReadAtAnyTime(t *testing.T) {
	var endpoints []Endpoint
	for i := range 3 {
		endpoints = append(endpoints, serveTCP(t, fmt.Sprintf("web-%d", i), echo).endpoint())
	}
	r := start(t, Options{}, endpoints...)
	stop := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		var last Counts
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			s := r.Stats()
			if s.All.Total < last.Total || s.All.Sent < last.Sent || s.All.Received < last.Received {
				t.Errorf("a figure fell from %+v to %+v", last, s.All)
			}
			last = s.All
			r.SetPolicy(Policies[n%len(Policies)])
			r.SetRoute(NewDirect(nil))
			r.Update(View{Endpoints: endpoints[n%2:]})
		}
	})
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for range 200 {
				if err := r.exchange(t); err != nil {
					t.Error(err)
				}
			}
		})
	}
	clients.Wait()
	close(stop)
	reader.Wait()
}
