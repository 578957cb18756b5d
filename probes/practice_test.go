package probes_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"podpath/kube"
	"podpath/kube/demo"
	"podpath/kube/demo/fixture"
	"podpath/kube/demo/network"
	"podpath/probes"
	"podpath/probes/launch"
	"podpath/probes/path"
)

// practice runs a test in a bubble with a practice cluster, where time passes
// at once.
func practice(t *testing.T, test func(t *testing.T, c *fixture.Cluster)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, fixture.Start(t, demo.Options{Still: true, Seed: 1})) })
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// learner is podpath at work on a practice cluster, by its own code.
type learner struct {
	t        testing.TB
	cluster  probes.Cluster
	snapshot *kube.Snapshot
	world    *path.World // of the last probe
	options  launch.Options
	execs    int            // of the last probe
	opened   map[string]int // sources, likewise
}

// counting counts how often a prober is started in each source.
type counting struct {
	probes.Launcher
	mu     sync.Mutex
	opened map[string]int
}

func (c *counting) count(source string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opened[source]++
}

func (c *counting) Pod(ctx context.Context, s *kube.Snapshot, pod kube.Key, container string) (launch.Link, error) {
	c.count("pod/" + pod.Name)
	return c.Launcher.Pod(ctx, s, pod, container)
}

func (c *counting) Node(ctx context.Context, s *kube.Snapshot, name string) (launch.Link, error) {
	c.count("node/" + name)
	return c.Launcher.Node(ctx, s, name)
}

func (c *counting) Local(ctx context.Context) (launch.Link, error) {
	c.count("local")
	return c.Launcher.Local(ctx)
}

// visit connects to a cluster and looks at a namespace.
func visit(t testing.TB, c *fixture.Cluster, namespace string) *learner {
	t.Helper()
	client, scope := c.Client(kube.Options{Namespace: namespace})
	l := &learner{t: t, cluster: client, snapshot: fixture.Read(t, client.Client, scope), options: launch.Options{RunID: "r1", Machine: c.Machine()}}
	l.look(path.Intent{})
	return l
}

// look reads what an intent needs.
func (l *learner) look(intent path.Intent) {
	l.t.Helper()
	if l.world = probes.Look(l.t.Context(), l.snapshot, l.cluster, l.options.Machine, intent); len(l.world.Unknown) > 0 {
		l.t.Fatalf("got %v, want all of it read", l.world.Unknown)
	}
}

// probe checks the paths from a source to targets, or all groups without.
func (l *learner) probe(groups []path.Group, words ...string) map[string]path.Result {
	l.t.Helper()
	if len(words) == 0 {
		return l.find(path.Intent{Everything: groups})
	}
	return l.find(path.Intent{Sources: words[:1], Targets: words[1:]})
}

// find finds out what somebody wants to know.
func (l *learner) find(intent path.Intent) map[string]path.Result {
	l.t.Helper()
	ladder := launch.New(l.cluster, l.options)
	defer func() { must(l.t, ladder.Close(context.WithoutCancel(l.t.Context()))) }()
	l.look(intent)
	if len(intent.Everything) > 0 {
		l.world.Equipped = ladder.Equipped(l.t.Context(), l.world.Representatives())
	}
	checks, err := l.world.PlanFor(intent)
	must(l.t, err)
	found := map[string]path.Result{}
	launcher := &counting{Launcher: ladder, opened: map[string]int{}}
	for _, r := range probes.Run(l.t.Context(), l.world, checks, launcher, probes.Options{Timeout: time.Second, Reader: l.cluster}, nil) {
		found[r.ID] = r
	}
	l.execs, l.opened = ladder.Execs(), launcher.opened
	return found
}

func say(r path.Result) string {
	cause := ""
	if r.Cause != nil {
		cause = fmt.Sprintf("; %s: %s %q", r.Cause.Code, r.Cause.Summary, r.Cause.Evidence)
	}
	return fmt.Sprintf("%s: %s, %s %s %s %v %q (want %s %v, %s)%s", r.Verdict, r.ID, r.Stage, r.Error, r.Detail, r.Blind, r.Values, r.Expect.Outcome, r.Expect.Values, r.Expect.Why, cause)
}

// wants checks the verdict, and the cause if there is one: "fail dead-endpoint".
func wants(t testing.TB, found map[string]path.Result, id, want string) {
	t.Helper()
	r, ok := found[id]
	if !ok {
		t.Errorf("there is no check %q, only %q", id, slices.Sorted(maps.Keys(found)))
		return
	}
	got := string(r.Verdict)
	if r.Cause != nil {
		got += " " + string(r.Cause.Code)
	}
	if got != want {
		t.Errorf("want %s, got %s", want, say(r))
	}
}

func TestTheWholeStoryPasses(t *testing.T) {
	practice(t, func(t *testing.T, c *fixture.Cluster) {
		kinds := map[path.Kind]int{}
		for _, r := range visit(t, c, "default").probe(path.Groups) {
			kinds[r.Kind]++
			if r.Verdict != path.Pass || r.Cause != nil {
				t.Error(say(r))
			}
			if r.Kind == path.Spread && (r.Spread.Elsewhere > 0 || r.Spread.How != "the socket tables of the endpoints") {
				t.Errorf("got %+v, want all connections seen in the tables of sockets", r.Spread)
			}
		}
		for kind, least := range map[path.Kind]int{path.TCP: 40, path.Spread: 2, path.Env: 3, path.DNS: 12} {
			if kinds[kind] < least {
				t.Errorf("got %d checks of kind %s, want at least %d", kinds[kind], kind, least)
			}
		}
	})
}

func TestEveryKindOfServiceKeepsItsRule(t *testing.T) {
	practice(t, func(t *testing.T, c *fixture.Cluster) {
		for _, r := range visit(t, c, "kinds").probe(path.Groups) {
			if r.Verdict != path.Pass || r.Cause != nil {
				t.Error(say(r))
			}
		}
		must(t, c.SetMachine(network.Outside))
		outside := visit(t, c, "kinds").probe([]path.Group{path.Services}, "local", "svc/clusterip", "svc/external-ip", "svc/nodeport", "svc/loadbalancer", "ingress/ingress")
		for id, want := range map[string]string{
			"local tcp svc/clusterip:80":                    "pass outside-cluster",
			"local tcp svc/external-ip:80@192.168.100.50":   "pass",
			"local tcp node/raspi001:30080":                 "pass",
			"local tcp node/raspi003:30080":                 "pass",
			"local tcp svc/loadbalancer:80@192.168.100.240": "pass",
			"local http http://kinds.example/":              "pass",
			"local https https://secure.kinds.example/":     "pass",
		} {
			wants(t, outside, id, want)
		}
		if got := outside["local tcp svc/clusterip:80"].Error; got != path.TimedOut {
			t.Errorf("got %s for a ClusterIP from outside, want that nobody answers", got)
		}
	})
}

func TestEachRiddleOfAServiceHasItsCause(t *testing.T) {
	practice(t, func(t *testing.T, c *fixture.Cluster) {
		l := visit(t, c, "broken")
		for service, want := range map[string]string{
			"healthy": "pass", "unnamed-port": "pass", "sticky": "pass", "slow": "pass", "younger": "pass",
			"selects-nothing": "fail selector-matches-nothing", "none-ready": "fail no-ready-endpoint", "crashing": "fail no-ready-endpoint",
			"port-name-missing": "fail target-port-missing", "wrong-target-port": "fail wrong-target-port", "nobody-listens": "fail not-listening",
			"loopback-only": "fail loopback-only", "slice-missing": "fail manual-slice-missing", "guarded": "pass policy-denies",
			"internal-local": "pass internal-traffic-local",
		} {
			wants(t, l.probe(nil, "pod/client", "svc/"+service), "pod/client tcp svc/"+service+":80", want)
			if service == "loopback-only" && l.execs != 4 {
				t.Errorf("got %d execs for a closer look, want one in each of two images and a prober in each of two Pods", l.execs)
			}
		}
		dead := path.CauseCode("")
		for _, r := range l.probe(nil, "pod/client", "svc/one-dead") {
			if r.Verdict == path.Fail && r.Cause != nil {
				dead = r.Cause.Code
			}
		}
		if dead != path.NothingListens {
			t.Errorf("got %q for a Service of which one endpoint is dead, want what was seen in its Pod", dead)
		}
		wants(t, l.probe(nil, "local", "svc/nodeport-local"), "local tcp node/raspi002:"+nodePort(l, "nodeport-local"), "pass external-traffic-local")
		lawless := visit(t, c, "lawless")
		wants(t, lawless.probe(nil, "pod/client", "svc/policy-not-enforced"), "pod/client tcp svc/policy-not-enforced:80", "fail policy-not-enforced")
	})
}

func TestEachRiddleOfANameHasItsCause(t *testing.T) {
	practice(t, func(t *testing.T, c *fixture.Cluster) {
		l := visit(t, c, "broken")
		found := l.probe(nil, "pod/client", "svc/loadbalancer-pending", "svc/partner", "svc/headless-unready", "http://resets/",
			"ingress/ingress-healthy", "ingress/backend-missing", "ingress/port-missing", "ingress/class-unknown", "dns:cart", "dns:cart.shop")
		maps.Copy(found, l.probe([]path.Group{path.Discovery}))
		for id, want := range map[string]string{
			"local status svc/loadbalancer-pending:80@loadbalancer":        "fail load-balancer-pending",
			"pod/client dns dns:api.exmaple.com/A":                         "fail external-name-unknown",
			"pod/client dns dns:headless-unready.broken.svc/A":             "pass headless-not-ready",
			"pod/client http http://resets/":                               "fail app-closes",
			"pod/client http http://ingress-healthy.example/":              "pass",
			"pod/client http http://backend-missing.example/":              "pass",
			"pod/client http http://backend-missing.example/api":           "fail ingress-backend-missing",
			"pod/client http http://port-missing.example/":                 "fail ingress-backend-missing",
			"pod/client status ingress/class-unknown":                      "fail ingress-no-address",
			"pod/client dns dns:cart":                                      "fail no-such-service",
			"pod/client dns dns:cart.shop":                                 "pass",
			"pod/client env env:YOUNGER_SERVICE_HOST":                      "pass env-pod-older",
			"pod/client env env:HEALTHY_SERVICE_HOST":                      "pass",
			"pod/client dns dns:_port-80._tcp.unnamed-port.broken.svc/SRV": "pass srv-port-unnamed",
		} {
			wants(t, found, id, want)
		}
		if got := found["pod/client http http://resets/"]; got.Stage != path.StageRequest || got.Error != path.ResetByPeer {
			t.Errorf("got %s, want a reset", say(got))
		}
	})
}

func nodePort(l *learner, service string) string {
	return strconv.Itoa(l.world.Service(kube.Key{Namespace: "broken", Name: service}).Ports[0].NodePort)
}

// What is asked about one object enters no other Pods than that takes, and each
// once.
func TestAnIntentEntersOnlyThePodsThatItNeeds(t *testing.T) {
	practice(t, func(t *testing.T, c *fixture.Cluster) {
		pod, client := pods(c, "default", "sample-deployment-")[0], "pod/client"
		web := pods(c, "broken", "web-")
		for name, test := range map[string]struct {
			namespace string
			intent    path.Intent
			want      []string
		}{
			"everything about a Pod":      {"default", path.Intent{About: kube.Ref{Resource: kube.Pods, Key: kube.Key{Namespace: "default", Name: pod}}}, []string{"local", "pod/" + pod}},
			"a question that is answered": {"broken", path.Intent{Sources: []string{client}, Targets: []string{"svc/healthy"}}, []string{client}},
			"one about a name":            {"broken", path.Intent{Sources: []string{client}, Targets: []string{"http://cart/"}}, []string{client}},
			"one that a policy answers":   {"broken", path.Intent{Sources: []string{client}, Targets: []string{"svc/guarded"}}, []string{client}},
			"one that fails: besides, the Pods that refuse": {
				"broken", path.Intent{Sources: []string{client}, Targets: []string{"http://wrong-target-port/"}}, []string{client, "pod/" + web[0], "pod/" + web[1]},
			},
			"a spread: besides, the endpoints": {
				"broken", path.Intent{Sources: []string{client}, Targets: []string{"svc/healthy"}, Options: path.PlanOptions{Count: 40}}, []string{client, "pod/" + web[0], "pod/" + web[1]},
			},
		} {
			l := visit(t, c, test.namespace)
			l.find(test.intent)
			got := slices.Sorted(maps.Keys(l.opened))
			slices.Sort(test.want)
			if !slices.Equal(got, test.want) {
				t.Errorf("%s: got %q entered, want %q", name, got, test.want)
			}
			for source, n := range l.opened {
				if n != 1 {
					t.Errorf("%s: got %d execs in %s, want one", name, n, source)
				}
			}
		}
		l := visit(t, c, "default") // one Pod on each Node, and the endpoints for the spread
		l.find(path.Intent{About: kube.Ref{Resource: kube.Services, Key: kube.Key{Namespace: "default", Name: "sample-clusterip"}}})
		for source, n := range l.opened {
			if n != 1 || source != "local" && !strings.HasPrefix(source, "pod/sample-deployment-") {
				t.Errorf("everything about a Service: got %d execs in %s", n, source)
			}
		}
	})
}

func TestTargetsInOtherNamespacesAreReadAsWell(t *testing.T) {
	practice(t, func(t *testing.T, c *fixture.Cluster) {
		l := visit(t, c, "kinds")
		found := l.probe(nil, "local", "svc/broken/wrong-target-port", "svc/shop/cart", "pod/broken/client:80")
		for id, want := range map[string]string{
			"local tcp svc/broken/wrong-target-port:80": "fail wrong-target-port",
			"local tcp svc/shop/cart:80":                "pass",
			"local tcp pod/broken/client:80":            "fail nothing-listens",
		} {
			wants(t, found, id, want)
		}
		if _, err := l.world.PlanFor(path.Intent{Sources: []string{"local"}, Targets: []string{"svc/nowhere/web"}}); err == nil {
			t.Error("got a plan for a namespace that there is not")
		}
	})
}
