package launch

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"podpath/kube"
)

// trials is how many images of a Node are surveyed in search of tools.
const trials = 3

// ephemeral is rung 3. One that an earlier run left running was found among
// the containers of the Pod already.
func (t *attempt) ephemeral(ctx context.Context, s *kube.Snapshot, p *kube.Pod) Link {
	if !t.ladder.options.AllowEphemeral {
		t.refuse(Ephemeral, errors.New("not allowed; --allow-ephemeral adds an ephemeral container"))
		return nil
	}
	l := t.ladder
	access := kube.Access{Verb: "patch", Resource: "pods", Subresource: "ephemeralcontainers", Namespace: p.Namespace}
	switch {
	case strings.HasPrefix(p.Owner, "Node/"):
		t.refuse(Ephemeral, errors.New("a static Pod cannot have ephemeral containers"))
		return nil
	case !t.may(ctx, Ephemeral, access):
		return nil
	}
	add := func() (place, error) { return l.newGuest(ctx, s, p) }
	return t.own(ctx, Ephemeral, &l.guests, p.UID, add, func(p place) Link { return t.best(ctx, []place{p}) })
}

// own starts a prober in a container of podpath's own, which may have to be
// made. One that was made before may have ended meanwhile: then in another.
func (t *attempt) own(
	ctx context.Context, rung Rung, running *once[string, place], key string, add func() (place, error), start func(place) Link,
) Link {
	for range 2 {
		p, err := running.get(ctx, key, add)
		if err != nil {
			t.refuse(rung, err)
			return nil
		}
		if link := start(p); link != nil {
			return link
		}
		if known, ok := running.known(key); ok && known == p {
			return nil // it is no matter of its having ended
		}
	}
	return nil
}

// image returns an image for a container on the Node: the one that the user
// named, else one that a Pod of the same namespace runs there and that has
// tools, as far as it is known or soon found out. Images of other namespaces
// may not be meant for this one, though the Node has them.
func (l *Ladder) image(ctx context.Context, s *kube.Snapshot, node, namespace string) (string, error) {
	if l.options.Image != "" {
		return l.options.Image, nil
	}
	var unknown []place
	best, bestRank := "", 0
	for _, p := range s.Pods {
		if p.Node != node || p.Namespace != namespace {
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
	if best != "" {
		return best, nil
	}
	seen := map[string]bool{}
	for _, c := range unknown {
		if len(seen) == trials || ctx.Err() != nil {
			break
		}
		if seen[c.image] {
			continue
		}
		seen[c.image] = true
		found, err := l.survey(ctx, c)
		if _, serves := l.rank(found); err == nil && serves {
			return c.image, nil
		}
	}
	return "", fmt.Errorf("no image with tools is known to be on Node %s in namespace %s", node, namespace)
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
