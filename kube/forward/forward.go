package forward

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Limits of one forward.
const (
	mostOpen = 1024             // connections of clients, and sessions over UDP
	mostHeld = 64               // that wait for an endpoint
	holdTime = 5 * time.Second  // how long they wait
	newsTime = time.Second      // the same where endpoints are ready, but all have failed
	giveUp   = 15 * time.Second // after which no further endpoint is tried
	idleTime = 60 * time.Second // after which a UDP session ends
)

// Options say what to forward, and how.
type Options struct {
	// Forward is the destination as the user wrote it; events carry it.
	Forward string
	// Address and Port are where to listen; port 0 is any free one.
	Address Address
	Port    int
	// Protocol is TCP or UDP; "" is TCP.
	Protocol string
	// Policy is EWMA when it is "".
	Policy Policy
	// Route is how to get to endpoints. It stays the caller's, who closes it.
	// For UDP it must be a PacketRoute.
	Route Route
	// Drain is how long open connections may run on after the end.
	Drain time.Duration
	// Events gets what happens. The forward never waits for a receiver: the
	// channel's buffer must hold what comes meanwhile.
	Events chan<- Event
	// Wake, unless nil, is called when a client comes. It must not block.
	Wake func()
	// Now is the clock, time.Now when it is nil.
	Now func() time.Time

	hold, idle time.Duration // for tests; 0 is as above
}

// PacketRoute is a route that carries UDP.
type PacketRoute interface {
	Route
	// OpenPackets returns a socket that is connected to the target.
	OpenPackets(ctx context.Context, t Target) (net.Conn, error)
}

// errNoUDP means that a route cannot carry UDP.
var errNoUDP = errors.New("the Kubernetes API forwards no UDP: it needs the direct route, on a machine that reaches Pod addresses")

// Forward listens locally, and gives each connection to one of the endpoints
// that the last Update named.
type Forward struct {
	options   Options
	events    *events
	pool      *pool
	listeners []net.Listener // for TCP: one, or one for each family of localhost
	packets   []*net.UDPConn // the same for UDP
	route     atomic.Pointer[Route]

	chunks     sync.Pool
	refusals   refusals
	halves     halves
	open, held atomic.Int64
	aborted    chan struct{}
	abort      sync.Once
	work       sync.WaitGroup // everything that Run started
}

// Listen opens the local side. Clients that connect wait until Run. An error
// says what is in the way, such as the program that has the port.
func Listen(ctx context.Context, o Options) (*Forward, error) {
	o.Policy, o.hold, o.idle = cmp.Or(o.Policy, EWMA), cmp.Or(o.hold, holdTime), cmp.Or(o.idle, idleTime)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wake == nil {
		o.Wake = func() {}
	}
	f := &Forward{options: o, events: &events{forward: o.Forward, to: o.Events}, aborted: make(chan struct{})}
	f.pool = newPool(o.Policy, o.Now, rand.IntN, f.events)
	f.route.Store(&o.Route)
	var err error
	if o.Protocol == "UDP" {
		if _, ok := o.Route.(PacketRoute); !ok {
			return nil, fmt.Errorf("%s: %w", o.Forward, errNoUDP)
		}
		f.packets, err = listenEach(ctx, o.Address, o.Port, listenPackets)
	} else {
		f.listeners, err = listenEach(ctx, o.Address, o.Port, listen)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Forward, err)
	}
	f.events.send(Event{At: o.Now(), Kind: Listening, Reason: f.Address()})
	return f, nil
}

// Address returns where the forward listens, with the port that it got.
func (f *Forward) Address() string {
	switch all := f.addresses(); {
	case f.options.Address.Unix != "":
		return "unix:" + f.options.Address.Unix
	case len(all) > 1:
		return net.JoinHostPort("localhost", strconv.Itoa(portOf(all[0])))
	default:
		return all[0].String()
	}
}

// addresses are those of all sockets.
func (f *Forward) addresses() (all []net.Addr) {
	for _, l := range f.listeners {
		all = append(all, l.Addr())
	}
	for _, p := range f.packets {
		all = append(all, p.LocalAddr())
	}
	return all
}

// Update tells what the cluster says now. It may be called at any time, and
// first before Run.
func (f *Forward) Update(v View) { f.pool.update(v) }

// SetPolicy changes how the next connections are given to endpoints.
func (f *Forward) SetPolicy(p Policy) {
	f.pool.mu.Lock()
	defer f.pool.mu.Unlock()
	f.pool.policy = p
}

// SetRoute changes the way of the next connections. The earlier route stays the
// caller's, and open connections stay on it.
func (f *Forward) SetRoute(r Route) { f.route.Store(&r) }

// Run serves clients until ctx ends, lets open connections run on for as long
// as Options.Drain says, and resets the rest. It returns when everything that
// it started has ended. An error means that the forward had to stop by itself.
func (f *Forward) Run(ctx context.Context) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	stopped := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() { defer close(stopped); f.closeListeners() })
	var err error
	if f.packets != nil {
		err = f.serveUDP(ctx, work)
	} else {
		err = f.each(len(f.listeners), func(i int) error { return f.accept(ctx, work, f.listeners[i]) })
	}
	if unwatch() {
		f.closeListeners()
	} else {
		<-stopped
	}
	f.drain()
	stop()
	f.pool.abort()
	f.work.Wait()
	for _, p := range f.packets {
		_ = p.Close()
	}
	f.refusals.flush(f)
	f.events.send(Event{At: f.options.Now(), Kind: Stopped})
	return err
}

// each serves all sockets. When one is broken all end.
func (f *Forward) each(sockets int, serve func(i int) error) error {
	ended := make(chan error, sockets)
	for i := range sockets {
		go func() { ended <- serve(i) }()
	}
	first := <-ended
	if first != nil {
		f.closeListeners()
	}
	for range sockets - 1 {
		if err := <-ended; first == nil {
			first = err
		}
	}
	return first
}

func (f *Forward) closeListeners() {
	for _, p := range f.packets {
		_ = p.SetReadDeadline(time.Unix(1, 0)) // sessions still answer through it
	}
	for _, l := range f.listeners {
		_ = l.Close()
	}
}

// drain waits for the open connections, but not for ever.
func (f *Forward) drain() {
	deadline := time.NewTimer(f.options.Drain)
	defer deadline.Stop()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for f.open.Load() > 0 {
		select {
		case <-poll.C:
		case <-deadline.C:
			return
		case <-f.aborted:
			return
		}
	}
}

// Abort ends the draining: connections that are still open are reset.
func (f *Forward) Abort() { f.abort.Do(func() { close(f.aborted) }) }

// Stats returns the figures of this moment.
func (f *Forward) Stats() Stats {
	s := Stats{
		Forward: f.options.Forward, Listen: f.Address(), Via: via(*f.route.Load()),
		Open: int(f.open.Load()), Held: int(f.held.Load()), Refused: f.refusals.total.Load(), LostEvents: f.events.lost.Load(),
	}
	f.pool.stats(&s)
	s.RefusedWhy = f.refusals.last()
	slices.SortStableFunc(s.Endpoints, func(a, b EndpointStats) int {
		if gone := a.State == "gone"; gone != (b.State == "gone") {
			return map[bool]int{true: 1, false: -1}[gone]
		}
		return compareTargets(a.Target, b.Target)
	})
	for _, e := range s.Endpoints {
		s.All = s.All.plus(e.Counts)
	}
	return s
}
