package forward

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// play answers pings, and shows all other frames.
func (p *playFar) play(see func(frame)) {
	for f := range p.frames {
		if f.control && f.kind == ping {
			_, _ = p.Write(appendPing(nil, f.stream))
			continue
		}
		see(f)
	}
}

// The client asks and ends its sending side; wait is until what comes next.
func TestAClientThatHasSentAllGetsItsAnswerOrAReset(t *testing.T) {
	type step struct {
		wait time.Duration
		text string // that the far side answers
	}
	for name, c := range map[string]struct {
		before string // the answer that came before the client's end
		steps  []step
		end    time.Duration // after that, of the far side
		text   string
		want   error         // nil for a good end
		told   time.Duration // when the far side hears of the client's end; 0 for never
	}{
		"a late answer": {steps: []step{{20 * time.Second, "late"}}, text: "late"},
		"an answer with a pause": {
			steps: []step{{0, "a"}, {9 * time.Second, "b"}, {9 * time.Second, "c"}}, end: 5 * time.Second, text: "abc",
		},
		"no answer at all": {end: answerWait + time.Second, want: errHalfClosed, told: answerWait},
		"part of one, and nothing more": {
			steps: []step{{time.Second, "part"}}, end: restWait + time.Second, text: "part",
			want: errHalfClosed, told: restWait + time.Second,
		},
		"an answer once the far side is told": {
			steps: []step{{answerWait + 100*time.Millisecond, "now"}}, end: 100 * time.Millisecond, text: "now",
			told: answerWait,
		},
		"answered before": {before: "yes", end: time.Second, told: time.Nanosecond},
		"answered before, and cut off": {
			before: "yes", steps: []step{{500 * time.Millisecond, "and"}}, end: 500 * time.Millisecond, text: "and",
			want: errHalfClosed, told: time.Nanosecond,
		},
		"answered before, and then to its end": {
			before: "yes", steps: []step{{300 * time.Millisecond, "and"}}, end: 100 * time.Millisecond, text: "and",
			told: time.Nanosecond,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, s := newFar(t)
				must(t, s.SetReadDeadline(time.Time{}))
				_, err := io.WriteString(s, "question")
				must(t, err)
				p.await(func(f frame) bool { return !f.control && f.stream == s.data })
				if c.before != "" {
					p.data(s.data, c.before, false)
					_, err := io.ReadFull(s, make([]byte, len(c.before)))
					must(t, err)
				}
				began, told := time.Now(), time.Duration(0)
				must(t, s.CloseWrite())
				go p.play(func(f frame) {
					if !f.control && f.stream == s.data && f.fin {
						told = max(time.Since(began), time.Nanosecond)
					}
				})
				go func() {
					for _, step := range c.steps {
						time.Sleep(step.wait)
						p.data(s.data, step.text, false)
					}
					time.Sleep(c.end)
					p.data(s.data, "", true)
					p.data(s.errors, "", true)
				}()
				text, err := io.ReadAll(s)
				if string(text) != c.text || !errors.Is(err, c.want) {
					t.Errorf("got %q, %v, want %q, %v", text, err, c.text, c.want)
				}
				synctest.Wait()
				if told != c.told {
					t.Errorf("the far side was told after %v, want %v", told, c.told)
				}
			})
		})
	}
}

func TestASlowReaderIsNotTakenForASilentPod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := newFar(t)
		must(t, s.SetReadDeadline(time.Time{}))
		_, err := io.WriteString(s, "question")
		must(t, err)
		must(t, s.CloseWrite())
		p.await(func(f frame) bool { return !f.control && f.stream == s.data })
		go p.play(func(frame) {})
		p.data(s.data, "answer", false)
		time.Sleep(3 * restWait)
		p.data(s.data, ", and more", true)
		p.data(s.errors, "", true)
		if text, err := io.ReadAll(s); string(text) != "answer, and more" || err != nil {
			t.Errorf("got %q, %v, want all of it", text, err)
		}
	})
}

func TestAClientThatMayLackItsAnswerIsResetAndTheReasonTold(t *testing.T) {
	overBoth(t, func(t *testing.T, p *practice) {
		tunnel := p.tunnel(t)
		tunnel.timing.answer = 50 * time.Millisecond
		silent := p.serve(t, "web", func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) })
		r := start(t, Options{Route: tunnel}, Endpoint{Target: silent, Ready: true, Serving: true})
		c := r.dial(t)
		_, _ = io.WriteString(c, "hello")
		must(t, c.CloseWrite())
		if text, err := io.ReadAll(c); !wasReset(err) {
			t.Errorf("got %q, %v, want a reset", text, err)
		}
		if e := r.await(t, Trouble); e.Target != silent || e.Reason != errHalfClosed.Error() {
			t.Errorf("got %+v, want what happened", e)
		}
		if s := r.endpointStats("web"); s.Failures+s.Broken > 0 {
			t.Errorf("the endpoint is blamed: %+v", s)
		}
	})
}
