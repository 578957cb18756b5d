package launch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"podpath/kube"
	"podpath/probes/wire"
)

// counting counts how many commands run at once of those that end by
// themselves; each takes a second.
type counting struct {
	*fakeCluster
	now, most int
}

func (c *counting) Exec(ctx context.Context, e kube.Exec) error {
	if words := strings.Join(e.Command, " "); !strings.Contains(words, "survey") && e.Command[0] != "curl" {
		return c.fakeCluster.Exec(ctx, e) // the prober of a link, or the guard of an upload
	}
	c.do(func() { c.now++; c.most = max(c.most, c.now) })
	defer c.do(func() { c.now-- })
	time.Sleep(time.Second)
	return c.fakeCluster.Exec(ctx, e)
}

func TestShortExecsKeepToTheLimit(t *testing.T) {
	for name, test := range map[string]struct{ parallel, pods, want int }{
		"as the user says": {2, 7, 2}, "by default": {0, 40, 16}, "one alone": {1, 3, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &counting{fakeCluster: newFake()}
				manifests := ""
				for i, name := range podNames(test.pods) {
					image := fmt.Sprint("bash-", i)
					c.programs[image] = "sh bash"
					manifests += podYAML(name, "raspi002", container{"app", image})
				}
				l, s := c.ladder(t, Options{Parallel: test.parallel}, manifests)
				l.cluster = c
				var work sync.WaitGroup
				for _, p := range s.Pods {
					work.Go(func() {
						link, err := l.Pod(t.Context(), s, p.Key(), "")
						if err != nil {
							t.Error(err)
							return
						}
						defer func() { _ = link.Close() }()
						time.Sleep(time.Hour) // an open link holds no place
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

func TestCurlLinksShareTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counting{fakeCluster: newFake()}
		l, _ := c.ladder(t, Options{Parallel: 3}, nodesYAML)
		l.cluster = c
		var work sync.WaitGroup
		for i := range 4 {
			link := l.startCurl(t.Context(), place{kube.Key{Namespace: "shop", Name: fmt.Sprint("web-", i)}, "app", "curl", Tools})
			for range 4 * curlAtOnce {
				work.Go(func() {
					_, _ = link.Ask(t.Context(), wire.Request{Op: wire.TCP, Timeout: time.Millisecond, Address: "127.0.0.1", Port: 1})
				})
			}
			defer func() { _ = link.Close() }()
		}
		work.Wait()
		if c.most != 3 {
			t.Errorf("got %d at once, want 3", c.most)
		}
	})
}

func TestAnUploadNeedsNoMoreThanOnePlace(t *testing.T) {
	f := newFake()
	l, s := f.ladder(t, Options{AllowUpload: true, Parallel: 1}, podYAML("web", "raspi002", container{"side", "shell"})+nodesYAML)
	link, err := l.Pod(t.Context(), s, web, "")
	checkLink(t, link, err, Via{Rung: Upload, Tool: "podpath", Container: "side"})
}

func TestAnUploadThatRunsNeedsNoGuard(t *testing.T) {
	f := newFake()
	f.fails = func(_ context.Context, e kube.Exec) error {
		if e.Command[2] == guardScript {
			return errors.New("cut")
		}
		return nil
	}
	l, s := f.ladder(t, Options{AllowUpload: true}, podYAML("web", "raspi002", container{"side", "shell"})+nodesYAML)
	link, err := l.Pod(t.Context(), s, web, "")
	checkLink(t, link, err, Via{Rung: Upload, Tool: "podpath", Container: "side"})
	checkRemoved(t, f, l)
}

func TestCloseTakesNoLongerThanItsContextHoweverMuchIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		l, _ := f.ladder(t, Options{}, nodesYAML)
		f.fails = func(ctx context.Context, _ kube.Exec) error { // the API server is gone
			<-ctx.Done()
			return ctx.Err()
		}
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
