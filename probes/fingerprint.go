package probes

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"podpath/probes/path"
	"podpath/probes/wire"
)

// fingerprints tell endpoints apart by what they answer to GET /, such as a
// page with the name of the Pod: the body, by the index of the endpoint.
type fingerprints map[string]int

// fingerprint asks each endpoint twice. It returns nil where one does not
// answer, answers differently the second time, or as another one does.
func (t *spreadTest) fingerprint(ctx context.Context) fingerprints {
	if port := t.check.Path.Port; path.Spoken(port.AppProtocol, port.Name, port.Port) != path.SpeakWeb {
		return nil
	}
	seen := make([][2]string, len(t.backends))
	var group errgroup.Group
	for i, b := range t.backends {
		for try := range 2 {
			group.Go(func() error {
				seen[i][try] = t.body(ctx, b.endpoint.Address, b.endpoint.Port)
				return nil
			})
		}
	}
	_ = group.Wait() // no request returns an error
	prints := fingerprints{}
	for i, s := range seen {
		_, taken := prints[s[0]]
		if s[0] == "" || s[0] != s[1] || taken {
			return nil
		}
		prints[s[0]] = i
	}
	return prints
}

// body is what an address answers to GET /, or "".
func (t *spreadTest) body(ctx context.Context, address string, port int) string {
	seen, err := t.observer.http(ctx, path.Ask{Host: address, Port: port, HTTP: &path.HTTPAsk{Host: t.check.Ask.Host, Path: "/"}})
	if err != nil || seen.Status == 0 {
		return ""
	}
	return seen.Body
}

// ask opens connections one by one, each with a request, and counts who
// answered.
func (p fingerprints) ask(ctx context.Context, t *spreadTest, n int) error {
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(spreadBatch * len(t.backends))
	request := request(path.HTTPAsk{Host: t.check.Ask.Host, Path: "/"})
	for range n {
		group.Go(func() error {
			a, err := t.observer.ask(ctx, wire.Request{Op: wire.TCP, Address: t.check.Ask.Host, Port: t.check.Ask.Port, Count: maxReply, Data: request})
			if err != nil {
				return err
			}
			var seen path.Observation
			replied(&seen, a.Data, path.HTTPAsk{})
			i, known := p[seen.Body]
			mu.Lock()
			defer mu.Unlock()
			t.result.Connections++
			switch {
			case !a.Connected || seen.Status == 0:
				t.result.Errors++
				t.failure = errorKinds[a.Result]
			case known:
				t.backends[i].count++
			default: // the page has changed, or somebody else has answered: nobody knows
				for _, b := range t.backends {
					b.known = false
				}
			}
			return nil
		})
	}
	return group.Wait()
}
