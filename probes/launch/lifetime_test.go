package launch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"podpath/kube"
)

// aging is a cluster whose containers start late and end.
type aging struct {
	*fakeCluster
	starts  time.Time       // no container runs before
	ended   map[string]bool // containers, or Pods with just one
	taken   bool            // the names of helper Pods
	created int
	removed []string // the UIDs
}

// ladder is one of the cluster in which a Node has a Pod without tools.
func (a *aging) ladder(t *testing.T, o Options) (*Ladder, *kube.Snapshot) {
	o.Image = "bash"
	l, s := a.fakeCluster.ladder(t, o, podYAML("web", "raspi002", container{"app", "scratch"})+nodesYAML)
	l.cluster = a
	a.fails = func(_ context.Context, e kube.Exec) error {
		if a.ended[e.Container] || a.ended[e.Pod.Name] {
			return &kube.ExecError{Failure: kube.NotRunning, Pod: e.Pod, Container: e.Container}
		}
		return nil
	}
	return l, s
}

func newAging() *aging { return &aging{fakeCluster: newFake(), ended: map[string]bool{}} }

func (a *aging) AwaitRunning(ctx context.Context, pod kube.Key, container string) error {
	if a.ended[container] || a.ended[pod.Name] {
		return errors.New("it has ended: exit code 137")
	}
	select {
	case <-time.After(time.Until(a.starts)):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (a *aging) CreateHelper(ctx context.Context, h kube.HelperPod, g kube.Guest, life time.Duration) (kube.HelperPod, error) {
	if a.taken {
		return h, fmt.Errorf("create Pod %s: %w", h.Key, kube.ErrTaken)
	}
	a.created++
	h.UID = fmt.Sprint("u", a.created)
	return a.fakeCluster.CreateHelper(ctx, h, g, life)
}

func (a *aging) DeleteHelper(ctx context.Context, h kube.HelperPod) error {
	a.do(func() { a.removed = append(a.removed, h.UID) })
	return a.fakeCluster.DeleteHelper(ctx, h)
}

// in returns the container that a link is to, and closes it.
func in(t *testing.T, link Link, err error) string {
	t.Helper()
	must(t, err)
	must(t, link.Close())
	return link.Via().Pod + "/" + link.Via().Container
}

func TestAGuestWhoseTimeIsOverIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAging()
		l, s := a.ladder(t, Options{AllowEphemeral: true})
		for _, want := range []string{"shop/web/podpath-r1", "shop/web/podpath-r1-2"} {
			for range 2 {
				link, err := l.Pod(t.Context(), s, web, "")
				if got := in(t, link, err); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
			time.Sleep(guestLife)
			a.ended[strings.TrimPrefix(want, "shop/web/")] = true
		}
	})
}

func TestAGuestThatEndedBeforeItsTimeIsNotReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAging()
		l, s := a.ladder(t, Options{AllowEphemeral: true})
		link, err := l.Pod(t.Context(), s, web, "")
		in(t, link, err)
		a.ended["podpath-r1"] = true
		for range 3 {
			_, err = l.Pod(t.Context(), s, web, "")
			if err == nil || !strings.Contains(err.Error(), "ephemeral: it has ended: exit code 137") {
				t.Errorf("got %v, want why it ended", err)
			}
		}
		if len(a.guests) != 1 {
			t.Errorf("got %v, want no more of what would end again", a.guests)
		}
	})
}

func TestAGuestThatDoesNotStartIsWaitedForOnceAndLookedAtAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAging()
		a.starts = time.Now().Add(time.Hour)
		l, s := a.ladder(t, Options{AllowEphemeral: true})
		for _, want := range []struct {
			took time.Duration
			why  string
		}{{startTimeout, "it does not run after 1m0s"}, {glanceTimeout, "after 1m3s"}, {glanceTimeout, "after 1m6s"}} {
			began := time.Now()
			_, err := l.Pod(t.Context(), s, web, "")
			checkFailure(t, err, NoTools, "no python3", want.why, "upload")
			if took := time.Since(began); took != want.took {
				t.Errorf("took %s, want %s", took, want.took)
			}
		}
		a.starts = time.Now()
		link, err := l.Pod(t.Context(), s, web, "")
		if got := in(t, link, err); got != "shop/web/podpath-r1" || len(a.guests) != 1 {
			t.Errorf("got %s of %v, want the first one, and no other", got, a.guests)
		}
	})
}

func TestAHelperThatHasEndedIsReplaced(t *testing.T) {
	a := newAging()
	l, s := a.ladder(t, Options{AllowHelperPods: true})
	for _, want := range []string{"podpath-r1-1", "podpath-r1-2"} {
		for range 2 {
			link, err := l.Node(t.Context(), s, "raspi002")
			if got := in(t, link, err); got != "default/"+want+"/probe" {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		a.ended[want] = true
	}
	must(t, l.Close(t.Context()))
	slices.Sort(a.removed)
	if !slices.Equal(a.removed, []string{"u1", "u2"}) {
		t.Errorf("deleted %q, want what was made, by its UID", a.removed)
	}
	must(t, l.Close(t.Context()))
	if len(a.removed) != 2 {
		t.Errorf("deleted %q, want each once", a.removed)
	}
}

func TestAPodOfTheSameNameIsNotDeleted(t *testing.T) {
	a := newAging()
	a.taken = true
	l, s := a.ladder(t, Options{AllowHelperPods: true})
	_, err := l.Node(t.Context(), s, "raspi002")
	checkFailure(t, err, NoTools, "local", "tools", "there is a Pod of that name already")
	must(t, l.Close(t.Context()))
	if len(a.removed) != 0 {
		t.Errorf("deleted %v, want nothing", a.deleted)
	}
}

func TestHelpersThatCouldNotBeDeletedAreDeletedByTheNextClose(t *testing.T) {
	a := newAging()
	l, s := a.ladder(t, Options{AllowHelperPods: true})
	link, err := l.Node(t.Context(), s, "raspi002")
	in(t, link, err)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Close(over); err == nil {
		t.Error("got no error, want that it was not deleted")
	}
	must(t, l.Close(t.Context()))
	if len(a.removed) != 2 || len(l.created.left()) != 0 {
		t.Errorf("tried %v, left %v; want two tries and nothing left", a.removed, l.created.left())
	}
}
