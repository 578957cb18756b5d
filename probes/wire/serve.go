package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// open is how many requests are worked on at once. Each takes a socket, and
// containers may have as few as 1,024 of them.
const open = 64

// Serve is the prober: it says Hello, answers the requests that it reads from
// in until that ends, and says End. It closes in and out before it returns,
// and when ctx ends, which has to end the Read or Write that is under way.
//
// The error says why the conversation ended early, without End: ctx did, out
// cannot be written, or in cannot be read or holds a line that is no request.
func Serve(ctx context.Context, in io.ReadCloser, out io.WriteCloser, tool string, network Network) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var streams sync.Once
	closeStreams := func() { streams.Do(func() { _, _ = in.Close(), out.Close() }) }
	defer closeStreams()
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { defer close(closed); closeStreams() })
	defer func() {
		if !stop() {
			<-closed
		}
	}()

	s := &server{network: network, cancel: cancel, out: out, slots: make(chan struct{}, open), holds: map[int]*held{}}
	s.say(Hello(tool))
	err := s.read(ctx, in)
	if err != nil {
		cancel(err)
	}
	s.end()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	s.say(End(s.answers))
	return context.Cause(ctx)
}

// server is one conversation.
type server struct {
	network Network
	cancel  context.CancelCauseFunc
	slots   chan struct{} // holds one for each request that is worked on
	work    sync.WaitGroup
	holds   map[int]*held // used by read alone

	mu      sync.Mutex // of what follows
	out     io.Writer
	answers int
}

// read starts the work on each request.
func (s *server) read(ctx context.Context, in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read the requests: %w", err)
		}
		r, err := ParseRequest(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		if !s.start(ctx, r) {
			return nil
		}
	}
}

// start begins the work on a request. It reports false when ctx has ended.
func (s *server) start(ctx context.Context, r Request) bool {
	if r.Op == More || r.Op == Drop {
		return s.pass(ctx, r)
	}
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	if r.Op == Hold {
		h := s.newHeld(r.ID)
		s.work.Go(func() { s.hold(ctx, h, r) })
		return true
	}
	do := s.exchange
	if r.Op == File {
		do = s.file
	}
	s.work.Go(func() {
		a := do(ctx, r)
		<-s.slots
		s.answer(r, a)
	})
	return true
}

// end waits until all is answered and closed.
func (s *server) end() {
	for _, h := range s.holds {
		close(h.requests)
	}
	s.work.Wait()
}

// answer gives an answer, in parts when it is long.
func (s *server) answer(r Request, a Answer) {
	a.ID = r.ID
	for len(a.Data) > MaxData {
		part := a
		part.Result, part.Data = Part, a.Data[:MaxData]
		s.say(part.String())
		a.Data = a.Data[MaxData:]
	}
	s.say(a.String())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers++
}

// say writes a line with one Write. When that fails nobody listens any more,
// and everything ends.
func (s *server) say(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.WriteString(s.out, line+"\n"); err != nil {
		s.cancel(fmt.Errorf("write an answer: %w", err))
	}
}
