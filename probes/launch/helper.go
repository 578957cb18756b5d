package launch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"podpath/kube"
)

// helperLife ends a helper Pod whose podpath was killed.
const helperLife = 15 * time.Minute

// Node starts a prober in the network of the Node: in this process when
// podpath runs there, else in a Pod there that has the Node's network and
// tools, else in a helper Pod. The prober lives until the link is closed, or
// until ctx ends. The error is a *Failure.
func (l *Ladder) Node(ctx context.Context, s *kube.Snapshot, name string) (Link, error) {
	t := &attempt{ladder: l, source: "node/" + name}
	node := s.Node(name)
	if node == nil {
		return nil, t.over(Local, errors.New("there is no such Node, or you may not list nodes"))
	}
	if l.isHere(node) {
		link, err := l.Local(ctx)
		if err == nil {
			return link, nil
		}
		t.refuse(Local, err)
	} else {
		t.refuse(Local, errors.New("podpath does not run on that Node"))
	}
	if link := t.residents(ctx, s, node); link != nil {
		return link, nil
	}
	if link := t.helper(ctx, s, node); link != nil {
		return link, nil
	}
	return nil, t.failure()
}

// isHere reports whether this machine has an internal address of the Node.
func (l *Ladder) isHere(node *kube.Node) bool {
	return slices.ContainsFunc(l.options.Machine.Addresses(), func(a netip.Addr) bool {
		return slices.Contains(node.InternalIPs, a.String())
	})
}

// residents starts what a Pod in the network of the Node has. Images that are
// known to have tools come first.
func (t *attempt) residents(ctx context.Context, s *kube.Snapshot, node *kube.Node) Link {
	var places []place
	mayExec := map[string]bool{}
	for _, p := range s.Pods {
		if p.Node != node.Name || !p.HostNetwork || p.Finished {
			continue
		}
		if _, asked := mayExec[p.Namespace]; !asked {
			mayExec[p.Namespace] = t.mayExec(ctx, p.Namespace)
		}
		if mayExec[p.Namespace] {
			places = append(places, candidates(p, "")...)
		}
	}
	if len(places) == 0 && len(mayExec) == 0 {
		t.refuse(Tools, errors.New("no Pod that podpath sees there has the Node's network"))
	}
	return t.best(ctx, places)
}

// helper is rung 5. The helper Pod of a Node serves the whole run.
func (t *attempt) helper(ctx context.Context, s *kube.Snapshot, node *kube.Node) Link {
	l := t.ladder
	namespace := cmp.Or(l.options.Namespace, "default")
	pods := kube.Access{Verb: "create", Resource: "pods", Namespace: namespace}
	deletion := pods
	deletion.Verb = "delete"
	switch {
	case !l.options.AllowHelperPods:
		t.refuse(Helper, errors.New("not allowed; --allow-helper-pods creates a Pod in the Node's network and deletes it"))
		return nil
	case !t.may(ctx, Helper, pods) || !t.may(ctx, Helper, deletion) || !t.mayExec(ctx, namespace):
		return nil
	}
	add := func() (place, error) { return l.newHelper(ctx, s, node.Name, namespace) }
	return t.own(ctx, Helper, &l.helpers, node.Name, add, func(p place) Link {
		if link := t.best(ctx, []place{p}); link != nil || !l.options.AllowUpload {
			return link
		}
		link, err := l.upload(ctx, p, node.Arch)
		if err != nil {
			t.refuse(Upload, err)
			return nil
		}
		return link
	})
}

// newHelper creates a helper Pod and waits until it runs. One that does not is
// deleted at once.
func (l *Ladder) newHelper(ctx context.Context, s *kube.Snapshot, node, namespace string) (place, error) {
	image, err := l.image(ctx, s, node, namespace)
	if err != nil {
		return place{}, fmt.Errorf("%w; name one: --allow-ephemeral=IMAGE", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("it does not run after %s", startTimeout))
	defer cancel()
	h := l.created.begin(namespace, node, l.options.RunID)
	made, err := l.cluster.CreateHelper(ctx, h, kube.Guest{Name: helperContainer, Image: image, Command: l.sleep(image, helperLife)}, helperLife)
	switch {
	case errors.Is(err, kube.ErrTaken):
		l.created.gone(h) // it is somebody else's
		return place{}, err
	case err == nil:
		h = made
		l.created.made(h)
		err = l.cluster.AwaitRunning(ctx, h.Key, helperContainer)
	}
	if err != nil {
		fresh, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
		defer cancel()
		return place{}, both(err, l.removeHelper(fresh, h))
	}
	return place{h.Key, helperContainer, image, Helper}, nil
}

// removeHelper deletes a helper Pod of this run.
func (l *Ladder) removeHelper(ctx context.Context, h kube.HelperPod) error {
	err := l.cluster.DeleteHelper(ctx, h)
	if err == nil {
		l.created.gone(h)
	}
	return err
}

// helperContainer is the only container of a helper Pod.
const helperContainer = "probe"
