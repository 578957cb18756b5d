package probes

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"podpath/probes/launch"
	"podpath/probes/path"
	"podpath/probes/wire"
)

// counter counts the links that are open.
type counter struct {
	mu        sync.Mutex
	opened    map[string]int
	now, most int
	fail      func(label string, time int) error // nil for no failure
}

// counted is a link that a counter knows of.
type counted struct {
	launch.Link
	counter *counter
}

func (c counted) Close() error {
	err := c.Link.Close()
	c.counter.mu.Lock()
	defer c.counter.mu.Unlock()
	c.counter.now--
	return err
}

// open makes a link and counts it.
func (c *counter) open(label string, link func(time int) launch.Link) (launch.Link, error) {
	c.mu.Lock()
	if c.opened == nil {
		c.opened = map[string]int{}
	}
	c.opened[label]++
	time := c.opened[label]
	if c.fail != nil {
		if err := c.fail(label, time); err != nil {
			c.mu.Unlock()
			return nil, err
		}
	}
	c.now++
	c.most = max(c.most, c.now)
	c.mu.Unlock()
	return counted{link(time), c}, nil
}

func (c *counter) linksTo(limit int) *links {
	return newLinks(limit, func(_ context.Context, s path.Source) (launch.Link, error) {
		time.Sleep(time.Millisecond)
		return c.open(s.Label, func(int) launch.Link { return fake{answer: wire.Answer{Result: wire.OK}} })
	})
}

func labelled(n int) path.Source { return path.Source{Label: fmt.Sprintf("pod/p-%d", n)} }

func TestASourceIsOpenedOnceForAllWhoAsk(t *testing.T) {
	c := &counter{}
	l := c.linksTo(4)
	var work sync.WaitGroup
	for i := range 200 {
		work.Go(func() {
			link, done, err := l.use(t.Context(), labelled(i%3))
			if err != nil || link == nil {
				t.Errorf("got %v, %v", link, err)
				return
			}
			done(false)
		})
	}
	work.Wait()
	l.close()
	if len(c.opened) != 3 || c.opened["pod/p-0"] != 1 || c.opened["pod/p-1"] != 1 || c.opened["pod/p-2"] != 1 || c.now != 0 {
		t.Errorf("got %v opened, %d still open, want each once and none", c.opened, c.now)
	}
}

func TestNeverMoreLinksAreOpenThanMayBe(t *testing.T) {
	for name, broken := range map[string]func(int) bool{
		"whole":  func(int) bool { return false },
		"broken": func(i int) bool { return i%2 == 0 },
	} {
		c := &counter{fail: func(label string, _ int) error {
			if label == "pod/p-7" {
				return errors.New("denied")
			}
			return nil
		}}
		l := c.linksTo(4)
		var work sync.WaitGroup
		for i := range 300 {
			work.Go(func() {
				if _, done, err := l.use(t.Context(), labelled(i%30)); err == nil {
					time.Sleep(time.Millisecond)
					done(broken(i))
				}
			})
		}
		work.Wait()
		l.close()
		if c.most > 4 || c.now != 0 {
			t.Errorf("%s: got %d open at once, %d at the end, want at most 4, and 0", name, c.most, c.now)
		}
	}
}

func TestOnlyIdleLinksMakePlace(t *testing.T) {
	c := &counter{}
	l := c.linksTo(2)
	_, doneA, _ := l.use(t.Context(), labelled(1))
	_, doneB, _ := l.use(t.Context(), labelled(2))
	waiting, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, errors.New("all are in use"))
	defer cancel()
	if _, _, err := l.use(waiting, labelled(3)); !has(err, "all are in use") {
		t.Errorf("got %v, want to wait until the context ends", err)
	}
	doneB(false)
	if _, done, err := l.use(t.Context(), labelled(3)); err != nil {
		t.Errorf("got %v, want the idle one to make place", err)
	} else {
		done(false)
	}
	if _, done, err := l.use(t.Context(), labelled(1)); err != nil || c.opened["pod/p-1"] != 1 {
		t.Errorf("got %v, %v, want the one in use to be kept", c.opened, err)
	} else {
		done(false)
	}
	doneA(false)
	l.close()
	if c.now != 0 {
		t.Errorf("got %d open at the end", c.now)
	}
}

func TestABrokenLinkIsOpenedAnewOnceNobodyUsesIt(t *testing.T) {
	c := &counter{}
	l := c.linksTo(4)
	_, done1, _ := l.use(t.Context(), labelled(1))
	_, done2, _ := l.use(t.Context(), labelled(1))
	done1(true)
	if c.now != 1 {
		t.Error("it was closed though somebody uses it")
	}
	_, done3, _ := l.use(t.Context(), labelled(1))
	if c.opened["pod/p-1"] != 2 {
		t.Errorf("got %v, want it opened anew", c.opened)
	}
	done2(true)
	if c.now != 1 {
		t.Errorf("got %d open, want the new one alone", c.now)
	}
	done3(false)
	l.close()
}

func TestAFailureIsRememberedUntilItIsForgotten(t *testing.T) {
	c := &counter{fail: func(_ string, time int) error {
		if time == 1 {
			return errors.New("denied")
		}
		return nil
	}}
	l := c.linksTo(1)
	for range 3 {
		if _, _, err := l.use(t.Context(), labelled(1)); !has(err, "denied") {
			t.Errorf("got %v, want the failure", err)
		}
	}
	if _, done, err := l.use(t.Context(), labelled(2)); !has(err, "denied") { // it takes no place
		t.Errorf("got %v, %v, want another failure", done != nil, err)
	}
	l.forget(labelled(1))
	if _, done, err := l.use(t.Context(), labelled(1)); err != nil || c.opened["pod/p-1"] != 2 {
		t.Errorf("got %v, %v, want another try", c.opened, err)
	} else {
		l.forget(labelled(1)) // it works: nothing to forget
		done(false)
	}
	l.close()
}
