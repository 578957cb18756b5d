package e2e_test

import (
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// siblings are clients that keep a connection each.
type siblings struct {
	url     string
	clients []*http.Client
}

func newSiblings(t *testing.T, address string) siblings {
	s := siblings{url: "http://" + address}
	for range 8 {
		transport := &http.Transport{MaxConnsPerHost: 1}
		t.Cleanup(transport.CloseIdleConnections)
		s.clients = append(s.clients, &http.Client{Transport: transport, Timeout: 20 * time.Second})
	}
	return s
}

// p99 has them all ask for a while, and returns what 99 % of the answers took at most, and all of them.
func (s siblings) p99(t *testing.T, during time.Duration) (p99, most time.Duration) {
	t.Helper()
	var mu sync.Mutex
	var all []time.Duration
	var work sync.WaitGroup
	end := time.Now().Add(during)
	for _, client := range s.clients {
		work.Go(func() {
			for time.Now().Before(end) {
				began := time.Now()
				err := get(client, s.url)
				took := time.Since(began)
				mu.Lock()
				if all = append(all, took); err != nil {
					t.Error(err)
				}
				mu.Unlock()
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	work.Wait()
	slices.Sort(all)
	return all[len(all)*99/100], all[len(all)-1]
}

// TestForwardClientThatReadsNothingDoesNotSlowOthers has one Pod, so that on the way through the API server nine clients
// have four connections, and the one that reads nothing shares its own.
func TestForwardClientThatReadsNothingDoesNotSlowOthers(t *testing.T) {
	p := backends(t)
	p.c.Kubectl("--namespace", p.namespace, "scale", "deployment/answering", "--replicas=1")
	p.c.Eventually("one Pod", time.Minute, func() error { return wantLen(p.pods("app=backends", "{.metadata.name}"), 1) })
	for via, f := range overBoth(t, p.c, p.namespace, "svc/backends", "0:80") {
		t.Run(via, func(t *testing.T) {
			s := newSiblings(t, f.listen)
			_, _ = s.p99(t, time.Second) // opens their connections
			for try := range 3 {         // the machine may be busy just then
				before, _ := s.p99(t, 4*time.Second)
				stalled := ask(t, f.listen, "/endless")
				if _, err := io.CopyN(io.Discard, stalled.answer, 1<<20); err != nil {
					t.Fatal(err)
				}
				beside, most := s.p99(t, 4*time.Second)
				_ = stalled.Close()
				t.Logf("p99 %s, and %s beside a client that reads nothing (%.2f times, the slowest %s)", before, beside, float64(beside)/float64(before), most)
				if beside <= 2*before {
					return
				}
				if try == 2 {
					t.Error("p99 was more than twice that before, three times in a row")
				}
			}
		})
	}
}
