package launch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"podpath/probes/wire"
)

const (
	// helloTimeout is how long a prober may take to say its first line: a
	// Raspberry Pi under load needs seconds to start Python.
	helloTimeout = 15 * time.Second
	// endTimeout is how long a prober may take to end after it was asked to.
	endTimeout = 3 * time.Second
)

// program is a prober: it reads requests from in and writes answers to out
// until in ends or ctx does. It may close both.
type program func(ctx context.Context, in io.ReadCloser, out, stderr io.WriteCloser) error

// conversation is the Link to a prober that is a program. Three goroutines
// belong to it, which Close waits for: the program, one that reads its output,
// and one that writes its input.
type conversation struct {
	via    Via
	cancel context.CancelCauseFunc
	work   sync.WaitGroup

	requests chan string   // lines, to the writer
	quit     chan struct{} // closed by Close: no more requests
	hello    chan struct{} // closed when the first line has come
	over     chan struct{} // closed when all output was read
	closing  sync.Once

	mu      sync.Mutex
	lastID  int
	waiting map[int][]*asked // by ID, in the order of asking: a Hold and its Mores share one
	got     int              // answers
	counted int              // answers, by the prober's count
	ended   bool             // the prober's last line has come
	cause   error            // why it did not end as it should; set before over is closed
	err     error            // why no more answers come; set with cause
}

// asked is a request that waits for its answer.
type asked struct {
	answer chan wire.Answer // holds one
	data   []byte           // of the parts so far
	limit  int              // of data
}

// converse starts a prober and waits for its first line. The prober lives
// until Close, or until ctx ends.
func converse(ctx context.Context, via Via, run program) (*conversation, error) {
	running, cancel := context.WithCancelCause(ctx)
	c := &conversation{
		via: via, cancel: cancel,
		requests: make(chan string), quit: make(chan struct{}), hello: make(chan struct{}), over: make(chan struct{}),
		waiting: map[int][]*asked{},
	}
	inReader, in := io.Pipe()
	outReader, out := io.Pipe()
	var complaint excerpt
	var failure error // of the program; read once its output has ended
	programOver := make(chan struct{})
	c.work.Go(func() {
		defer close(programOver)
		defer func() { _, _ = inReader.Close(), out.Close() }()
		failure = run(running, inReader, out, &complaint)
	})
	c.work.Go(func() { c.write(running, in) })
	c.work.Go(func() {
		defer close(c.over)
		err := c.read(outReader)
		if err != nil {
			cancel(err)
			_, _ = io.Copy(io.Discard, outReader) // or the program could not end
		}
		<-programOver
		c.settle(both(err, failure), complaint.String())
	})
	late := time.NewTimer(helloTimeout)
	defer late.Stop()
	select {
	case <-c.hello:
		return c, nil
	case <-late.C:
		cancel(tooLateError{"it did not start", helloTimeout})
	case <-c.over:
	}
	_ = c.Close()
	return nil, notStarted{cmp.Or(c.cause, c.err)}
}

// notStarted is ErrCut in other words, for a prober that has not said its first
// line.
type notStarted struct{ error }

func (e notStarted) Unwrap() error        { return e.error }
func (e notStarted) Is(target error) bool { return target == ErrCut }

// Via says how the prober got to run.
func (c *conversation) Via() Via {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.via
}

// Ask sends one request and returns its answer.
func (c *conversation) Ask(ctx context.Context, r wire.Request) (wire.Answer, error) {
	a := &asked{answer: make(chan wire.Answer, 1), limit: max(r.Count, wire.MaxData)}
	c.mu.Lock()
	if r.Op != wire.More && r.Op != wire.Drop {
		c.lastID++
		r.ID = c.lastID
	}
	c.waiting[r.ID] = append(c.waiting[r.ID], a)
	c.mu.Unlock()
	select {
	case c.requests <- r.String() + "\n":
	case <-ctx.Done():
		c.forget(r.ID, a)
		return wire.Answer{}, context.Cause(ctx)
	case <-c.quit:
		return wire.Answer{}, fmt.Errorf("%w: it was closed", ErrCut)
	case <-c.over:
		return wire.Answer{}, c.err
	}
	select {
	case answer := <-a.answer:
		return answer, nil
	case <-ctx.Done(): // it goes on waiting, so that a late answer does not go to the next More
		return wire.Answer{}, context.Cause(ctx)
	case <-c.over:
	}
	select {
	case answer := <-a.answer: // it was among the last lines
		return answer, nil
	default:
		return wire.Answer{}, c.err
	}
}

// forget takes back a request that was not sent.
func (c *conversation) forget(id int, a *asked) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, other := range c.waiting[id] {
		if other == a {
			c.waiting[id] = append(c.waiting[id][:i:i], c.waiting[id][i+1:]...)
		}
	}
}

// write passes requests on until Close, until the program reads no more, or
// until ctx ends.
func (c *conversation) write(ctx context.Context, in io.WriteCloser) {
	defer func() { _ = in.Close() }()
	for {
		select {
		case line := <-c.requests:
			if _, err := io.WriteString(in, line); err != nil {
				return // the end of the output says why
			}
		case <-c.quit:
			return
		case <-c.over:
			return
		case <-ctx.Done():
			return
		}
	}
}

// settle notes that no more answers come, and why.
func (c *conversation) settle(err error, complaint string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.ended && c.counted == c.got:
		c.err = fmt.Errorf("%w: it has ended", ErrCut)
		return
	case c.ended:
		err = both(fmt.Errorf("it gave %d answers, and %d arrived", c.counted, c.got), err)
	case err == nil:
		err = errors.New("it ended without an END line")
	}
	c.ended = false
	c.cause = err
	if complaint != "" {
		c.cause = fmt.Errorf("%w (it says: %s)", err, complaint)
	}
	c.err = fmt.Errorf("%w: %w", ErrCut, c.cause)
}

// both is errors.Join on one line.
func both(a, b error) error {
	if a == nil || b == nil {
		return errors.Join(a, b)
	}
	return fmt.Errorf("%w; %w", a, b)
}

// Close ends the prober and reports whether it ended as it should.
func (c *conversation) Close() error {
	c.closing.Do(func() {
		close(c.quit)
		late := time.NewTimer(endTimeout)
		defer late.Stop()
		select {
		case <-c.over:
		case <-late.C:
			c.cancel(tooLateError{"it did not end", endTimeout})
		}
		c.work.Wait()
		c.cancel(nil)
	})
	if c.ended {
		return nil
	}
	return c.err
}
