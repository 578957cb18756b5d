package launch

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"podpath/kube"
	"podpath/probes/wire"
)

const (
	// curlGather is how long requests are gathered for one exec: callers ask
	// for a whole row at once.
	curlGather = 5 * time.Millisecond
	// curlPatience bounds how long a request may wait for those before it in
	// the same exec, for curl does one after the other.
	curlPatience = 4 * time.Second
	// curlAtOnce is how many requests one exec carries at most, and curlExecs
	// how many execs of one link there are at once.
	curlAtOnce, curlExecs = 8, 4
	// curlStart is how long an exec may take besides what is asked.
	curlStart = 10 * time.Second
	// maxCurlOutput bounds what is kept of the output of one exec, in bytes.
	maxCurlOutput = 4 << 20
)

// curlLink is the Link to a container that has nothing but curl: an exec for
// each batch of requests.
type curlLink struct {
	ladder *Ladder
	place  place
	via    Via
	ctx    context.Context // until Close: a batch belongs to no single caller
	cancel context.CancelCauseFunc
	slots  chan struct{} // holds one for each exec
	work   sync.WaitGroup

	mu     sync.Mutex
	lastID int
	batch  *curlBatch // that gathers
	lost   error      // the last batch that was cut
	closed bool
}

// curlBatch are requests for one exec. The answers are in err and answers when
// done is closed.
type curlBatch struct {
	requests []wire.Request
	done     chan struct{}
	answers  map[int]wire.Answer
	err      error
}

func (l *Ladder) startCurl(ctx context.Context, p place) Link {
	ctx, cancel := context.WithCancelCause(ctx)
	return &curlLink{
		ladder: l, place: p, via: Via{p.rung, "curl", p.pod.String(), p.container, curlCommand()},
		ctx: ctx, cancel: cancel, slots: make(chan struct{}, curlExecs),
	}
}

// Via says how the prober got to run.
func (c *curlLink) Via() Via { return c.via }

// Ask adds the request to a batch and waits for its answer.
func (c *curlLink) Ask(ctx context.Context, r wire.Request) (wire.Answer, error) {
	// What curl cannot do is answered without it; a More or a Drop, too: nothing is held.
	if answers, _ := curlAnswers([]wire.Request{r}, "", nil, nil); len(answers) == 1 {
		return answers[0], nil
	}
	batch, id, err := c.join(r)
	if err != nil {
		return wire.Answer{}, err
	}
	select {
	case <-batch.done:
	case <-ctx.Done():
		return wire.Answer{}, context.Cause(ctx)
	}
	if answer, ok := batch.answers[id]; ok {
		return answer, nil
	}
	return wire.Answer{}, batch.err
}

// join gives the request its ID and a batch.
func (c *curlLink) join(r wire.Request) (*curlBatch, int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, 0, fmt.Errorf("%w: it was closed", ErrCut)
	}
	c.lastID++
	r.ID = c.lastID
	if c.batch != nil && !c.batch.hasRoom() {
		c.batch = nil
	}
	if c.batch == nil {
		batch := &curlBatch{done: make(chan struct{})}
		c.batch = batch
		c.work.Go(func() { c.send(batch) })
	}
	c.batch.requests = append(c.batch.requests, r)
	return c.batch, r.ID, nil
}

// hasRoom reports whether one more request would not have to wait for too long,
// should all before it time out.
func (b *curlBatch) hasRoom() bool {
	return len(b.requests) < curlAtOnce && timeouts(b.requests) <= curlPatience
}

func timeouts(requests []wire.Request) (sum time.Duration) {
	for _, r := range requests {
		sum += r.Timeout
	}
	return sum
}

// send gathers a batch for a moment and runs it.
func (c *curlLink) send(b *curlBatch) {
	defer close(b.done)
	select {
	case <-time.After(curlGather):
	case <-c.ctx.Done():
	}
	c.slots <- struct{}{}
	defer func() { <-c.slots }()
	c.mu.Lock()
	if c.batch == b {
		c.batch = nil // nobody joins any more
	}
	c.mu.Unlock()
	b.err = c.run(b)
	if b.err != nil {
		b.err = fmt.Errorf("%w: %w", ErrCut, b.err)
		c.mu.Lock()
		c.lost = b.err
		c.mu.Unlock()
	}
}

// run runs curl and reads its answers. The error says why some are missing.
func (c *curlLink) run(b *curlBatch) error {
	boundary := rand.Text()
	stdout, stderr := &bounded{limit: maxCurlOutput}, &bounded{limit: maxCurlOutput}
	failure := c.ladder.brief(c.ctx, timeouts(b.requests)+curlStart, kube.Exec{
		Pod: c.place.pod, Container: c.place.container, Command: c.via.Command,
		Stdin: strings.NewReader(curlConfig(b.requests, boundary)), Stdout: stdout, Stderr: stderr,
	})
	answers, err := curlAnswers(b.requests, boundary, stdout.Bytes(), stderr.Bytes())
	b.answers = map[int]wire.Answer{}
	for _, a := range answers {
		b.answers[a.ID] = a
	}
	if err == nil || isExit(failure) && !isNoProgram(failure) { // its code is that of the last transfer
		return err
	}
	return both(failure, err)
}

// Close waits for what is under way after telling it to end, and reports
// whether answers were lost.
func (c *curlLink) Close() error {
	c.mu.Lock()
	c.closed = true
	lost := c.lost
	c.mu.Unlock()
	c.cancel(errors.New("the link was closed"))
	c.work.Wait()
	return lost
}
