package main

import (
	"encoding/json"
	"sync"
	"time"

	"podpath/kube/forward"
)

// jsonForwards prints one document a line: an event, or in the end a summary.
type jsonForwards struct {
	*session

	mu     sync.Mutex // guards all below
	failed error      // of the first write that did not work
}

// forwardEvent is an event as JSON has it; docs/forward.md describes it.
type forwardEvent struct {
	APIVersion string           `json:"apiVersion"`
	Kind       string           `json:"kind"`
	Time       time.Time        `json:"time"`
	Event      string           `json:"event"`
	Forward    string           `json:"forward"`
	Endpoint   *forwardEndpoint `json:"endpoint,omitempty"`
	Reason     string           `json:"reason,omitempty"`
	Count      int              `json:"count,omitempty"`
	// Of listening only.
	Listen string `json:"listen,omitempty"`
	Via    string `json:"via,omitempty"`
	Policy string `json:"policy,omitempty"`
}

type forwardEndpoint struct {
	Address   string `json:"address"`
	Port      int    `json:"port"`
	Namespace string `json:"namespace"`
	Pod       string `json:"pod"`
	Node      string `json:"node"`
}

// forwardSummary is what was done for each endpoint of a forward.
type forwardSummary struct {
	APIVersion  string            `json:"apiVersion"`
	Kind        string            `json:"kind"`
	Forward     string            `json:"forward"`
	Listen      string            `json:"listen"`
	Connections uint64            `json:"connections"`
	Refused     uint64            `json:"refused"`
	LostEvents  int64             `json:"lostEvents"`
	Endpoints   []endpointSummary `json:"endpoints"`
}

type endpointSummary struct {
	forwardEndpoint
	State         string  `json:"state"`
	Active        int     `json:"active"`
	Total         uint64  `json:"total"`
	Failures      uint64  `json:"failures"`
	Retries       uint64  `json:"retries"`
	Broken        uint64  `json:"broken"`
	Ejections     uint64  `json:"ejections"`
	SentBytes     int64   `json:"sentBytes"`
	ReceivedBytes int64   `json:"receivedBytes"`
	LatencyMs     float64 `json:"latencyMs"`
}

func (p *jsonForwards) opened(all []forward.Status) error {
	for _, status := range all {
		if status.Phase != forward.Serving {
			continue
		}
		if err := p.joined(status); err != nil {
			return err
		}
	}
	return nil
}

func (p *jsonForwards) joined(status forward.Status) error {
	s := status.Stats
	return p.print(forwardEvent{Time: time.Now(), Event: string(forward.Listening), Forward: s.Forward, Listen: s.Listen, Via: s.Via, Policy: string(s.Policy)}.versioned())
}

func (p *jsonForwards) events(events <-chan forward.Event) {
	for e := range events {
		if e.Kind == forward.Listening {
			continue // opened and joined tell it with more
		}
		out := forwardEvent{Time: e.At, Event: string(e.Kind), Forward: e.Forward, Reason: e.Reason, Count: e.Count}
		if (e.Target != forward.Target{}) {
			at := newForwardEndpoint(e.Target)
			out.Endpoint = &at
		}
		_ = p.print(out.versioned()) // who prints next hears of it
	}
}

func (e forwardEvent) versioned() forwardEvent {
	e.APIVersion, e.Kind = "podpath/v1", "ForwardEvent"
	return e
}

func newForwardEndpoint(t forward.Target) forwardEndpoint {
	return forwardEndpoint{t.Address, t.Port, t.Namespace, t.Pod, t.Node}
}

func (p *jsonForwards) summary(ended []forward.Status) error {
	for _, status := range ended {
		if err := p.print(newForwardSummary(status.Stats)); err != nil {
			return err
		}
	}
	return nil
}

func newForwardSummary(s forward.Stats) forwardSummary {
	out := forwardSummary{
		APIVersion: "podpath/v1", Kind: "ForwardSummary", Forward: s.Forward, Listen: s.Listen,
		Connections: s.All.Total - s.All.Retries, Refused: s.Refused, LostEvents: s.LostEvents, Endpoints: []endpointSummary{},
	}
	for _, e := range s.Endpoints {
		out.Endpoints = append(out.Endpoints, endpointSummary{
			forwardEndpoint: newForwardEndpoint(e.Target), State: e.State, Active: e.Active, Total: e.Total, Failures: e.Failures,
			Retries: e.Retries, Broken: e.Broken, Ejections: e.Ejections, SentBytes: e.Sent, ReceivedBytes: e.Received,
			LatencyMs: float64(e.Latency) / float64(time.Millisecond),
		})
	}
	return out
}

// print writes one line. It returns the first error that there was.
func (p *jsonForwards) print(document any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	line, err := json.Marshal(document)
	if err == nil {
		_, err = p.streams.out.Write(append(line, '\n'))
	}
	if err != nil && p.failed == nil {
		p.failed = err
	}
	return p.failed
}
