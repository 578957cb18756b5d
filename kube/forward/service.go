package forward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// service is the service of one client.
type service struct {
	*Forward
	client halfCloser
	began  time.Time
	tried  []*member // that failed
	since  time.Time // it waits for an endpoint; zero before it has begun
	last   error     // of the last one
	relay  *relay    // nil before the first endpoint
}

// run tries endpoints until one has served the client. In the end the client's
// connection is closed.
func (s *service) run(work context.Context) {
	for {
		flow := &flow{client: s.client}
		m, err := s.acquire(work, flow)
		if err != nil {
			s.giveUp(err)
			return
		}
		again, err := s.through(work, m, flow)
		left := flow.hasLeft()
		s.pool.end(m, flow)
		switch {
		case !again:
			return
		case work.Err() != nil:
			s.giveUp(errStopped)
			return
		case isRouteDown(err):
			s.giveUp(err)
			return
		case !left: // else it has not failed
			s.last = err
		}
		s.tried = append(s.tried, m)
	}
}

// giveUp resets the client's connection.
func (s *service) giveUp(why error) {
	s.refuse(s.client, why)
	if s.relay != nil {
		s.relay.finish()
	}
}

// acquire gets an endpoint for the client, or holds the client until there is
// one.
func (s *service) acquire(work context.Context, flow *flow) (*member, error) {
	if len(s.tried) > 0 && time.Since(s.began) > giveUp {
		return nil, fmt.Errorf("%d endpoints have failed, the last one by: %w", len(s.tried), s.last)
	}
	m, changed := s.pool.take(clientOf(s.client), s.tried, flow)
	if m != nil {
		return m, nil
	}
	defer s.held.Add(-1)
	if s.held.Add(1) > mostHeld {
		return nil, fmt.Errorf("%w (%d connections wait already)", s.failed(), mostHeld)
	}
	return s.wait(work, flow, changed)
}

// wait holds the client until there is an endpoint that has not failed. Where
// those that have failed are ready nevertheless, that is not long: they may have
// gone, and the news of it is under way.
func (s *service) wait(work context.Context, flow *flow, changed <-chan struct{}) (m *member, err error) {
	if s.since.IsZero() {
		s.since = time.Now()
	}
	end := time.NewTimer(time.Until(s.since.Add(min(newsTime, s.options.hold))))
	defer end.Stop()
	for {
		select {
		case <-changed:
			if m, changed = s.pool.take(clientOf(s.client), s.tried, flow); m != nil {
				return m, nil
			}
		case <-end.C:
			waited := time.Since(s.since)
			if waited >= s.options.hold || s.pool.hasReady() {
				return nil, fmt.Errorf("%w (waited %s)", s.failed(), waited.Round(100*time.Millisecond))
			}
			end.Reset(s.options.hold - waited)
		case <-work.Done():
			return nil, errStopped
		}
	}
}

// failed says why there is no endpoint for the client.
func (s *service) failed() error {
	if why := s.pool.reason(); why != "" {
		return errors.New(why)
	}
	if s.last != nil {
		return fmt.Errorf("every endpoint has failed, the last one by: %w", s.last)
	}
	return errors.New("no endpoint is known yet")
}

// errStopped means that the forward ends.
var errStopped = errors.New("the forward was stopped")

// clientOf returns the address of a client, without its port.
func clientOf(c net.Conn) string {
	host, _, err := net.SplitHostPort(c.RemoteAddr().String())
	if err != nil {
		return "" // of a unix socket
	}
	return host
}

// through serves the client through one endpoint. Again reports that another
// one may be tried.
func (s *service) through(work context.Context, m *member, flow *flow) (again bool, err error) {
	far, err := s.dial(work, m, flow)
	if err != nil {
		return true, err
	}
	if !flow.attach(far) {
		reset(far)
		return true, errStopped
	}
	if s.relay == nil {
		s.relay = newRelay(s.client, &s.chunks)
	}
	again, err = s.relay.run(far, flow, func() { s.pool.proved(m) })
	switch {
	case err == nil || s.relay.gone || errors.Is(err, errClientGone) || flow.hasLeft():
	case errors.Is(err, errHalfClosed): // the endpoint is not to blame
		s.halves.note(s.Forward, m.Target, err)
	case s.relay.answered.Load():
		s.pool.broke(m)
	default:
		s.pool.failed(m, err)
	}
	return again, err
}

// dial opens a connection to an endpoint, which is blamed where it fails.
func (s *service) dial(work context.Context, m *member, flow *flow) (Conn, error) {
	ctx, cancel := context.WithCancel(work)
	defer cancel()
	flow.begin(cancel)
	began := s.options.Now()
	far, err := (*s.route.Load()).Open(ctx, flow.target)
	took := s.options.Now().Sub(began)
	switch {
	case err == nil:
		s.pool.opened(m, flow, took)
	case flow.hasLeft() || work.Err() != nil || isRouteDown(err):
	default:
		s.pool.opened(m, flow, took)
		s.pool.failed(m, err)
	}
	return far, err
}
