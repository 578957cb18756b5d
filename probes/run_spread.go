package probes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"podpath/kube"
	"podpath/probes/path"
	"podpath/probes/wire"
)

const (
	// spreadBatch is how many connections a spread holds open at a time for each
	// endpoint: some bear few, such as a database.
	spreadBatch = 16
	// maxHeld is how many it holds in all: a shell needs five processes for each.
	maxHeld = 64
)

// spreadTest opens connections to a Service and finds who took each: while
// they are open, the kernel of the backend lists them in /proc/net/tcp. That
// works for any protocol and needs no help of the app.
type spreadTest struct {
	*run
	check    path.Check
	observer *observer
	backends []*backendSeen
	result   *path.SpreadResult
	failure  path.ErrorKind // of the last connection that failed
}

// backendSeen is one endpoint with the connections seen so far.
type backendSeen struct {
	endpoint kube.Endpoint
	label    string
	source   path.Source // "" when no Pod is known behind it
	known    bool
	sockets  map[netip.AddrPort]bool
	count    int
	masked   int // of the last look: connections from an address of the source's Node
}

// confirmedSpread makes a spread that fails, though every connection was
// opened, once more after the time of one step, and believes that one: right
// after a rollout the endpoints are ready
// about a second before kube-proxy knows all of them (its
// --iptables-min-sync-period).
func (r *run) confirmedSpread(ctx context.Context, c path.Check) path.Observation {
	seen := r.retriedSpread(ctx, c)
	if seen.Blind != nil || seen.Spread.Verdict != path.Fail || seen.Spread.Errors > 0 {
		return seen
	}
	select {
	case <-time.After(r.options.Timeout):
		return r.retriedSpread(ctx, c)
	case <-ctx.Done():
		return seen
	}
}

// retriedSpread tries anew when the source's stream was lost.
func (r *run) retriedSpread(ctx context.Context, c path.Check) path.Observation {
	for try := 1; ; try++ {
		seen := r.spread(ctx, c)
		seen.Tries = try
		if seen.Blind == nil || try == maxTries || ctx.Err() != nil || !passing(seen.Blind) {
			return seen
		}
		r.links.forget(c.Source)
	}
}

func (r *run) spread(ctx context.Context, c path.Check) path.Observation {
	link, done, err := r.links.use(ctx, c.Source)
	if err != nil {
		return path.Observation{Blind: err}
	}
	t := &spreadTest{run: r, check: c, observer: newObserver(link, r.options), result: &path.SpreadResult{How: "the socket tables of the endpoints"}}
	seen := path.Observation{Stage: path.StageConnect, Address: net.JoinHostPort(c.Ask.Host, strconv.Itoa(c.Ask.Port)), Via: link.Via()}
	svc := r.Service(c.Path.Service)
	t.findBackends(c.Source, svc)
	err = t.count(ctx)
	done(err != nil && passing(err))
	if err != nil {
		seen.Blind = fmt.Errorf("after %d connections: %w", t.result.Connections, err)
		return seen
	}
	seen.Spread = t.result
	for _, b := range t.backends {
		t.result.Shares = append(t.result.Shares, path.Share{Endpoint: b.label, Address: net.JoinHostPort(b.endpoint.Address, strconv.Itoa(b.endpoint.Port)), Known: b.known, Count: b.count})
	}
	t.result.Judge(svc.ClientIPAffinity)
	if t.result.Errors == t.result.Connections {
		seen.Error = t.failure
	}
	seen.Detail = t.result.String()
	return seen
}

// count opens the connections and counts who takes them: by the sockets of the
// endpoints, or where one cannot be looked into by their answers.
func (t *spreadTest) count(ctx context.Context) (err error) {
	t.look(ctx, nil, 0) // what was there before does not count
	if slices.ContainsFunc(t.backends, func(b *backendSeen) bool { return !b.known }) {
		if prints := t.fingerprint(ctx); prints != nil {
			t.result.How = "what each endpoint answers to GET /"
			for _, b := range t.backends {
				b.known = true
			}
			return prints.ask(ctx, t, t.check.Ask.Count)
		}
	}
	size := min(maxHeld, spreadBatch*max(1, len(t.backends)))
	for left := t.check.Ask.Count; left > 0 && err == nil; left -= size {
		err = t.batch(ctx, min(left, size))
	}
	return err
}

func (t *spreadTest) findBackends(s path.Source, svc *kube.Service) {
	for _, e := range t.Eligible(s, svc, t.check.Path.Port) {
		b := &backendSeen{endpoint: e, label: net.JoinHostPort(e.Address, strconv.Itoa(e.Port)), sockets: map[netip.AddrPort]bool{}}
		if pod := t.Pod(kube.Key{Namespace: svc.Namespace, Name: e.Pod}); pod != nil {
			b.source, b.known = t.PodSource(pod.Key()), true
			b.label = fmt.Sprintf("%s:%d", b.source.Label, e.Port)
		}
		t.backends = append(t.backends, b)
	}
}

// batch opens connections, looks where they are, and closes them.
func (t *spreadTest) batch(ctx context.Context, n int) error {
	ports, held := map[uint16]bool{}, []int{}
	var mu sync.Mutex
	var group errgroup.Group
	for range n {
		group.Go(func() error {
			a, err := t.observer.ask(ctx, wire.Request{Op: wire.Hold, Address: t.check.Ask.Host, Port: t.check.Ask.Port})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				return err
			}
			t.result.Connections++
			if !a.Connected {
				t.result.Errors++
				t.failure = errorKinds[a.Result]
				return nil
			}
			held = append(held, a.ID)
			if a.LocalPort != 0 {
				ports[uint16(a.LocalPort)] = true
			}
			return nil
		})
	}
	failed := group.Wait()
	if failed == nil {
		t.look(ctx, ports, len(held))
	}
	for _, id := range held {
		group.Go(func() error {
			_, err := t.observer.ask(ctx, wire.Request{ID: id, Op: wire.Drop})
			return err
		})
	}
	return errors.Join(failed, group.Wait())
}

// look reads the sockets of each endpoint and counts the new ones that came
// from the source. Only when fewer than are held can be told by their ports or
// addresses do those from the source's Node count, too: they may be its
// connections, masqueraded, or others, such as the kubelet's probes. A nil set
// of ports counts nothing.
func (t *spreadTest) look(ctx context.Context, ports map[uint16]bool, held int) {
	var group errgroup.Group
	before := t.counted()
	group.SetLimit(max(1, t.options.Parallel-1))
	for _, b := range t.backends {
		if !b.known {
			continue
		}
		group.Go(func() error {
			sockets, err := t.socketsOf(ctx, b.source)
			if err != nil {
				b.known = false
				return nil //nolint:nilerr // it is told as an endpoint that cannot be seen
			}
			for _, s := range sockets {
				if s.Listens || int(s.Local.Port()) != b.endpoint.Port || s.Local.Addr().String() != b.endpoint.Address || b.sockets[s.Remote] {
					continue
				}
				b.sockets[s.Remote] = true
				switch {
				case ports == nil:
				case t.isOurs(s.Remote, ports):
					b.count++
				case t.isOfNode(s.Remote.Addr()):
					b.masked++
				}
			}
			return nil
		})
	}
	_ = group.Wait() // no look returns an error
	short := t.counted()-before < held
	for _, b := range t.backends {
		if short {
			b.count += b.masked
		}
		b.masked = 0
	}
}

func (t *spreadTest) counted() int {
	sum := 0
	for _, b := range t.backends {
		sum += b.count
	}
	return sum
}

// isOurs tells the source's connections from others: by the client's ports
// where the prober knows them, else by its address. Where kube-proxy
// masquerades, as for a Pod that reaches itself through a Service, neither is
// kept: such a connection comes from an address of the Node, which is no Pod's.
func (t *spreadTest) isOurs(client netip.AddrPort, ports map[uint16]bool) bool {
	source := t.Pod(t.check.Source.Pod)
	own := source == nil || slices.Contains(source.IPs, client.Addr().String())
	if len(ports) > 0 {
		return ports[client.Port()] && (own || t.isOfNode(client.Addr()))
	}
	return source != nil && own
}

// isOfNode reports whether an address is one that the source's Node
// masquerades with: its own, or one in its Pod range that no Pod has. Without
// the right to see Nodes, any that no Pod has will do.
func (t *spreadTest) isOfNode(address netip.Addr) bool {
	n := t.Node(t.check.Source.Node)
	if t.PodAt(address.String()) != nil {
		return false
	}
	return n == nil || slices.Contains(n.InternalIPs, address.String()) || slices.ContainsFunc(n.PodCIDRs, func(cidr string) bool {
		block, err := netip.ParsePrefix(cidr)
		return err == nil && block.Contains(address)
	})
}
