package launch

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"podpath/kube"
)

const (
	// guestPrefix begins the names of podpath's ephemeral containers; the run
	// follows. They cannot have labels of their own.
	guestPrefix = "podpath-"
	// guestLife is how long an ephemeral container sleeps: it cannot be
	// removed, and is used again meanwhile.
	guestLife = 15 * time.Minute
	// startTimeout is how long a container may take to run, its image pulled
	// over a slow line.
	startTimeout = time.Minute
	// glanceTimeout is for a look whether one runs that has had that time.
	glanceTimeout = 3 * time.Second
)

func isGuest(c kube.Container) bool {
	return c.Kind == kube.EphemeralContainer && strings.HasPrefix(c.Name, guestPrefix)
}

// guest is an ephemeral container that this run has added to a Pod.
type guest struct {
	place
	number int // the how manieth of that Pod
	since  time.Time
}

// newGuest waits for the ephemeral container of this run in the Pod. Nobody
// can remove one: another is added only when the time of the last one is over,
// not when that did not start.
func (l *Ladder) newGuest(ctx context.Context, s *kube.Snapshot, p *kube.Pod) (place, error) {
	g, there := l.added.last(p.UID)
	if !there || time.Since(g.since) >= guestLife {
		image, err := l.image(ctx, s, p.Node, p.Namespace)
		if err != nil {
			return place{}, fmt.Errorf("%w; name one: --allow-ephemeral=IMAGE", err)
		}
		g = guest{place{p.Key(), guestName(l.options.RunID, g.number+1), image, Ephemeral}, g.number + 1, time.Now()}
		if err := l.cluster.AddEphemeral(ctx, g.pod, kube.Guest{Name: g.container, Image: image, Command: l.sleep(image, guestLife)}); err != nil {
			return place{}, err
		}
		l.added.note(p.UID, g)
	}
	age := time.Since(g.since)
	patience := max(startTimeout-age, glanceTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it does not run after %s", (age+patience).Round(time.Second)))
	defer cancel()
	return g.place, l.cluster.AwaitRunning(ctx, g.pod, g.container)
}

// guestName returns a name that no container of the Pod has: one that ended
// keeps its name.
func guestName(run string, number int) string {
	if number == 1 {
		return guestPrefix + run
	}
	return guestPrefix + run + "-" + strconv.Itoa(number)
}

// added are the last guests that this run has added, by the UIDs of their Pods.
type added struct {
	mu     sync.Mutex
	guests map[string]guest
}

func (a *added) last(uid string) (g guest, there bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g, there = a.guests[uid]
	return g, there
}

func (a *added) note(uid string, g guest) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.guests == nil {
		a.guests = map[string]guest{}
	}
	a.guests[uid] = g
}
