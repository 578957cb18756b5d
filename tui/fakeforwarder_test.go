package tui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"podpath/kube"
	"podpath/kube/forward"
)

// fakeForwarder listens nowhere. A forward is there at once, unless a test says
// what is in its way.
type fakeForwarder struct {
	list    []forward.Status
	fails   func(o forward.Order) error // why it does not come to listen
	denied  error                       // why another route is not taken
	starts  time.Duration
	changed chan struct{}
	last    int
	listed  int // how often the figures were read
	closed  int
	aborted []int
}

func (f *fakeForwarder) Add(_ *forward.Cluster, o forward.Order) int {
	f.last++
	s := forward.Status{ID: f.last, Cluster: "raspi", Order: o, Phase: forward.Starting}
	s.Order.Via, s.Order.Policy, s.Stats.Forward = forward.ViaAuto, forward.EWMA, o.Label
	f.list = append(f.list, s)
	f.tell()
	return f.last
}

func (f *fakeForwarder) Again(id, local int) int {
	s := f.list[f.index(id)]
	f.Stop(id)
	s.Order.Local = local
	return f.Add(nil, s.Order)
}

func (f *fakeForwarder) index(id int) int {
	return slices.IndexFunc(f.list, func(s forward.Status) bool { return s.ID == id })
}

func (f *fakeForwarder) Started(ctx context.Context, id int) error {
	select {
	case <-time.After(f.starts):
	case <-ctx.Done():
		return ctx.Err()
	}
	i := f.index(id)
	if i < 0 {
		return errors.New("this forward has ended")
	}
	s := &f.list[i]
	defer f.tell()
	if f.fails != nil {
		if s.Err = f.fails(s.Order); s.Err != nil {
			s.Phase = forward.Failed
			return s.Err
		}
	}
	s.Phase = forward.Serving
	s.Stats.Listen, s.Stats.Via = fmt.Sprintf("127.0.0.1:%d", s.Order.Local), "direct"
	s.URL = "http://" + s.Stats.Listen
	s.Stats.Endpoints = []forward.EndpointStats{
		{Target: forward.Target{Address: "10.244.2.11", Port: 80, Namespace: "default", Pod: "sample-deployment-6d4b75cb6d-4xk2p", Node: "raspi002"}, State: "ready"},
		{Target: forward.Target{Address: "10.244.3.12", Port: 80, Namespace: "default", Pod: "sample-deployment-6d4b75cb6d-9hq7d", Node: "raspi003"}, State: "ready"},
	}
	return nil
}

func (f *fakeForwarder) Stop(id int) {
	i := f.index(id)
	if f.list[i].Stats.Open > 0 {
		f.list[i].Phase = forward.Finishing
	} else {
		f.list = slices.Delete(slices.Clone(f.list), i, i+1)
	}
	f.tell()
}

func (f *fakeForwarder) Abort(id int) {
	f.aborted = append(f.aborted, id)
	f.list = slices.DeleteFunc(slices.Clone(f.list), func(s forward.Status) bool { return s.ID == id })
	f.tell()
}

func (f *fakeForwarder) AbortAll() {}
func (f *fakeForwarder) Close()    { f.closed++ }

func (f *fakeForwarder) List() []forward.Status {
	f.listed++
	return slices.Clone(f.list)
}

func (f *fakeForwarder) Changed() <-chan struct{} { return f.changed }

func (f *fakeForwarder) tell() {
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

func (f *fakeForwarder) SetPolicy(id int, p forward.Policy) {
	f.list[f.index(id)].Order.Policy = p
	f.tell()
}

func (f *fakeForwarder) SetVia(_ context.Context, id int, via forward.Via) error {
	if f.denied != nil {
		return f.denied
	}
	s := &f.list[f.index(id)]
	s.Order.Via, s.Stats.Via = via, string(via)
	f.tell()
	return nil
}

// move lets bytes and connections go through the first forward.
func (f *fakeForwarder) move(bytes int64, connections, open int) {
	s := &f.list[0].Stats
	s.Endpoints = slices.Clone(s.Endpoints)
	s.Open = open
	s.All.Received += bytes
	s.All.Total += uint64(connections)
	s.Endpoints[0].Received += bytes
	s.Endpoints[0].Total += uint64(connections)
	s.Endpoints[0].Active = open
	s.Endpoints[0].Latency = 1200 * time.Microsecond
	f.tell()
}

// forwardSample forwards a Service with f, to local port 8080.
func (s *screen) forwardSample() {
	s.Helper()
	s.follow([]string{"2", "/sample-clusterip", "f"})
	s.typeOver("8080")
	s.press("enter")
}

// typeOver replaces what stands in the prompt.
func (s *screen) typeOver(text string) {
	s.Helper()
	s.press("ctrl+u")
	for _, r := range text {
		s.press(string(r))
	}
}

// forwardSeveral has forwards in all their states.
func (s *screen) forwardSeveral() {
	s.Helper()
	s.forwardSample()
	s.forwarder.list[0].Stats.Policy = forward.EWMA
	add := func(namespace, cluster, label string, phase forward.Phase) *forward.Status {
		s.forwarder.last++
		d, err := forward.ParseDestination(label, namespace)
		if err != nil {
			s.Fatal(err)
		}
		s.forwarder.list = append(s.forwarder.list, forward.Status{ID: s.forwarder.last, Cluster: cluster, Order: forward.Order{Destination: d, Via: forward.ViaTunnel, Policy: forward.RoundRobin, Local: 8081}, Phase: phase})
		return &s.forwarder.list[len(s.forwarder.list)-1]
	}
	none := add("odd", "raspi", "svc/matches-nothing:80", forward.Serving)
	none.Stats = forward.Stats{Listen: "127.0.0.1:8081", Via: "tunnel", Why: "The selector app=nothing matches no Pod in namespace odd.", Refused: 3, RefusedWhy: "no endpoint within 5s", Open: 1, Held: 1}
	none.URL = "http://127.0.0.1:8081"
	busy := add("default", "laptop", "svc/db:5432", forward.Failed)
	busy.Err = errors.New(`svc/db:5432: listen on 127.0.0.1:5432: "postgres" (process 812) has this port already: choose another one, such as 15432:…, or 0:… for a free one`)
	denied := add("kube-system", "raspi", "svc/kube-dns:53", forward.Failed)
	denied.Err = fmt.Errorf("svc/kube-dns:53: %w", &kube.AccessError{Access: kube.Access{Verb: "create", Resource: "pods", Subresource: "portforward", Namespace: "kube-system"}})
	add("default", "raspi", "pod/dual-0:80", forward.Starting)
	leaving := add("default", "raspi", "svc/sample-lb:8080", forward.Finishing)
	leaving.Stats = forward.Stats{Listen: "127.0.0.1:8088", Via: "tunnel", Open: 2}
	for range 12 {
		s.forwarder.move(150_000, 4, 3)
		s.wait(time.Second)
	}
	stats := &s.forwarder.list[0].Stats
	stats.Endpoints = append(stats.Endpoints,
		forward.EndpointStats{Target: forward.Target{Address: "10.244.3.14", Port: 80, Namespace: "default", Pod: "sample-deployment-6d4b75cb6d-zw8mn", Node: "raspi003"}, State: "ejected", EjectedFor: 4200 * time.Millisecond, Counts: forward.Counts{Failures: 2, Ejections: 1, Total: 9}},
		forward.EndpointStats{Target: forward.Target{Address: "10.244.2.14", Port: 80, Namespace: "default", Pod: "sample-deployment-6d4b75cb6d-leaving", Node: "raspi002"}, State: "terminating", Serving: true, Active: 1, Counts: forward.Counts{Total: 5, Sent: 1234}},
		forward.EndpointStats{Target: forward.Target{Address: "10.244.2.9", Port: 80, Namespace: "default", Pod: "sample-deployment-6d4b75cb6d-old12", Node: "raspi002"}, State: "gone", Counts: forward.Counts{Total: 5, Retries: 1, Sent: 1234}},
	)
	stats.All.Failures, stats.All.Retries = 2, 1
	s.forwarder.tell()
	s.wait(2 * time.Second)
	s.press("g")
}
