package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"go.uber.org/goleak"
)

// Every store that a test runs has to end all that it started.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, heartbeat()) }

func podIn(namespace, name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": "web"}}}
}

// sample is a cluster of two namespaces.
func sample() []object {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}}
	service.Spec.Selector = map[string]string{"app": "web"}
	return []object{
		podIn("shop", "web-1"), podIn("bank", "web-1"), service,
		endpointSlice([]discoveryv1.EndpointPort{endpointPort("http", 80)}, discoveryv1.Endpoint{Addresses: []string{"10.0.0.1"}}),
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "raspi001"}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "bank"}},
	}
}

func clientOf(t *testing.T, api *fakeAPI) *Client {
	c := &Config{rest: &rest.Config{Host: api.address}, timeout: 5 * time.Second}
	c.tune(Options{})
	client, err := NewClient(c)
	must(t, err)
	return client
}

// follower runs a store and looks at its snapshots.
type follower struct {
	*Store
	last   *Snapshot
	phases []Phase // of the endpoint slices, in all snapshots so far
}

// soon is the pause before a retry where a test does not mean to wait.
const soon = 200 * time.Millisecond

func follow(t *testing.T, api *fakeAPI, scope Scope, retry time.Duration) *follower {
	f := &follower{Store: NewStore(clientOf(t, api), scope)}
	f.retry, f.deniedRetry = retry, retry
	f.run(t)
	return f
}

func (f *follower) run(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			must(t, err)
		case <-time.After(time.Second):
			t.Error("Run did not end within a second")
		}
	})
}

// until returns the last or next snapshot for which ok holds.
func (f *follower) until(t *testing.T, what string, ok func(s *Snapshot) bool) *Snapshot {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for f.last == nil || !ok(f.last) {
		s, err := f.Next(ctx)
		if err != nil {
			t.Fatalf("no snapshot with %s; the last one: %+v", what, f.last)
		}
		f.last, f.phases = s, append(f.phases, s.State(EndpointSlices).Phase)
	}
	return f.last
}

func (f *follower) untilAll(t *testing.T, phase Phase) *Snapshot {
	t.Helper()
	return f.until(t, "all "+phase.String(), func(s *Snapshot) bool {
		return !slices.ContainsFunc(s.States[:], func(state State) bool { return state.Phase != phase })
	})
}

func names(pods []*Pod) string {
	var all []string
	for _, p := range pods {
		all = append(all, p.Key().String())
	}
	return strings.Join(all, " ")
}

func TestStoreListsAndFollows(t *testing.T) {
	for name, old := range map[string]bool{"by watching": false, "by listing, from an old server": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newFakeAPI(t, sample()...)
			api.old = old
			f := follow(t, api, Scope{}, soon)
			s := f.untilAll(t, Live)
			if got, want := names(s.Pods), "bank/web-1 shop/web-1"; got != want {
				t.Errorf("got Pods %s, want %s", got, want)
			}
			if s.Node("raspi001") == nil || !slices.Equal(s.Namespaces, []string{"bank", "shop"}) || len(s.Service(Key{"shop", "web"}).Endpoints) != 1 {
				t.Errorf("got Nodes %v, namespaces %v, Services %v", s.Nodes, s.Namespaces, s.Services)
			}
			api.put(podIn("shop", "web-2"))
			api.remove(podIn("bank", "web-1"))
			next := f.until(t, "both changes", func(s *Snapshot) bool { return names(s.Pods) == "shop/web-1 shop/web-2" })
			if next.Number <= s.Number || names(s.Pods) != "bank/web-1 shop/web-1" {
				t.Errorf("got snapshot %d after %d, and the earlier one changed to %s", next.Number, s.Number, names(s.Pods))
			}
		})
	}
}

func TestStoreCountsWhatArrivesWhileSyncing(t *testing.T) {
	api := newFakeAPI(t, sample()...)
	api.held = true
	f := follow(t, api, Scope{}, soon)
	s := f.until(t, "two Pods received", func(s *Snapshot) bool { return s.State(Pods).Received == 2 })
	if s.State(Pods).Phase != Syncing || s.State(Pods).Settled() || len(s.Pods) != 0 {
		t.Errorf("got %+v with %d Pods, want none before the list is complete", s.State(Pods), len(s.Pods))
	}
	api.do(func() { api.held = false })
	f.untilAll(t, Live)
}

func TestStoreSaysWhatIsForbidden(t *testing.T) {
	api := newFakeAPI(t, sample()...)
	api.denies = func(request string) bool {
		return strings.HasSuffix(request, " pods") || request == "watch endpointslices"
	}
	f := follow(t, api, Scope{}, soon)
	s := f.until(t, "both forbidden", func(s *Snapshot) bool {
		return s.State(Pods).Phase == Forbidden && s.State(EndpointSlices).Phase == Forbidden && s.State(Services).Phase == Live
	})
	if got, want := s.State(Pods).Denied, (Denied{Verb: "list", Resource: Pods}); got != want || s.State(Pods).Listed {
		t.Errorf("got %+v, want %+v", s.State(Pods), want)
	}
	if !strings.Contains(s.State(Pods).Err, `User "jane" cannot list`) {
		t.Errorf("got error %q, want the server's own words", s.State(Pods).Err)
	}
	// A list without a watch is shown, and never called live, however often it
	// is tried again.
	if got, want := s.State(EndpointSlices), (Denied{Verb: "watch", Resource: EndpointSlices}); got.Denied != want || !got.Listed {
		t.Errorf("got %+v, want %+v with the list", got, want)
	}
	if len(s.Services[0].Endpoints) != 1 || len(s.Services[0].Flags) != 0 {
		t.Errorf("got %+v, want the endpoint that was listed and no flag from Pods that were not", s.Services[0])
	}
	api.put(endpointSlice([]discoveryv1.EndpointPort{endpointPort("http", 80)}, discoveryv1.Endpoint{Addresses: []string{"10.0.0.1", "10.0.0.2"}}))
	f.until(t, "a newer list", func(s *Snapshot) bool { return len(s.Services[0].Endpoints) == 2 })
	if slices.Contains(f.phases, Live) {
		t.Errorf("got phases %v, want none live without a watch", f.phases)
	}
	api.do(func() { api.denies = func(string) bool { return false } })
	f.untilAll(t, Live)
}

func TestStoreOfOneNamespaceAsksBeforeItLooksBeyond(t *testing.T) {
	api := newFakeAPI(t, sample()...)
	api.denies = func(request string) bool { return request == "list namespaces" }
	f := follow(t, api, Scope{Namespace: "shop"}, soon)
	s := f.until(t, "settled", func(s *Snapshot) bool {
		return !slices.ContainsFunc(s.States[:], func(state State) bool { return !state.Settled() })
	})
	if got := s.State(Namespaces); got.Phase != Forbidden || got.Denied != (Denied{Verb: "list", Resource: Namespaces}) || got.Err != "you may not list namespaces in the whole cluster" {
		t.Errorf("got %+v", got)
	}
	if names(s.Pods) != "shop/web-1" || s.Node("raspi001") == nil {
		t.Errorf("got Pods %s, Nodes %v", names(s.Pods), s.Nodes)
	}
	api.do(func() {
		for _, request := range api.requests {
			if !strings.HasSuffix(request, " shop") && !strings.HasSuffix(request, " nodes") && request != "create selfsubjectaccessreviews" {
				t.Errorf("got request %q outside the namespace", request)
			}
		}
		api.denies = func(string) bool { return false }
	})
	f.untilAll(t, Live)
}

func TestStoreKeepsItsDataWhileTheServerIsAway(t *testing.T) {
	t.Parallel()
	api := newFakeAPI(t, sample()...)
	f := follow(t, api, Scope{}, retryDelay)
	f.untilAll(t, Live)
	api.stop()
	s := f.untilAll(t, Stale)
	if names(s.Pods) != "bank/web-1 shop/web-1" || !strings.Contains(s.State(Pods).Err, "connection refused") || s.State(Pods).Since.IsZero() {
		t.Errorf("got Pods %s, state %+v", names(s.Pods), s.State(Pods))
	}
	api.put(podIn("shop", "web-2"))
	api.start(t)
	s = f.untilAll(t, Live) // within the ten seconds that until waits
	if s.State(Pods).Err != "" {
		t.Errorf("got %+v", s.State(Pods))
	}
	f.until(t, "the Pod made meanwhile", func(s *Snapshot) bool { return len(s.Pods) == 3 })
}

// client-go turns a connection that is cut before the answer into a watch
// without events, which looks like success.
func TestStoreDoesNotTakeACutConnectionForAnAnswer(t *testing.T) {
	t.Parallel()
	api := newFakeAPI(t, sample()...)
	f := follow(t, api, Scope{}, soon)
	f.untilAll(t, Live)
	api.do(func() { api.cuts = true })
	api.server.CloseClientConnections()
	s := f.untilAll(t, Stale)
	if got := s.State(Pods).Err; got != errCut.Error() && !strings.Contains(got, "EOF") {
		t.Errorf("got error %q", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	for s, err := f.Next(ctx); err == nil; s, err = f.Next(ctx) {
		if got := s.State(Pods); got.Phase != Stale {
			t.Errorf("got %+v at another try", got)
		}
	}
	api.do(func() { api.cuts = false })
	f.untilAll(t, Live)
}

func TestStoreFollowsOnlyWhatIsAskedFor(t *testing.T) {
	api := newFakeAPI(t, sample()...)
	f := &follower{Store: NewStore(clientOf(t, api), Scope{}, Services)}
	f.run(t)
	f.until(t, "live Services", func(s *Snapshot) bool { return s.State(Services).Phase == Live })
	api.do(func() {
		if want := []string{"watch services"}; !slices.Equal(api.requests, want) {
			t.Errorf("got requests %q, want %q", api.requests, want)
		}
	})
}

func TestStoreComesBackFromRefusedCredentials(t *testing.T) {
	api := newFakeAPI(t, sample()...)
	f := follow(t, api, Scope{}, soon)
	f.untilAll(t, Live)
	api.do(func() { api.refusesTokens = true })
	api.server.CloseClientConnections()
	s := f.untilAll(t, Stale)
	if got := s.State(Pods); !got.Unauthorized() || !got.Listed || len(s.Pods) != 2 {
		t.Errorf("got %+v with %d Pods", got, len(s.Pods))
	}
	api.do(func() { api.refusesTokens = false })
	if s = f.untilAll(t, Live); s.State(Pods).Unauthorized() {
		t.Errorf("got %+v", s.State(Pods))
	}
}

func TestStoreListsAgainAfterAnExpiredWatch(t *testing.T) {
	api := newFakeAPI(t, sample()...)
	f := follow(t, api, Scope{}, soon)
	f.untilAll(t, Live)
	api.expire()
	api.remove(podIn("bank", "web-1"))
	s := f.until(t, "the deletion", func(s *Snapshot) bool { return names(s.Pods) == "shop/web-1" })
	if s.State(Pods).Phase != Live {
		t.Errorf("got %+v", s.State(Pods))
	}
}

func TestStoreWithoutAServerSaysWhyAndEndsAtOnce(t *testing.T) {
	api := newFakeAPI(t)
	api.stop()
	f := follow(t, api, Scope{}, time.Hour) // and the cleanup wants it to end within a second
	s := f.until(t, "an error", func(s *Snapshot) bool { return s.State(Pods).Err != "" })
	if got := s.State(Pods); got.Phase != Syncing || got.Settled() || !strings.Contains(got.Err, "connection refused") {
		t.Errorf("got %+v", got)
	}
}

func TestNextIsHeldToFiveASecond(t *testing.T) {
	store := NewStore(nil, Scope{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	go func() {
		for i := 0; ctx.Err() == nil; i++ {
			_ = store.pods.Update(podIn("shop", fmt.Sprint(i%100)))
			time.Sleep(time.Millisecond)
		}
	}()
	snapshots := 0
	for ; ; snapshots++ {
		if _, err := store.Next(ctx); err != nil {
			break
		}
	}
	if snapshots < 5 || snapshots > 11 {
		t.Errorf("got %d snapshots in a second, want about 10", snapshots)
	}
}

func TestNextMakesOneSnapshotOfABurst(t *testing.T) {
	store := NewStore(nil, Scope{})
	must(t, store.pods.Update(podIn("shop", "a")))
	if _, err := store.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	must(t, store.pods.Update(podIn("shop", "b")))
	time.AfterFunc(snapshotInterval/2, func() { _ = store.pods.Update(podIn("shop", "c")) })
	if s, err := store.Next(t.Context()); err != nil || len(s.Pods) != 3 {
		t.Fatalf("got %v, %v", s, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*snapshotInterval)
	defer cancel()
	if s, err := store.Next(ctx); err == nil {
		t.Errorf("got snapshot %d of no news", s.Number)
	}
}

func TestRunReturnsAPanic(t *testing.T) {
	store := NewStore(clientOf(t, newFakeAPI(t, sample()...)), Scope{})
	store.pods.convert = func(interner, *corev1.Pod) *Pod { panic("odd Pod") }
	err := store.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "panic while following pods: odd Pod") {
		t.Errorf("got %v", err)
	}
}
