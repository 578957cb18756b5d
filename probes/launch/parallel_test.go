package launch

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"podpath/kube"
)

// counting counts how many commands run at once of those that end by
// themselves; each takes a second.
type counting struct {
	*practice
	now, most int
}

func (c *counting) Exec(ctx context.Context, e kube.Exec) error {
	if words := strings.Join(e.Command, " "); !strings.Contains(words, "survey") {
		return c.practice.Exec(ctx, e) // the prober of a link
	}
	c.note(func() { c.now++; c.most = max(c.most, c.now) })
	defer c.note(func() { c.now-- })
	time.Sleep(time.Second)
	return c.practice.Exec(ctx, e)
}

func TestShortExecsKeepToTheLimit(t *testing.T) {
	for name, test := range map[string]struct{ parallel, pods, want int }{
		"as the user says": {2, 7, 2}, "by default": {0, 40, 16}, "one alone": {1, 3, 1},
	} {
		t.Run(name, func(t *testing.T) {
			manifests := ""
			for i := range test.pods { // each of an image of its own
				manifests += podYAML(fmt.Sprint("web-", i), "raspi002", container{"app", fmt.Sprint("redis:", i)})
			}
			inPractice(t, manifests, func(t *testing.T, p *practice) {
				c := &counting{practice: p}
				l := p.ladder(Options{Parallel: test.parallel})
				l.cluster = c
				var work sync.WaitGroup
				for i := range test.pods {
					work.Go(func() {
						link, err := l.Pod(t.Context(), p.snapshot, kube.Key{Namespace: "shop", Name: fmt.Sprint("web-", i)}, "")
						if err != nil {
							t.Error(err)
							return
						}
						defer func() { _ = link.Close() }()
						time.Sleep(time.Minute) // an open link holds no place
					})
				}
				work.Wait()
				if c.most != test.want {
					t.Errorf("got %d at once, want %d", c.most, test.want)
				}
			})
		})
	}
}

func TestCloseTakesNoLongerThanItsContextHoweverMuchIsLeft(t *testing.T) {
	inPractice(t, "", func(t *testing.T, c *practice) {
		c.fails = func(ctx context.Context, _ kube.Exec) error { // the API server is gone
			<-ctx.Done()
			return ctx.Err()
		}
		l := c.ladder(Options{})
		for range 100 {
			l.uploads.begin(place{web, "side", "shell", Tools}, "r1")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		began := time.Now()
		err := l.Close(ctx)
		if took := time.Since(began); err == nil || took != 2*time.Second || len(l.uploads.left()) != 100 {
			t.Errorf("got %v after %s with %d left, want an error after 2s with 100", err, took, len(l.uploads.left()))
		}
	})
}
