package launch

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"podpath/kube"
)

// set writes the state of the ephemeral container of Pod web, as its kubelet
// would.
func (c *practice) set(t *testing.T, name string, state corev1.ContainerState) {
	t.Helper()
	p := c.pod(web).DeepCopy()
	p.Status.EphemeralContainerStatuses = slices.DeleteFunc(p.Status.EphemeralContainerStatuses, func(s corev1.ContainerStatus) bool { return s.Name == name })
	p.Status.EphemeralContainerStatuses = append(p.Status.EphemeralContainerStatuses, corev1.ContainerStatus{Name: name, Image: withBash, State: state})
	p.SetResourceVersion("") // whatever happens to it meanwhile
	_, err := c.cluster.Store().Put(p)
	must(t, err)
}

// end ends an ephemeral container of Pod web.
func (c *practice) end(t *testing.T, name string) {
	t.Helper()
	c.set(t, name, corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 137}})
}

func TestAGuestWhoseTimeIsOverIsReplaced(t *testing.T) {
	inPractice(t, withOne(withNothing), func(t *testing.T, c *practice) {
		l := c.ladder(Options{AllowEphemeral: true, Image: withBash})
		for _, want := range []string{"podpath-r1", "podpath-r1-2"} {
			for range 2 {
				link, err := l.Pod(t.Context(), c.snapshot, web, "")
				if got := in(t, link, err); got != "shop/web/"+want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
			time.Sleep(guestLife)
			c.end(t, want)
		}
	})
}

func TestAGuestThatEndedBeforeItsTimeIsNotReplaced(t *testing.T) {
	inPractice(t, withOne(withNothing), func(t *testing.T, c *practice) {
		l := c.ladder(Options{AllowEphemeral: true, Image: withBash})
		link, err := l.Pod(t.Context(), c.snapshot, web, "")
		in(t, link, err)
		c.end(t, "podpath-r1")
		for range 3 {
			_, err = l.Pod(t.Context(), c.snapshot, web, "")
			if err == nil || !strings.Contains(err.Error(), "it has ended: exit 137") {
				t.Errorf("got %v, want why it ended", err)
			}
		}
		if guests := c.pod(web).Spec.EphemeralContainers; len(guests) != 1 {
			t.Errorf("got %v, want no more of what would end again", guests)
		}
	})
}

func TestAGuestThatDoesNotStartIsWaitedForOnceAndLookedAtAgain(t *testing.T) {
	inPractice(t, withOne(withNothing), func(t *testing.T, c *practice) {
		l := c.ladder(Options{AllowEphemeral: true, Image: withBash})
		l.cluster = slow{c, t}
		for _, want := range []struct {
			took time.Duration
			why  string
		}{{startTimeout, "it does not run after 1m0s"}, {glanceTimeout, "after 1m3s"}, {glanceTimeout, "after 1m6s"}} {
			began := time.Now()
			_, err := l.Pod(t.Context(), c.snapshot, web, "")
			checkFailure(t, err, NoTools, "no python3", want.why, "upload")
			if took := time.Since(began); took != want.took {
				t.Errorf("took %s, want %s", took, want.took)
			}
		}
		c.set(t, "podpath-r1", corev1.ContainerState{Running: &corev1.ContainerStateRunning{}})
		link, err := l.Pod(t.Context(), c.snapshot, web, "")
		if got := in(t, link, err); got != "shop/web/podpath-r1" || len(c.pod(web).Spec.EphemeralContainers) != 1 {
			t.Errorf("got %s of %v, want the first one, and no other", got, c.pod(web).Spec.EphemeralContainers)
		}
	})
}

// slow is a cluster whose kubelets take their time to start a container.
type slow struct {
	*practice
	t *testing.T
}

func (s slow) AddEphemeral(ctx context.Context, pod kube.Key, g kube.Guest) error {
	err := s.practice.AddEphemeral(ctx, pod, g)
	s.set(s.t, g.Name, corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}})
	return err
}

func TestAHelperThatHasEndedIsReplaced(t *testing.T) {
	inPractice(t, "", func(t *testing.T, c *practice) {
		l := c.ladder(Options{AllowHelperPods: true, Image: withBash})
		for _, want := range []string{"podpath-r1-1", "podpath-r1-2"} {
			for range 2 {
				link, err := l.Node(t.Context(), c.snapshot, "raspi002")
				if got := in(t, link, err); got != "default/"+want+"/probe" {
					t.Errorf("got %s, want %s", got, want)
				}
			}
			_, err := c.cluster.Apply([]byte("{apiVersion: v1, kind: Pod, metadata: {namespace: default, name: " + want + ", annotations: {demo.podpath/fault: crash-loop}}}"))
			must(t, err)
			time.Sleep(time.Minute)
		}
		must(t, l.Close(t.Context()))
		c.wantHelpers(t, "r1", 0)
		must(t, l.Close(t.Context()))
		if len(c.deleted) != 2 || c.deleted[0] == c.deleted[1] || slices.Contains(c.deleted, "") {
			t.Errorf("deleted %q, want each once, by its UID", c.deleted)
		}
	})
}

func TestAPodOfTheSameNameIsNotDeleted(t *testing.T) {
	taken := strings.Replace(podYAML("podpath-r1-1", "raspi001", container{"app", withBash}), "namespace: shop", "namespace: default", 1)
	inPractice(t, taken, func(t *testing.T, c *practice) {
		l := c.ladder(Options{AllowHelperPods: true, Image: withBash})
		_, err := l.Node(t.Context(), c.snapshot, "raspi002")
		checkFailure(t, err, NoTools, "local", "tools", "there is a Pod of that name already")
		must(t, l.Close(t.Context()))
		if len(c.deleted) != 0 {
			t.Errorf("deleted %q, want nothing", c.deleted)
		}
	})
}

func TestHelpersThatCouldNotBeDeletedAreDeletedByTheNextClose(t *testing.T) {
	inPractice(t, "", func(t *testing.T, c *practice) {
		l := c.ladder(Options{AllowHelperPods: true, Image: withBash})
		link, err := l.Node(t.Context(), c.snapshot, "raspi002")
		in(t, link, err)
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.Close(over); err == nil {
			t.Error("got no error, want that it was not deleted")
		}
		c.wantHelpers(t, "r1", 1)
		must(t, l.Close(t.Context()))
		c.wantHelpers(t, "r1", 0)
		if left := l.created.left(); len(left) != 0 {
			t.Errorf("left %v, want nothing", left)
		}
	})
}
