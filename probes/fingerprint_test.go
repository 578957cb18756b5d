package probes

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"podpath/kube"
	"podpath/probes/launch"
	"podpath/probes/path"
	"podpath/probes/wire"
)

// distroless is a Service of which no Pod can be looked into: only what its
// endpoints answer tells them apart.
type distroless struct {
	says  func(endpoint, request int) string
	asked atomic.Int64
}

func (d *distroless) Pod(_ context.Context, _ *kube.Snapshot, pod kube.Key, _ string) (launch.Link, error) {
	if pod.Name != "web-1" {
		return nil, &launch.Failure{Code: launch.NoTools}
	}
	return distrolessLink{d}, nil
}

func (d *distroless) Node(context.Context, *kube.Snapshot, string) (launch.Link, error) {
	return nil, errors.New("not here")
}

func (d *distroless) Local(context.Context) (launch.Link, error) { return nil, errors.New("not here") }

type distrolessLink struct{ *distroless }

func (l distrolessLink) Via() launch.Via { return launch.Via{Rung: launch.Tools} }
func (l distrolessLink) Close() error    { return nil }
func (l distrolessLink) Ask(_ context.Context, r wire.Request) (wire.Answer, error) {
	n := int(l.asked.Add(1))
	to := n % 3 // the Service spreads evenly
	for i, address := range endpointAddresses {
		if address == fmt.Sprintf("%s:%d", r.Address, r.Port) {
			to = i
		}
	}
	switch r.Op {
	case wire.TCP:
		return wire.Answer{Result: wire.OK, Connected: true, Data: []byte("HTTP/1.1 200 OK\r\n\r\n" + l.says(to, n))}, nil
	case wire.Hold, wire.Drop:
		return wire.Answer{Result: wire.OK, Connected: true}, nil
	default: // no file can be read either
		return wire.Answer{Result: wire.Failed}, nil
	}
}

func TestSpreadsAreReadFromAnswersWherePodsCannotBeLookedInto(t *testing.T) {
	for name, test := range map[string]struct {
		says    func(endpoint, request int) string
		verdict path.Verdict
	}{
		"each says its name":       {func(endpoint, _ int) string { return fmt.Sprintf("I am web-%d", endpoint) }, path.Pass},
		"all say the same":         {func(int, int) string { return "welcome" }, path.Inconclusive},
		"each answer is different": {func(_, request int) string { return fmt.Sprint(request) }, path.Inconclusive},
		"nothing is said":          {func(int, int) string { return "" }, path.Inconclusive},
	} {
		w := storyWorld(t)
		checks := planFor(t, w, 120, "pod/web-1", "svc/web")[:1]
		got := Run(t.Context(), w, checks, &distroless{says: test.says}, Options{Timeout: stepTime}, nil)[0]
		if got.Verdict != test.verdict || got.Spread.Connections != 120 || got.Spread.Errors != 0 {
			t.Errorf("%s: got %s, %+v; want %s of 120 connections", name, got.Verdict, got.Spread, test.verdict)
		}
	}
}
