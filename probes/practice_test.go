package probes_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"podpath/kube"
	"podpath/kube/demo"
	"podpath/kube/demo/fixture"
	"podpath/kube/demo/network"
	"podpath/probes"
	"podpath/probes/launch"
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
	t       testing.TB
	cluster launch.Cluster
	world   *probes.World
	options launch.Options
	execs   int // of the last probe
}

// visit connects to a cluster and looks at a namespace.
func visit(t testing.TB, c *fixture.Cluster, namespace string) *learner {
	t.Helper()
	client, scope := c.Client(kube.Options{Namespace: namespace})
	l := &learner{
		t: t, cluster: client, options: launch.Options{RunID: "r1", Machine: c.Machine()},
		world: probes.Look(t.Context(), fixture.Read(t, client.Client, scope), client, c.Machine()),
	}
	if len(l.world.Unknown) > 0 {
		t.Fatalf("got %v, want all of it read", l.world.Unknown)
	}
	return l
}

// probe checks the paths from a source to targets, or all groups without.
func (l *learner) probe(groups []probes.Group, words ...string) map[string]probes.Result {
	l.t.Helper()
	ladder := launch.New(l.cluster, l.options)
	defer func() { must(l.t, ladder.Close(context.WithoutCancel(l.t.Context()))) }()
	var checks []probes.Check
	if len(words) == 0 {
		l.world.Equipped = ladder.Equipped(l.t.Context(), l.world.Representatives())
		checks = l.world.Plan(groups...)
	} else {
		sources, err := l.world.FindSources(words[0])
		must(l.t, err)
		var targets []probes.Target
		for _, w := range words[1:] {
			target, err := probes.ParseTarget(w)
			must(l.t, err)
			targets = append(targets, target)
		}
		checks, err = l.world.PlanFor(sources, targets, 0)
		must(l.t, err)
	}
	found := map[string]probes.Result{}
	for _, r := range probes.Run(l.t.Context(), l.world, checks, ladder, probes.Options{Timeout: time.Second}, nil) {
		found[r.ID] = r
	}
	l.execs = ladder.Execs()
	return found
}

func say(r probes.Result) string {
	cause := ""
	if r.Cause != nil {
		cause = fmt.Sprintf("; %s: %s %q", r.Cause.Code, r.Cause.Summary, r.Cause.Evidence)
	}
	return fmt.Sprintf("%s: %s, %s %s %s %v %q (want %s %v, %s)%s", r.Verdict, r.ID, r.Stage, r.Error, r.Detail, r.Blind, r.Values, r.Expect.Outcome, r.Expect.Values, r.Expect.Why, cause)
}

// wants checks the verdict, and the cause if there is one: "fail dead-endpoint".
func wants(t testing.TB, found map[string]probes.Result, id, want string) {
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
		kinds := map[probes.Kind]int{}
		for _, r := range visit(t, c, "default").probe(probes.Groups) {
			kinds[r.Kind]++
			if r.Verdict != probes.Pass || r.Cause != nil {
				t.Error(say(r))
			}
			if r.Kind == probes.Spread && (r.Spread.Elsewhere > 0 || r.Spread.How != "the socket tables of the endpoints") {
				t.Errorf("got %+v, want all connections seen in the tables of sockets", r.Spread)
			}
		}
		for kind, least := range map[probes.Kind]int{probes.TCP: 40, probes.Spread: 2, probes.Env: 3, probes.DNS: 12} {
			if kinds[kind] < least {
				t.Errorf("got %d checks of kind %s, want at least %d", kinds[kind], kind, least)
			}
		}
	})
}

func TestEveryKindOfServiceKeepsItsRule(t *testing.T) {
	practice(t, func(t *testing.T, c *fixture.Cluster) {
		for _, r := range visit(t, c, "kinds").probe(probes.Groups) {
			if r.Verdict != probes.Pass || r.Cause != nil {
				t.Error(say(r))
			}
		}
		must(t, c.SetMachine(network.Outside))
		outside := visit(t, c, "kinds").probe([]probes.Group{probes.Services}, "local", "svc/clusterip", "svc/external-ip", "svc/nodeport", "svc/loadbalancer", "ingress/ingress")
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
		if got := outside["local tcp svc/clusterip:80"].Error; got != probes.TimedOut {
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
		dead := probes.CauseCode("")
		for _, r := range l.probe(nil, "pod/client", "svc/one-dead") {
			if r.Verdict == probes.Fail && r.Cause != nil {
				dead = r.Cause.Code
			}
		}
		if dead != probes.DeadEndpoint {
			t.Errorf("got %q for a Service of which one endpoint is dead", dead)
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
		maps.Copy(found, l.probe([]probes.Group{probes.Discovery}))
		for id, want := range map[string]string{
			"local status svc/loadbalancer-pending:80@loadbalancer":        "fail load-balancer-pending",
			"pod/client dns dns:api.exmaple.com/A":                         "fail external-name-unknown",
			"pod/client dns dns:headless-unready.broken.svc/A":             "pass headless-not-ready",
			"pod/client http http://resets/":                               "fail",
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
		if got := found["pod/client http http://resets/"]; got.Stage != probes.StageRequest || got.Error != probes.ResetByPeer {
			t.Errorf("got %s, want a reset", say(got))
		}
	})
}

func nodePort(l *learner, service string) string {
	return strconv.Itoa(l.world.Service(kube.Key{Namespace: "broken", Name: service}).Ports[0].NodePort)
}
