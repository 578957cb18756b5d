package launch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
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
	// trials is how many images of a Node are surveyed in search of tools.
	trials = 3
)

func isGuest(c kube.Container) bool {
	return c.Kind == kube.EphemeralContainer && strings.HasPrefix(c.Name, guestPrefix)
}

// ephemeral is rung 3. One that an earlier run left running was found among
// the containers of the Pod already.
func (t *attempt) ephemeral(ctx context.Context, s *kube.Snapshot, p *kube.Pod) Link {
	if !t.ladder.options.AllowEphemeral {
		t.refuse(Ephemeral, errors.New("not allowed; --allow-ephemeral adds an ephemeral container"))
		return nil
	}
	guest, err := t.guest(ctx, s, p)
	if err != nil {
		t.refuse(Ephemeral, err)
		return nil
	}
	return t.best(ctx, []place{guest})
}

// guest returns the ephemeral container that this run has in the Pod, and adds
// it when there is none.
func (t *attempt) guest(ctx context.Context, s *kube.Snapshot, p *kube.Pod) (place, error) {
	l := t.ladder
	access := kube.Access{Verb: "patch", Resource: "pods", Subresource: "ephemeralcontainers", Namespace: p.Namespace}
	switch {
	case strings.HasPrefix(p.Owner, "Node/"):
		return place{}, errors.New("a static Pod cannot have ephemeral containers")
	case !l.allowed(ctx, access):
		return place{}, &kube.AccessError{Access: access}
	}
	return l.guests.get(ctx, p.UID, func() (place, error) {
		image, err := l.image(ctx, s, p.Node, p.Namespace)
		if err != nil {
			return place{}, fmt.Errorf("%w; name one: --allow-ephemeral=IMAGE", err)
		}
		ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("it does not run after %s", startTimeout))
		defer cancel()
		guest := place{p.Key(), newGuestName(p, l.options.RunID), image, Ephemeral}
		if err := l.cluster.AddEphemeral(ctx, p.Key(), kube.Guest{Name: guest.container, Image: image, Command: l.sleep(image, guestLife)}); err != nil {
			return place{}, err
		}
		return guest, l.cluster.AwaitRunning(ctx, p.Key(), guest.container)
	})
}

// newGuestName returns a name that no container of the Pod has: one that ended
// keeps its name.
func newGuestName(p *kube.Pod, run string) string {
	name := guestPrefix + run
	for n := 2; slices.ContainsFunc(p.Containers, func(c kube.Container) bool { return c.Name == name }); n++ {
		name = guestPrefix + run + "-" + strconv.Itoa(n)
	}
	return name
}

// image returns an image for a container on the Node: one that a Pod there
// runs and that has tools, as far as it is known or soon found out; else the
// one that the user named.
func (l *Ladder) image(ctx context.Context, s *kube.Snapshot, node, namespace string) (string, error) {
	var unknown []place
	best, bestRank := "", 0
	for _, p := range s.Pods {
		if p.Node != node {
			continue
		}
		for _, c := range candidates(p, "") {
			if found, ok := l.surveys.known(c.image); !ok {
				unknown = append(unknown, c)
			} else if rank, serves := l.rank(found); serves && (best == "" || rank < bestRank) {
				best, bestRank = c.image, rank
			}
		}
	}
	if best != "" || l.options.Image != "" {
		return cmp.Or(best, l.options.Image), nil
	}
	seen := map[string]bool{}
	for _, c := range unknown {
		if len(seen) == trials || ctx.Err() != nil {
			break
		}
		if seen[c.image] || c.pod.Namespace != namespace {
			continue
		}
		seen[c.image] = true
		found, err := l.survey(ctx, c)
		if _, serves := l.rank(found); err == nil && serves {
			return c.image, nil
		}
	}
	return "", fmt.Errorf("no image with tools is known to be on Node %s", node)
}

// rank says how well an image serves, and the smaller the better: by its best
// tool, or by a shell where the prober may be uploaded.
func (l *Ladder) rank(s survey) (rank int, serves bool) {
	rank = bestTool(s)
	return rank, rank < len(tools) || l.options.AllowUpload && s.has(shell)
}

// sleep is a command that ends by itself. An image with tools but no shell
// sleeps with those; one that is not known is taken to have a shell.
func (l *Ladder) sleep(image string, life time.Duration) []string {
	seconds := strconv.Itoa(int(life.Seconds()))
	found, known := l.surveys.known(image)
	switch {
	case !known || found.has(shell):
		return []string{shell, "-c", `exec sleep "$0"`, seconds}
	case found.has("python3"):
		return []string{"python3", "-c", "import sys, time; time.sleep(int(sys.argv[1]))", seconds}
	case found.has("perl"):
		return []string{"perl", "-e", "sleep shift", seconds}
	default:
		return []string{"sleep", seconds}
	}
}
